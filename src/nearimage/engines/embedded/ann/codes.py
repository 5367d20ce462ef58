"""The compressed vectors and their search: faiss behind types.

A code has four bits for each pair of dimensions: which of 16 trained points the pair is nearest to (product quantisation, Jégou, Douze and Schmid, 2011).
To measure all codes against a query, the distances from each of its pairs to the 16 points are tabled once, in bytes, and a register of the processor
looks up 32 codes at a time (FastScan: André, Kermarrec and Le Scouarnec, 2015). Codes are kept in lists by their nearest of n centres (an inverted file),
so that a search may look at the nearest lists only; n = 1 is the plain scan of all. Vectors are coded as they are, not their differences to the centre:
that would need a table a list, twice the time for no gain in recall.

Which lists a search looks at is said by whoever searches (`nearness` tells how near their centres are): under a filter, lists in which nothing passes are left
out. Numbers of vectors are the slots of the shard, so that one bitmap over slots carries filter, deletions and what the index does not cover.

An instance is never changed after it was made known to readers: `extended` works on a copy (64 MB and 30 ms a million vectors of 256 dimensions), because faiss
allows no search beside an `add`. Everything here gives the GIL away while faiss works.

May import faiss, numpy, `domain` and this package.
"""

import threading
from typing import NamedTuple, Self

import faiss
import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Matrix, Vector
from nearimage.engines.embedded.ann.kernel import CodeLists

Slots = npt.NDArray[np.int64]
Homes = npt.NDArray[np.uint16]
Bitmap = npt.NDArray[np.uint8]
"""(slots / 8 rounded up,) uint8: slot s is bit s % 8, lowest first, of byte s // 8."""

BITS = 4
POINTS = 1 << BITS
PAIR = 2
"""Dimensions that share a code. With 4 a search takes half the time and needs several times the candidates."""

_BY_LIST_WITH_RESERVOIR = 11
"""Of faiss's ways to scan (`implem`), for one query at a time: 177 us where its own choice takes 209 (25,000 codes of 256 dimensions, 100 candidates)."""

_thread = threading.local()

_set_probes = faiss.SearchParametersIVF.nprobe.fset
_set_selector = faiss.SearchParametersIVF.sel.fset


def use_one_thread() -> None:
    """Keep faiss to the calling thread: a second one saves nothing on a search of 100 us, and takes a core from another request."""
    if not getattr(_thread, "is_set", False):
        faiss.omp_set_num_threads(1)  # OpenMP keeps it for each thread apart
        _thread.is_set = True


class Spread(NamedTuple):
    """How the vectors of a list lie around its centre.

    Attributes:
        squares: (lists,) float32, the mean of the squared distances to it.
        deviations: (lists,) float32, their standard deviation.
    """

    squares: npt.NDArray[np.float32]
    deviations: npt.NDArray[np.float32]


