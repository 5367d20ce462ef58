"""Which way to answer a search: measure every vector that passes, or let the index propose candidates.

    measuring all that pass is no dearer than the index      exact, by gathering them
    no index, or one that cannot reach the recall            exact
    else                                                     the index's own setting: k' candidates, from the lists that may hold a hit (`walking`)
    a filter                                                 more candidates: what passes is farther from the query than what lies around it
    the query is unlike the data                             more candidates, and lists that may hold a worse hit
    candidates come to a third of what passes                exact

Unlike the data: a projection fitted to pictures keeps nine tenths of a picture's energy and much less of a sentence's. Distances between projections then say
less about distances, and a good answer stands farther down among the candidates. The share kept costs nothing to know.

Afterwards the answer is doubted (`is_deep_enough`): where the codes' errors are so large that a hit may stand beyond the candidates, twice as many are
taken, once. That finds what no number measured at the build could foresee, such as queries from one end of the data under a filter for the other end.

A search that asks for more than ten gets more candidates; the number asked for is rounded up in steps of four, so that the first pages of a query are cut from
the same candidates.

May import numpy and this package.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nearimage.engines.embedded.ann.tuning import NEIGHBOURS, REACHES, SCATTERED, Measured, Setting, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which sizes on the index counts; tests set them low.

    Attributes:
        index_from: so many vectors get an index; an exact scan of 10,000 x 512 takes 1 ms.
        index_ns: what a search of an index takes beside scanning codes and measuring candidates (bench/engine_ann.py).
        delta: so many vectors may be measured exactly beside the index: 1,000 of 512 dimensions take 0.1 ms.
    """

    index_from: int = 10_000
    index_ns: float = 100_000
    delta: int = 1000


THRESHOLDS = Thresholds()

_EXACT_NS = 0.3
"""Gathering and measuring one number of a vector: 1,000 x 512 in 0.15 ms."""

_MOST_PASS = 0.9
"""From this share on, a filter changes nothing that was measured without one."""

_HALFWAY = 0.5
"""A filter however wide may cut through the cluster around the query: half of what the measured one adds is added at once."""

_PER_HIT = 3
"""Candidates for each hit asked for beyond ten; recall@100 of the bench data is then that of ten or better."""

_RESERVE = 4
"""So many times the candidates are asked of the index: where the first ones are doubted, the rest is at hand without another search."""

_LITTLE = 2
"""Up to so many times the candidates come out of the reserve of a query like the data. Of more the reserve is their own: with half of it, random queries of
28,000 pictures found 0.9905 in place of 0.999."""

_STEP = 4
_WORTH = 3
"""An index whose candidates come to a third of what passes saves nothing: reading them at random costs more than the scan."""

_DEEPER = (2, 4)
"""Times the candidates at the first look farther down, and times those at the second."""

_ROUNDING = 1e-5
"""Of float32, relative: many copies of one vector have errors of 0 up to rounding."""

_FOREKNOWN = 1
"""What codes are wrong by as a rule counts as one error seen. Among copies of one picture no difference is seen, though the codes of other pictures are as
wrong as ever: of 20,000 vectors, 50 copies of each, searches under a filter found 0.79 by the errors that were seen alone."""

_TOLERATED = 0.005
"""By how much an index's measured recall may miss what is asked before it is no longer used."""

_UNLIKE = ((0.95, 1), (0.85, 2), (0.7, 4), (0.5, 16), (0.0, 32))
"""Candidates, and the rank that lists must come up to, are multiplied so from these shares of energy on, relative to what nine of ten stored vectors keep.
100k x 512, 100 candidates: recall 0.995 at 0.95, 0.990 at 0.78, 0.83 at 0.52."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the choice depends on.

    Attributes:
        live: objects that have the vector.
        passing: those of them that pass the filter.
        wanted: how many hits are asked for, offset included.
        recall: asked for.
        size: of the index.
        energy: the share of the query's energy kept, relative to what stored vectors keep.
        leads_away: whether what passes lies away from the query.
    """

    live: int
    passing: int
    wanted: int
    recall: float
    size: Size
    setting: Setting
    energy: float = 1.0
    leads_away: bool = False

    @property
    def reach(self) -> float:
        """How unlikely a member of a list may be that is reckoned with."""
        setting = self.setting
        if self.passing >= self.live * _MOST_PASS:
            lines: tuple[Measured, ...] = (setting.open,)
        else:
            lines = setting.all if self.leads_away else (setting.open, setting.scattered)
        greatest = max(line.reach for line in lines)
        return math.inf if greatest == REACHES[-1] else greatest

    def needs(self) -> tuple[int, float]:
        """Candidates, and the share of the codes that will be looked at."""
        setting, passing = self.setting, max(self.passing, 1) / max(self.live, 1)
        if passing >= _MOST_PASS:
            return setting.open.candidates, setting.open.share
        candidates, share = _between(setting.open, setting.scattered, _HALFWAY + (1 - _HALFWAY) * math.log(passing) / math.log(SCATTERED))
        return (max(candidates, setting.away.candidates), share) if self.leads_away else (candidates, share)


@dataclass(frozen=True, slots=True)
class Exact:
    """Measure everything that passes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Take so many candidates from the lists that may hold one as near as the one of this rank.

    Attributes:
        asked: so many are asked of the index: where the first ones are doubted, the rest is at hand without another search.
        rank: of the candidates found in the nearest lists.
        reach: how unlikely a member of a list may be that is reckoned with (`walking`); infinite for all lists.
        deepened: how often it was looked farther down already.
    """

    candidates: int
    asked: int
    rank: int
    reach: float
    deepened: int = 0

    @property
    def is_last(self) -> bool:
        """Whether the answer is taken though a hit may stand beyond the last candidate."""
        return self.deepened == len(_DEEPER)


