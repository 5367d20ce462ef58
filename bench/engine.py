"""The embedded engine from a thousand objects to a million: what each question costs, and how time, memory and disk grow.

    python bench/engine.py [EMBEDDINGS.npz] [SIZES] [--plot FILE.svg]      e.g. embeddings.npz 1000,10000,100000,1000000,100000x2048 --plot growth.svg

EMBEDDINGS.npz as for bench/engine_ann.py; without it, and for a size with dimensions of its own, the vectors are synthetic clusters. Objects have a title of
six words, an int and a number; batches of 500, every one fsynced. Each size runs in a process of its own, so that its memory is its own, and that process kills
itself (SIGKILL) in the end: the next one opens what it left and looks whether everything acknowledged is there, the one after that opens after a clean end.

Of questions three figures: CPU time of the asking thread, then p50 and p99 by the clock, which other programs lengthen; background at rest, ten rows are read
where hits are. Hybrid is what the service makes of it: a hundred ids by words, a hundred by vector, fused, and ten rows. Building is an index from nothing.
Prints a table; with --plot draws it, of the sizes in 512 dimensions, both axes logarithmic.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server
os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import DIMS, clusters, pictures
from nearimage.domain.aggregates import Aggregation
from nearimage.domain.columns import packed_ids
from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import IDS_ONLY, Matrix, Projection, PropertyValue, Record
from nearimage.domain.query import Fusion, SortBy
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.ann import build
from nearimage.engines.embedded.shard import EmbeddedShard
from nearimage.service.fusion import Leg, fuse

BATCH = 500
ASKED = 200
INSERTED = 200
QUERY = "query.npy"
REOPEN = "reopen to the first answer, ms"
COLLECTION = Collection(
    name="Ann",
    properties=(
        Property(name="title", data_type=DataType.TEXT, searchable=True),
        Property(name="rank", data_type=DataType.INT),
        Property(name="price", data_type=DataType.NUMBER),
    ),
    vectors=(VectorConfig(name="v"),),
)
SHOWN = Projection(properties=("title", "rank"))
LEG = 100
"""Hits of each leg of a hybrid search, as the service asks for."""

Figures = dict[str, list[float]]
"""By what was measured: one figure, or CPU, p50 and p99."""


def main() -> None:
    """Measure every size and print."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(arguments[1], arguments[2], Path(arguments[3]))), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    plot = Path(arguments[arguments.index("--plot") + 1]) if "--plot" in arguments else None
    path = next((one for one in arguments if one.endswith(".npz")), "")
    sizes = next((one.split(",") for one in arguments if one.replace(",", "").replace("x", "").isdigit()), ["1000", "10000", "100000"])
    columns = {size: figures(size, path) for size in sizes}
    print("| what | " + " | ".join(f"{int(size):,}" if size.isdigit() else size for size in sizes) + " |\n|---|" + "---|" * len(sizes))
    for what in max(columns.values(), key=len):
        print(f"| {what} | " + " | ".join(" / ".join(f"{one:,.4g}" for one in columns[size].get(what, [])) or "" for size in sizes) + " |")
    if plot:
        plot.write_text(drawn({int(size): found for size, found in columns.items() if size.isdigit()}))


def figures(size: str, path: str) -> Figures:
    """All figures of one size."""
    expected = int(size.partition("x")[0]) + INSERTED
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, __file__, "--one", size, path, folder], check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode != -signal.SIGKILL:
            raise SystemExit(done.returncode)
        killed = reopened(Path(folder), expected=expected)
        told: Figures = json.loads(done.stdout)
        print(size, told, killed, file=sys.stderr, flush=True)  # a long run that breaks off has told something
        return told | {"reopen after kill -9, ms": killed[REOPEN]} | reopened(Path(folder), expected=expected)


def measure(size: str, path: str, folder: Path) -> Figures:
    """What a process that lives measures."""
    count, _, dims = size.partition("x")
    vectors, queries = pictures(Path(path), int(count)) if path and not dims else clusters(int(count), int(dims or DIMS))
    np.save(folder / QUERY, queries[0])
    engine = EmbeddedEngine(folder)
    engine.create_collection(COLLECTION)
    shard = engine.shard("Ann")
    found = filled(shard, vectors) | built(shard) | asked(shard, vectors, queries) | written(shard, vectors)
    return found | {"disk, MB": [shard.stats().disk_bytes / 1e6]}


