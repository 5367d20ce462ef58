"""Figures of many values at once, exact to the last bit and quick.

One sort gives smallest, largest, middle and most frequent value. Sums are those of exact arithmetic, rounded once, so that they do not depend on the order in
which objects were stored: floats are added as whole numbers, apart for each exponent. A float is m x 2^e with m a whole number of 53 bits; m is cut in
two halves of 26 and 27 bits, of which 2^26 add up without a carry being lost in a float64, and numpy adds the halves of each exponent in one pass.

    0.75 + 1e16 + 3.0     e=-53: 0.75    e=1: 1e16    e=-51: 3.0     then three Python ints are shifted and added

May import numpy, `domain` and this package's `selecting`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.domain.aggregates import BooleanSummary, DateSummary, NumberSummary, TextSummary
from nearimage.domain.dates import instant_text
from nearimage.domain.objects import Scalar
from nearimage.engines.embedded.selecting import Key, first_rows

Values = npt.NDArray[np.generic]
Counts = npt.NDArray[np.int64]

_BITS = 53
_LOW_BITS = 27
_LEAST = -1074 - _BITS
"""Below the exponent of any float's 53-bit whole number: sums are counted in units of 2^_LEAST."""

_AT_A_TIME = 2**25
"""Halves of 27 bits whose sum stays below 2^53."""

_FEW = 1000
"""So many candidates are put in order by comparing texts (0.3 ms); for more it pays to have the ranks of all texts."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What codes stand for.

    Attributes:
        values: by code.
        ranks: gives, by code, the place in the order of values.
    """

    values: Sequence[Scalar]
    ranks: Callable[[], Values]


def number_summary(values: Values) -> NumberSummary:
    """Figures of int64 or float64."""
    if len(values) == 0:
        return NumberSummary(count=0)
    ordered, count = np.sort(values), len(values)
    is_whole = np.issubdtype(values.dtype, np.integer)
    total, parts = (_whole_total(ordered), 1) if is_whole else _float_total(ordered)
    return NumberSummary(
        count=count,
        sum=total if is_whole else _quotient(total, parts),
        mean=_quotient(total, parts * count),
        mode=_mode(ordered),
        median=_median(ordered),
        minimum=ordered.item(0),
        maximum=ordered.item(count - 1),
    )


def date_summary(values: Values, unit_ns: int) -> DateSummary:
    """Figures of instants, whole numbers of this unit."""
    if len(values) == 0:
        return DateSummary(count=0)
    ordered = np.sort(values)
    half = len(ordered) // 2
    middle = int(ordered.item(half)) + int(ordered.item(half if len(ordered) % 2 else half - 1))
    figures = (int(_mode(ordered)) * unit_ns, middle * unit_ns // 2, int(ordered.item(0)) * unit_ns, int(ordered.item(len(ordered) - 1)) * unit_ns)
    mode, median, minimum, maximum = (instant_text(figure) for figure in figures)
    return DateSummary(count=len(values), mode=mode, median=median, minimum=minimum, maximum=maximum)


def boolean_summary(values: Values) -> BooleanSummary:
    """Figures of booleans, as bool or int8."""
    count, true = len(values), int(np.count_nonzero(values))
    if count == 0:
        return BooleanSummary(count=0)
    return BooleanSummary(count=count, total_true=true, total_false=count - true, share_true=true / count, share_false=(count - true) / count)


def text_summary(counts: Counts, labels: Labels, top: int) -> TextSummary:
    """How many, and the most frequent of them, given how often each code was met."""
    return TextSummary(count=int(counts.sum()), top=tuple((str(labels.values[code]), int(counts[code])) for code in most_frequent(counts, labels, top)))


def most_frequent(counts: Counts, labels: Labels, top: int | None) -> list[int]:
    """The codes that were counted most often, equals in the order of their labels.

    Args:
        counts: by code; those that were never met are left out.
        top: at most so many.
    """
    codes = np.flatnonzero(counts)
    if len(codes) <= _FEW:
        return sorted(codes.tolist(), key=lambda code: (-counts[code], labels.values[code]))[:top]
    found: list[int] = first_rows(codes, [Key(counts, descending=True), Key(labels.ranks())], len(codes) if top is None else top).tolist()
    return found


def _mode(ordered: Values) -> "int | float":
    """The value of the longest run, of equals the first."""
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    longest = int(np.argmax(ends - np.concatenate(((-1,), ends[:-1]))))
    found: int | float = ordered.item(int(ends[longest]))
    return found


def _median(ordered: Values) -> float:
    half = len(ordered) // 2
    upper: float = ordered.item(half)
    lower: float = upper if len(ordered) % 2 else ordered.item(half - 1)
    middle = (lower + upper) / 2
    return middle if math.isfinite(middle) else lower / 2 + upper / 2


def _whole_total(ordered: npt.NDArray[np.generic]) -> int:
    numbers = np.asarray(ordered, np.int64)
    if max(-ordered.item(0), ordered.item(len(ordered) - 1)) * len(ordered) < 2**63:
        return int(numbers.sum())
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


def _float_total(values: Values) -> tuple[int, int]:
    """Numerator and denominator."""
    total = 0
    for start in range(0, len(values), _AT_A_TIME):
        mantissas, exponents = np.frexp(np.asarray(values[start : start + _AT_A_TIME], np.float64))
        whole = np.ldexp(mantissas, _BITS).astype(np.int64)
        places = exponents - exponents.min()
        high = np.bincount(places, weights=whole >> _LOW_BITS).tolist()
        low = np.bincount(places, weights=whole & ((1 << _LOW_BITS) - 1)).tolist()
        for place, (upper, lower) in enumerate(zip(high, low, strict=True), int(exponents.min()) - _BITS - _LEAST):
            if upper or lower:
                total += ((int(upper) << _LOW_BITS) + int(lower)) << place
    return total, 1 << -_LEAST


def _quotient(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
