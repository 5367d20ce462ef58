"""The search of one query in two calls of compiled code (`kernel.c`, and `max_sim.c` for multi-vectors): what they take and give, and whether it is there.

    place     query --projection, centres--> lists in order
    search    lists, bitmap --codes--> candidates --rows, fetched ahead--> exact distances --doubted--> hits, or what was wrong
    max_sim   a query of several vectors, those of many objects --> a rough sum for each object

Installing nearimage compiles the sources beside this file (`hatch_build.py`) where there is a compiler. Without one, or on a processor without AVX2 and FMA,
`KERNEL` is None, and searches go through faiss and numpy, by the same rules and in about twice the time; tests hold both ways against each other.

May import faiss (for addresses), numpy, the standard library and `domain`.
"""

import ctypes
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.schema import Metric

METRICS = {Metric.COSINE: 0, Metric.DOT: 1, Metric.L2_SQUARED: 2}
"""What it measures; the numbers are those of `kernel.c`."""

_VERSION = 8
"""Of the structures below: a library that was compiled for others is not used."""

_NO_MEMORY = -3
_LIBRARY = Path(__file__).with_name("libnearimage.so")

Slots = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float32]
Distances = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Bitmap = npt.NDArray[np.uint8]
Found = tuple[Slots, Distances]


class Failed(Enum):
    """Why there is no answer; the numbers are those of `kernel.c`."""

    TOO_FEW = -1
    """The lists hold fewer than are needed."""
    TOO_SHALLOW = -2
    """A hit may stand beyond the last candidate."""


class Placed(NamedTuple):
    """A query in an index's space.

    Attributes:
        projected: (kept,) float32, contiguous.
        nearness: (lists of the index,) float32: greater is nearer.
        lists: the numbers of those that hold what passes, nearest first; contiguous.
        squared: the squared length of `projected`.
        energy: its share of the query's own squared length, 0..1.
    """

    projected: Vector
    nearness: Numbers
    lists: Slots
    squared: float
    energy: float


class Units(NamedTuple):
    """Vectors of many objects.

    Attributes:
        halves: (n, dims) float16, contiguous, of unit length or zero; dims is a multiple of 8.
        norms: (n,) float32: how long they were.
    """

    halves: Halves
    norms: Numbers


class Question(NamedTuple):
    """One search of an index.

    Attributes:
        placed: the query in the index's space.
        vector: the query itself, (dims,) float32, contiguous.
        allowed: the slots that count; None for all.
        missed: slots to be measured beside the index; None for none.
        wanted: how many hits.
        needed: how many have to be found.
        asked: how many candidates are taken at most.
        first: how many of them are measured at first.
        sure: how many of the lists are looked at in any case.
        is_last: whether the best there is will do, where a hit may stand beyond the last candidate.
        rank: the candidate that the other lists must come up to.
        reach: by how many deviations a member of a list may be nearer than usual (`walking`); infinite for all lists.
        tolerated: how many hits may be missed because they stand beyond the candidates, on average.
        noise: `Tuning.noise`.
    """

    placed: Placed
    vector: Vector
    allowed: Bitmap | None
    missed: Slots | None
    wanted: int
    needed: int
    asked: int
    first: int
    sure: int
    is_last: bool
    rank: int
    reach: float
    tolerated: float
    noise: float


class _Space(ctypes.Structure):
    _fields_ = (
        ("directions", ctypes.c_void_p),
        ("mean", ctypes.c_void_p),
        ("centres", ctypes.c_void_p),
        ("half_squares", ctypes.c_void_p),
        ("scale", ctypes.c_double),
        ("dims", ctypes.c_int64),
        ("kept", ctypes.c_int64),
        ("lists", ctypes.c_int64),
        ("unit", ctypes.c_int64),
    )


class _Figures(ctypes.Structure):
    _fields_ = (("squared", ctypes.c_double), ("energy", ctypes.c_double))


