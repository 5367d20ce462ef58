"""What a filter costs: one condition after another on the index of a shard, at 100,000 and at a million rows.

    python bench/engine_filters.py

Fixed seeds. Times are the median of repeated calls, in microseconds of CPU time; each makes one mask. Also what it costs to add rows, to write the index as
arrays and to take it up again.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from uuid import UUID

import numpy as np

from nearimage.domain.filters import And, Compare, Filter, GeoRange, Not, Operator, Or, PointsTo
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.values import GeoCoordinates, PropertyValue, Reference
from nearimage.engines.embedded.index import Index

SIZES = (100_000, 1_000_000)
WORDS = [f"word{number}" for number in range(1000)]
COLLECTION = Collection(
    name="Photo",
    properties=(
        Property(name="int", data_type=DataType.INT),
        Property(name="gaps", data_type=DataType.INT),
        Property(name="number", data_type=DataType.NUMBER),
        Property(name="flag", data_type=DataType.BOOLEAN),
        Property(name="date", data_type=DataType.DATE),
        Property(name="ints", data_type=DataType.INT_ARRAY),
        Property(name="text", data_type=DataType.TEXT, tokenization=Tokenization.WORD),
        Property(name="place", data_type=DataType.GEO_COORDINATES),
        Property(name="album", data_type=DataType.REFERENCE, targets=("Album",)),
    ),
)
O = Operator  # noqa: E741 short, because the table is read by its columns


def build(rows: int) -> Index:
    """An index of so many rows; `gaps` is missing in one of three."""
    rng = np.random.default_rng(5)
    ints, numbers = rng.integers(0, 1000, rows).tolist(), rng.random(rows).tolist()
    seconds = rng.integers(0, 86_400 * 28, rows).tolist()
    latitudes, longitudes = (rng.random(rows) * 160 - 80).tolist(), (rng.random(rows) * 360 - 180).tolist()
    words = rng.zipf(1.3, (rows, 2)) % 1000
    index = Index(COLLECTION)
    for start in range(0, rows, 10_000):
        batch = []
        for row in range(start, min(rows, start + 10_000)):
            value = ints[row]
            day, clock = divmod(seconds[row], 86_400)
            properties: dict[str, PropertyValue] = {
                "int": value,
                "number": numbers[row],
                "flag": value % 2 == 0,
                "date": f"2026-02-{day + 1:02}T{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}Z",
                "ints": (value, row % 7),
                "text": f"{WORDS[words[row, 0]]} {WORDS[words[row, 1]]}",
                "place": GeoCoordinates(latitudes[row], longitudes[row]),
                "album": (Reference("Album", UUID(int=value + 1)),),
            }
            batch.append(index.convert(properties if row % 3 else properties | {"gaps": value}, row, row))
        index.extend(start, [UUID(int=(row * 2654435761) << 32).bytes for row in range(start, start + len(batch))], batch)
    return index


def conditions() -> list[tuple[str, Filter]]:
    """Each row of the table."""
    at_least, below = Compare("int", O.GREATER_THAN_EQUAL, 250), Compare("int", O.LESS_THAN, 500)
    ids = tuple(str(UUID(int=(row * 2654435761) << 32)) for row in range(10_000))
    albums = b"".join(UUID(int=number).bytes for number in range(500, 10_500))
    return [
        ("int ==", Compare("int", O.EQUAL, 7)),
        ("int <", below),
        ("int >= and <", And((at_least, below))),
        ("int == or ==", Or((Compare("int", O.EQUAL, 7), Compare("int", O.EQUAL, 8)))),
        ("not int <", Not(below)),
        ("int with gaps <", Compare("gaps", O.LESS_THAN, 500)),
        ("int[] ==", Compare("ints", O.EQUAL, 5)),
        ("number <", Compare("number", O.LESS_THAN, 0.5)),
        ("boolean ==", Compare("flag", O.EQUAL, value=True)),
        ("date <", Compare("date", O.LESS_THAN, "2026-02-14T00:00:00Z")),
        ("int ContainsAny 10", Compare("int", O.CONTAINS_ANY, tuple(range(0, 100, 10)))),
        ("int ContainsAny 10,000", Compare("int", O.CONTAINS_ANY, tuple(range(900, 10_900)))),
        ("number ContainsAny 10,000", Compare("number", O.CONTAINS_ANY, tuple(number / 10_000 for number in range(10_000)))),
        ("text ==, rare word", Compare("text", O.EQUAL, "word999")),
        ("text ==, common word", Compare("text", O.EQUAL, "word1")),
        ("text ContainsAny 1,000", Compare("text", O.CONTAINS_ANY, tuple(WORDS))),
        ("text Like word1*", Compare("text", O.LIKE, "word1*")),
        ("IsNull", Compare("gaps", O.IS_NULL, value=True)),
        ("len(text) >", Compare("len(text)", O.GREATER_THAN, 12)),
        ("circle of 100 km", Compare("place", O.WITHIN_GEO_RANGE, GeoRange(48, 11, 100_000))),
        ("circle of 5,000 km", Compare("place", O.WITHIN_GEO_RANGE, GeoRange(48, 11, 5_000_000))),
        ("reference to one of 10,000", PointsTo("album", "Album", albums)),
        ("_id ==", Compare("_id", O.EQUAL, ids[3])),
        ("_id >", Compare("_id", O.GREATER_THAN, ids[3])),
        ("_id Like, prefix of 4", Compare("_id", O.LIKE, ids[3][:4] + "*")),
        ("_id ContainsAny 10,000", Compare("_id", O.CONTAINS_ANY, ids)),
    ]


def cost_us(call: Callable[[], object]) -> float:
    """The median CPU time of a call."""
    call()
    taken: list[float] = []
    begun = time.process_time()
    while len(taken) < 5 or (time.process_time() - begun < 0.3 and len(taken) < 300):
        started = time.process_time_ns()
        call()
        taken.append((time.process_time_ns() - started) / 1000)
    return median(taken)


def main() -> None:
    """Print the tables."""
    table: dict[str, list[str]] = {}
    for rows in SIZES:
        started = time.process_time()
        index = build(rows)
        table.setdefault("add a row of 9 properties (convert and extend)", []).append(f"{(time.process_time() - started) / rows * 1e6:.1f}")
        for name, where in conditions():
            table.setdefault(name, []).append(f"{cost_us(partial(index.mask, where, rows)):,.0f}")
        keep = np.ones(rows, np.bool_)
        started = time.process_time()
        arrays = {name: array.copy() for name, array in index.arrays(keep).items()}
        table.setdefault("write as arrays, a row", []).append(f"{(time.process_time() - started) / rows * 1e6:.2f}")
        started = time.process_time()
        Index(COLLECTION).restore(arrays)
        table.setdefault("take up from arrays, a row", []).append(f"{(time.process_time() - started) / rows * 1e6:.2f}")
    print("| us of CPU time | " + " | ".join(f"{rows:,} rows" for rows in SIZES) + " |")
    print("|---|" + "---|" * len(SIZES))
    for name, costs in table.items():
        print(f"| {name} | " + " | ".join(costs) + " |")


if __name__ == "__main__":
    main()
