"""Inference containers: what they are asked, and what becomes of their answers and their silences."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from nearimage.domain.errors import Busy, ContainerSilent, InputRefused, InvalidInput, NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.vectorizer import Bundle, Input
from nearimage.testing.vectorizer_contract import UNREADABLE, succeeded
from nearimage.vectorizers.remote.containers import REQUESTS_AT_ONCE, Containers
from nearimage.vectorizers.remote.contracts import BIND, CLIP, PICTURES, Contract
from tests.containers import FakeContainer, answering, breaking, file_vector, hanging, text_vector

PICTURE: Bundle = [Input(Modality.IMAGE, b"a picture")]
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def container() -> Iterator[FakeContainer]:
    with FakeContainer() as running:
        yield running


@pytest.fixture
def containers() -> Iterator[Containers]:
    made = Containers(timeout_s=60)
    yield made
    made.close()


def asked(containers: Containers, contract: Contract, url: str, bundle: Bundle = PICTURE) -> Matrix:
    (made,) = containers.vectorizer(contract, url).embed([bundle])
    return succeeded(made)


def test_img2vec_is_asked_picture_by_picture(container: FakeContainer, containers: Containers) -> None:
    """Its contract knows one picture a request."""
    rows = asked(containers, PICTURES, container.url, [Input(Modality.IMAGE, b"one"), Input(Modality.IMAGE, b"two")])

    assert [set(body) for body in container.requests] == [{"id", "image"}] * 2
    assert np.array_equal(rows, [file_vector(Modality.IMAGE, data) for data in (b"one", b"two")])


def test_bind_is_asked_once_for_all_an_object_has(container: FakeContainer, containers: Containers) -> None:
    """One request an object is what containers are made for; what is not asked for is left out of it."""
    rows = asked(containers, BIND, container.url, [Input(Modality.IMU, b"m"), Input(Modality.TEXT, "a cat"), Input(Modality.AUDIO, b"s")])

    assert [set(body) for body in container.requests] == [{"texts", "imu", "audio"}]
    assert np.array_equal(rows, [file_vector(Modality.IMU, b"m"), text_vector("a cat"), file_vector(Modality.AUDIO, b"s")])


def test_a_refused_picture_is_the_callers_mistake_and_fails_alone(container: FakeContainer, containers: Containers) -> None:
    """Containers refuse pictures with status 500; whoever sent it must learn why, and the rest of the batch must not suffer."""
    good = [[Input(Modality.IMAGE, str(number).encode())] for number in range(20)]
    made = containers.vectorizer(CLIP, container.url).embed([*good, [Input(Modality.IMAGE, UNREADABLE)], *good])

    refused = made[20]
    assert isinstance(refused, InputRefused)
    assert isinstance(refused, InvalidInput)
    assert "fail with status 500: cannot identify file" in refused.message
    assert all(np.array_equal(succeeded(made[n]), [file_vector(Modality.IMAGE, str(n).encode())]) for n in range(20))


def test_a_container_that_is_not_there_is_busy_at_once() -> None:
    """It may be starting; clients try again on Busy, and a query must not hang meanwhile."""
    patient = Containers(timeout_s=60)
    started = time.monotonic()
    with pytest.raises(Busy, match="does not answer"):
        asked(patient, CLIP, NOBODY)

    assert time.monotonic() - started < 30
    patient.close()


@pytest.mark.parametrize("times", [1, 2])
def test_a_broken_connection_is_tried_again(container: FakeContainer, containers: Containers, times: int) -> None:
    """A container that was started anew leaves dead connections in the pool; no object should fail for it."""
    asked(containers, CLIP, container.url)
    container.behaviours += [breaking] * times

    assert np.array_equal(asked(containers, CLIP, container.url), [file_vector(Modality.IMAGE, b"a picture")])
    assert len(container.requests) == 2 + times


def test_a_connection_that_keeps_breaking_is_given_up(container: FakeContainer, containers: Containers) -> None:
    """Three times is no accident, and the caller waits."""
    container.behaviours += [breaking] * 9

    with pytest.raises(Busy, match="broke the connection"):
        asked(containers, CLIP, container.url)
    assert len(container.requests) == 3


def test_a_container_that_takes_too_long_is_busy(container: FakeContainer) -> None:
    """MODULES_CLIENT_TIMEOUT bounds what a caller can wait."""
    impatient = Containers(timeout_s=0.2)
    container.behaviours.append(hanging(30))
    started = time.monotonic()
    with pytest.raises(Busy, match=r"0\.2 s"):
        asked(impatient, CLIP, container.url)

    assert time.monotonic() - started < 10
    impatient.close()


def test_an_answer_that_comes_in_drops_is_cut_off_as_well(container: FakeContainer) -> None:
    """HTTP libraries count their time-out from byte to byte; a drop a moment would hold a caller for ever."""
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(600):
            try:
                handler.wfile.write(b" ")
            except OSError:
                break
            time.sleep(0.05)
        gone.set()

    impatient = Containers(timeout_s=0.3)
    container.behaviours.append(drip)
    started = time.monotonic()
    with pytest.raises(Busy, match=r"0\.3 s"):
        asked(impatient, CLIP, container.url)

    assert time.monotonic() - started < 10
    impatient.close()
    assert gone.wait(5)


WRONG_ANSWERS: dict[str, bytes] = {
    "no JSON": b"<html>502 Bad Gateway</html>",
    "no object": b"[1, 2]",
    "no vectors": b"{}",
    "null": b'{"imageVectors": null}',
    "too many": json.dumps({"imageVectors": [[1.0], [2.0]]}).encode(),
    "of another kind": json.dumps({"imageVectors": [], "textVectors": [[1.0]]}).encode(),
    "empty": b'{"imageVectors": [[]]}',
    "words": b'{"imageVectors": [["much"]]}',
    "holes": b'{"imageVectors": [[1.0, null]]}',
    "no list": b'{"imageVectors": 5}',
    "too large": b'{"imageVectors": [[1e60, 1.0]]}',
}


@pytest.mark.parametrize("what", WRONG_ANSWERS)
def test_an_answer_outside_the_contract_never_becomes_a_vector(container: FakeContainer, containers: Containers, what: str) -> None:
    """Something else may listen under the address; its answer must not be stored as a picture's vector, and is nobody's mistake but the server's."""
    container.behaviours.append(answering(200, WRONG_ANSWERS[what]))

    with pytest.raises(Busy):
        asked(containers, CLIP, container.url)


