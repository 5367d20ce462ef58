"""The older Python client and both TypeScript clients, unmodified, against a live server: the sections of Weaviate's page "Image search".

Each runs in a process of its own (`programs/`), for the clients cannot live in one environment; `make clients` installs them under `.cache/clients`. The
answers are named after the page's sections: the tabs "py3", "js" of its time and "js" of today.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.servers import LiveServer

PROGRAMS = Path(__file__).parent / "programs"
CLIENTS = Path(__file__).resolve().parents[2] / ".cache" / "clients"
COLOURS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250)}
RUN_S = 100


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of each colour."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, colour in COLOURS.items():
        Image.new("RGB", (64, 64), colour).save(folder / f"{name}.png")
    return folder


def run(*command: object) -> dict[str, Any]:
    """What a program prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def node(client: str) -> tuple[str, Path]:
    """Node, and where a client is; skips where one is missing."""
    program, folder = shutil.which("node"), CLIENTS / client
    if program is None:
        pytest.skip("there is no Node on this machine")
    if not (folder / ".made").exists():
        pytest.skip(f"{client} is not installed; make clients does it")
    return program, folder


def python_v3() -> Path:
    """The interpreter of the older client's environment; skips where there is none."""
    if not (CLIENTS / "python-v3" / ".made").exists():
        pytest.skip("the older Python client is not installed; make clients does it")
    return CLIENTS / "python-v3" / "bin" / "python"


def get(answer: Any) -> list[dict[str, Any]]:
    """The objects of an answer to Get."""
    (found,) = answer["data"]["Get"].values()
    assert "errors" not in answer
    assert isinstance(found, list)
    return found


def breeds(answer: Any) -> list[str]:
    return [hit["breed"] for hit in get(answer)]


def check_sections(found: dict[str, Any]) -> None:
    """What the older clients of both languages read."""
    assert get(found["by local image path"]) == [{"breed": "red"}]
    assert get(found["by the base64 representation"]) == [{"breed": "green"}]
    assert get(found["distance"]) == [{"breed": "red", "_additional": {"distance": 0}}]
    assert sorted(breeds(found["filter"])) == ["blue", "green"]
    assert breeds(found["near object"]) == ["blue"]
    assert breeds(found["keywords"]) == ["green"]
    assert breeds(found["hybrid"]) == ["blue"]
    assert [hit["weight"] for hit in get(found["sorted"])] == [3, 2, 1]
    assert [hit["_additional"]["group"]["count"] for hit in get(found["group"])] == [1]
    (figures,) = next(iter(found["aggregate"]["data"]["Aggregate"].values()))
    assert (figures["meta"]["count"], figures["weight"]["sum"]) == (3, 6)
    assert breeds(found["raw"]) == ["red"]


def test_py3(shared_server: LiveServer, pictures: Path) -> None:
    """Programs written before 2024 speak GraphQL only, through this client."""
    found = run(python_v3(), PROGRAMS / "python_v3.py", f"http://127.0.0.1:{shared_server.http_port}", pictures)

    check_sections(found)
    assert found["by local image path"] == {"data": {"Get": {"DogV3": [{"breed": "red"}]}}}  # the page compares the whole answer
    assert len(breeds(found["limit and offset"])) == 1
    assert [hit["weight"] for hit in get(found["after"])] == [2]
    assert next(iter(found["aggregate near"]["data"]["Aggregate"].values())) == [{"meta": {"count": 1}}]
    assert found["no picture"]["data"] == {"Get": {"DogV3": None}}
    assert "base64" in found["no picture"]["errors"][0]["message"]


def test_js_of_the_time(shared_server: LiveServer, pictures: Path) -> None:
    """The page's own code of that time: a file read by the program, its base64 put into GraphQL."""
    program, client = node("typescript-v2")
    found = run(program, PROGRAMS / "typescript_v2.mjs", client, shared_server.http_port, pictures)

    check_sections(found)
    assert "base64" in found["no picture"]["failed"]


def test_js_of_today(shared_server: LiveServer, pictures: Path) -> None:
    """Reads the file itself, and asks over gRPC."""
    program, client = node("typescript-v3")
    found = run(program, PROGRAMS / "typescript_v3.mjs", client, shared_server.http_port, shared_server.grpc_port, pictures)

    assert {name: found[name] for name in ("by local image path", "by the base64 representation", "distance", "near object", "keywords")} == {
        "by local image path": ["red"],
        "by the base64 representation": ["green"],
        "distance": ["red"],
        "near object": ["blue"],
        "keywords": ["green"],
    }
    assert sorted(found["filter"]) == ["blue", "green"]
    assert (found["sorted"], found["aggregate"]) == ([3, 2, 1], 3)


def test_the_tab_graphql(shared_server: LiveServer) -> None:
    """No client at all: a question pasted into a shell, with a comment in it and no commas."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    url = f"http://127.0.0.1:{shared_server.http_port}/v1"
    named = {"class": "Tab", "properties": [{"name": "title", "dataType": ["text"]}], "vectorConfig": {"title": {"vectorizer": {"none": {}}}}}
    created = run(curl, "-s", f"{url}/schema", "-H", "Content-Type: application/json", "-d", json.dumps(named))
    question = '{ Get { Tab(limit: 2 nearVector: {targetVectors: ["title"] vector: [1 0]}) { title # its name\n } } }'
    asked = run(curl, "-s", f"{url}/graphql", "-H", "Content-Type: application/json", "-d", json.dumps({"query": question}))
    subprocess.run([curl, "-s", "-X", "DELETE", f"{url}/schema/Tab"], check=True)

    assert created["class"] == "Tab"
    assert asked == {"data": {"Get": {"Tab": []}}}
