"""Columns on disk, so that opening a shard need not decode every object.

    state --write_columns--> columns-<revision>.arrays --read_columns--> table and vector columns as of that revision

Such a file holds what a state keeps in memory of its living rows, numbered anew from 0: revisions, ids, the columns of the index, and for each named vector
its rows, slots and norms. Opening takes the newest intact one, kills the rows that the table `removed` names (objects that went since), and
adds the objects with a later revision. A file that is missing, damaged, or made for other properties is no error: then every object is read.

    array               what
    revisions           (rows,) int64, ascending
    index/...           `Index.arrays`
    vector/0/rows       (entries,) int64: the rows that have the first named vector, ascending; and so on
    vector/0/slots      (entries,) int64
    vector/0/norms      (slots,) float32, by slot

Of several files the table `mark` says from which revision on `removed` is complete (`columns`): a file of an earlier revision is useless. One of a later
revision than the last commit comes from a history that SQLite does not know (its log was lost) and must go before its revisions are given anew.

May import numpy, `domain` and this package.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from nearimage.domain.schema import Collection
from nearimage.engines.embedded.arrays import PART, Array, Json, open_arrays, write_arrays
from nearimage.engines.embedded.state import State, Table

Kind = TypeVar("Kind", bound=np.generic)

_NAME = re.compile(r"columns-(\d+)\.arrays")

CONTENTS = 1
"""Of what the arrays are; another number when an older program could not read them or would read them wrongly."""


class Columns(NamedTuple):
    """What a file gave.

    Attributes:
        vectors: the row numbers and norms of named vectors, by number.
    """

    revision: int
    table: Table
    vectors: dict[int, "VectorRows"]


class VectorRows(NamedTuple):
    """What a file holds of one named vector; see the module's table."""

    rows: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    norms: npt.NDArray[np.float32]


def column_file(folder: Path, revision: int) -> Path:
    """Where the columns as of a revision are."""
    return folder / f"columns-{revision}.arrays"


def write_columns(folder: Path, state: State, collection: Collection) -> None:
    """Write the columns of a state.

    Raises:
        OSError: nothing is left of it.

    Cost:
        100 bytes a row and more, by the properties; safe beside the writer.
    """
    live = state.live
    arrays: dict[str, Array] = {"revisions": state.table.revisions.view(len(live))[live]}
    arrays |= {f"index/{name}": array for name, array in state.table.index.arrays(live).items()}
    numbers = np.cumsum(live, dtype=np.int64) - 1
    for column in state.vectors.values():
        rows, slots = column.owners(live)
        _, norms = column.published()
        arrays |= {f"vector/{column.number}/rows": numbers[rows], f"vector/{column.number}/slots": slots, f"vector/{column.number}/norms": norms}
    about: dict[str, Json] = {"contents": CONTENTS, "revision": state.revision, "properties": _properties(collection)}
    write_arrays(column_file(folder, state.revision), arrays, about)


def read_columns(folder: Path, revision: int, collection: Collection) -> Columns | None:
    """Take up the columns as of a revision; None if that cannot be."""
    contents = open_arrays(column_file(folder, revision))
    if contents is None or contents.about.get("contents") != CONTENTS or contents.about.get("revision") != revision:
        return None
    known, now = contents.about.get("properties"), _properties(collection)
    if not isinstance(known, dict) or any(now.get(name) != how for name, how in known.items()):  # properties that are new since have no values in it
        return None
    table, vectors = Table(collection), {}
    try:
        table.revisions.adopt(_typed(contents.arrays["revisions"], np.int64))
        table.index.restore({name.removeprefix("index/"): array for name, array in contents.arrays.items() if name.startswith("index/")})
        for number in {int(name.split("/")[1]) for name in contents.arrays if name.startswith("vector/")}:
            rows, slots, norms = (contents.arrays[f"vector/{number}/{what}"] for what in ("rows", "slots", "norms"))
            vectors[number] = VectorRows(_typed(rows, np.int64), _typed(slots, np.int64), _typed(norms, np.float32))
    except (KeyError, ValueError, TypeError, IndexError):  # intact, but of a program that wrote other arrays
        return None
    return Columns(revision, table, vectors)


def revisions_on_disk(folder: Path) -> list[int]:
    """The revisions of which there are files, latest first."""
    return sorted((int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))), reverse=True)


def sweep(folder: Path, keep: Iterable[int]) -> None:
    """Remove all files of columns but these, and what an unfinished write left."""
    kept = {column_file(folder, revision).name for revision in keep}
    for path in folder.iterdir():
        if path.name not in kept and (_NAME.fullmatch(path.name) or _NAME.fullmatch(path.name.removesuffix(PART))):
            path.unlink(missing_ok=True)


def _properties(collection: Collection) -> dict[str, Json]:
    return {p.name: [p.data_type.value, p.tokenization and p.tokenization.value, p.filterable, p.searchable, p.range_filters] for p in collection.properties}


def _typed(array: Array, kind: type[Kind]) -> npt.NDArray[Kind]:
    if array.dtype != kind:
        raise TypeError(f"{array.dtype} where {kind.__name__} was expected")
    return np.asarray(array, kind)
