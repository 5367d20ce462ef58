"""Web pages that ask a server of another origin, as browsers do it for them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

import httpx
import pytest

from nearimage.config.keys import pages_that_may_ask
from nearimage.config.settings import Settings
from nearimage.doors.access import Access, digest_of
from nearimage.doors.http1.exchange import Endpoint, Response
from nearimage.doors.site import Site
from nearimage.doors.web_pages import WebPages
from tests.http_doors import asked

HOME = "http://localhost:3000"
ABROAD = "https://pictures.example"
MAY = "access-control-allow-origin"

Ask = Callable[[Access], httpx.Client]


@pytest.fixture
def site() -> Iterator[Ask]:
    """Opens a site of one path."""
    path = Endpoint("GET", "/v1/meta", lambda *_: Response(body=b"{}", headers={"Vary": "Accept-Encoding"}))
    with ThreadPoolExecutor(1) as executor, ExitStack() as open_now:

        def ask(access: Access) -> httpx.Client:
            client: AbstractContextManager[httpx.Client] = asked(Site([path], access), executor)
            return open_now.enter_context(client)

        yield ask


def test_a_browser_is_told_that_a_page_of_this_machine_may_ask(site: Ask) -> None:
    """It asks before it sends JSON or a key, and without a key: a page that somebody writes at home would never get further."""
    client = site(Access(users={digest_of("k"): "ann"}, anonymous=False))
    told = client.options("/v1/meta", headers={"Origin": HOME, "Access-Control-Request-Method": "POST"})

    assert (told.status_code, told.content) == (200, b"")
    assert (told.headers[MAY], told.headers["access-control-allow-methods"]) == (HOME, "*")
    assert "Authorization" in told.headers["access-control-allow-headers"]
    refused = client.get("/v1/meta", headers={"Origin": HOME})
    assert (refused.status_code, refused.headers[MAY]) == (401, HOME)


def test_an_answer_says_who_may_read_it_only_where_a_page_asks(site: Ask) -> None:
    """And caches learn that it is another one for others."""
    client = site(Access())
    answer = client.get("/v1/meta", headers={"Origin": HOME})

    assert (answer.headers[MAY], answer.headers["vary"]) == (HOME, "Accept-Encoding, Origin")
    assert client.get("/nope", headers={"Origin": HOME}).headers[MAY] == HOME
    assert MAY not in client.get("/v1/meta").headers


@pytest.mark.parametrize("origin", [ABROAD, "null", "http://localhost.example", "http://127.0.0.1.example", "http://[", "file://"])
def test_a_page_from_elsewhere_may_not_read_a_server_without_keys(site: Ask, origin: str) -> None:
    """Else whatever somebody visits reads the pictures of a server that nobody but this machine reaches."""
    client = site(Access())

    assert MAY not in client.options("/v1/meta", headers={"Origin": origin}).headers
    assert MAY not in client.get("/v1/meta", headers={"Origin": origin}).headers


@pytest.mark.parametrize(("origins", "told"), [({"*"}, "*"), ({ABROAD}, ABROAD)])
def test_a_setting_lets_pages_from_elsewhere_ask(site: Ask, origins: set[str], told: str) -> None:
    """As with Weaviate."""
    client = site(Access(pages=WebPages(origins=frozenset(origins))))

    assert client.get("/v1/meta", headers={"Origin": ABROAD}).headers[MAY] == told


def test_whose_pages_may_ask_follows_from_the_settings() -> None:
    """Weaviate lets all; so is it here where a key is needed."""
    keys = Settings(api_keys_enabled=True, api_keys="k", api_key_users="ann")

    assert pages_that_may_ask(Settings()) is None
    assert pages_that_may_ask(keys) == frozenset("*")
    assert pages_that_may_ask(replace(keys, anonymous_access="true")) is None
    assert pages_that_may_ask(Settings(cors_allow_origin=" https://a.example/, http://b:80")) == frozenset(("https://a.example", "http://b:80"))
