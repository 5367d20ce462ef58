"""One approximate index: an immutable value that says what it covers and finds candidates among it.

    query --projection--> (kept,) --centres--> lists --codes, bitmap--> candidates, to be measured exactly by whoever asked

`covered` is a bitmap over slots, and `seen` says how many entries of the column's list of written slots the builder knew of. What was written later is not
covered, also where an older vector of that slot is still among the codes (`Coverage`): the searcher measures those slots exactly.

May import numpy, `domain` and this package.
"""

import math
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.objects import Vector
from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann.codes import Bitmap, Codes, Homes, Slots
from nearimage.engines.embedded.ann.kernel import KERNEL, Placed, Space
from nearimage.engines.embedded.ann.planner import Plan
from nearimage.engines.embedded.ann.projection import Projection
from nearimage.engines.embedded.ann.tuning import Setting, Size, Tuning
from nearimage.engines.embedded.ann.walking import deviations, in_order, sure

Distances = npt.NDArray[np.float32]

_AWAY = 0.5
"""Less than this part of what an unrelated filter would leave around the query."""

_PLANS = 64
"""Kept for each index; pages of a query and how unlike the data it is make a handful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndex:
    """An index over the vectors of some slots.

    Attributes:
        homes: by slot, the list that its code is in; of slots that are not covered it says nothing.
        covered: the slots whose vectors are in `codes`, as they were when `seen` was taken.
        vectors: how many they are.
        trained_on: how many vectors there were when it was trained.
        measured_on: how many there were when `tuning` was measured.
        seen: so many entries of the list of written slots were known.
        revision: the commit that it was made from; on opening, slots of later rows are not covered.
    """

    metric: Metric
    projection: Projection
    codes: Codes
    tuning: Tuning
    homes: Homes
    covered: Bitmap
    vectors: int
    trained_on: int
    measured_on: int
    seen: int
    revision: int

    @property
    def dims(self) -> int:
        """The length of the vectors."""
        return len(self.projection.mean)

    @property
    def size(self) -> Size:
        """What the cost of a search depends on."""
        return Size(vectors=self.vectors, dims=self.dims, kept=self.projection.kept)

    def setting(self, recall: float) -> Setting:
        """What a search needs to reach this recall."""
        return self.tuning.setting(recall, self.size)

    @property
    def kind(self) -> str:
        """Its name in figures: lists and projected dimensions."""
        return f"fastscan-{self.codes.lists}x{self.projection.kept}"

    def prepare(self, query: Vector, squared: float) -> tuple[Vector, float]:
        """The query in the index's space, and the share of its energy kept there.

        Args:
            query: finite; not zero under cosine.
            squared: its squared length.
        """
        return self.projection.apply_to_query(query / math.sqrt(squared) if self.metric is Metric.COSINE else query)

    def place(self, query: Vector, squared: float, counts: Slots | None) -> Placed:
        """`Coverage.place` without the kernel."""
        projected, energy = self.prepare(query, squared)
        nearness = self.codes.nearness(projected)
        return Placed(projected, nearness, in_order(nearness, counts), float(projected.dot(projected)), energy)

    def find(self, placed: Placed, *, candidates: int, rank: int, reach: float, allowed: Bitmap | None) -> tuple[Slots, Distances]:
        """The slots of the nearest codes among those allowed (None: all), nearest first, and how far their codes are.

        Args:
            rank: the candidate that other lists than the sure ones must come up to.
            reach: by how many deviations a member may be nearer than usual (`walking`).
        """
        lists, first = placed.lists, sure(len(placed.lists))
        found, told = self._search(placed.projected, lists[:first], candidates, allowed)
        others = lists[first:]
        if len(told) >= rank and reach < math.inf:
            needed = deviations(placed.nearness, placed.squared, float(told[rank - 1]), self.codes)
            others = others[needed[others] <= reach]
        more, more_told = self._search(placed.projected, others, candidates, allowed)
        slots, both = np.concatenate((found, more)), np.concatenate((told, more_told))
        order = both.argsort(kind="stable")[:candidates]
        return slots[order], both[order]

    def _search(self, prepared: Vector, lists: Slots, candidates: int, allowed: Bitmap | None) -> tuple[Slots, Distances]:
        if not len(lists):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return self.codes.search(prepared, candidates=candidates, lists=lists, allowed=allowed)


class Coverage:
    """What an index still covers after more was written; kept from one search to the next.

    A commit adds entries to the list of written slots; the bitmap is then copied and the new slots' bits are cleared: 12 KB and some microseconds at 100,000.
    """

    def __init__(self, index: VectorIndex) -> None:
        self.index = index
        self._plans: dict[Hashable, Plan] = {}
        self._settings: dict[float, Setting] = {}
        self._space: Space | None = None
        self._sizes: Slots | None = None
        self._lock = threading.Lock()
        self._known = index.seen
        self._valid = index.covered

    def place(self, vector: Vector, squared: float, counts: Slots | None) -> Placed:
        """A query, and the lists that hold what passes, nearest first.

        Args:
            vector: (dims,) float32, contiguous; finite, and not zero under cosine.
            squared: its squared length.
            counts: (lists,): how many pass in each; None if all do.
        """
        index = self.index
        if KERNEL is None:
            return index.place(vector, squared, counts)
        if self._space is None:
            projection, codes = index.projection, index.codes
            mean = projection.mean if projection.centres_queries else None
            self._space = Space(projection.directions, mean, codes.centres, codes.half_squares, unit=index.metric is Metric.COSINE)
        return KERNEL.place(self._space, vector, counts)

    def leads_away(self, placed: Placed, counts: Slots | None) -> bool:
        """Whether what passes a filter lies away from the query: too little of it is in the lists around.

        Args:
            counts: (lists,): how many pass in each; None if all do.
        """
        if counts is None:
            return False
        if self._sizes is None:
            self._sizes = self.index.codes.sizes()
        first = sure(len(placed.lists))
        around = np.argpartition(-placed.nearness, first)[:first] if first < len(counts) else np.arange(len(counts))
        return bool(counts[around].sum() * len(self.index.codes) < _AWAY * self._sizes[around].sum() * counts.sum())

    def setting(self, recall: float) -> Setting:
        """What a search needs to reach this recall; chosen once."""
        found = self._settings.get(recall)
        if found is None:
            found = self._settings[recall] = self.index.setting(recall)
        return found

    def plan(self, alike: Hashable, decide: Callable[[], Plan]) -> Plan:
        """What searches do that are alike; decided once, for weighing it takes as long as a tenth of a search."""
        found = self._plans.get(alike)
        if found is None:
            if len(self._plans) >= _PLANS:  # commits change how many vectors are alive
                self._plans.clear()
            found = self._plans[alike] = decide()
        return found

    def valid(self, written: Slots, size: int) -> Bitmap:
        """The slots covered; never written to again.

        Args:
            written: every slot written since opening, in order.
            size: the bytes of the bitmap that is wanted.
        """
        with self._lock:
            if len(written) > self._known or size > len(self._valid):
                valid = np.zeros(max(size, len(self._valid)), np.uint8)
                valid[: len(self._valid)] = self._valid
                later = written[self._known :]
                later = later[later < 8 * len(valid)]  # a slot beyond was written by a commit that the caller does not see
                np.bitwise_and.at(valid, later >> 3, ~(np.uint8(1) << (later & 7).astype(np.uint8)))
                self._valid, self._known = valid, len(written)
            return self._valid[:size]
