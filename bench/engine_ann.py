"""What a vector search costs and finds, by size, filter and kind of data.

    python bench/engine_ann.py [EMBEDDINGS.npz] [SIZES] [QUERIES]     e.g. embeddings.npz 28000,100000,1000000 300

EMBEDDINGS.npz holds `codes` (n, 512) int8 and `scale` (512,): real picture embeddings, of which the last 2,000 are held out as queries. Sizes beyond what it
holds are filled up: a vector between two near neighbours (weights 0.2 to 0.8) plus noise of 0.3 standard deviations a dimension, of unit length, as further
crops of the same pictures would give. Without a file, synthetic data is measured: clusters of unequal size, and isotropic vectors.

For each data set a shard is filled and indexed, then searched for ten under: no filter; an int range that passes 50, 10, 1 and 0.1 % at random; a range that
passes the 50, 10 and 1 % nearest to a picture (a filter that follows the vectors), and the 50 % farthest from it; and by queries unlike the data, which
are the others with noise. Then half of the objects are deleted or
replaced, and the first ones are asked again. CPU time of the process while one thread asks, background at rest; the filter's evaluation and the reading of ten
rows are in it. Recall@10 by distance, against an exact search in float32.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Matrix, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.shard import EmbeddedShard

DIMS = 512
BATCH = 1000
HELD_OUT = 2000
NOISE = (1, 2, 5)
Numbers = npt.NDArray[np.int64]


def main() -> None:
    """Measure and print."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].endswith(".npz") else None
    arguments = sys.argv[2:] if path else sys.argv[1:]
    sizes = [int(size) for size in arguments[0].split(",")] if arguments else [28_000, 100_000]
    asked = int(arguments[1]) if len(arguments) > 1 else 300
    print("| data | what | CPU us a search | recall@10 |\n|---|---|---|---|")
    for size in sizes:
        if path:
            measure(f"pictures {size}", *pictures(path, size), asked)
        else:
            measure(f"clusters {size}", *clusters(size), asked)
            measure(f"isotropic {size}", *isotropic(size), asked)


def pictures(path: Path, size: int) -> tuple[Matrix, Matrix]:
    """Real embeddings, filled up; and the queries held out."""
    with np.load(path) as file:
        found = (file["codes"] * file["scale"]).astype(np.float32)
    queries, real = unit(found[-HELD_OUT:]), unit(found[:-HELD_OUT])
    rng, neighbours = np.random.default_rng(3), None
    parts, have = [real[:size]], min(size, len(real))
    while have < size:
        neighbours = near_neighbours(real) if neighbours is None else neighbours
        one = rng.permutation(len(real))[: size - have]
        other = neighbours[one, rng.integers(0, neighbours.shape[1], len(one))]
        weight = rng.uniform(0.2, 0.8, (len(one), 1)).astype(np.float32)
        noise = rng.standard_normal((len(one), DIMS), np.float32) * real.std(axis=0) * np.float32(0.3)
        parts.append(unit(weight * real[one] + (1 - weight) * real[other] + noise))
        have += len(one)
    return np.concatenate(parts), queries


def near_neighbours(vectors: Matrix) -> Numbers:
    """(n, 8): of each, eight others that are near."""
    rows = []
    for start in range(0, len(vectors), BATCH):
        nearest = np.argpartition(-(vectors[start : start + BATCH] @ vectors.T), 9, axis=1)[:, :9]
        rows += [row[row != start + at][:8] for at, row in enumerate(nearest)]
    return np.stack(rows)


def clusters(size: int, dims: int = DIMS) -> tuple[Matrix, Matrix]:
    """500 clusters whose sizes fall as 1 / rank, each in 40 directions of its own, and some noise in all."""
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((500, dims), np.float32)
    shapes = rng.standard_normal((500, 40, dims), np.float32) / np.float32(40**0.5)
    share = 1 / np.arange(1, 501)
    own = rng.choice(500, size + HELD_OUT, p=share / share.sum())
    found = np.empty((size + HELD_OUT, dims), np.float32)
    for number in range(500):
        rows = np.flatnonzero(own == number)
        found[rows] = centres[number] + rng.standard_normal((len(rows), 40), np.float32) @ shapes[number]
    found += np.float32(0.2) * rng.standard_normal(found.shape, np.float32)
    return unit(found[:size]), unit(found[size:])


def isotropic(size: int) -> tuple[Matrix, Matrix]:
    """No structure at all: the hardest there is for any index."""
    found = unit(np.random.default_rng(6).standard_normal((size + HELD_OUT, DIMS), np.float32))
    return found[:size], found[size:]


