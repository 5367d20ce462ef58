"""A history of writes and upkeep, and a program that does it and kills itself at a step that can be chosen.

Run as a program it reads one order a line from its input, {"folder", "first", "kill_at", "half"}, does it in a fork of itself (so that nothing is imported
two hundred times), and prints how many steps there were. A step is a call of the system that changes files, counted before and after it, or a commit of SQLite,
just before it and just after it. What the fork acknowledged is in the file `said` beside the folder.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np

from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine, recovery, upkeep
from nearimage.engines.embedded.background import Background
from nearimage.engines.embedded.checkpoints import Checkpoints
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.ports.engine import Engine
from tests.crash.operations import IDS

PHOTOS = Collection(
    name="Photo",
    properties=(Property(name="n", data_type=DataType.INT), Property(name="text", data_type=DataType.TEXT), Property(name="blob", data_type=DataType.BLOB)),
    vectors=(VectorConfig(name="v"), VectorConfig(name="w")),
)
LENGTH = 18
"""Operations of the history; each kind comes twice, and what was given up by the first is taken again by the second."""

_COUNTED = ("pwrite", "fdatasync", "fsync", "replace", "ftruncate", "unlink", "posix_fallocate")


def make_small_shards_large() -> None:
    """So that a hundred objects have files of columns and are compacted."""
    small = {"SMALL_SHARD": 30, "_FEWEST_DEAD": 5, "_CHANGES_AT_CLOSE": 20, "_CHANGES_A_FILE": 10**9}
    recovery.SMALL_SHARD = small["SMALL_SHARD"]
    vars(upkeep).update(small)
    upkeep.Upkeep.look = _look_away  # type: ignore[method-assign, assignment] # the history says when


def _look_away(_upkeep: upkeep.Upkeep, _background: Background) -> None:
    """Ask for nothing."""


def apply(engine: Engine, number: int) -> None:
    """Do operation `number`; upkeep changes nothing that anybody can see."""
    if number == 0:
        engine.create_collection(PHOTOS)
        return
    rng = random.Random(number)  # noqa: S311 a history, not a secret
    shard, kind = engine.shard("Photo"), number % 9
    if kind == 1:
        shard.put([_record(rng, one) for one in IDS])  # too many vectors to ride in the transaction
    elif kind in (2, 7):
        shard.put([_record(rng, IDS[number]), _record(rng, IDS[2 * number]), _record(rng, IDS[3 * number])])
    elif kind == 3:
        fixed = random.Random(number - 1)  # noqa: S311 the same vectors again, other properties
        shard.put([Record(id=IDS[number - 1], properties={"n": number}, vectors=_record(fixed, IDS[number - 1]).vectors)])
    elif kind == 4:
        shard.delete(rng.sample(IDS, 120))
    elif isinstance(shard, EmbeddedShard):
        _tend(shard, kind)


def _tend(shard: EmbeddedShard, kind: int) -> None:
    with shard._gate:
        if kind in (5, 0):
            shard._upkeep.write_columns(lambda: False)
        elif kind == 6:
            shard._writer.relieve()
        else:
            shard._upkeep.compact(lambda: False)


def _record(rng: random.Random, id_: object) -> Record:
    vectors = {name: np.array([rng.random() + 0.1 for _ in range(48)], np.float32) for name in ("v", "w") if rng.random() < 0.9}
    properties = {"n": rng.randrange(1000), "text": f"corgi {rng.randrange(50)}"} | ({"blob": rng.randbytes(3000)} if rng.random() < 0.1 else {})
    return Record(id=id_, properties=properties, vectors=vectors)  # type: ignore[arg-type] # an UUID


class Steps:
    """Counts what changes files, and ends the process at one of them."""

    def __init__(self, kill_at: int, *, half: bool) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._half = half
        for name in _COUNTED:
            setattr(os, name, self._counted(name, getattr(os, name)))
        apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(self.step))
        count_pages = Checkpoints._count_pages

        def committed(checkpoints: Checkpoints, connection: apsw.Connection, name: str, pages: int) -> int:
            self.step()
            return count_pages(checkpoints, connection, name, pages)

        Checkpoints._count_pages = committed  # type: ignore[method-assign, assignment] # other names

    def step(self) -> bool:
        """One more; False, as a commit hook says that all is well."""
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    def _counted(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            if name == "pwrite" and self._half and self.count + 1 == self._kill_at:
                fd, data, position = arguments
                call(fd, memoryview(data)[: len(data) // 2], position)  # type: ignore[arg-type] # bytes
            self.step()
            answer = call(*arguments, **named)
            self.step()
            return answer

        return counted


def run(order: dict[str, object]) -> int:
    """Do the history from an operation on; the number of steps."""
    make_small_shards_large()
    folder = Path(str(order["folder"]))
    with (folder.parent / "said").open("w", buffering=1) as said:
        steps = Steps(int(str(order["kill_at"])), half=bool(order["half"]))
        engine = EmbeddedEngine(folder)
        for number in range(int(str(order["first"])), LENGTH):
            apply(engine, number)
            said.write(f"{number}\n")
        engine.close()
    return steps.count


def main() -> None:
    """Serve orders."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(run(json.loads(line))).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            count = answer.read()
        _, status = os.waitpid(child, 0)
        print(json.dumps({"steps": int(count or 0), "killed": os.WIFSIGNALED(status), "status": status}), flush=True)  # noqa: T201 the judge reads it


if __name__ == "__main__":
    main()
