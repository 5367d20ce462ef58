"""The search page over HTTP: what is sent, under which rules a browser runs it, and what it needs from REST."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import httpx
import pytest

from nearimage.doors.rest.call import About
from nearimage.doors.web.routes import web_endpoints
from tests.fakes import RED, World
from tests.http_doors import asked, rest_site

FILES = {
    "/": "text/html; charset=utf-8",
    "/page/page.css": "text/css; charset=utf-8",
    "/page/filter.js": "text/javascript; charset=utf-8",
    "/page/hits.js": "text/javascript; charset=utf-8",
    "/page/page.js": "text/javascript; charset=utf-8",
    "/page/place.js": "text/javascript; charset=utf-8",
    "/page/server.js": "text/javascript; charset=utf-8",
}
DOG = {
    "class": "Dog",
    "vectorizer": "img2vec-neural",
    "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
    "properties": [{"name": "breed", "dataType": ["text"]}, {"name": "image", "dataType": ["blob"]}],
}


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    about = About(version="1.35.0", hostname="here", max_message_bytes=100_000)
    with ThreadPoolExecutor(2) as executor, asked(rest_site(World().services(), about, web_endpoints()), executor) as client:
        yield client


def test_every_file_of_the_page_has_its_content_type(http: httpx.Client) -> None:
    """Under nosniff a browser refuses a script or a style sheet of another type."""
    assert {path: http.get(path).headers["Content-Type"] for path in FILES} == FILES


def test_nothing_in_the_package_is_left_out_or_too_much() -> None:
    """A file that is added must be served, and be there after an installation."""
    packaged = {file.name for file in (files("nearimage.doors.web") / "page").iterdir()}

    assert {route.path.rpartition("/")[2] or "index.html" for route in web_endpoints()} == packaged
    assert packaged == {path.rpartition("/")[2] or "index.html" for path in FILES}


@pytest.mark.parametrize("path", FILES)
def test_a_browser_runs_the_pages_own_scripts_only(http: httpx.Client, path: str) -> None:
    """What users stored is shown here: a script among it must not run, nor send anything elsewhere."""
    headers = http.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob: data:"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_names_no_other_host_and_nothing_inline(http: httpx.Client) -> None:
    """It works without the internet; inline scripts and styles would be refused by its own policy."""
    texts = [http.get(path).text.replace("http://www.w3.org/2000/svg", "") for path in FILES]

    assert [text for text in texts if "https://" in text or "http://" in text or 'src="//' in text] == []
    assert [mark for mark in ("<style", "style=", "onclick=", "<script>") if mark in http.get("/").text] == []


def test_an_unchanged_file_is_not_sent_again(http: httpx.Client) -> None:
    """Asked each time, so that no page runs the scripts of the version before; answered without a body."""
    first = http.get("/page/page.js")
    again = http.get("/page/page.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert http.get("/page/page.js", headers={"If-None-Match": '"another"'}).status_code == 200


def test_the_page_is_small(http: httpx.Client) -> None:
    """It opens at once on a phone, far from the server: packed, where the browser can unpack, and the same without."""
    sent = [http.get(path, headers={"Accept-Encoding": "gzip"}) for path in FILES]

    assert sum(int(answer.headers["content-length"]) for answer in sent) < 20_000
    assert [answer.content for answer in sent] == [http.get(path, headers={"Accept-Encoding": "identity"}).content for path in FILES]
    assert {answer.headers["vary"] for answer in sent} == {"Accept-Encoding"}


def test_rest_answers_as_before(http: httpx.Client) -> None:
    """The page sits beside REST, not over it."""
    assert http.get("/v1/schema").json() == {"classes": []}
    assert http.get("/page/nothing.js").json()["code"] == http.get("/page/../routes.py").json()["code"] == 404
    assert http.post("/").status_code == 405


def test_objects_come_without_their_pictures_when_asked(http: httpx.Client) -> None:
    """The page shows thumbnails: megabytes of base64 beside them would make it slow."""
    http.post("/v1/schema", json=DOG)
    made = http.post("/v1/objects", json={"class": "Dog", "properties": {"breed": "Corgi", "image": RED}}).json()

    [listed] = http.get("/v1/objects", params={"class": "Dog", "exclude": "blobs"}).json()["objects"]
    got = http.get(f"/v1/objects/Dog/{made['id']}", params={"exclude": "blobs"}).json()

    assert listed["properties"] == got["properties"] == {"breed": "Corgi"}
    assert http.get(f"/v1/objects/Dog/{made['id']}").json()["properties"]["image"] == RED


def test_excluding_something_else_is_refused(http: httpx.Client) -> None:
    """Ignoring it would send what the caller asked not to get."""
    http.post("/v1/schema", json=DOG)

    refused = http.get("/v1/objects", params={"class": "Dog", "exclude": "breed"})

    assert refused.status_code == 400
    assert refused.json()["error"][0]["message"] == "exclude knows 'blobs', got 'breed'"


def test_the_server_says_what_each_module_understands(http: httpx.Client) -> None:
    """The page offers a search by words only where it can be answered."""
    assert http.get("/v1/modules").json() == {"img2vec-neural": {"modalities": ["image"]}, "multi2vec-clip": {"modalities": ["image", "text"]}}
