"""References of every kind through one reader: what is switched on, side by side, within a request's allowance."""

import socket
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from nearimage.app import picture_reader
from nearimage.config.settings import InvalidSetting, Settings
from nearimage.domain.errors import Busy, FetchFailed, InvalidBase64, InvalidUrl, NearimageError, UrlRefused
from nearimage.media import PictureReader
from tests.fetching.web import Web, reply

BODY = b"the bytes of a picture"
HERE = "127.0.0.0/8"


@pytest.fixture
def read_by(request: pytest.FixtureRequest) -> Callable[..., PictureReader]:
    """Makes readers from settings and closes them."""

    def make(**settings: object) -> PictureReader:
        reader = picture_reader(Settings(**settings))  # type: ignore[arg-type]
        request.addfinalizer(reader.close)
        return reader

    return make


def failure(reader: PictureReader, reference: str) -> NearimageError:
    """Why a reference is not read."""
    with pytest.raises(NearimageError) as caught:
        reader.read(reference)
    return caught.value


def test_each_kind_of_reference_is_read(read_by: Callable[..., PictureReader], tmp_path: Path) -> None:
    """Whatever text a client passes, the bytes behind it are what counts."""
    (tmp_path / "a.jpg").write_bytes(BODY)
    reader = read_by(fetch_allow=HERE, file_root=str(tmp_path))
    encoded = b64encode(BODY).decode()
    with Web({"/a.jpg": reply(BODY)}) as web:
        references = [encoded, f"data:image/jpeg;base64,{encoded}", web.url("/a.jpg"), f"file://{tmp_path}/a.jpg"]

        assert [reader.read(reference) for reference in references] == [BODY] * 4
        assert reader.read_many(references) == [BODY] * 4
    assert [reader.waits(reference) for reference in references] == [False, False, True, True]


def test_what_is_off_says_how_to_switch_it_on(read_by: Callable[..., PictureReader]) -> None:
    """Files are off unless somebody chose a folder; URLs can be switched off."""
    reader = read_by(fetch="off")

    for reference, variable in (("http://example.org/a", "NEARIMAGE_FETCH"), ("file:///etc/passwd", "NEARIMAGE_FILE_ROOT")):
        error = failure(reader, reference)
        assert isinstance(error, UrlRefused)
        assert variable in error.message


def test_private_addresses_are_refused_by_default(read_by: Callable[..., PictureReader]) -> None:
    """Nobody must read a manual to be safe."""
    with Web({"/": reply(BODY)}) as web:
        assert isinstance(failure(read_by(), web.url("/")), UrlRefused)
        assert isinstance(failure(read_by(fetch="listed", fetch_allow="other.example"), web.url("/")), UrlRefused)
        assert isinstance(failure(read_by(fetch_allow=HERE, fetch_deny="127.0.0.1"), web.url("/")), UrlRefused)
        assert web.requests == []
        assert read_by(fetch="listed", fetch_allow=HERE).read(web.url("/")) == BODY


@pytest.mark.parametrize("reference", ["ftp://example.org/a", "s3://bucket/key", "javascript:alert(1)", "C:\\pictures\\a.jpg"])
def test_another_scheme_is_named_as_such(read_by: Callable[..., PictureReader], reference: str) -> None:
    """To be told that the colon is no base64 would help nobody."""
    error = failure(read_by(), reference)

    assert isinstance(error, InvalidUrl)
    assert "https" in error.message


def test_one_bad_reference_fails_alone(read_by: Callable[..., PictureReader]) -> None:
    """In a batch of a thousand, one link is always dead."""
    with Web({"/a": reply(BODY)}) as web:
        outcomes = read_by(fetch_allow=HERE).read_many([web.url("/a"), web.url("/gone"), "not base64", web.url("/a")])

    assert [type(outcome) for outcome in outcomes] == [bytes, FetchFailed, InvalidBase64, bytes]


def test_references_are_fetched_side_by_side(read_by: Callable[..., PictureReader]) -> None:
    """A thousand pictures that take half a second each must not take ten minutes; but not all at once either."""
    together = Barrier(4, timeout=5)

    def answer(wire: socket.socket) -> None:
        together.wait()  # nobody is answered before four ask
        reply(BODY)(wire)

    with Web({"/": answer}) as web:
        assert read_by(fetch_allow=HERE, fetch_parallel=4).read_many([web.url("/")] * 8) == [BODY] * 8


def test_a_request_has_an_allowance_of_bytes_and_of_time(read_by: Callable[..., PictureReader]) -> None:
    """A small request that names a thousand pictures would fill the memory, or hold its thread for an hour."""
    reader = read_by(fetch_allow=HERE, fetch_request_mib=1, fetch_parallel=2, fetch_request_timeout_s=1)

    def slow(wire: socket.socket) -> None:
        wire.settimeout(20)
        wire.recv(1)

    with Web({"/large": reply(bytes(400_000)), "/slow": slow}) as web:
        large = reader.read_many([web.url("/large")] * 4)
        started = time.monotonic()
        late = reader.read_many([web.url("/slow")] * 6)

    assert [type(outcome) for outcome in large].count(bytes) == 2
    assert {type(outcome) for outcome in late} == {FetchFailed}
    assert time.monotonic() - started < 10


def test_few_requests_wait_at_a_time(read_by: Callable[..., PictureReader]) -> None:
    """Slow servers must not be able to hold every thread of this one; what carries its bytes goes on."""
    reader, asked, go_on = read_by(fetch_allow=HERE, fetch_requests=1), Event(), Event()

    def answer(wire: socket.socket) -> None:
        asked.set()
        go_on.wait(5)
        reply(BODY)(wire)

    with Web({"/": answer}) as web, ThreadPoolExecutor() as pool:
        first = pool.submit(reader.read, web.url("/"))
        assert asked.wait(5)

        assert isinstance(failure(reader, web.url("/")), Busy)
        with pytest.raises(Busy):
            reader.read_many([web.url("/")] * 2)
        assert reader.read(b64encode(BODY).decode()) == BODY
        go_on.set()
        assert first.result(5) == BODY
        assert reader.read(web.url("/")) == BODY


def test_a_reader_that_is_closed_says_so(read_by: Callable[..., PictureReader]) -> None:
    """The server is stopping, which is no fault of the request."""
    reader = read_by(fetch_allow=HERE)
    reader.close()

    assert isinstance(failure(reader, "http://127.0.0.1:1/"), Busy)


@pytest.mark.parametrize(
    ("settings", "named"), [({"fetch_allow": "10.0.0"}, "fetch_allow"), ({"fetch_deny": "http://a"}, "fetch_deny"), ({"file_root": "not/there"}, "file_root")]
)
def test_a_wrong_setting_is_named(settings: dict[str, str], named: str) -> None:
    """A rule that was misread protects nothing, so the server does not start with it."""
    with pytest.raises(InvalidSetting, match=named):
        picture_reader(Settings(**settings))  # type: ignore[arg-type]
