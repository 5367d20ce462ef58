"""What the vector search finds of data that is not like pictures: other dimensions, lengths, metrics, copies, and queries from elsewhere.

    python bench/other_data.py [VECTORS] [NAMES]      e.g. 20000 copies,lengths

For each kind a shard is filled and indexed, then searched for ten by 150 queries held out: under no filter, filters that pass 50, 10 and 1 % at random, and
some that pass the half and the tenth at one end of a direction, and the tenth at the other. Prints recall@10 by distance and the CPU time of a search in us.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads on one matrix product cost more than they bring beside a server
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engine_ann import clusters, unit
from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Matrix, Record
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.domain.vectors import exact_distances
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.shard import EmbeddedShard

QUERIES = 150
BATCH = 1000
Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Kind = Callable[[np.random.Generator, int], Numbers]


def histograms(rng: np.random.Generator, count: int) -> Numbers:
    """Whole numbers from 0 to 255, mostly small, as SIFT has."""
    return np.minimum(rng.gamma(0.6, 30, (200, 128))[rng.integers(0, 200, count)] * rng.gamma(4, 0.25, (count, 128)), 255).round()


def words(rng: np.random.Generator, count: int) -> Numbers:
    """Heavy tails around a common mean, directions of falling weight, as word vectors have."""
    return rng.standard_t(4, (count, 100)) @ (rng.standard_normal((100, 100)) * np.exp(-np.arange(100) / 40)[:, None]) + 2 * rng.standard_normal(100)


def sentences(rng: np.random.Generator, count: int) -> Numbers:
    """1,536 dimensions, 300 topics of very unequal size."""
    topics, own = rng.standard_normal((300, 1536)), rng.zipf(1.4, count) % 300
    spread = rng.standard_normal((count, 60)) @ rng.standard_normal((60, 1536))
    return topics[own] + 0.5 * spread + 0.3 * rng.standard_normal((count, 1536))


def curves(rng: np.random.Generator, count: int) -> Numbers:
    """Three parameters, bent through 256 dimensions."""
    return np.cos(rng.uniform(0, 1, (count, 3)) @ (6 * rng.standard_normal((3, 256))) + rng.uniform(0, 6, 256))


def copies(rng: np.random.Generator, count: int) -> Numbers:
    """Fifty of each."""
    return rng.standard_normal((count // 50 + 1, 64))[rng.integers(0, count // 50 + 1, count)]


def nearly_copies(rng: np.random.Generator, count: int) -> Numbers:
    """Fifty of each, a thousandth apart."""
    return copies(rng, count) + 1e-3 * rng.standard_normal((count, 64))


def lengths(rng: np.random.Generator, count: int) -> Numbers:
    """Directions in 32 of 200 dimensions, lengths from a tenth to ten."""
    return unit((rng.standard_normal((count, 32)) @ rng.standard_normal((32, 200))).astype(np.float32)) * rng.lognormal(0, 1, (count, 1))


def outliers(rng: np.random.Generator, count: int) -> Numbers:
    """One in a hundred a thousand times as long."""
    found = rng.standard_normal((count, 96))
    found[::97] *= 1000
    return found


def elsewhere(rng: np.random.Generator, count: int) -> Numbers:
    """Pictures in clusters, and queries in any direction."""
    found = clusters(count - QUERIES)[0]
    return np.concatenate((found, unit(rng.standard_normal((QUERIES, found.shape[1])).astype(np.float32))))


def bits(rng: np.random.Generator, count: int) -> Numbers:
    """Zeros and ones."""
    return (rng.random((count, 128)) < 0.3).astype(np.float64)


def positive(rng: np.random.Generator, count: int) -> Numbers:
    """Nothing below zero, as after a ReLU."""
    return rng.standard_normal((count, 512)) ** 2


def normal(dims: int) -> Kind:
    """No structure at all."""
    return lambda rng, count: rng.standard_normal((count, dims))


KINDS: dict[str, tuple[Kind, Metric]] = {
    "histograms": (histograms, Metric.L2_SQUARED),
    "words": (words, Metric.COSINE),
    "words-dot": (words, Metric.DOT),
    "sentences": (sentences, Metric.COSINE),
    "curves": (curves, Metric.L2_SQUARED),
    "copies": (copies, Metric.COSINE),
    "nearly-copies": (nearly_copies, Metric.COSINE),
    "lengths": (lengths, Metric.DOT),
    "outliers": (outliers, Metric.L2_SQUARED),
    "elsewhere": (elsewhere, Metric.COSINE),
    "bits": (bits, Metric.L2_SQUARED),
    "positive": (positive, Metric.COSINE),
    "2": (normal(2), Metric.L2_SQUARED),
    "8-dot": (normal(8), Metric.DOT),
    "17": (normal(17), Metric.COSINE),
    "64-dot": (normal(64), Metric.DOT),
}


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else list(KINDS)
    for name in names:
        kind, metric = KINDS[name]
        found = kind(np.random.default_rng(11), count + QUERIES).astype(np.float32)
        with tempfile.TemporaryDirectory() as folder:
            measure(name, metric, found[:count], found[count:], Path(folder))


def measure(name: str, metric: Metric, vectors: Matrix, queries: Matrix, folder: Path) -> None:
    """A line of the table."""
    ranks = {"random": np.random.default_rng(7).permutation(len(vectors)), "along": np.argsort(np.argsort(vectors @ vectors[0]))}
    engine = EmbeddedEngine(folder)
    properties = tuple(Property(name=prop, data_type=DataType.INT) for prop in ranks)
    engine.create_collection(Collection(name="Other", properties=properties, vectors=(VectorConfig(name="v", metric=metric),)))
    shard = engine.shard("Other")
    for first in range(0, len(vectors), BATCH):
        numbers = range(first, min(first + BATCH, len(vectors)))
        batch = [Record(id=UUID(int=n + 1), properties={key: int(rank[n]) for key, rank in ranks.items()}, vectors={"v": vectors[n]}) for n in numbers]
        shard.put(batch)
    engine.background.wait(600)
    stats = shard.stats().indexes["v"]
    parts = [f"{what} {' '.join(asked(shard, metric, vectors[passing], queries, where))}" for what, where, passing in filters(ranks)]
    print(f"{name} {metric.value}, {stats.kind}, told {stats.recall} | {' | '.join(parts)}", flush=True)
    engine.close()


def filters(ranks: dict[str, npt.NDArray[np.int64]]) -> Iterator[tuple[str, Filter | None, Mask]]:
    """What is asked: its name, the filter, and who passes."""
    count = len(ranks["random"])
    yield "all", None, np.ones(count, np.bool_)
    for prop, share in (("random", 0.5), ("random", 0.1), ("random", 0.01), ("along", 0.5), ("along", 0.1)):
        yield f"{share:.0%} {prop}", Compare(prop, Operator.LESS_THAN, int(share * count)), ranks[prop] < int(share * count)
    yield "10% at the end", Compare("along", Operator.GREATER_THAN_EQUAL, int(0.9 * count)), ranks["along"] >= int(0.9 * count)


def asked(shard: EmbeddedShard, metric: Metric, passing: Matrix, queries: Matrix, where: Filter | None) -> tuple[str, str]:
    """Recall, and the cost of a search."""
    hits, spent = 0, 0.0
    for query in queries:
        tenth = float(np.sort(exact_distances(metric, passing, query))[9])
        started = time.thread_time()
        found = shard.nearest("v", query, limit=10, offset=0, where=where, max_distance=None, projection=IDS_ONLY)
        spent += time.thread_time() - started
        hits += min(10, int(np.count_nonzero(found.distances <= tenth + 1e-5 * max(1.0, abs(tenth)))))
    return f"{hits / (10 * len(queries)):.4f}", f"{spent / len(queries) * 1e6:.0f}"


if __name__ == "__main__":
    main()
