"""Exact comparisons of a column of integers or floats with a number of either kind.

A number of the other kind is turned into one of the column's kind that asks the same: x > 2.5 is x > 2 among integers; 2**53 + 1 equals no float, and
x >= 2**53 + 1 is x >= the next float above. Converting the column instead would call 2**53 and 2**53 + 1 equal, and cost a copy.

May import numpy, `domain` and this package's `entries`.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nearimage.domain.filters import Operator
from nearimage.engines.embedded.entries import Mask

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
    if values.dtype.kind == "f":
        sought = [near for number in wanted if (near := _nearest_float(number)) == number]
    else:
        limits = _limits(values)
        whole = (int(number) for number in wanted if math.isfinite(number) and number == int(number))
        sought = [number for number in whole if limits.min <= number <= limits.max]
    if len(sought) == 1:
        return np.asarray(values == values.dtype.type(sought[0]))
    return np.isin(values, np.array(sought, values.dtype))


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


def _limits(values: npt.NDArray[np.generic]) -> "np.iinfo[np.int8] | np.iinfo[np.int32] | np.iinfo[np.int64]":
    if values.dtype == np.int8:
        return np.iinfo(np.int8)
    return np.iinfo(np.int32) if values.dtype == np.int32 else np.iinfo(np.int64)


def _nearest_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