def unit(vectors: Matrix) -> Matrix:
    """The same directions, of length 1."""
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def measure(name: str, vectors: Matrix, queries: Matrix, asked: int) -> None:
    """Fill a shard, search it, replace half of it, search again."""
    rng, size, queries = np.random.default_rng(7), len(vectors), queries[:asked]
    ranks = {"random": rng.permutation(size), "near": np.argsort(np.argsort(-(vectors @ queries[0])))}
    names = ("random", "near")
    properties = tuple(Property(name=prop, data_type=DataType.INT, range_filters=True) for prop in names)
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        engine.create_collection(Collection(name="Photo", properties=properties, vectors=(VectorConfig(name="v", metric=Metric.COSINE),)))
        shard = engine.shard("Photo")
        put(shard, vectors, ranks, np.arange(size))
        engine.background.wait(600)
        settled(name, engine, shard)
        for what, where, passing in filters(ranks, size):
            report(name, what, shard, vectors, queries, where=where, passing=passing)
        for length in NOISE:
            unlike = unit(queries + length * unit(rng.standard_normal(queries.shape, np.float32)))
            report(name, f"no filter, queries with noise of {length} times their length", shard, vectors, unlike, where=None, passing=np.ones(size, np.bool_))
        gone, new = np.arange(0, size, 4), np.arange(2, size, 4)
        shard.delete([UUID(int=int(number)) for number in gone])
        vectors = vectors.copy()
        vectors[new] = vectors[np.roll(new, 1)]
        put(shard, vectors, ranks, new)
        engine.background.wait(600)
        alive = np.ones(size, np.bool_)
        alive[gone] = False
        for what, where, passing in list(filters(ranks, size))[:4]:
            report(name, f"{what}, after deleting and replacing half", shard, vectors, queries, where=where, passing=passing & alive)
        engine.close()


def put(shard: EmbeddedShard, vectors: Matrix, ranks: dict[str, Numbers], numbers: Numbers) -> None:
    """Store objects."""
    for start in range(0, len(numbers), BATCH):
        part = numbers[start : start + BATCH].tolist()
        shard.put([Record(id=UUID(int=n), properties={key: int(rank[n]) for key, rank in ranks.items()}, vectors={"v": vectors[n]}) for n in part])


def settled(name: str, engine: EmbeddedEngine, shard: EmbeddedShard) -> None:
    """Build the index once more from nothing, for its time; and what it is."""
    folder = next(Path(shard._folder).parent.glob("*"))  # noqa: SLF001 the file of the index is no part of the port
    for file in folder.glob("*.index"):
        file.unlink()
    shard._indexes._coverages.clear()  # noqa: SLF001 as if it had none
    shard._indexes._looked.clear()  # noqa: SLF001
    started = time.process_time(), time.perf_counter()
    shard._indexes.check()  # noqa: SLF001
    engine.background.wait(600)
    took = time.process_time() - started[0], time.perf_counter() - started[1]
    found = shard.stats().indexes["v"]
    memory = dict(line.split(":") for line in Path("/proc/self/status").read_text("ascii").splitlines())
    print(f"| {name} | index {found.kind}, built in {took[0]:.1f} s CPU, {took[1]:.1f} s | | {found.recall} told |")
    print(f"| {name} | RssAnon {memory['RssAnon'].strip()}, RssFile {memory['RssFile'].strip()}; the bench's own arrays are in it | | |", flush=True)


def filters(ranks: dict[str, Numbers], size: int) -> Iterator[tuple[str, Filter | None, npt.NDArray[np.bool_]]]:
    """What is asked: its name, the filter, and who passes."""
    yield "no filter", None, np.ones(size, np.bool_)
    for kind, shares in (("random", (0.5, 0.1, 0.01, 0.001)), ("near", (0.5, 0.1, 0.01))):
        for share in shares:
            bound = int(share * size)
            yield f"{share:.1%} {kind}", Compare(kind, Operator.LESS_THAN, bound), ranks[kind] < bound
    half = size // 2
    yield "50.0% far", Compare("near", Operator.GREATER_THAN_EQUAL, half), ranks["near"] >= half


def report(name: str, what: str, shard: EmbeddedShard, vectors: Matrix, queries: Matrix, *, where: Filter | None, passing: npt.NDArray[np.bool_]) -> None:
    """A line of the table."""
    best = true_scores(vectors, np.flatnonzero(passing), queries)
    found = [shard.nearest("v", query, limit=10, offset=0, where=where, max_distance=None, projection=IDS_ONLY) for query in queries]
    hits = [np.count_nonzero(1 - one.distances >= bound - 1e-6) for one, bound in zip(found, best, strict=True)]
    costs = []
    for _ in range(3):
        started = time.process_time()
        for query in queries:
            shard.nearest("v", query, limit=10, offset=0, where=where, max_distance=None, projection=IDS_ONLY)
        costs.append((time.process_time() - started) / len(queries) * 1e6)
    print(f"| {name} | {what} | {min(costs):.0f} | {float(np.sum(hits)) / (10 * len(queries)):.4f} |", flush=True)


def true_scores(vectors: Matrix, numbers: Numbers, queries: Matrix) -> npt.NDArray[np.float32]:
    """The cosine of each query's tenth nearest among these."""
    best = np.full((len(queries), 10), -2, np.float32)
    for start in range(0, len(numbers), 20_000):
        scores = queries @ vectors[numbers[start : start + 20_000]].T
        joined = np.concatenate((best, scores), axis=1)
        best = -np.sort(np.partition(-joined, 9, axis=1)[:, :10], axis=1)
    return best[:, -1]


if __name__ == "__main__":
    main()
