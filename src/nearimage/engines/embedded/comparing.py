"""Exact comparisons of a column of integers or floats with a number of either kind.

A number of the other kind is turned into one of the column's kind that asks the same: x > 2.5 is x > 2 among integers; 2**53 + 1 equals no float, and
x >= 2**53 + 1 is x >= the next float above. Converting the column instead would call 2**53 and 2**53 + 1 equal, and cost a copy.

May import numpy, `domain` and this package.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import Operator
from nearimage.engines.embedded.entries import Mask
from nearimage.engines.embedded.membership import candidates

_LIMITS: "dict[int, np.iinfo[np.signedinteger]]" = {kind().itemsize: np.iinfo(kind) for kind in (np.int8, np.int16, np.int32, np.int64)}
_FEW = 16
"""So many equalities in a row cost less than a table of flags (bench/engine_filters.py, a million int16: 90 us each, against 3,000)."""

_SHORT = 2
"""Bytes of a number for which there is a flag for every number."""

COMPARE: dict[Operator, Callable[..., Mask]] = {
    Operator.EQUAL: np.equal,
    Operator.GREATER_THAN: np.greater,
    Operator.GREATER_THAN_EQUAL: np.greater_equal,
    Operator.LESS_THAN: np.less,
    Operator.LESS_THAN_EQUAL: np.less_equal,
}


def compare(values: npt.NDArray[np.generic], operator: Operator, value: float) -> Mask:
    """Which of the values compare so with the number."""
    return (_compare_floats if values.dtype.kind == "f" else _compare_integers)(values, operator, value)


def equals_some(values: npt.NDArray[np.generic], wanted: Sequence[float]) -> Mask:
    """Which of the values equal some of the numbers, in one pass."""
    own = float if values.dtype.kind == "f" else int
    same = np.array([number for number in wanted if type(number) is own] or (), np.float64 if own is float else None)
    others = [number for number in wanted if type(number) is not own]
    if own is int and same.dtype != np.int64:  # none, or some beyond 64 bits
        others, same = list(wanted), np.zeros(0, np.int64)
    limits = None if own is float else _limits(values)
    if limits is not None:
        same = same[(same >= limits.min) & (same <= limits.max)]
    rest = [exact for number in others if (exact := _as_one_of(values, number)) is not None]
    return _among(values, np.unique(np.concatenate((same.astype(values.dtype), np.array(rest, values.dtype)))))


def _as_one_of(values: npt.NDArray[np.generic], number: float) -> float | None:
    """The number as one of the column's kind, if one of them equals it."""
    if values.dtype.kind == "f":
        near = _nearest_float(number)
        return near if near == number else None
    if isinstance(number, float) and not number.is_integer():  # infinity and NaN are none either
        return None
    limits = _limits(values)
    return int(number) if limits.min <= number <= limits.max else None


def _among(values: npt.NDArray[np.generic], sought: npt.NDArray[np.generic]) -> Mask:
    """Which of the values are among those sought, which are ascending and of the same type."""
    if len(sought) <= _FEW:
        hits = np.zeros(len(values), np.bool_)
        for one in sought:
            np.logical_or(hits, np.equal(values, one), out=hits)
        return hits
    if values.itemsize <= _SHORT:
        unsigned = np.uint8 if values.itemsize == 1 else np.uint16
        flags = np.zeros(1 << 8 * values.itemsize, np.bool_)
        flags[sought.view(unsigned)] = True
        return np.asarray(flags[values.view(unsigned)])
    hits = np.zeros(len(values), np.bool_)
    found = candidates(_keys(values), _keys(sought))
    likely = np.minimum(np.searchsorted(sought, values[found]), len(sought) - 1)
    hits[found] = sought[likely] == values[found]
    return hits


def _keys(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """Equal numbers of one type have equal keys: 0.0 and -0.0 too, by the addition."""
    same = np.add(values, 0.0, dtype=np.float64) if values.dtype == np.float64 else values.astype(np.int64, copy=False)
    return np.asarray(same).view(np.uint64)


def _compare_integers(values: npt.NDArray[np.generic], operator: Operator, value: float) -> Mask:
    if isinstance(value, float):
        if math.isnan(value) or (operator is Operator.EQUAL and not value.is_integer()):
            return np.zeros(len(values), np.bool_)
        if math.isfinite(value):
            value = math.floor(value) if operator in (Operator.GREATER_THAN, Operator.LESS_THAN_EQUAL) else math.ceil(value)
    limits = _limits(values)
    if value > limits.max:
        return np.full(len(values), operator in (Operator.LESS_THAN, Operator.LESS_THAN_EQUAL))
    if value < limits.min:
        return np.full(len(values), operator in (Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL))
    return COMPARE[operator](values, values.dtype.type(value))


def _compare_floats(values: npt.NDArray[np.generic], operator: Operator, value: float) -> Mask:
    nearest = _nearest_float(value)
    if nearest == value or math.isnan(nearest):
        return COMPARE[operator](values, nearest)
    if operator is Operator.EQUAL:
        return np.zeros(len(values), np.bool_)
    if operator in (Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL):
        return COMPARE[Operator.GREATER_THAN_EQUAL](values, nearest if nearest > value else math.nextafter(nearest, math.inf))
    return COMPARE[Operator.LESS_THAN_EQUAL](values, nearest if nearest < value else math.nextafter(nearest, -math.inf))


def _limits(values: npt.NDArray[np.generic]) -> "np.iinfo[np.signedinteger]":
    return _LIMITS[values.itemsize]


def _nearest_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
