"""Recorded answers of a running Weaviate: the same requests to a server on this tree, compared answer by answer.

The recordings are not part of this repository: they are expected in `../shared/wirediff`, or in the folder that NEARIMAGE_SHARED names; without them the test
is skipped. They bring their own comparing program and stand-ins for inference containers, so that vectors are the same to the digit.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_ports, start_server

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDINGS = Path(os.environ.get("NEARIMAGE_SHARED", ROOT.parent / "shared")) / "wirediff"

DIFFERENT_ON_PURPOSE = {
    "graphql_get.variables": "a variable of the type Int works here; there it fails, because JSON's numbers are not taken for whole ones",
}
"""Where the recording shows a plain defect; with every other difference the test fails."""

SETTINGS = {
    "ENABLE_MODULES": "img2vec-neural,multi2vec-clip,multi2vec-bind",
    "API_BASED_MODULES_DISABLED": "true",
    "DEFAULT_VECTORIZER_MODULE": "none",
    "QUERY_DEFAULTS_LIMIT": "10",
    "QUERY_MAXIMUM_RESULTS": "10000",
    "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true",
    "AUTOSCHEMA_ENABLED": "true",
    "CLUSTER_HOSTNAME": "node1",
}
"""What the recorded server was started with."""


@pytest.fixture
def stand_ins() -> Iterator[dict[str, str]]:
    """Inference containers of the recordings, on free ports; the settings that lead to them."""
    ports = free_ports(3)
    flags = [part for name, port in zip(("--img2vec", "--clip", "--bind"), ports, strict=True) for part in (name, str(port))]
    process = subprocess.Popen([sys.executable, RECORDINGS / "stub_inference.py", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield {f"{name}_INFERENCE_API": f"http://127.0.0.1:{port}" for name, port in zip(("IMAGE", "CLIP", "BIND"), ports, strict=True)}
    process.kill()
    process.wait()


@pytest.mark.parametrize("transport", ["native", "grpcio"])
@pytest.mark.timeout(300)
@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"there are no recordings in {RECORDINGS}")
def test_a_client_cannot_tell_which_server_it_talks_to(stand_ins: dict[str, str], tmp_path: Path, transport: str) -> None:
    """Whatever a client relies on beyond what is written down, it can only have seen in answers like these."""
    server = start_server(tmp_path / "data", environment=SETTINGS | stand_ins | {"NEARIMAGE_GRPC_TRANSPORT": transport})
    try:
        ports = ["--http", str(server.http_port), "--grpc", str(server.grpc_port)]
        files = ["--golden", str(RECORDINGS / "golden.jsonl"), "--json", str(tmp_path / "all.json")]
        command = [sys.executable, str(RECORDINGS / "wirediff.py"), "compare", "--host", "127.0.0.1", *ports, *files]
        said = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}).stdout
    finally:
        server.stop()
    results = {step["id"]: step["result"] for step in json.loads((tmp_path / "all.json").read_text())}
    wrong = {name for name, result in results.items() if result == "failed"} - set(DIFFERENT_ON_PURPOSE)
    assert list(results.values()).count("passed") > 300, said
    assert wrong == set(), said
