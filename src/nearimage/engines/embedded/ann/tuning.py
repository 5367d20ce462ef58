"""How many candidates and lists a search needs on these very vectors: picked from a table that was measured at the build (`measuring`).

The table has a line for each number of candidates k' and each share of the lists that was tried, and `Tuning.setting` picks the cheapest that reaches the asked
recall. So another recall can be asked for later without measuring again.

May import this package.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

DEFAULT_RECALL = 0.998
"""By distance; what a default setting of Weaviate's graph reaches on the picture embeddings of bench/engine_ann.py."""

_DEFAULT_EF = 100.0
"""What Weaviate's `ef: -1` comes to for a limit of 10: eight times the limit, at least 100."""

CANDIDATES = (50, 100, 200, 400, 800, 1600)
"""The numbers of candidates tried. Rescoring 1,600 of 512 dimensions costs as much as scanning the codes of 200,000."""

NEIGHBOURS = 10
_CODE_NS = 0.009
_CANDIDATE_NS = 0.6
"""Cost of a search: so many ns for each dimension of each code scanned (256: 2.3 ns) and of each candidate rescored (512: 300 ns); bench/engine_ann.py."""


def target_recall(ef: int) -> float:
    """The recall that an `ef` of the hnsw settings stands for here: -1 (or 100) 0.998, 64 0.996, 32 0.989, 16 0.969; 256 0.9995, 512 0.9998."""
    if ef <= 0:
        return DEFAULT_RECALL
    missed: float = (1 - DEFAULT_RECALL) * (_DEFAULT_EF / ef) ** 1.5
    return min(0.9998, max(0.9, 1 - missed))


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: with these candidates from this share of the lists, this recall@10."""

    candidates: int
    share: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a search uses.

    Attributes:
        candidates: without a filter.
        share: of the lists, without a filter.
        recall: measured with these two.
        filtered_candidates: with a filter.
        filtered_recall: the lower of those measured under two filters.
    """

    candidates: int
    share: float
    recall: float
    filtered_candidates: int
    filtered_recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What was measured at a build.

    Attributes:
        open: without a filter.
        filtered: under filters, all lists looked at.
        energy: the share of a query's squared length that the projection keeps; nine of ten sampled queries have more.
    """

    open: tuple[Measured, ...]
    filtered: tuple[Measured, ...]
    energy: float

    def setting(self, recall: float, *, vectors: int, dims: int, kept: int) -> Setting:
        """The cheapest that reaches this recall, or the best there is."""

        def cost(one: Measured) -> float:
            return one.share * vectors * kept * _CODE_NS + one.candidates * dims * _CANDIDATE_NS

        chosen, filtered = _choose(self.open, recall, cost), _choose(self.filtered, recall, cost)
        return Setting(
            candidates=chosen.candidates,
            share=chosen.share,
            recall=chosen.recall,
            filtered_candidates=max(chosen.candidates, filtered.candidates),
            filtered_recall=filtered.recall,
        )


def _choose(lines: Sequence[Measured], recall: float, cost: Callable[[Measured], float]) -> Measured:
    good = [line for line in lines if line.recall >= recall]
    return min(good, key=cost) if good else max(lines, key=lambda line: (line.recall, -cost(line)))
