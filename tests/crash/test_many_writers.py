"""kill -9 while many callers write at once: each call that returned is stored, and of the others each is there whole or not at all."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine

KILLS = int(os.environ.get("NEARIMAGE_CRASH_KILLS", "20")) // 4
PHOTOS = Collection(name="Photo", properties=(Property(name="n", data_type=DataType.INT),), vectors=(VectorConfig(name="v"),))
THREADS = 8


def photo(number: int) -> Record:
    """Object `number`: its vector and its property say so."""
    return Record(id=UUID(int=number), properties={"n": number}, vectors={"v": np.full(32, number + 1, np.float32)})


@pytest.mark.timeout(60 + 10 * KILLS)
def test_what_a_shared_commit_acknowledged_is_there(tmp_path: Path) -> None:
    """A follower is answered by a leader; neither may be told of success before the disk has it."""
    first, acknowledged = 0, set[int]()
    for kill in range(max(2, KILLS)):
        said = kill_writers(tmp_path / "data", first, 0.05 + 0.07 * (kill % 5))
        acknowledged |= said
        engine = EmbeddedEngine(tmp_path / "data")
        found = engine.shard("Photo").scan(where=None, after=None, limit=10**6, offset=0, projection=EVERYTHING_BUT_BLOBS)
        for record in found:
            number = record.id.int
            assert record.properties == {"n": number}
            assert record.vectors["v"].tolist() == [number + 1] * 32
        assert acknowledged <= {record.id.int for record in found}
        engine.close()
        first = max((record.id.int for record in found), default=0) + 1
    assert len(acknowledged) > 10 * KILLS


def kill_writers(folder: Path, first: int, after_s: float) -> set[int]:
    """Start a process of many writers, kill it so long after its first word; what it said was stored."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, __file__, str(folder), str(first)], stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        lines = [child.stdout.readline()]
        reader = threading.Thread(target=lambda: lines.extend(child.stdout or ()))
        reader.start()
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        reader.join()
    return {int(line) for line in lines if line.endswith("\n")}


def main() -> None:
    """The child."""
    engine, first = EmbeddedEngine(Path(sys.argv[1])), int(sys.argv[2])
    if not engine.collections():
        engine.create_collection(PHOTOS)
    shard = engine.shard("Photo")

    def write(thread: int) -> None:
        number = first + thread
        while True:
            shard.put([photo(number)])
            os.write(1, f"{number}\n".encode())
            number += THREADS

    for thread in range(THREADS):
        threading.Thread(target=write, args=(thread,)).start()


if __name__ == "__main__":
    main()