def filled(shard: EmbeddedShard, vectors: Matrix) -> Figures:
    """Import, and wait for the index."""
    rank = np.random.default_rng(1).permutation(len(vectors))
    started, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(vectors), BATCH):
        shard.put([record(number, vectors[number], int(rank[number])) for number in range(first, min(first + BATCH, len(vectors)))])
    imported = time.perf_counter() - started
    while shard.stats().background or (len(vectors) > 2 * 10_000 and shard.stats().indexes["v"].kind == "exact"):
        time.sleep(0.2)
    return {
        "import, objects/s": [len(vectors) / imported],
        "import with the index ready, objects/s": [len(vectors) / (time.perf_counter() - started)],
        "CPU of both, us an object": [(time.process_time() - cpu) / len(vectors) * 1e6],
    }


def built(shard: EmbeddedShard) -> Figures:
    """An index from nothing, in this thread; none where searches are exact."""
    if shard.stats().indexes["v"].kind == "exact":
        return {}
    started = time.thread_time()
    build(shard._indexes._source("v")[0], 0.998, lambda: False)  # noqa: SLF001 as if there were none
    return {"building, CPU s": [time.thread_time() - started]}


def record(number: int, vector: Matrix, rank: int) -> Record:
    """One object."""
    properties: dict[str, PropertyValue] = {"title": f"picture number {number} of the set", "rank": rank, "price": number % 997 / 7}
    return Record(id=UUID(int=(1 << 127) | number), properties=properties, vectors={"v": vector}, created_ms=number, updated_ms=number)


def asked(shard: EmbeddedShard, vectors: Matrix, queries: Matrix) -> Figures:
    """Every kind of question."""
    size, rng = len(vectors), np.random.default_rng(2)
    numbers = rng.integers(0, size, 10_000)

    def near(turn: int, where: Filter | None = None) -> object:
        query = queries[turn % len(queries)]
        return shard.nearest("v", query, limit=10, offset=0, where=where, max_distance=None, projection=SHOWN)

    def below(share: float) -> Filter:
        return Compare("rank", Operator.LESS_THAN, int(share * size))

    def words(turn: int) -> object:
        query = Keywords(text=f"picture {numbers[turn]}", boosts={"title": 1.0})
        return shard.match_text(query, limit=10, offset=0, where=None, projection=SHOWN)

    def listed(sort: Sequence[SortBy] = (), limit: int = 10) -> Callable[[int], object]:
        return lambda turn: shard.scan(where=None, after=None, limit=limit, offset=turn % 3, sort=sort, projection=SHOWN)

    def summed(_: int) -> object:
        return shard.aggregate(Aggregation(properties={"price": 0}), where=below(0.5))

    found = {"near 10, us": spent(near), "recall@10, %": [100 * recall(shard, vectors, queries)]}
    for share in (0.5, 0.1, 0.01, 0.001):
        found[f"near 10 under a filter of {100 * share:g} %, us"] = spent(partial(near, where=below(share)))
    found["bm25 10, us"] = spent(words)
    found["hybrid 10, us"] = spent(lambda turn: hybrid(shard, f"picture {numbers[turn]}", queries[turn % len(queries)]))
    found["sort by number, 10 of all, us"] = spent(listed([SortBy(field="price", descending=True)]))
    found["page of 1,000, us"] = spent(listed(limit=1000), 20)
    found["mean, median, maximum over half, us"] = spent(summed, 20)
    return found


def hybrid(shard: EmbeddedShard, text: str, query: Matrix) -> object:
    """Words and a vector, half and half."""
    words = shard.match_text(Keywords(text=text, boosts={"title": 1.0}), limit=LEG, offset=0, where=None, projection=IDS_ONLY)
    near = shard.nearest("v", query, limit=LEG, offset=0, where=None, max_distance=None, projection=IDS_ONLY)
    by_words = dict(zip(packed_ids(words.records), words.scores.tolist(), strict=True))
    by_vector = dict(zip(packed_ids(near.records), (1 - near.distances).tolist(), strict=True))
    legs = (Leg(name="keyword", weight=0.5, scores=by_words), Leg(name="vector", weight=0.5, scores=by_vector))
    return shard.get([UUID(bytes=one.id) for one in fuse(legs, Fusion.RELATIVE_SCORE, 10)], SHOWN)


