"""What orders, summaries, pages and deleting by filter cost in the embedded engine.

    python bench/engine_aggregates.py [OBJECTS ...]

Prints a table, as markdown, for 100,000 objects or as many as are named (1000000 takes some minutes to write). CPU time of the process, median of many calls:
one thread, so it is what a core spends. Objects have a title (one of 2,000 words with a number: nearly all distinct), a breed (one of 120), tags (up to
three of 50), a rank (int, distinct), a price (number, 4 digits) and a date, and no vectors.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID

from nearimage.domain.aggregates import Aggregation
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import IDS_ONLY, Projection, PropertyValue, Record
from nearimage.domain.query import SortBy
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.shard import EmbeddedShard

BATCH = 2000
TYPES = {
    "title": DataType.TEXT,
    "breed": DataType.TEXT,
    "tags": DataType.TEXT_ARRAY,
    "rank": DataType.INT,
    "price": DataType.NUMBER,
    "date": DataType.DATE,
}
COLLECTION = Collection(name="Photo", properties=tuple(Property(name=name, data_type=kind) for name, kind in TYPES.items()))

Rows = list[tuple[str, str]]


def main() -> None:
    """Measure and print."""
    sizes = [int(size) for size in sys.argv[1:]] or [100_000]
    columns = [measure(size) for size in sizes]
    print("| ms of CPU |" + "".join(f" {size:,} |" for size in sizes))
    print("|---|" + "---|" * len(sizes))
    for number, (what, _) in enumerate(columns[0]):
        print(f"| {what} |" + "".join(f" {column[number][1]} |" for column in columns))


def measure(size: int) -> Rows:
    """All figures at one size."""
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder))
        engine.create_collection(COLLECTION)
        shard = engine.shard("Photo")
        for start in range(0, size, BATCH):
            shard.put([photo(number) for number in range(start, min(size, start + BATCH))])
        found = [*orders(shard, size), *summaries(shard, size), *pages(shard), *deleting(shard, size)]
        engine.close()
    return found


def photo(number: int) -> Record:
    """One object; the same for the same seed."""
    properties: dict[str, PropertyValue] = {
        "title": f"word{random.randrange(2000)} {random.randrange(10**6)}",
        "breed": f"breed {random.randrange(120)}",
        "tags": tuple(f"tag{random.randrange(50)}" for _ in range(random.randrange(4))),
        "rank": number,
        "price": round(random.random() * 100, 2),
        "date": f"20{random.randrange(10, 26)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}T12:00:00Z",
    }
    return Record(id=UUID(int=random.getrandbits(128)), properties=properties)


def orders(shard: EmbeddedShard, size: int) -> Rows:
    """The first of an order."""
    half = Compare("rank", Operator.LESS_THAN, size // 2)
    few = Compare("rank", Operator.LESS_THAN, size // 100)

    def first(*sort: SortBy, where: Compare | None = None, offset: int = 0, times: int = 50) -> str:
        return timed(lambda: shard.scan(where=where, after=None, limit=10, offset=offset, projection=Projection(), sort=sort), times)

    return [
        ("10 by price, descending", first(SortBy("price", True))),
        ("10 by price", first(SortBy("price"))),
        ("10 by rank (int, distinct)", first(SortBy("rank"))),
        ("10 by date", first(SortBy("date"))),
        ("10 by price where half passes", first(SortBy("price"), where=half)),
        ("10 by price where 1 % passes", first(SortBy("price"), where=few)),
        ("10 by price after 9,990", first(SortBy("price"), offset=min(9990, size // 2), times=10)),
        ("10 by date, then price descending", first(SortBy("date"), SortBy("price", True))),
        ("10 by title, the first time: reads every object", first(SortBy("title"), times=1)),
        ("10 by title", first(SortBy("title"))),
        ("10 by breed, then title", first(SortBy("breed"), SortBy("title"))),
        ("10 by title after one put", after_a_put(shard, lambda: first(SortBy("title"), times=1))),
    ]


def summaries(shard: EmbeddedShard, size: int) -> Rows:
    """Questions about all objects and about half of them."""
    half = Compare("rank", Operator.LESS_THAN, size // 2)

    def ask(*names: str, where: Compare | None = None, group_by: str | None = None, times: int = 20) -> str:
        spec = Aggregation(properties=dict.fromkeys(names, 5), group_by=group_by, groups=100)
        return timed(lambda: shard.aggregate(spec, where=where), times)

    return [
        ("all figures of price over half (int range filter)", ask("price", where=half)),
        ("all figures of rank over half", ask("rank", where=half)),
        ("all figures of date over half", ask("date", where=half)),
        ("all figures of price over all", ask("price")),
        ("5 most frequent breeds of all", ask("breed")),
        ("5 most frequent breeds of half", ask("breed", where=half)),
        ("5 most frequent tags of all", after_the_first(lambda: ask("tags", times=1), lambda: ask("tags"))),
        ("5 most frequent titles of all (nearly all distinct)", ask("title")),
        ("objects by breed (120 groups, 100 told)", ask(group_by="breed")),
        ("price by breed", ask("price", group_by="breed")),
        ("price by tag", ask("price", group_by="tags")),
    ]


def pages(shard: EmbeddedShard) -> Rows:
    """A cursor."""

    def page(projection: Projection, limit: int) -> str:
        return timed(lambda: shard.scan(where=None, after=UUID(int=1 << 126), limit=limit, offset=0, projection=projection), 20)

    return [("page of 1,000 by cursor, all properties", page(Projection(), 1000)), ("page of 1,000 by cursor, ids", page(IDS_ONLY, 1000))]


def deleting(shard: EmbeddedShard, size: int) -> Rows:
    """Deleting by filter, durably."""
    where = Compare("rank", Operator.LESS_THAN, min(10_000, size // 2))
    return [("delete 1,000 by filter", timed(lambda: shard.delete_where(where, limit=1000), 5))]


def after_a_put(shard: EmbeddedShard, ask: Callable[[], str]) -> str:
    """The question after an object more."""
    shard.put([photo(-1)])
    return ask()


def after_the_first(first: Callable[[], str], then: Callable[[], str]) -> str:
    """The question once its values are known."""
    first()
    return then()


def timed(call: Callable[[], object], times: int) -> str:
    """Median CPU time."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        call()
        spent.append((time.process_time() - start) * 1000)
    return f"{median(spent):.2f}"


if __name__ == "__main__":
    main()
