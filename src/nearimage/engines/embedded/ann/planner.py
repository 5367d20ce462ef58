"""Which way to answer a search: measure every vector that passes, or let the index propose candidates.

    few pass (2^20 numbers to read, 2,000 x 512)             exact, by gathering them
    no index, or one that cannot reach the recall            exact
    no filter                                                the index's own setting: k' candidates from its nearest lists
    a filter passes most                                     more lists, by as much as the filter takes away
    a filter passes less than half                           all lists up to 200,000 vectors; beyond, twice as many as that rule gives
    the query is unlike the data                             all lists, more candidates
    candidates come to a third of what passes                exact

Why all lists: a filter that follows the vectors leaves the lists around the query empty. Under "the 1 % of one kind", half of the lists found 0.96 of the
answers where all found 0.998, and all lists of 100,000 vectors are 0.25 ms. At a million they are 2.5 ms, so there the share of lists grows as the filter
narrows, and what passes 1 % is looked for everywhere.

Unlike the data: a projection fitted to pictures keeps nine tenths of a picture's energy and much less of a sentence's. Distances between projections then say
less about distances, and a good answer stands farther down among the candidates. The share kept costs nothing to know.

Afterwards the answer is doubted (`is_deep_enough`): where the codes' errors are so large that a hit may stand beyond the candidates, four times as many are
taken. That finds what no number measured at the build could foresee, such as queries from one end of the data under a filter for the other end.

A search that asks for more than ten gets more candidates; the number asked for is rounded up in steps of four, so that the first pages of a query are cut from
the same candidates.

May import numpy and this package.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.ann.tuning import NEIGHBOURS, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which sizes on the index counts; tests set them low.

    Attributes:
        index_from: so many vectors get an index; an exact scan of 10,000 x 512 takes 1 ms.
        exact_floats: so many numbers are gathered and measured in 0.2 ms, what a search of an index takes (bench/engine_ann.py).
        delta: so many vectors may be measured exactly beside the index: 1,000 of 512 dimensions take 0.1 ms.
    """

    index_from: int = 10_000
    exact_floats: int = 1 << 20
    delta: int = 1000


THRESHOLDS = Thresholds()

_ALL_LISTS_UP_TO = 200_000
_MOST_PASS = 0.9
_HALF = 0.5
_CAUTION = 2
"""Lists under a filter, as a multiple of the unfiltered number divided by the share that passes."""

_PER_HIT = 3
"""Candidates for each hit asked for beyond ten; recall@100 of the bench data is then that of ten or better."""

_STEP = 4
_WORTH = 3
"""An index whose candidates come to a third of what passes saves nothing: reading them at random costs more than the scan."""

_DEEPER = 4
_DEVIATIONS = 3.0
"""Of the queries that passed this test, real ones found 0.9995 and more under every filter tried, far ones under a filter for the opposite 0.998; of those that
failed it, 0.5 to 0.98. One unfiltered query in fifteen fails (100k x 512, 100 candidates)."""

_ROUNDING = 1e-5
"""Of float32, relative: many copies of one vector have errors of 0 up to rounding."""

_TOLERATED = 0.005
"""By how much an index's measured recall may miss what is asked before it is no longer used."""

_UNLIKE = ((0.95, 1), (0.85, 2), (0.7, 4), (0.5, 16), (0.0, 32))
"""Candidates are multiplied so from these shares of energy on, relative to what nine of ten stored vectors keep. 100k x 512, k' 100: recall 0.995 at 0.95,
0.990 at 0.78, 0.83 at 0.52."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the choice depends on.

    Attributes:
        vectors: live objects that have the vector.
        passing: those of them that pass the filter.
        wanted: how many hits are asked for, offset included.
        recall: asked for.
        energy: the share of the query's energy kept, relative to what stored vectors keep.
    """

    vectors: int
    passing: int
    wanted: int
    dims: int
    recall: float
    lists: int
    setting: Setting
    energy: float = 1.0


@dataclass(frozen=True, slots=True)
class Exact:
    """Measure everything that passes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Take so many candidates from so many lists."""

    candidates: int
    probes: int


Plan = Exact | Probe
Distances = npt.NDArray[np.float32]


def plan(situation: Situation, thresholds: Thresholds = THRESHOLDS) -> Plan:
    """Choose; see the module's essay."""
    if situation.passing * situation.dims <= thresholds.exact_floats or _is_poor(situation):
        return Exact()
    factor = next(factor for least, factor in _UNLIKE if situation.energy >= least)
    is_filtered = situation.passing < situation.vectors * _MOST_PASS
    base = situation.setting.filtered_candidates if is_filtered else situation.setting.candidates
    candidates = factor * base + _PER_HIT * (_rounded(situation.wanted) - NEIGHBOURS)
    if candidates * _WORTH >= situation.passing:
        return Exact()
    return Probe(candidates, situation.lists if factor > 1 else _probes(situation))


def widened(probe: Probe, lists: int) -> Plan:
    """What to do when too few were found."""
    return Exact() if probe.probes >= lists else Probe(probe.candidates, lists)


def deepened(probe: Probe, passing: int) -> Plan:
    """What to do when a hit may stand farther down among the candidates."""
    candidates = probe.candidates * _DEEPER
    return Exact() if candidates * _WORTH >= passing else Probe(candidates, probe.probes)


def is_deep_enough(measured: Distances, told: Distances, farthest_hit: float) -> bool:
    """Whether it is unlikely that a vector beyond the candidates belongs to the answer.

    The codes' distances differ from the vectors' by an error whose size shows on the candidates themselves. A vector beyond them is told to be farther than the
    last one; to be a hit all the same, its error must be lower than usual by several deviations. The farther half of the candidates is looked at:
    among the nearest, those with a low error have been favoured.

    Args:
        measured: the candidates' distances in the index's measure, in the order of `told`.
        told: those of their codes, ascending.
        farthest_hit: the measured distance of the last hit.
    """
    half = len(told) // 2
    errors = (measured[half:] - told[half:]).astype(np.float64)
    mean = float(errors.sum()) / len(errors)
    deviation = math.sqrt(max(0.0, float(errors @ errors) / len(errors) - mean * mean))
    least = float(told[-1]) + mean
    return farthest_hit <= least - _DEVIATIONS * deviation + _ROUNDING * max(abs(least), abs(farthest_hit))


def _is_poor(situation: Situation) -> bool:
    setting = situation.setting
    return min(setting.recall, setting.filtered_recall) < situation.recall - _TOLERATED


def _probes(situation: Situation) -> int:
    lists, fraction = situation.lists, situation.passing / max(1, situation.vectors)
    own = max(1, round(situation.setting.share * lists))
    if fraction >= _MOST_PASS:
        return own
    if fraction < _HALF and situation.vectors <= _ALL_LISTS_UP_TO:
        return lists
    return min(lists, int(own * _CAUTION / max(fraction, 1e-9)) + 1)


def _rounded(wanted: int) -> int:
    rounded = NEIGHBOURS
    while rounded < wanted:
        rounded *= _STEP
    return rounded
