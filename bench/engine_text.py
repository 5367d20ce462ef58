"""What keyword search and filters on text cost: appending, asking, writing the columns as arrays and taking them up again.

    python bench/engine_text.py [ROWS ...]

Prints a table for each number of rows (default 100,000 and 1,000,000), as markdown: CPU time of one thread, medians. Two properties: titles "picture number
{i} of the set", of which one word is in one object and four are in all; and bodies of twelve words from 50,000, drawn by Zipf's law with exponent 1. Queries
are asked of the columns in memory; `match_text` reads the objects found besides, 10 rows by revision, 40 us.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from nearimage.domain.filters import Compare, Filter, Operator
from nearimage.domain.keywords import Keywords
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.engines.embedded.keywords import KeywordSearch
from nearimage.engines.embedded.state import State, Table

COLLECTION = Collection(
    name="Bench",
    properties=(
        Property(name="title", data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True),
        Property(name="body", data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True),
        Property(name="n", data_type=DataType.INT),
    ),
)
WORDS = 50_000


def main() -> None:
    """Measure and print."""
    for rows in [int(argument) for argument in sys.argv[1:]] or [100_000, 1_000_000]:
        print(f"\n{rows:,} objects\n\n| what | figure |\n|---|---|")
        table = fill(rows)
        asked(rows, state(table, np.ones(rows, np.bool_)), "")
        live = np.ones(rows, np.bool_)
        live[::10] = False
        asked(rows, state(table, live), ", every tenth replaced")
        again = reopen(table, rows)
        asked(rows, state(again, np.ones(rows, np.bool_)), ", taken up from arrays")


def fill(rows: int) -> Table:
    """A table of titles and bodies."""
    rng = np.random.default_rng(7)
    chances = 1 / np.arange(1, WORDS + 1)
    drawn = rng.choice(WORDS, (rows, 12), p=chances / chances.sum())
    table = Table(COLLECTION)
    started = time.process_time()
    titles = [table.index.convert({"title": f"picture number {row} of the set"}, 0, 0)["title"] for row in range(rows)]
    report("cut a title of 6 words, us", (time.process_time() - started) / rows * 1e6)
    column = table.index.column("title")
    started = time.process_time()
    for row, title in enumerate(titles):
        column.append(row, title)
    report("append it, us", (time.process_time() - started) / rows * 1e6)
    started = time.process_time()
    for row, words in enumerate(drawn.tolist()):
        table.index.column("body").append(row, table.index.column("body").convert(" ".join([f"w{word}" for word in words])))
        table.index.column("n").append(row, table.index.column("n").convert(row))
    report("cut and append a body of 12 words and a number, us", (time.process_time() - started) / rows * 1e6)
    table.index.ids.extend([rng.bytes(16) for _ in range(rows)])
    return table


def state(table: Table, live: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> State:
    """All rows of it as one commit."""
    return State(table=table, revision=1, live=live, count=int(np.count_nonzero(live)), slots=0, vectors={})


def asked(rows: int, where: State, condition: str) -> None:
    """Queries of several kinds, 10 wanted."""
    rng = np.random.default_rng(8)
    search = KeywordSearch()
    report_query(f"first `picture n`, ms{condition}", where, lambda: f"picture {rng.integers(rows)}", fresh=True)
    report(f"`picture n` after a write, ms{condition}", after_writes(where, rng))
    report_query(f"`picture n`, ms{condition}", where, lambda: f"picture {rng.integers(rows)}", search=search)
    report_query(f"`set n picture m number`, ms{condition}", where, lambda: f"set {rng.integers(rows)} picture {rng.integers(rows)} number", search=search)
    for rank in (3000, 300, 30):
        about = f"two words of about {int(where.count * 12 / (rank * 11.4)):,} objects each, ms{condition}"
        report_query(about, where, partial(_two_words, rng, rank), "body")
    report_query(f"`picture n` in title^3, body, ms{condition}", where, lambda: f"picture {rng.integers(rows)} w{rng.integers(999)}", "title^3", "body")
    report_query(f"all of three words, ms{condition}", where, lambda: f"w9 w{rng.integers(50)} w{rng.integers(999)}", "body", minimum=0)
    few = Compare("n", Operator.LESS_THAN, rows // 100)
    report_query(f"`picture n`, filter passing 1 %, ms{condition}", where, lambda: f"picture {rng.integers(rows)}", filtered=few)
    most = Compare("n", Operator.LESS_THAN, rows // 2)
    report_query(f"`picture n`, filter passing 50 %, ms{condition}", where, lambda: f"picture {rng.integers(rows)}", filtered=most)
    index = where.table.index
    for operator, value in ((Operator.EQUAL, "set 4711"), (Operator.LIKE, "47*"), (Operator.LIKE, "*711*"), (Operator.GREATER_THAN, "picture")):
        report(f"filter title {operator} {value!r}, ms{condition}", timed(partial(index.mask, Compare("title", operator, value), rows), 5))
    several: tuple[str, ...] = tuple(str(number) for number in rng.integers(rows, size=5000))
    report(f"filter title ContainsAny 5,000 values, ms{condition}", timed(lambda: index.mask(Compare("title", Operator.CONTAINS_ANY, several), rows), 5))


def after_writes(where: State, rng: np.random.Generator) -> float:
    """CPU time of a query for ten in ms, the median of 40, each over a commit of its own: one object more, and one fewer where some are dead already."""
    search, table, live, taken = KeywordSearch(), where.table, where.live, []
    some_dead = where.count < len(live)
    for turn in range(41):
        row = len(table.index.ids)
        table.index.append(row, rng.bytes(16), table.index.convert({"title": f"picture number {row} of the set"}, 0, 0))
        live = np.concatenate((live, np.ones(row + 1 - len(live), np.bool_)))
        live[rng.integers(row)] = not some_dead
        commit = State(table=table, revision=2 + turn, live=live, count=int(np.count_nonzero(live)), slots=0, vectors={})
        started = time.process_time()
        search.best(commit, COLLECTION, Keywords(text=f"picture {rng.integers(row)}", boosts={"title": 1.0}), None, 10)
        taken.append((time.process_time() - started) * 1e3)
    return median(taken[1:])


def _two_words(rng: np.random.Generator, rank: int) -> str:
    return f"w{rank + int(rng.integers(9))} w{rank + 9 + int(rng.integers(9))}"


def report_query(
    what: str,
    where: State,
    text: Callable[[], str],
    *names: str,
    search: KeywordSearch | None = None,
    minimum: int = 1,
    filtered: Filter | None = None,
    fresh: bool = False,
) -> None:
    """The median of 40 queries, the filter's own cost left out; `fresh` forgets after each what was learnt."""
    boosts = {name.partition("^")[0]: float(name.partition("^")[2] or 1) for name in names or ("title",)}
    passing = None if filtered is None else where.table.index.mask(filtered, len(where.live)) & where.live
    kept = search or KeywordSearch()

    def ask() -> None:
        (KeywordSearch() if fresh else kept).best(where, COLLECTION, Keywords(text=text(), boosts=boosts, minimum_match=minimum), passing, 10)

    report(what, timed(ask, 40))


def reopen(table: Table, rows: int) -> Table:
    """The same through arrays, as a file has them."""
    started = time.process_time()
    arrays = table.index.arrays(np.ones(rows, np.bool_))
    report("write columns as arrays, s", time.process_time() - started)
    report("of them bytes an object", sum(array.nbytes for array in arrays.values()) / rows)
    again = Table(COLLECTION)
    started = time.process_time()
    again.index.restore(arrays)
    report("take them up, ms", (time.process_time() - started) * 1e3)
    return again


def timed(call: Callable[[], object], times: int) -> float:
    """CPU time of a call in ms, the median."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        call()
        taken.append((time.process_time() - started) * 1e3)
    return median(taken)


def report(what: str, figure: float) -> None:
    """One row of the table."""
    print(f"| {what} | {figure:,.3f} |", flush=True)


if __name__ == "__main__":
    main()
