"""How long searches and writes wait beside background work: training and building an index, writing columns, compacting, copying for a backup.

    python bench/engine_blocking.py [EMBEDDINGS.npz] [SIZE]      e.g. embeddings.npz 30000

EMBEDDINGS.npz as for bench/engine_ann.py; without it the vectors are synthetic clusters. One thread searches for ten every 4 ms, another puts one object every
20 ms, for ten seconds of each kind of work, in slices of two seconds; between these as long beside nothing, so that what the machine does in those minutes
shows beside it (the second line of each pair).

Milliseconds of the clock, without those in which the thread, and that other of ours for which it was longest, was ready to run and had no processor: these are
other programs' doing, and Linux counts them for each thread (/proc/self/task/*/schedstat). What is left is what a machine to ourselves would show: the call's
own work, the disk, and waiting for locks, the interpreter's among them. "Rest" is of puts without the wait for the disk by their own COMMIT, as SQLite measures
it: what the engine itself lets a writer wait. Milliseconds that the host of a virtual machine takes away are in all of them.

So there is a control: for each processor a process that only sleeps for a millisecond and notes when it wakes late. "Quiet" is the longest of those calls
beside which no control woke 5 ms late or more: what cannot be laid at the machine's door. "Control" is how late the controls woke, "disturbed" the share of
the calls that "quiet" leaves out.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine import BATCH, COLLECTION, record
from bench.engine_ann import clusters, pictures
from nearimage.domain.objects import IDS_ONLY, Matrix
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.ann import VectorIndex, build, save
from nearimage.engines.embedded.shard import EmbeddedShard

SECONDS, SLICES = 10.0, 5
SEARCH_EVERY_S, PUT_EVERY_S = 0.004, 0.02


@dataclass(slots=True)
class Times:
    """How long calls took, in seconds: without the time that one of our threads was ready and had no processor; and `rest` without their own commits, too.

    Attributes:
        spans: when each began and ended.
    """

    alone: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)


class Commits:
    """How long the commits of this thread took; `note` is called by SQLite after each statement."""

    def __init__(self) -> None:
        self._spent_s: dict[int, float] = {}

    def note(self, statement: str, took_ns: int) -> None:
        """One more."""
        if statement == "COMMIT":
            self._spent_s[threading.get_ident()] = self.spent_s() + took_ns / 1e9

    def spent_s(self) -> float:
        """By the calling thread so far."""
        return self._spent_s.get(threading.get_ident(), 0.0)


COMMITS = Commits()

LATE_S = 0.006
"""A sleep of 1 ms that takes so long: the scheduler lets who runs go on for 3 or 4."""
CONTROL = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    began = time.perf_counter()
    time.sleep(0.001)
    ended = time.perf_counter()
    print(began, ended, flush=True)
"""


class Controls:
    """A process for each processor that only sleeps; whatever keeps it from waking is not ours."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / f"control-{number}" for number in os.sched_getaffinity(0)]
        self._processes = [
            subprocess.Popen([sys.executable, "-S", "-c", CONTROL, str(number)], stdout=file.open("wb"))
            for number, file in zip(os.sched_getaffinity(0), self._files, strict=True)
        ]

    def sleeps(self) -> Sequence[tuple[float, float]]:
        """When each sleep so far began and ended."""
        lines = (line.split() for file in self._files for line in file.read_text().splitlines())
        return [(float(line[0]), float(line[1])) for line in lines if len(line) == 2]

    def end(self) -> None:
        """Let them go."""
        for process in self._processes:
            process.terminate()
            process.wait()


def main() -> None:
    """Measure and print."""
    path = next((one for one in sys.argv[1:] if one.endswith(".npz")), "")
    size = next((int(one) for one in sys.argv[1:] if one.isdigit()), 28_000)
    vectors, queries = pictures(Path(path), size) if path else clusters(size)
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder) / "data")
        engine.create_collection(COLLECTION)
        shard = engine.shard("Ann")
        for first in range(0, size, BATCH):
            shard.put([record(number, vectors[number], number) for number in range(first, min(first + BATCH, size))])
        engine.background.wait(600)
        works: dict[str, Callable[[], object]] = {
            "an index is built": lambda: rebuild(engine, shard),
            "columns are written": lambda: columns(engine, shard),
            "a backup is copied": lambda: copy(shard, Path(folder) / "copy"),
        }
        works["slot files are compacted"] = partial(compact, engine, shard)
        shard._writer._connection.set_profile(COMMITS.note)  # noqa: SLF001 the only one that commits
        print("| while ... | " + " | ".join(FIGURES) + " |\n|---|" + "---|" * len(FIGURES))
        controls = Controls(Path(folder))
        try:
            for what, work in works.items():
                if what == "slot files are compacted":
                    thin(shard, size)
                measure(what, work, partial(beside, shard=shard, vectors=vectors, queries=queries), controls)
        finally:
            controls.end()
        engine.close()


def measure(what: str, work: Callable[[], object], beside: Callable[..., None], controls: Controls) -> None:
    """Slices of the work and of nothing by turns; prints a line for each."""
    searches, puts = (Times(), Times()), (Times(), Times())
    for _ in range(SLICES):
        beside(lambda: time.sleep(0.5), times=(searches[1], puts[1]))
        beside(work, times=(searches[0], puts[0]))
    sleeps = np.array(controls.sleeps())
    for name, number in ((what, 0), ("nothing, in between", 1)):
        print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in told(searches[number], puts[number], sleeps)) + " |", flush=True)


def beside(work: Callable[[], object], *, shard: EmbeddedShard, vectors: Matrix, queries: Matrix, times: tuple[Times, Times]) -> None:
    """Search and put while the work is done again and again, for a slice."""
    with asking(lambda turn: search(shard, queries, turn), SEARCH_EVERY_S, times[0]), asking(lambda turn: put(shard, vectors, turn), PUT_EVERY_S, times[1]):
        end = time.perf_counter() + SECONDS / SLICES
        while time.perf_counter() < end:
            work()


FIGURES = (
    *("search p50", "p99", "max", "quiet max"),
    *("put p50", "p99", "max"),
    *("rest p99", "rest max", "rest quiet max"),
    *("control p99", "control max", "disturbed, %"),
)


def told(searches: Times, puts: Times, sleeps: Matrix) -> Iterator[float]:
    """What `FIGURES` names, in ms.

    Args:
        sleeps: (n, 2), when each sleep of a control began and ended.
    """
    late = sleeps[sleeps[:, 1] - sleeps[:, 0] > LATE_S]
    quiet = [~overlapped(np.array(times.spans), late) for times in (searches, puts)]
    yield from np.percentile(np.array(searches.alone) * 1e3, [50, 99, 100]).tolist()
    yield np.array(searches.alone)[quiet[0]].max(initial=0) * 1e3
    yield from np.percentile(np.array(puts.alone) * 1e3, [50, 99, 100]).tolist()
    yield from np.percentile(np.array(puts.rest) * 1e3, [99, 100]).tolist()
    yield np.array(puts.rest)[quiet[1]].max(initial=0) * 1e3
    beside = sleeps[overlapped(sleeps, np.array(searches.spans))]
    yield from np.percentile((beside[:, 1] - beside[:, 0]) * 1e3 - 1, [99, 100]).tolist()
    yield 100 - 100 * float(np.concatenate(quiet).mean())


def overlapped(spans: Matrix, others: Matrix) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which spans of time share some with any of the others."""
    begun = np.searchsorted(np.sort(others[:, 0]), spans[:, 1])
    ended = np.searchsorted(np.sort(others[:, 1]), spans[:, 0])
    return np.asarray(begun > ended)


