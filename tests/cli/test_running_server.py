"""The commands with a running server: asked by URL, or found through the folder it holds."""

import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from click.testing import CliRunner, Result

from nearimage.cli.main import main
from tests.servers import LiveServer


def nearimage(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"NEARIMAGE_CLIP_MODEL": "", "COLUMNS": "200"})


@pytest.fixture(scope="module")
def pictures(photos: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three photographs."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("cat", "coffee", "rocket"):
        shutil.copy(photos[name], folder)
    return folder


@pytest.fixture
def collection() -> str:
    """A name that no other test uses."""
    return f"Cli_{uuid4().hex}"


def test_indexing_and_searching_by_url(shared_server: LiveServer, pictures: Path, collection: str) -> None:
    """The same commands, the same hits, over REST."""
    there = ("--url", shared_server.url, "--collection", collection)
    first, second = (orjson.loads(nearimage("index", str(pictures), "--json", *there).stdout) for _ in range(2))
    found = orjson.loads(nearimage("search", str(pictures / "cat.png"), "--json", *there).stdout)

    assert (first["stored"], first["skipped"], second["stored"], second["skipped"]) == (3, 0, 0, 3)
    assert found["target"] == "picture"
    assert found["hits"][0]["properties"]["name"] == "cat.png"
    assert found["hits"][0]["distance"] == pytest.approx(0, abs=1e-5)


def test_a_folder_that_a_server_holds_is_asked_through_the_server(shared_server: LiveServer, pictures: Path, collection: str) -> None:
    """A folder belongs to one process; the user should not have to know where that process listens."""
    there = ("--data", str(shared_server.data), "--collection", collection)
    result = nearimage("index", str(pictures), *there)

    assert result.exit_code == 0, result.output
    assert result.stderr == f"A server holds the data folder {shared_server.data}: asking it, at {shared_server.url}\n"
    assert nearimage("search", str(pictures / "rocket.jpg"), *there).stdout.splitlines()[0].endswith("rocket.jpg")


def test_thumbnails_come_from_the_server(shared_server: LiveServer, pictures: Path, collection: str) -> None:
    """The files may lie on another machine."""
    there = ("--url", shared_server.url, "--collection", collection)
    nearimage("index", str(pictures), *there)
    shown = nearimage("search", str(pictures / "cat.png"), "--limit", "1", "--thumbnails", *there).stdout

    assert shown.count("\u2580") > 100


def test_bad_files_fail_alone(shared_server: LiveServer, pictures: Path, collection: str, tmp_path: Path) -> None:
    """The server's reason is shown beside the file's name."""
    shutil.copytree(pictures, tmp_path, dirs_exist_ok=True)
    (tmp_path / "cut.png").write_bytes((pictures / "cat.png").read_bytes()[:1_000])
    result = nearimage("index", str(tmp_path), "--json", "--url", shared_server.url, "--collection", collection)
    told = orjson.loads(result.stdout)

    assert (result.exit_code, told["stored"], told["failed"]) == (0, 3, 1)
    assert told["failures"][0]["path"].endswith("cut.png")
    assert "PNG" in told["failures"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "cat", "--collection", "Nothing"), "there is no collection named 'Nothing'"),
        (("index", ".", "--collection", "no name"), "cannot name a collection"),
    ],
)
def test_the_servers_errors_are_told_in_its_words(shared_server: LiveServer, arguments: tuple[str, ...], message: str) -> None:
    """They say what to do; a status code does not."""
    result = nearimage(*arguments, "--url", shared_server.url)

    assert result.exit_code == 1
    assert message in result.stderr


def test_words_without_a_vector_for_them_say_what_helps(shared_server: LiveServer, pictures: Path, collection: str) -> None:
    """The first thing many try; it must end in the next step, not in a riddle."""
    import httpx

    vectors = {"picture": {"vectorizer": {"img2vec-neural": {"imageFields": ["image"]}}}}
    body = {"class": collection, "properties": [{"name": "image", "dataType": ["blob"]}], "vectorConfig": vectors}
    httpx.post(f"{shared_server.url}/v1/schema", json=body, trust_env=False).raise_for_status()
    result = nearimage("search", "a", "cat", "--url", shared_server.url, "--collection", collection)

    assert result.exit_code == 1
    assert f"of collection {collection!r}, made by img2vec-neural, cannot be searched by nearText" in result.stderr
    assert "--clip-model starter" in result.stderr


def test_no_server_is_one_clear_sentence() -> None:
    """The port may be wrong, or nothing runs; both are mended by the same two options."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = nearimage("search", "cat", "--url", url)

    assert result.exit_code == 1
    assert f"no server answers at {url}" in result.stderr
    assert "nearimage serve" in result.stderr


@pytest.mark.parametrize("url", ["foo", "http://[", "ftp://127.0.0.1"])
def test_what_is_no_url_is_refused(url: str) -> None:
    """Never a stack trace for a typing error."""
    result = nearimage("search", "cat", "--url", url)

    assert result.exit_code == 1
    assert url in result.stderr


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome to my home page</html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        return


@pytest.fixture
def stranger() -> Iterator[str]:
    """The URL of a server that is none of ours."""
    server = HTTPServer(("127.0.0.1", 0), _Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_program_at_the_url_is_noticed(stranger: str) -> None:
    """8080 is a popular port."""
    result = nearimage("search", "cat", "--url", stranger)

    assert result.exit_code == 1
    assert "not as nearimage does" in result.stderr
