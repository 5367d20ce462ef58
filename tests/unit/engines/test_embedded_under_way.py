"""What goes on in the background of a shard is shown as long as it goes on, each kind of work under its name."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine, recovery, shard, upkeep, vector_indexes
from nearimage.engines.embedded.ann import Thresholds
from nearimage.engines.embedded.log_copier import LogCopier
from nearimage.engines.embedded.upkeep import Upkeep
from nearimage.engines.embedded.writing import Writer
from nearimage.testing.engine_examples import uid

PHOTOS = Collection(name="Photo", properties=(Property(name="blob", data_type=DataType.BLOB),), vectors=(VectorConfig(name="v"),))
MANY, PICTURE_BYTES = 40, 200_000
"""Forty objects are a large shard here, and their pictures a long log."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedEngine]:
    """An empty database."""
    for module in (recovery, upkeep):
        monkeypatch.setattr(module, "SMALL_SHARD", MANY // 2)
    monkeypatch.setattr(upkeep, "_FEWEST_DEAD", 5)
    monkeypatch.setattr(upkeep, "_CHANGES_A_FILE", MANY // 2)
    engine = EmbeddedEngine(tmp_path / "data", thresholds=Thresholds(index_from=MANY, index_ns=1, delta=MANY))
    engine.create_collection(PHOTOS)
    yield engine
    engine.close()


@contextmanager
def held(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A step of the work stands still until the end of the block; the event says that it was reached."""
    reached, released, call = threading.Event(), threading.Event(), getattr(owner, name)

    def waiting(*given: object, **named: object) -> object:
        reached.set()
        assert released.wait(60)
        return call(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, waiting)
        try:
            yield reached
        finally:
            released.set()


def fill(engine: EmbeddedEngine, picture: bytes = b"") -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((MANY, 16)).astype(np.float32)
    engine.shard("Photo").put([Record(id=uid(n), properties={"blob": picture}, vectors={"v": vectors[n]}) for n in range(MANY)])


def settle(engine: EmbeddedEngine) -> None:
    assert engine.background.wait(60)
    assert engine._checkpoints.wait(60)


def thin(engine: EmbeddedEngine) -> None:
    engine.shard("Photo").delete([uid(n) for n in range(MANY // 2)])


def long_log(engine: EmbeddedEngine) -> None:
    fill(engine, bytes(PICTURE_BYTES))


def opened_anew(engine: EmbeddedEngine) -> None:
    engine.shard("Photo")._gate.rest()
    engine.shard("Photo").open()


WORKS: dict[str, tuple[object, str, Callable[[EmbeddedEngine], None]]] = {
    "index of vector 'v'": (vector_indexes, "build", fill),
    "columns": (upkeep, "write_columns", fill),
    "compact": (Writer, "move_tail", thin),
    "log": (LogCopier, "copy", long_log),
    "check": (Upkeep, "_check", opened_anew),
}
"""Who has a step of it, which, and what brings it about."""


@pytest.mark.parametrize("task", WORKS)
def test_every_kind_of_work_is_shown_while_it_goes_on(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """Whoever finds the machine busy without a request must be able to see with what."""
    owner, step, begin = WORKS[task]
    if begin is not fill:
        fill(engine)
        settle(engine)
    with held(owner, step, monkeypatch) as reached:
        begin(engine)
        assert reached.wait(60)
        assert task in engine.shard("Photo").stats().background
    settle(engine)
    assert engine.shard("Photo").stats().background == ()


def test_a_backup_is_shown_while_it_is_copied(engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in the thread of whoever asked for it, and takes the disk from all others."""
    fill(engine)
    settle(engine)
    with held(shard, "copy_shard", monkeypatch) as reached:
        copying = threading.Thread(target=engine.snapshot, args=(tmp_path / "copy",))
        copying.start()
        assert reached.wait(60)
        assert engine.shard("Photo").stats().background == ("backup",)
    copying.join()
    assert engine.shard("Photo").stats().background == ()


def test_what_failed_is_told_apart_from_what_goes_on(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alarm on work that never ends must not ring for work that ended, nor the other way round."""

    def broken(*_: object) -> None:
        raise ValueError("no room for another thought")

    monkeypatch.setattr(vector_indexes, "build", broken)
    fill(engine)
    settle(engine)
    stats = engine.shard("Photo").stats()
    assert stats.background == ()
    assert stats.failures == {"index of vector 'v'": "ValueError: no room for another thought"}


def test_the_shard_of_another_collection_does_not_show_it(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner would look for the cause in the wrong place."""
    engine.create_collection(Collection(name="Other", vectors=(VectorConfig(name="v"),)))
    with held(vector_indexes, "build", monkeypatch) as reached:
        fill(engine)
        assert reached.wait(60)
        assert engine.shard("Other").stats().background == ()
