"""Rows, columns and growing arrays: values are kept and compared exactly."""

import math
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import InvalidValue
from nearimage.domain.filters import Operator
from nearimage.domain.objects import PropertyValue
from nearimage.engines.embedded.growing import Growing
from nearimage.engines.embedded.numbers import DateColumn, NumberColumn
from nearimage.engines.embedded.rows import JsonRows, StoredRow, checksum, pack_seals, unpack_seals

SCALARS = st.text() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans()
ORDERS: dict[Operator, Any] = {
    Operator.EQUAL: operator.eq,
    Operator.GREATER_THAN: operator.gt,
    Operator.GREATER_THAN_EQUAL: operator.ge,
    Operator.LESS_THAN: operator.lt,
    Operator.LESS_THAN_EQUAL: operator.le,
}
EDGES = st.sampled_from(
    (
        0.25,
        1.75,
        -1.75,
        1,
        2,
        -1,
        2**53,
        2**53 + 1,
        2**63 - 1,
        -(2**63),
        2**63,
        2**64,
        -(2**70),
        10**400,
        0.5,
        -0.0,
        2.0**53,
        2.0**63,
        -(2.0**63),
        math.inf,
        -math.inf,
    )
)


@given(st.dictionaries(st.text(), SCALARS | st.lists(SCALARS).map(tuple)))
def test_a_codec_gives_back_what_it_got(properties: dict[str, PropertyValue]) -> None:
    """1 must not become 1.0, a tuple not a list, infinity not nothing."""
    found = JsonRows().decode(JsonRows().encode(properties))
    assert found == properties
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in properties.items()}
    assert repr(found) == repr(properties)


def test_not_a_number_survives_the_codec() -> None:
    """It equals nothing, so the property above cannot say so."""
    (found,) = JsonRows().decode(JsonRows().encode({"x": math.nan})).values()
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("value", [2**64, "\ud800"])
def test_what_the_codec_cannot_write_is_refused(value: PropertyValue) -> None:
    """Refused before the write, not found unreadable after it."""
    with pytest.raises(InvalidValue):
        JsonRows().encode({"x": value})


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | EDGES.filter(lambda n: isinstance(n, int) and -(2**63) <= n < 2**63)), st.sampled_from(list(ORDERS)),
       st.integers() | st.floats() | EDGES)  # fmt: skip
def test_integers_compare_exactly_with_anything(values: list[int], order: Operator, wanted: float) -> None:
    """Ids from other systems are 64 bits long; rounding one to a float finds its neighbour."""
    column = NumberColumn(np.int64)
    for row, value in enumerate(values):
        column.append(row, column.convert(value))
    assert column.holds(order, wanted, len(values)).tolist() == [ORDERS[order](value, wanted) for value in values]


@given(st.lists(st.floats()), st.sampled_from(list(ORDERS)), st.integers() | st.floats() | EDGES)
def test_floats_compare_exactly_with_anything(values: list[float], order: Operator, wanted: float) -> None:
    """An integer beyond 2**53 lies between two floats, and beyond 1e308 above all of them but infinity."""
    column = NumberColumn(np.float64)
    for row, value in enumerate(values):
        column.append(row, column.convert(value))
    assert column.holds(order, wanted, len(values)).tolist() == [ORDERS[order](value, wanted) for value in values]


@pytest.mark.parametrize(("column", "value"), [(NumberColumn(np.int64), 2**63), (NumberColumn(np.int64), "x"), (DateColumn(), "yesterday")])
def test_a_value_that_does_not_fit_its_column_is_refused(column: NumberColumn | DateColumn, value: PropertyValue) -> None:
    """Before the commit: after it, it would be too late to say no."""
    with pytest.raises(InvalidValue):
        column.convert(value)


def test_a_view_taken_before_growth_does_not_change() -> None:
    """Readers hold views without a lock."""
    growing = Growing(np.int64)
    growing.extend([1, 2, 3])
    view = growing.view()
    growing.extend(range(100))
    growing.place(200, [7])
    assert view.tolist() == [1, 2, 3]
    assert (len(growing), growing.view()[199:].tolist(), growing.view(4).tolist()) == (201, [0, 7], [1, 2, 3, 0])


def test_a_row_knows_when_any_part_of_it_was_changed() -> None:
    """One checksum covers everything a row says."""
    seals = pack_seals({3: 7, 0: 2**32 - 1})
    assert unpack_seals(seals) == {0: 2**32 - 1, 3: 7}
    columns: list[Any] = [1, bytes(16), 2, 3, 4, seals, b"{}"]
    crc = checksum(StoredRow(*[*columns, 0]))
    assert StoredRow(*[*columns, crc]).is_intact
    others = (2, bytes(15) + b"\1", 3, 4, None, b"", b"[]")
    for position, other in enumerate(others):
        changed: Any = [*columns[:position], other, *columns[position + 1 :]]
        assert not StoredRow(*[*changed, crc]).is_intact
