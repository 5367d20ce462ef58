"""A server's life: it starts quickly, says clearly why it cannot, stops when told, and loses nothing when it is killed."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import warnings
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.servers import start_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client's sockets, when its server is killed under it


def refused(*options: str) -> str:
    """Start a server that must not start, and return what it says."""
    command = [sys.executable, "-m", "nearimage", "serve", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(data_folder: Path, number: int) -> None:
    """Supervisors take anything else for a crash."""
    server = start_server(data_folder)

    assert httpx.get(f"{server.url}/v1/.well-known/ready").status_code == 200
    assert server.stop(number) == 0


def test_the_environment_names_of_weaviate_are_understood(data_folder: Path) -> None:
    """A deployment moves over as it is; names of modules that we do not have are a warning."""
    environment = {"QUERY_DEFAULTS_LIMIT": "2", "CLUSTER_HOSTNAME": "kennel", "ENABLE_MODULES": "img2vec-neural,generative-dummy"}
    server = start_server(data_folder, environment=environment)

    assert httpx.get(f"{server.url}/v1/meta").json()["hostname"] == "kennel"
    httpx.post(f"{server.url}/v1/schema", json={"class": "Dog"})
    httpx.post(f"{server.url}/v1/batch/objects", json={"objects": [{"class": "Dog"}] * 3})
    assert httpx.get(f"{server.url}/v1/objects?class=Dog").json()["totalResults"] == 2
    assert server.stop() == 0
    assert any("generative-dummy" in line for line in server.log)


def test_what_was_acknowledged_survives_kill_9(data_folder: Path, photos: Mapping[str, Path]) -> None:
    """Durable when the client's call returns: the promise of a database."""
    server = start_server(data_folder)
    with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
        properties = [Property(name="breed", data_type=DataType.TEXT), Property(name="image", data_type=DataType.BLOB)]
        dogs = client.collections.create("Dog", properties=properties, vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]))
        picture = b64encode(photos["cat"].read_bytes()).decode()
        single = dogs.data.insert({"breed": "single", "image": picture})
        many = dogs.data.insert_many([{"breed": f"batch {n}"} for n in range(10)]).uuids.values()
        dogs.data.update(single, properties={"breed": "changed"})
    server.stop(signal.SIGKILL)

    again = start_server(data_folder)
    with weaviate.connect_to_local(port=again.http_port, grpc_port=again.grpc_port) as client:
        dogs = client.collections.use("Dog")
        found = dogs.query.near_image(photos["cat"], limit=1).objects[0]
        assert (found.uuid, found.properties["breed"]) == (single, "changed")
        assert {entry.uuid for entry in dogs.iterator()} == {single, *many}
    assert again.stop() == 0


def test_a_folder_has_one_writer(data_folder: Path) -> None:
    """Two would overwrite each other; the second is told who has it."""
    server = start_server(data_folder)

    said = refused("--data", str(data_folder), "--port", "0", "--grpc-port", "0")

    assert str(server.process.pid) in said
    assert str(server.http_port) in said
    assert server.stop() == 0


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_a_port_that_is_taken_is_named(data_folder: Path, option: str) -> None:
    """And two servers never share one, each answering half of the requests."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--grpc-port": "0", option: port}

        said = refused("--data", str(data_folder), *(word for pair in ports.items() for word in pair))

    assert port in said
    assert option in said


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file in its place, or no right to write."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert str(file) in refused("--data", str(file), "--port", "0", "--grpc-port", "0")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    """Before anything is half-made in it."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)

    assert str(folder) in refused("--data", str(folder), "--port", "0", "--grpc-port", "0")


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    """The option or variable, what it must be, what it was."""
    file = tmp_path / "nearimage.toml"
    file.write_text("port = 'eighty'\n")

    assert "port" in refused("--data", str(tmp_path / "d"), "--config", str(file))
    assert "log_level" in refused("--data", str(tmp_path / "d"), "--log-level", "loud")
    assert "starter" in refused("--data", str(tmp_path / "d"), "--clip-model", "martian", "--port", "0", "--grpc-port", "0")


def test_garbage_on_either_port_leaves_the_server_up(data_folder: Path) -> None:
    """HTTP/1.1 on the gRPC port, noise on both, and connections dropped half-way."""
    server = start_server(data_folder)
    for port in (server.http_port, server.grpc_port):
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 50, os.urandom(1000), b""):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(noise)
    with socket.create_connection(("127.0.0.1", server.http_port)) as connection:
        connection.sendall(b"POST /v1/objects HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    time.sleep(0.2)

    assert httpx.get(f"{server.url}/v1/.well-known/ready").status_code == 200
    assert server.stop() == 0
    assert not any("Traceback" in line or "ERROR" in line for line in server.log)