@pytest.mark.parametrize(("status", "body"), [(502, b"{}"), (503, b'{"error": "starting"}'), (404, b'{"error": "not found"}'), (500, b"oops"), (500, b"{}")])
def test_a_status_that_says_nothing_about_the_picture_is_busy(container: FakeContainer, containers: Containers, status: int, body: bytes) -> None:
    """A proxy's 503 must not be told as an unreadable picture: the caller would throw the picture away."""
    container.behaviours.append(answering(status, body))

    with pytest.raises(Busy, match=str(status)):
        asked(containers, CLIP, container.url)


def test_an_error_beside_status_200_is_an_error(container: FakeContainer, containers: Containers) -> None:
    """Containers of img2vec have an error field in every answer, mostly empty."""
    container.behaviours += [answering(200, b'{"vector": [1.0], "error": ""}'), answering(200, b'{"vector": [1.0], "error": "no picture"}')]

    assert asked(containers, PICTURES, container.url).tolist() == [[1.0]]
    with pytest.raises(InputRefused, match="no picture"):
        asked(containers, PICTURES, container.url)


def test_redirects_are_not_followed(container: FakeContainer, containers: Containers) -> None:
    """Pictures go where the operator said, nowhere else."""

    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.send_response(307)
        request.send_header("Location", f"{container.url}/vectorize")
        request.send_header("Content-Length", "0")
        request.end_headers()

    container.behaviours.append(redirect)
    with pytest.raises(Busy, match="307"):
        asked(containers, CLIP, container.url)


