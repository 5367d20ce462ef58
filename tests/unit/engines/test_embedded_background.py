"""Background work: one thread, one entry a key, errors that end nothing but themselves."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from nearimage.engines.embedded import background as background_module
from nearimage.engines.embedded.background import LONGEST_REST_S, Background, Stop


@pytest.fixture
def background() -> Iterator[Background]:
    """A worker that is closed in the end."""
    background = Background()
    yield background
    background.close()


class Held:
    """Work that runs until it is let go or told to stop."""

    def __init__(self) -> None:
        self.started, self.let_go, self.stopped = threading.Event(), threading.Event(), False

    def __call__(self, stop: Stop) -> None:
        self.started.set()
        while not (self.let_go.wait(0.005) or self.stopped):
            self.stopped = stop()


def test_a_key_that_waits_is_replaced_and_one_that_runs_is_queued_again(background: Background) -> None:
    """Ten commits that ask for the same thing cause it once, but what was asked during the run is not lost."""
    held, done = Held(), list[int]()
    background.submit("a", held)
    assert held.started.wait(5)
    for number in range(10):
        background.submit("a", lambda _stop, number=number: done.append(number))  # type: ignore[misc] # a default makes it no Work, but it can be called as one
    assert background.tasks() == ("a", "a")
    held.let_go.set()
    assert background.wait(5)
    assert done == [9]
    assert background.tasks() == ()


def test_an_error_is_shown_and_the_next_work_runs(background: Background) -> None:
    """An index that cannot be built must not take snapshots with it, nor hide."""

    def fail(_stop: Stop) -> None:
        raise ValueError("no luck")

    done = threading.Event()
    background.submit("c1: bad", fail)
    background.submit("c2: good", lambda _stop: done.set())
    assert background.wait(5)
    assert done.is_set()
    assert background.failures() == {"c1: bad": "ValueError: no luck"}
    assert background.failures("c2") == {}
    background.submit("c1: bad", lambda _stop: None)
    assert background.wait(5)
    assert background.failures() == {}


def test_cancelling_waits_for_what_runs_and_leaves_other_keys(background: Background) -> None:
    """A shard is closed while its index is being built: its files go, another shard's work must stay."""
    held, done = Held(), list[str]()
    background.submit("c1: x", held)
    assert held.started.wait(5)
    background.submit("c1: y", lambda _stop: done.append("c1"))
    background.submit("c2: y", lambda _stop: done.append("c2"))
    background.cancel("c1:")
    assert held.stopped
    assert background.wait(5)
    assert done == ["c2"]


def test_closing_stops_what_runs_and_refuses_nobody(background: Background) -> None:
    """A server that shuts down must not wait for an index of a million vectors; late commits still ask for work."""
    held = Held()
    background.submit("a", held)
    assert held.started.wait(5)
    started = time.monotonic()
    background.close()
    background.submit("b", lambda _stop: None)
    assert time.monotonic() - started < 10
    assert held.stopped
    assert background.tasks() == ()


def test_work_rests_as_long_as_it_waited(background: Background) -> None:
    """Whoever has to wait shares the machine: background work must leave half of its share to searches, and lose nothing where nobody else wants it."""
    idle, crowded = list[float](), list[float]()

    def ask(stop: Stop, took: list[float]) -> None:
        started = time.perf_counter()
        stop()
        took.append(time.perf_counter() - started)

    def work(stop: Stop) -> None:
        for _ in range(20):
            stop()
            ask(stop, idle)
            time.sleep(0.01)  # as if others had the processor
            ask(stop, crowded)

    background.submit("a", work)
    assert background.wait(30)
    assert min(idle) < 0.005
    assert min(crowded) >= 0.01


def test_work_in_python_hands_the_interpreter_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search asks for the interpreter's lock ten times: at five milliseconds each time it would wait for fifty."""
    monkeypatch.setattr(background_module, "SWITCH_S", 0.0004)
    before = sys.getswitchinterval()
    try:
        Background().close()
        assert sys.getswitchinterval() == pytest.approx(0.0004, abs=2e-6)
        sys.setswitchinterval(0.0001)  # whoever wants less keeps it
        Background().close()
        assert sys.getswitchinterval() == pytest.approx(0.0001, abs=2e-6)
    finally:
        sys.setswitchinterval(before)


def test_work_that_is_to_stop_does_not_rest(background: Background) -> None:
    """Closing a database must not take as long as its background work had to wait."""
    took = list[float]()
    started, closing = threading.Event(), threading.Event()

    def work(stop: Stop) -> None:
        started.set()
        closing.wait(5)
        while not background._closed:
            time.sleep(0.001)
        began = time.perf_counter()
        assert stop()
        took.append(time.perf_counter() - began)

    background.submit("a", work)
    assert started.wait(5)
    closing.set()
    background.close()
    assert background._thread
    background._thread.join(5)
    assert took
    assert took[0] < LONGEST_REST_S / 2