def written(shard: EmbeddedShard, vectors: Matrix) -> Figures:
    """Single durable puts."""
    times = []
    for number in range(INSERTED):
        started = time.perf_counter()
        shard.put([record(len(vectors) + number, vectors[number], 0)])
        times.append(time.perf_counter() - started)
    return {"durable insert, p50 us": [median(times) * 1e6]}


def reopened(folder: Path, *, expected: int) -> Figures:
    """A new process: the first answer, what it holds then, and whether all objects are there."""
    script = (
        "import json,sys,time,numpy as np;from pathlib import Path;from nearimage.engines.embedded import EmbeddedEngine;"
        "from nearimage.domain.objects import IDS_ONLY;query=np.load(sys.argv[2]);start=time.perf_counter();"
        "engine=EmbeddedEngine(Path(sys.argv[1]));shard=engine.shard('Ann');"
        "shard.nearest('v',query,limit=10,offset=0,where=None,max_distance=None,projection=IDS_ONLY);first=time.perf_counter()-start;"
        "assert shard.count()==int(sys.argv[3]),shard.count();time.sleep(3);"
        "lines=dict(line.split(':') for line in open('/proc/self/status'));"
        f"print(json.dumps({{{REOPEN!r}:[first*1e3],'memory then, anonymous, MB':[int(lines['RssAnon'].split()[0])/1e3],"
        "'memory then, mapped files, MB':[int(lines['RssFile'].split()[0])/1e3]}));engine.close()"
    )
    arguments = [str(folder), str(folder / QUERY), str(expected)]
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    told: Figures = json.loads(done.stdout)
    return told


def recall(shard: EmbeddedShard, vectors: Matrix, queries: Matrix) -> float:
    """Hits by distance, of the ten exact ones."""
    hits = 0
    for query in queries[:ASKED]:
        exact = 1 - np.sort(np.partition(vectors @ query, -10)[-10:])[0]
        found = shard.nearest("v", query, limit=10, offset=0, where=None, max_distance=None, projection=Projection(properties=()))
        hits += int((found.distances <= exact + 1e-5).sum())
    return hits / (10 * ASKED)


def spent(call: Callable[[int], object], times: int = ASKED) -> list[float]:
    """CPU time, p50 and p99 of a call in us: of the best of three rounds, because other programs' work only ever adds."""
    call(0)
    rounds = []
    for _ in range(3):
        clock, started = [time.perf_counter()], time.thread_time()
        for turn in range(times):
            call(turn)
            clock.append(time.perf_counter())
        rounds.append([(time.thread_time() - started) / times * 1e6, *(np.percentile(np.diff(clock), [50, 99]) * 1e6).tolist()])
    return min(rounds)


SERIES = ("near 10, us", "near 10 under a filter of 10 %, us", "bm25 10, us", REOPEN, "memory then, anonymous, MB", "disk, MB")
COLOURS = ("#1f6f8b", "#99a8b2", "#e6a04e", "#7b4b94", "#c0392b", "#2d6a4f")
WIDTH, HEIGHT, LEFT, TOP, LABELS = 760, 420, 60, 20, 240


def drawn(columns: Mapping[int, Figures]) -> str:
    """The growth as SVG, both axes logarithmic."""
    sizes = sorted(columns)
    values = [columns[size][what][0] for what in SERIES for size in sizes]
    low, high = np.floor(np.log10(min(values))), np.ceil(np.log10(max(values)))
    wide, tall = WIDTH - LEFT - LABELS, HEIGHT - TOP - 40

    def x(size: float) -> float:
        return float(LEFT + wide * (np.log10(size) - np.log10(sizes[0])) / max(1e-9, np.log10(sizes[-1]) - np.log10(sizes[0])))

    def y(value: float) -> float:
        return float(TOP + tall * (high - np.log10(value)) / (high - low))

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for power in range(int(low), int(high) + 1):
        level = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{level:.0f}" y2="{level:.0f}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{level + 4:.0f}" text-anchor="end">{10.0**power:,.6g}</text>')
    parts += [f'<text x="{x(size):.0f}" y="{HEIGHT - 16}" text-anchor="middle">{size:,}</text>' for size in sizes]
    for place, (what, colour) in enumerate(zip(SERIES, COLOURS, strict=True)):
        points = " ".join(f"{x(size):.1f},{y(columns[size][what][0]):.1f}" for size in sizes)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + wide + 12}" y="{TOP + 16 + 20 * place}" fill="{colour}">{what}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