class _Lists(ctypes.Structure):
    _fields_ = (
        ("codes", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("sizes", ctypes.c_void_p),
        ("points", ctypes.c_void_p),
        ("squares", ctypes.c_void_p),
        ("deviations", ctypes.c_void_p),
        ("pairs", ctypes.c_int64),
        ("inner_product", ctypes.c_int64),
    )


class _Stored(ctypes.Structure):
    _fields_ = (("matrix", ctypes.c_void_p), ("rows", ctypes.c_int64), ("dims", ctypes.c_int64), ("metric", ctypes.c_int64))


class _Question(ctypes.Structure):
    _fields_ = (
        ("projected", ctypes.c_void_p),
        ("vector", ctypes.c_void_p),
        ("lists", ctypes.c_void_p),
        ("nearness", ctypes.c_void_p),
        ("lists_count", ctypes.c_int64),
        ("squared", ctypes.c_double),
        ("allowed", ctypes.c_void_p),
        ("allowed_bytes", ctypes.c_int64),
        ("missed", ctypes.c_void_p),
        ("missed_count", ctypes.c_int64),
        ("wanted", ctypes.c_int64),
        ("needed", ctypes.c_int64),
        ("asked", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("sure", ctypes.c_int64),
        ("is_last", ctypes.c_int64),
        ("rank", ctypes.c_int64),
        ("reach", ctypes.c_double),
        ("tolerated", ctypes.c_double),
        ("noise", ctypes.c_double),
    )


class _Kept(ctypes.Structure):
    _fields_ = (("units", ctypes.c_void_p), ("norms", ctypes.c_void_p), ("dims", ctypes.c_int64), ("metric", ctypes.c_int64))


class CodeLists:
    """Where the lists of an index lie; as long as this is used, whatever they are part of must be kept, unchanged.

    Args:
        codes: the address of each list's codes, blocks of 32 as faiss lays them out for 4 bits.
        slots: the address of each list's slots, int64.
        sizes: how many each list has.
        points: (pairs, 16, 2) float32.
        spread: how the vectors of each list lie around its centre: the mean of their squared distances, and its standard deviation.
    """

    def __init__(
        self, codes: Sequence[int], slots: Sequence[int], sizes: Slots, points: Numbers, spread: tuple[Numbers, Numbers], *, inner_product: bool
    ) -> None:
        self._kept: tuple[npt.NDArray[Any], ...] = (
            *(np.array(numbers, np.int64) for numbers in (codes, slots, sizes)),
            *(np.ascontiguousarray(numbers, np.float32) for numbers in (points, *spread)),
        )
        addresses = [_at(one) for one in self._kept]
        self.structure = _Lists(*addresses, len(points), inner_product)


class Space:
    """An index's projection and centres, as the kernel reads them: in float16, half as many bytes.

    Args:
        directions: (kept, dims).
        mean: (dims,), taken off a query before it is projected; None where it is not.
        centres: (lists, kept).
        half_squares: (lists,), half of the squared length of each centre; or zeros, for inner products.
        unit: whether queries are brought to unit length.
    """

    def __init__(self, directions: Matrix, mean: Vector | None, centres: Matrix, half_squares: Numbers, *, unit: bool) -> None:
        scale = float(np.abs(centres).max(initial=np.finfo(np.float32).tiny))  # float16 ends at 65,504
        self._kept: tuple[npt.NDArray[Any], ...] = (
            directions.astype(np.float16).view(np.int16),
            np.zeros(0, np.float32) if mean is None else np.ascontiguousarray(mean, np.float32),
            (centres / np.float32(scale)).astype(np.float16).view(np.int16),
            np.ascontiguousarray(half_squares, np.float32),
        )
        addresses = [_at(one) if len(one) else None for one in self._kept]
        self.structure = _Space(*addresses, scale, directions.shape[1], *centres.shape[::-1], unit)
        self.kept, self.lists = len(directions), len(centres)


class Kernel:
    """The compiled library.

    Raises:
        OSError: it cannot be loaded, or is of another version.
    """

    def __init__(self, path: Path) -> None:
        library: Any = ctypes.CDLL(str(path))
        if library.nearimage_version() != _VERSION:
            raise OSError(f"{path} was compiled for another version of nearimage")
        self.is_supported = bool(library.nearimage_is_supported())
        self._place, self._search, self._measure = library.nearimage_place, library.nearimage_search, library.nearimage_measure
        self._max_sim = library.nearimage_max_sim
        for function in (self._place, self._search, self._measure, self._max_sim):
            function.restype = ctypes.c_int64
        self._place.argtypes = (ctypes.c_void_p,) * 7
        self._search.argtypes = (ctypes.c_void_p,) * 5
        self._measure.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self._max_sim.argtypes = (*(ctypes.c_void_p,) * 3, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self._halve = library.nearimage_halve
        self._halve.restype = ctypes.c_double
        self._halve.argtypes = (ctypes.c_void_p, *(ctypes.c_int64,) * 3, ctypes.c_void_p, ctypes.c_void_p)

    def place(self, space: Space, vector: Vector, counts: Slots | None) -> Placed:
        """A query, and the order of the lists.

        Args:
            vector: (dims,) float32, contiguous; finite, and not zero where it is brought to unit length.
            counts: (lists,) int64: how many pass in each; None if all do.

        Raises:
            MemoryError: none is left.
        """
        projected, nearness, order = np.empty(space.kept, np.float32), np.empty(space.lists, np.float32), np.empty(space.lists, np.int64)
        figures = _Figures()
        some = None if counts is None else _at(counts)
        found = self._place(ctypes.byref(space.structure), _at(vector), some, _at(projected), _at(nearness), _at(order), ctypes.byref(figures))
        if found == _NO_MEMORY:
            raise MemoryError("no memory for a query")
        return Placed(projected, nearness, order[:found], figures.squared, figures.energy)

    def search(self, lists: CodeLists, metric: Metric, matrix: Matrix, question: Question) -> Found | Failed:
        """The hits, and all that are as near as the last of them, in no order.

        Args:
            metric: one of `METRICS`.
            matrix: (slots, dims) float32, contiguous.

        Raises:
            MemoryError: none is left.
        """
        placed, vector, allowed, missed, *numbers = question
        beside, asked = 0 if missed is None else len(missed), question.asked
        slots, distances = np.empty(beside + asked, np.int64), np.empty(2 * (beside + asked), np.float32)
        bits = (None, 0) if allowed is None else (_at(allowed), len(allowed))
        others = None if missed is None else _at(missed)
        where = _at(placed.lists), _at(placed.nearness), len(placed.lists), placed.squared
        asking = _Question(_at(placed.projected), _at(vector), *where, *bits, others, beside, *numbers)
        found = self._search(ctypes.byref(lists.structure), ctypes.byref(_stored(metric, matrix)), ctypes.byref(asking), _at(slots), _at(distances))
        if found == _NO_MEMORY:
            raise MemoryError("no memory for the candidates of a search")
        return Failed(found) if found < 0 else (slots[:found], distances[:found])

    def measure(self, metric: Metric, matrix: Matrix, slots: Slots, query: Vector) -> Distances:
        """The exact distances of some slots; `nearimage.domain.vectors.exact_distances` says which. Arguments as for `search`.

        Raises:
            MemoryError: none is left.
        """
        distances = np.empty(len(slots), np.float32)
        if self._measure(ctypes.byref(_stored(metric, matrix)), _at(slots), len(slots), _at(query), _at(distances)) == _NO_MEMORY:
            raise MemoryError("no memory for a query")
        return distances

    def halve(self, vectors: Matrix, width: int) -> tuple[Units, float]:
        """Vectors as `max_sim` takes them.

        Args:
            vectors: (n, dims) float32.
            width: to which they are filled up with zeros, a multiple of 8.

        Returns:
            These, and how long what was rounded off one of unit length is, at most.
        """
        rows = np.ascontiguousarray(vectors)
        units = Units(np.zeros((len(rows), width), np.float16), np.empty(len(rows), np.float32))
        return units, self._halve(_at(rows), *rows.shape, width, units.halves.ctypes.data, _at(units.norms))

    def max_sim(self, metric: Metric, units: Units, starts: Slots, counts: Slots, query: Matrix) -> npt.NDArray[np.float64]:
        """For each object the sum, over the query's vectors, of the best score that one of the object's vectors has: greater is nearer.

        A score is the product with the vector of unit length; under an inner product, with the vector; under l2-squared, twice that less the vector's squared
        length.

        Args:
            metric: one of `METRICS`.
            starts: (objects,) int64: where each object's vectors begin.
            counts: (objects,) int64: how many these are, at least one.
            query: (m, dims) float32.
        """
        asked, dims = query.shape
        rows = np.zeros((-(-asked // 4) * 4, dims), np.float32)
        rows[:asked] = query
        kept, sums = _Kept(units.halves.ctypes.data, _at(units.norms), dims, METRICS[metric]), np.empty(len(starts), np.float64)
        self._max_sim(ctypes.byref(kept), _at(starts), _at(counts), len(starts), _at(rows), asked, _at(sums))
        return sums


def _stored(metric: Metric, matrix: Matrix) -> _Stored:
    return _Stored(_at(matrix), *matrix.shape, METRICS[metric])


def _at(array: npt.NDArray[Any]) -> int:
    """The address of an array's first number; a tenth of the time of `array.ctypes.data`.

    Raises:
        ValueError: it is not contiguous.
    """
    return int(faiss.swig_ptr(array))


def _loaded() -> Kernel | None:
    try:
        kernel = Kernel(_LIBRARY)
    except (OSError, AttributeError):
        return None
    return kernel if kernel.is_supported else None


KERNEL = _loaded()
