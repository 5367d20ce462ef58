"""Fetching over TLS: the name must be proved, and the handshake is waited for too."""

import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from nearimage.domain.errors import FetchFailed
from tests.fetching.asking import BODY, fetch, leads_to, refusal
from tests.fetching.web import Web, reply


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for pictures.example that signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, chain_file = folder / "key.pem", folder / "chain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=pictures.example"]
    command += ["-addext", "subjectAltName=DNS:pictures.example", "-keyout", str(key), "-out", str(chain_file)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")
    return key, chain_file


def test_https_checks_the_certificate_by_name(certificate: tuple[Path, Path]) -> None:
    """The connection goes to an address; who answers there must prove the name."""
    key, chain_file = certificate
    names: list[str | None] = []
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain_file, key)

    def remember(wire: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        names.append(name)

    serving.sni_callback = remember
    trusting = ssl.create_default_context(cafile=str(chain_file))

    with Web({"/": reply(BODY)}, wrap=lambda wire: serving.wrap_socket(wire, server_side=True)) as web:
        found = fetch(web.url("/", "pictures.example", "https"), resolve=leads_to("127.0.0.1"), tls=trusting)
        with pytest.raises(FetchFailed, match="certificate"):
            fetch(web.url("/", "other.example", "https"), resolve=leads_to("127.0.0.1"), tls=trusting)
        with pytest.raises(FetchFailed, match="certificate"):
            fetch(web.url("/", "pictures.example", "https"), resolve=leads_to("127.0.0.1"))

    assert found == BODY
    assert names == ["pictures.example", "other.example", "pictures.example"]


def test_a_secure_connection_that_never_comes_about_is_given_up() -> None:
    """The handshake is waited for too."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.4)

    assert isinstance(error, FetchFailed)
    assert time.monotonic() - started < 10