def test_an_import_sends_several_requests_at_a_time_but_not_too_many() -> None:
    """One after the other leaves a container idle; all at once would bring it down."""
    with FakeContainer(delay_s=0.02) as slow:
        containers = Containers(timeout_s=60)
        made = containers.vectorizer(CLIP, slow.url).embed([PICTURE] * (REQUESTS_AT_ONCE * 4))
        containers.close()

    assert all(succeeded(one).shape == (1, 8) for one in made)
    assert 1 < slow.most_at_once <= REQUESTS_AT_ONCE


def test_an_import_gives_up_once_the_container_is_silent(container: FakeContainer) -> None:
    """A thousand objects would otherwise wait out a thousand time-outs."""
    impatient = Containers(timeout_s=0.2)
    container.behaviours += [hanging(0.5)] * 1000
    started = time.monotonic()
    vectorizer = impatient.vectorizer(CLIP, container.url)
    made = [outcome for _ in range(20) for outcome in vectorizer.embed([PICTURE] * 10)]

    assert all(isinstance(one, ContainerSilent) for one in made)
    assert time.monotonic() - started < 5
    assert len(container.requests) <= REQUESTS_AT_ONCE
    impatient.close()


def test_a_query_is_sent_while_imports_are_given_up(container: FakeContainer) -> None:
    """One request that took too long must not close the door to everybody."""
    impatient = Containers(timeout_s=0.2)
    container.behaviours += [hanging(0.5)] * REQUESTS_AT_ONCE
    impatient.vectorizer(CLIP, container.url).embed([PICTURE] * REQUESTS_AT_ONCE)
    container.behaviours.clear()

    assert asked(impatient, CLIP, container.url).shape == (1, 8)
    impatient.close()


def test_a_useless_answer_for_one_object_costs_the_others_nothing(container: FakeContainer, containers: Containers) -> None:
    """Only silence is given up; a container that answers nonsense to one picture may answer well to the next."""
    container.behaviours.append(answering(200, b'{"imageVectors": [[null]]}'))
    made = containers.vectorizer(CLIP, container.url).embed([PICTURE] * 30)

    assert sum(isinstance(one, Busy) for one in made) == 1


def test_what_the_contract_has_no_word_for_is_not_sent(container: FakeContainer, containers: Containers) -> None:
    """A sound sent as a picture would come back as a vector."""
    (made,) = containers.vectorizer(CLIP, container.url).embed([[Input(Modality.AUDIO, b"sound")]])

    assert isinstance(made, NotSupported)
    assert not container.requests


def test_a_closed_client_is_busy(container: FakeContainer) -> None:
    """A request that comes in while the server stops is told to come again, not that it was wrong."""
    closed = Containers()
    vectorizer = closed.vectorizer(CLIP, container.url)
    closed.close()

    with pytest.raises(Busy):
        closed.vectorizer(CLIP, container.url)
    with pytest.raises(Busy):
        vectorizer.embed([PICTURE, PICTURE])
    (single,) = vectorizer.embed([PICTURE])
    assert isinstance(single, Busy)


def test_a_container_is_looked_for_until_it_is_ready(container: FakeContainer, containers: Containers, caplog: pytest.LogCaptureFixture) -> None:
    """Servers and containers are started together; whoever runs them sees in the log what is missing, and when it came."""
    container.ready = False
    with caplog.at_level(logging.INFO):
        containers.watch(CLIP, container.url)
        wait_for("is not ready", caplog)
        container.ready = True
        wait_for("is ready now", caplog)


def wait_for(text: str, caplog: pytest.LogCaptureFixture) -> None:
    ends = time.monotonic() + 10
    while text not in caplog.text:
        assert time.monotonic() < ends, caplog.text
        time.sleep(0.02)


def test_the_container_describes_itself(container: FakeContainer, containers: Containers) -> None:
    """/v1/meta repeats it; one that does not answer must not take /v1/meta down, which clients read when they connect."""
    assert containers.about(CLIP, container.url) == {"model": "fake"}
    assert containers.about(PICTURES, container.url) == {}
    assert list(containers.about(CLIP, NOBODY)) == ["error"]