class Codes:
    """Lists of codes. Made by `empty` or `from_bytes`; `add` only before others see it.

    Attributes:
        centres: (lists, kept) float32.
        half_squares: (lists,), half of the squared length of each; zeros under an inner product.
    """

    def __init__(self, index: "faiss.IndexIVFPQFastScan", spread: Spread) -> None:
        self._index = index
        self.spread = spread
        index.implem = _BY_LIST_WITH_RESERVOIR
        self.inner_product = index.metric_type == faiss.METRIC_INNER_PRODUCT
        self._lying: CodeLists | None = None
        self._quantizer: object = None  # kept alive: the index only points to it
        self.centres: Matrix = index.quantizer.reconstruct_n(0, index.nlist)
        squares = np.vecdot(self.centres, self.centres)
        self.half_squares = np.zeros_like(squares) if self.inner_product else squares / np.float32(2)

    @classmethod
    def empty(cls, centres: Matrix, points: npt.NDArray[np.float32], spread: Spread, *, inner_product: bool) -> Self:
        """Lists without vectors.

        Args:
            centres: (lists, kept).
            points: (kept / 2, 16, 2), the points of each pair.
            spread: of the vectors that will come, as a sample has it.
        """
        kept = int(centres.shape[1])
        metric = faiss.METRIC_INNER_PRODUCT if inner_product else faiss.METRIC_L2
        quantizer = faiss.IndexFlat(kept, metric)
        quantizer.add(np.ascontiguousarray(centres, np.float32))
        index = faiss.IndexIVFPQFastScan(quantizer, kept, len(centres), kept // PAIR, BITS, metric)
        index.by_residual = False
        faiss.copy_array_to_vector(np.ascontiguousarray(points, np.float32).ravel(), index.pq.centroids)
        index.is_trained = True
        codes = cls(index, spread)
        codes._quantizer = quantizer
        return codes

    @classmethod
    def from_bytes(cls, data: npt.NDArray[np.uint8], spread: Spread) -> Self:
        """What `to_bytes` made.

        Raises:
            ValueError: by another version of faiss, or of another kind.
        """
        try:
            index = faiss.deserialize_index(data)
        except RuntimeError as unknown:
            raise ValueError(f"not readable by this version of faiss: {unknown}") from unknown
        if not isinstance(index, faiss.IndexIVFPQFastScan):
            raise ValueError(f"holds a {type(index).__name__}")
        return cls(index, spread)

    def to_bytes(self) -> npt.NDArray[np.uint8]:
        """Everything, for a file."""
        return np.asarray(faiss.serialize_index(self._index), np.uint8)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def lists(self) -> int:
        """How many lists there are."""
        return int(self._index.nlist)

    @property
    def kept(self) -> int:
        """The dimensions of a projection."""
        return int(self._index.d)

    def points(self) -> npt.NDArray[np.float32]:
        """(kept / 2, 16, 2): the points of each pair, as `empty` takes them."""
        return np.asarray(faiss.vector_to_array(self._index.pq.centroids), np.float32).reshape(-1, POINTS, PAIR)

    def decoded(self, vectors: Matrix) -> Matrix:
        """What the codes of some projected vectors stand for, (n, kept)."""
        points = self.points()
        pairs = vectors.reshape(len(vectors), -1, 1, PAIR)
        nearest = np.square(pairs - points).sum(axis=-1).argmin(axis=-1)
        decoded: Matrix = points[np.arange(len(points)), nearest].reshape(vectors.shape)
        return decoded

    def add(self, vectors: Matrix, slots: Slots) -> None:
        """Add projected vectors under these numbers."""
        self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), slots)

    def without(self, bitmap: Bitmap) -> Self:
        """A copy that lacks these slots and may be added to."""
        copy = type(self)(faiss.clone_index(self._index), self.spread)
        if bitmap.any():
            copy._remove(bitmap)  # noqa: SLF001 its own class
        return copy

    def _remove(self, bitmap: Bitmap) -> None:
        """Take these slots out, and wipe what is left of them.

        Codes lie in blocks of 32. faiss moves the last ones into the gaps and shortens the lists, but leaves the old codes in the last block; `add` then writes
        new ones by OR over them, which makes both meaningless (faiss 1.15; tests/unit/engines/test_embedded_codes.py).
        """
        self._index.remove_ids(faiss.IDSelectorBitmap(bitmap))
        lists, packer = faiss.downcast_InvertedLists(self._index.invlists), self._index.get_CodePacker()
        flat = np.empty((packer.nvec, packer.code_size), np.uint8)
        for number in range(self.lists):
            whole, rest = divmod(lists.list_size(number), packer.nvec)
            if rest:
                block = faiss.rev_swig_ptr(lists.get_codes(number), (whole + 1) * packer.block_size)[whole * packer.block_size :]
                packer.unpack_all(faiss.swig_ptr(block), faiss.swig_ptr(flat))
                flat[rest:] = 0
                block[:] = 0
                packer.pack_all(faiss.swig_ptr(flat), faiss.swig_ptr(block))

    def homes(self, capacity: int) -> Homes:
        """The list of each slot below `capacity`; of a slot that is not here it says nothing."""
        found, lists = np.zeros(capacity, np.uint16), faiss.downcast_InvertedLists(self._index.invlists)
        for number in range(self.lists):
            if size := lists.list_size(number):
                found[faiss.rev_swig_ptr(lists.get_ids(number), size)] = number
        return found

    def nearness(self, query: Vector) -> npt.NDArray[np.float32]:
        """(lists,): how near the centre of each list is to a projected query; greater is nearer."""
        found: npt.NDArray[np.float32] = self.centres @ query
        found -= self.half_squares
        return found

    def sizes(self) -> Slots:
        """(lists,): how many codes each has."""
        lists = self._index.invlists
        return np.array([lists.list_size(number) for number in range(self.lists)], np.int64)

    def lying(self) -> CodeLists:
        """Where the lists lie, for the kernel; only once nothing will be added any more."""
        if self._lying is None:
            lists, sizes = faiss.downcast_InvertedLists(self._index.invlists), self.sizes()
            codes, slots = ([int(get(number)) if size else 0 for number, size in enumerate(sizes.tolist())] for get in (lists.get_codes, lists.get_ids))
            self._lying = CodeLists(codes, slots, sizes, self.points(), self.spread, inner_product=self.inner_product)
        return self._lying

    def search(self, query: Vector, *, candidates: int, lists: Slots, allowed: Bitmap | None) -> tuple[Slots, npt.NDArray[np.float32]]:
        """The slots of the nearest codes, nearest first, and how far their codes are; fewer than asked for where the lists looked at hold no more.

        Args:
            query: (kept,), projected.
            lists: numbers of the lists to look at, contiguous; at least one.
            allowed: the slots that count; None for all that are here.

        Returns:
            Slots, and squared distances of projections (or negative inner products), ascending.
        """
        use_one_thread()
        distances, slots = np.empty(candidates, np.float32), np.empty(candidates, np.int64)
        pointers = faiss.swig_ptr(lists), faiss.swig_ptr(_zeros(len(lists))), faiss.swig_ptr(distances), faiss.swig_ptr(slots)
        self._index.search_preassigned_c(1, faiss.swig_ptr(query), candidates, *pointers, False, _parameters(len(lists), allowed))
        if slots[-1] < 0:
            slots = slots[: np.count_nonzero(slots >= 0)]
            distances = distances[: len(slots)]
        return slots, -distances if self.inner_product else distances


def _zeros(count: int) -> npt.NDArray[np.float32]:
    """This thread's zeros: distances to centres, which count only where codes are of differences to them."""
    zeros: npt.NDArray[np.float32] | None = getattr(_thread, "zeros", None)
    if zeros is None or len(zeros) < count:
        zeros = _thread.zeros = np.zeros(2 * count, np.float32)
    return zeros


def _parameters(probes: int, allowed: Bitmap | None) -> "faiss.SearchParametersIVF":
    """This thread's own, set anew: making one takes 16 us, a sixth of a search, and faiss's checked way of setting a field 5."""
    if not hasattr(_thread, "parameters"):
        _thread.parameters = faiss.SearchParametersIVF()
    selector = None if allowed is None else faiss.IDSelectorBitmap(allowed)
    _set_probes(_thread.parameters, probes)
    _set_selector(_thread.parameters, selector)
    _thread.selector = selector  # kept alive: the parameters only point to it, and it to the bitmap
    return _thread.parameters