@contextmanager
def asking(call: Callable[[int], object], every_s: float, times: Times) -> Iterator[None]:
    """Call it every so often in a thread until the end of the block, and note how long each call took."""
    done = threading.Event()

    def ask() -> None:
        own = threading.get_native_id()
        while not done.wait(every_s):
            before, committed, started = ready_s(), COMMITS.spent_s(), time.perf_counter()
            call(len(times.alone))
            spent, committed, after = time.perf_counter() - started, COMMITS.spent_s() - committed, ready_s()
            waits = {task: after[task] - before[task] for task in after.keys() & before.keys()}
            waited = waits.pop(own) + max(waits.values(), default=0.0)
            times.alone.append(max(0.0, spent - waited))
            times.rest.append(max(0.0, spent - waited - committed))
            times.spans.append((started, started + spent))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def ready_s() -> dict[int, float]:
    """How long each of our threads was ready and had no processor, since it began: the second number, in ns (Linux, Documentation/scheduler/sched-stats)."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            found[int(task.name)] = int((task / "schedstat").read_bytes().split()[1]) / 1e9
    return found


def search(shard: EmbeddedShard, queries: Matrix, turn: int) -> object:
    """For ten, without reading rows' values."""
    return shard.nearest("v", queries[turn % len(queries)], limit=10, offset=0, where=None, max_distance=None, projection=IDS_ONLY)


def put(shard: EmbeddedShard, vectors: Matrix, turn: int) -> object:
    """One object, over one that was put so before."""
    return shard.put([record(len(vectors) + turn % 500, vectors[turn % len(vectors)], turn)])


def rebuild(engine: EmbeddedEngine, shard: EmbeddedShard) -> None:
    """Another index from nothing, in the background thread; searches go on with the old one."""
    source = shard._indexes._source("v")[0]  # noqa: SLF001 as if the data had doubled
    engine.background.submit("built for the bench", lambda stop: save_built(build(source, 0.998, stop), shard))
    engine.background.wait(600)


def save_built(index: VectorIndex | None, shard: EmbeddedShard) -> None:
    """Write it as the engine does."""
    if index:
        save(index, shard._folder / "bench.index")  # noqa: SLF001 beside the true one


def columns(engine: EmbeddedEngine, shard: EmbeddedShard) -> None:
    """In the background, as after many writes."""
    engine.background.submit("written for the bench", shard._upkeep.write_columns)  # noqa: SLF001 otherwise only after many writes
    engine.background.wait(600)


def copy(shard: EmbeddedShard, target: Path) -> None:
    """As a backup does."""
    shutil.rmtree(target, ignore_errors=True)
    shard.copy(target, lambda _bytes: None)


def thin(shard: EmbeddedShard, size: int) -> None:
    """Delete the first half, a little at a time; what is left will move, but not before it is asked to."""
    shard._upkeep._may_compact = False  # noqa: SLF001 deletions would bring it about
    for first in range(0, size // 2, BATCH):
        shard.delete([UUID(int=(1 << 127) | number) for number in range(first, min(first + BATCH, size // 2))])


def compact(engine: EmbeddedEngine, shard: EmbeddedShard) -> None:
    """In the background, if the deletions have not brought it about already."""
    engine.background.submit("compacted for the bench", shard._upkeep.compact)  # noqa: SLF001 otherwise only when much is dead
    engine.background.wait(600)


if __name__ == "__main__":
    main()
