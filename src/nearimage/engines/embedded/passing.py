r"""What passes in one state, among the vectors of one name: in every form that a search asks for, made when it is first asked for.

    mask of rows --column--> mask of slots --> how many, their numbers, a bitmap
                                          \--> beside an index: which of them it covers, list by list; and which it does not

`Passings` keeps the last filters' answers until the next commit: a page, the next picture under the same filter, and the half of a hybrid search ask the
same again. Nothing here is written to once it was handed out.

May import numpy, `domain` and this package.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import Filter
from nearimage.engines.embedded.ann import Bitmap, Coverage
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.state import State, VectorColumn

Slots = npt.NDArray[np.int64]

_KEPT = 16
"""Filters whose answers are kept: at a million vectors 2.2 MB each at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What passes, beside an index.

    Attributes:
        allowed: a bitmap of what passes and is covered; None where everything that is in the index passes.
        missed: the slots that pass and are not covered, ascending; None for none.
        counts: (lists,), how many of those allowed are in each list; None where no filter was asked.
    """

    allowed: Bitmap | None
    missed: Slots | None
    counts: Slots | None


class Passing:
    """The slots that pass.

    Args:
        passing: (rows,) bool over all rows of a state; no dead row may pass. None where nothing is filtered: the live rows then.
    """

    def __init__(self, column: VectorColumn, state: State, passing: Mask | None) -> None:
        self._mask = column.slot_mask(state.live if passing is None else passing)
        self._is_filtered = passing is not None
        self._written = column.written
        self._slots: Slots | None = None
        self._bitmap: Bitmap | None = None
        self._split: tuple[Coverage, Split] | None = None
        self.count = int(np.count_nonzero(self._mask))

    @property
    def slots(self) -> Slots:
        """Their numbers, ascending."""
        if self._slots is None:
            self._slots = np.flatnonzero(self._mask)
        return self._slots

    @property
    def bitmap(self) -> Bitmap:
        """The same as bits."""
        if self._bitmap is None:
            self._bitmap = np.packbits(self._mask, bitorder="little")
        return self._bitmap

    def beside(self, coverage: Coverage) -> Split:
        """What an index covers of them.

        It stays so for the state that these slots are of: what is written later takes slots that nothing alive in this state has.
        """
        if self._split is None or self._split[0] is not coverage:
            self._split = (coverage, self._divided(coverage))
        return self._split[1]

    def _divided(self, coverage: Coverage) -> Split:
        index, bitmap = coverage.index, self.bitmap
        valid = coverage.valid(self._written.view(), len(bitmap))
        allowed, missed = bitmap & valid, bitmap & ~valid
        counts = None
        if self._is_filtered:
            inside = np.flatnonzero(np.unpackbits(allowed, bitorder="little"))
            counts = np.bincount(index.homes[inside], minlength=index.codes.lists)
        is_whole = int(np.bitwise_count(allowed).sum()) == len(index.codes)  # asking a bitmap costs a quarter of a search
        some = np.flatnonzero(np.unpackbits(missed, bitorder="little")) if missed.any() else None
        return Split(allowed=None if is_whole else allowed, missed=some, counts=counts)


class Passings:
    """The answers of the last filters, for one state."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: State | None = None
        self._kept: OrderedDict[tuple[str, Filter | None], Passing] = OrderedDict()

    def of(self, name: str, state: State, where: Filter | None, evaluate: Callable[[], Mask | None]) -> Passing:
        """What passes a filter among the vectors of a name that the state has.

        Args:
            evaluate: the live rows that pass; None for no filter. Called where the answer is not known.
        """
        key = (name, where)
        with self._lock:
            found = self._kept.get(key) if self._state is state else None
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = Passing(state.vectors[name], state, evaluate())
        with self._lock:
            if self._state is not state:
                if self._state is not None and self._state.revision > state.revision:
                    return made  # of a search that began earlier
                self._kept.clear()
                self._state = state
            self._kept[key] = made
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made
