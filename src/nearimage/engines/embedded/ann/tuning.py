"""How many candidates and lists a search needs on these very vectors: picked from a table that was measured at the build (`measuring`).

The table has a line for each number of candidates k' and each reach (`walking`) that was tried, and `Tuning.setting` picks the cheapest that has the asked
recall, and from there one step more of the reach, or as many as cost little: the next user's queries are not those of the build. So another recall can be
asked for later without measuring again.

May import this package.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

DEFAULT_RECALL = 0.998
"""By distance; what a default setting of Weaviate's graph reaches on the picture embeddings of bench/engine_ann.py."""

_DEFAULT_EF = 100.0
"""What Weaviate's `ef: -1` comes to for a limit of 10: eight times the limit, at least 100."""

CANDIDATES = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1600)
"""The numbers of candidates tried. Rescoring 1,600 of 512 dimensions costs as much as scanning the codes of 160,000."""

REACHES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0, 1e9)
"""The reaches tried, in deviations; the last means all lists (JSON has no infinity). Held-out queries of 28,000 in clusters found 0.994 of their neighbours at
a reach with which those of the build found 0.999, and 0.9996 a step farther."""

_LITTLE = 1 / 8
"""So much more of the cost buys a longer reach. Of a million pictures the nearest lists held all but 2 in 1,000 neighbours of the build's queries, so any
reach had the asked recall and the shortest was taken: held-out queries found 0.9948. With 5.0 they find 0.9995, for a ninth more of the cost."""

SCATTERED, AWAY = 0.1, 0.05
"""What the filters pass under which shares are measured."""

NEIGHBOURS = 10
_CODE_NS = 0.016
_CANDIDATE_NS = 0.2
"""Cost of a search: so many ns for each dimension of each code scanned (256: 4 ns) and of each candidate (512: 0.1 us; one that is measured takes 0.4, but most
searches need a fourth of the candidates); bench/engine_ann.py."""


def target_recall(ef: int) -> float:
    """The recall that an `ef` of the hnsw settings stands for here: -1 (or 100) 0.998, 64 0.996, 32 0.989, 16 0.969; 256 0.9995, 512 0.9998."""
    if ef <= 0:
        return DEFAULT_RECALL
    missed: float = (1 - DEFAULT_RECALL) * (_DEFAULT_EF / ef) ** 1.5
    return min(0.9998, max(0.9, 1 - missed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What the cost of a search depends on: how many vectors of how many dimensions there are, and how many of these the projection keeps."""

    vectors: int
    dims: int
    kept: int

    def cost_ns(self, share: float, candidates: int) -> float:
        """What scanning this share of the codes and measuring so many candidates takes."""
        return share * self.vectors * self.kept * _CODE_NS + candidates * self.dims * _CANDIDATE_NS


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: with these candidates and this reach, so large a share of the codes was looked at, and this recall@10 reached."""

    candidates: int
    reach: float
    share: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a search uses.

    Attributes:
        open: without a filter.
        scattered: under a filter that passes some of everything.
        away: under a filter that passes what is far from the query.
    """

    open: Measured
    scattered: Measured
    away: Measured

    @property
    def all(self) -> tuple[Measured, ...]:
        """Every line."""
        return self.open, self.scattered, self.away


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What was measured at a build.

    Attributes:
        open, scattered, away: under the filters that `Setting` tells apart.
        energy: the share of a query's squared length that the projection keeps; nine of ten sampled queries have more.
        noise: the variance of the error of a code's squared distance, divided by that distance; under an inner product, of the error of the product, divided by
            the squared length of the projected query.
    """

    open: tuple[Measured, ...]
    scattered: tuple[Measured, ...]
    away: tuple[Measured, ...]
    energy: float
    noise: float

    def setting(self, recall: float, size: Size) -> Setting:
        """The cheapest that reaches this recall, or the best there is."""

        def cost(one: Measured) -> float:
            return size.cost_ns(one.share, one.candidates)

        return Setting(open=_choose(self.open, recall, cost), scattered=_choose(self.scattered, recall, cost), away=_choose(self.away, recall, cost))


def _choose(lines: Sequence[Measured], recall: float, cost: Callable[[Measured], float]) -> Measured:
    good = [line for line in lines if line.recall >= recall]
    chosen = min(good, key=cost) if good else max(lines, key=lambda line: (line.recall, -cost(line)))
    farther = [line for line in lines if line.candidates == chosen.candidates and line.reach > chosen.reach]
    cheap = [line for line in farther if cost(line) <= (1 + _LITTLE) * cost(chosen)]
    return max(cheap, key=lambda line: line.reach) if cheap else min(farther, key=lambda line: line.reach, default=chosen)