Plan = Exact | Probe
Distances = npt.NDArray[np.float32]


def is_cheap(passing: int, dims: int, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Whether measuring all that pass costs less than any search of an index."""
    return passing * dims * _EXACT_NS <= thresholds.index_ns


def caution(energy: float) -> int:
    """How many times the candidates and lists a query needs that keeps this share of its energy, relative to what stored vectors keep."""
    return next(factor for least, factor in _UNLIKE if energy >= least)


def plan(situation: Situation, thresholds: Thresholds = THRESHOLDS) -> Plan:
    """Choose; see the module's essay."""
    if _is_poor(situation):
        return Exact()
    factor, wanted = caution(situation.energy), _rounded(situation.wanted)
    needed, share = situation.needs()
    further = _PER_HIT * (wanted - NEIGHBOURS)
    candidates = factor * needed + further
    asked = _RESERVE * (candidates if factor > _LITTLE else needed + further)
    likely = candidates if factor == 1 else asked  # what is unlike the data is doubted as a rule
    by_index = thresholds.index_ns + situation.size.cost_ns(min(1.0, factor * share), likely)
    if likely * _WORTH >= situation.passing or situation.passing * situation.size.dims * _EXACT_NS <= by_index:
        return Exact()
    return Probe(candidates, asked, min(factor * wanted, candidates), situation.reach)


def widened(probe: Probe) -> Plan:
    """What to do when too few were found."""
    return Exact() if probe.reach == math.inf else replace(probe, reach=math.inf)


def deepened(probe: Probe, passing: int) -> Plan:
    """What to do when a hit may stand farther down among the candidates: look farther down, twice at most.

    Going on until nothing is to be expected measured every vector of a million for one query in a hundred, 80 ms.
    """
    times = _DEEPER[probe.deepened]
    candidates, asked, rank = (times * number for number in (probe.candidates, probe.asked, probe.rank))
    return Exact() if candidates * _WORTH >= passing else Probe(candidates, asked, rank, probe.reach, probe.deepened + 1)


def is_deep_enough(measured: Distances, told: Distances, farthest_hit: float, *, tolerated: float, usual: float) -> bool:
    """Whether hardly a vector beyond the candidates belongs to the answer.

    The codes' distances differ from the vectors' by an error whose size shows on the candidates themselves. A vector beyond them is told to be farther than the
    last one; to be a hit all the same, its error must be lower than usual by t deviations or more. How many vectors there are beyond shows too: from the middle
    candidate to the last one their number doubles, and it is taken to go on growing so, by a factor of e with each 1 / g deviations. With errors as of chance,

        expected hits beyond  =  candidates * (exp(g^2 / 2 - g t) * below(g - t) - below(-t))      below(x): the share of a normal distribution below x

    The farther half of the candidates is looked at: among the nearest, those with a low error have been favoured. Equal codes are of copies as a rule, and err
    alike: as many errors have been seen as there are different codes. What is usual counts as one more, and a mean of few is uncertain itself.

    Args:
        measured: the candidates' distances in the index's measure, in the order of `told`.
        told: those of their codes, ascending.
        farthest_hit: the measured distance of the last hit.
        tolerated: so many hits may be missed, on average.
        usual: the mean squared error of codes so far away, from `Tuning.noise`.
    """
    half = len(told) // 2
    errors = np.subtract(measured[half:], told[half:], dtype=np.float64)
    mean = float(np.add.reduce(errors)) / len(errors)
    seen = 1 + int(np.count_nonzero(np.diff(told[half:])))
    variance = max(0.0, float(errors.dot(errors)) / len(errors) - mean * mean)
    deviation = math.sqrt((seen * variance + _FOREKNOWN * usual) / (seen + _FOREKNOWN) * (1 + 1 / seen))
    nearest_beyond = float(told[-1]) + mean
    rounding = _ROUNDING * max(abs(nearest_beyond), abs(farthest_hit))
    spare = nearest_beyond - farthest_hit + rounding
    if spare < 0 or deviation == 0:
        return spare >= 0
    t = spare / deviation
    growth = math.log(len(told) / max(half, 1)) * deviation / max(float(told[-1] - told[half]), rounding)
    if growth >= 2 * t:  # more are expected than there are candidates
        return False
    beyond = math.exp(growth * (growth / 2 - t)) * _below(growth - t) - _below(-t)
    return len(told) * beyond <= tolerated


def _below(t: float) -> float:
    return math.erfc(-t / math.sqrt(2)) / 2


def _between(open_: Measured, filtered: Measured, depth: float) -> tuple[int, float]:
    """What a filter needs that is not so narrow as the one measured (depth below 1), or narrower: both grow with a power of how narrow it is."""
    candidates = open_.candidates * (filtered.candidates / open_.candidates) ** min(depth, 1.0)
    return math.ceil(max(open_.candidates, candidates)), min(1.0, max(open_.share, open_.share * (filtered.share / open_.share) ** depth))


def _is_poor(situation: Situation) -> bool:
    return any(line.recall < situation.recall - _TOLERATED for line in situation.setting.all)


def _rounded(wanted: int) -> int:
    rounded = NEIGHBOURS
    while rounded < wanted:
        rounded *= _STEP
    return rounded
