"""Figures of many values at once, exact to the last bit and quick.

One sort gives smallest, largest, middle and most frequent value. Sums are those of exact arithmetic, rounded once, so that they do not depend on the order in
which objects were stored: floats are added as whole numbers, apart for each exponent. A float is m x 2^e with m a whole number of 53 bits; m is cut in
two halves of 26 and 27 bits, of which 2^26 add up without a carry being lost in a float64, and numpy adds the halves of each exponent in one pass.

    0.75 + 1e16 + 3.0     e=-53: 0.75    e=1: 1e16    e=-51: 3.0     then three Python ints are shifted and added

May import numpy and `domain`.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from nearimage.domain.aggregates import BooleanSummary, DateSummary, NumberSummary, TextSummary
from nearimage.domain.dates import instant_text
from nearimage.domain.objects import Scalar

Values = npt.NDArray[np.generic]
Counts = npt.NDArray[np.int64]

_BITS = 53
_LOW_BITS = 27
_AT_A_TIME = 2**25
"""Halves of 27 bits whose sum stays below 2^53."""

_FEW = 1000
"""So many candidates are put in order by comparing texts (0.3 ms); for more it pays to have the ranks of all texts."""


def number_summary(values: Values) -> NumberSummary:
    """Figures of int64 or float64."""
    if len(values) == 0:
        return NumberSummary(count=0)
    ordered = np.sort(values)
    is_whole = np.issubdtype(values.dtype, np.integer)
    total = Fraction(_whole_total(ordered)) if is_whole else _float_total(ordered)
    return NumberSummary(
        count=len(values),
        sum=int(total) if is_whole else _rounded(total),
        mean=_rounded(total / len(values)),
        mode=_mode(ordered),
        median=_rounded(_middle(ordered)),
        minimum=ordered[0].item(),
        maximum=ordered[-1].item(),
    )


def date_summary(values: Values, unit_ns: int) -> DateSummary:
    """Figures of instants, whole numbers of this unit."""
    if len(values) == 0:
        return DateSummary(count=0)
    ordered = np.sort(values)
    figures = (_mode(ordered), _middle(ordered), ordered.item(0), ordered.item(len(ordered) - 1))
    mode, median, minimum, maximum = (instant_text(math.floor(figure * unit_ns)) for figure in figures)
    return DateSummary(count=len(values), mode=mode, median=median, minimum=minimum, maximum=maximum)


def boolean_summary(values: Values) -> BooleanSummary:
    """Figures of booleans, as bool or int8."""
    count, true = len(values), int(np.count_nonzero(values))
    if count == 0:
        return BooleanSummary(count=0)
    return BooleanSummary(count=count, total_true=true, total_false=count - true, share_true=true / count, share_false=(count - true) / count)


def text_summary(codes: Values, labels: Sequence[Scalar], ranks: Callable[[], Values] | None, top: int) -> TextSummary:
    """How many, and the most frequent of them."""
    counts = np.bincount(codes)
    return TextSummary(count=len(codes), top=tuple((str(labels[code]), int(counts[code])) for code in most_frequent(counts, labels, ranks, top)))


def most_frequent(counts: Counts, labels: Sequence[Scalar], ranks: Callable[[], Values] | None, top: int | None) -> list[int]:
    """The codes that were counted most often, equals in the order of labels.

    Args:
        counts: by code; those that were never met are left out.
        ranks: gives the place of each code in the order of labels, if that is known more quickly than by comparing.
        top: at most so many.
    """
    codes = np.flatnonzero(counts)
    if top is not None and top < len(codes):
        if top == 0:
            return []
        least = np.partition(counts[codes], -top)[-top]
        codes = codes[counts[codes] >= least]
    if ranks is None or len(codes) <= _FEW:
        return sorted(codes.tolist(), key=lambda code: (-counts[code], labels[code]))[:top]
    found: list[int] = codes[np.lexsort((ranks()[codes], -counts[codes]))][:top].tolist()
    return found


def _mode(ordered: Values) -> "int | float":
    """The value of the longest run, of equals the first."""
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    longest = int(np.argmax(np.diff(ends, prepend=-1)))
    found: int | float = ordered.item(int(ends[longest]))
    return found


def _middle(ordered: Values) -> Fraction:
    half = len(ordered) // 2
    upper = Fraction(ordered.item(half))
    return upper if len(ordered) % 2 else (Fraction(ordered.item(half - 1)) + upper) / 2


def _whole_total(ordered: npt.NDArray[np.generic]) -> int:
    numbers = np.asarray(ordered, np.int64)
    if max(-ordered.item(0), ordered.item(len(ordered) - 1)) * len(ordered) < 2**63:
        return int(numbers.sum())
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


def _float_total(values: Values) -> Fraction:
    total = Fraction()
    for start in range(0, len(values), _AT_A_TIME):
        mantissas, exponents = np.frexp(np.asarray(values[start : start + _AT_A_TIME], np.float64))
        whole = np.ldexp(mantissas, _BITS).astype(np.int64)
        least = int(exponents.min())
        high = np.bincount(exponents - least, weights=whole >> _LOW_BITS)
        low = np.bincount(exponents - least, weights=whole & ((1 << _LOW_BITS) - 1))
        parts = zip(high.tolist(), low.tolist(), strict=True)
        shifted = sum(((int(upper) << _LOW_BITS) + int(lower)) << place for place, (upper, lower) in enumerate(parts) if upper or lower)
        total += Fraction(shifted) * Fraction(2) ** (least - _BITS)
    return total


def _rounded(figure: Fraction) -> float:
    try:
        return float(figure)
    except OverflowError:
        return math.inf if figure > 0 else -math.inf
