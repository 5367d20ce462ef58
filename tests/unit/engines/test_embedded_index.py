"""The index of a shard: however its rows came into it, it answers the same."""

from uuid import UUID

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nearimage.domain.filters import ID_FIELD, Compare, Operator
from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.ids import Ids
from nearimage.engines.embedded.index import Index
from nearimage.testing.strategies import collections, filters, records

ON_A_BUSY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_DIGITS = "0123456789abcdef-*?gG"


def index_of(collection: Collection, rows: list[Record]) -> Index:
    index = Index(collection)
    for number, record in enumerate(rows):
        index.append(number, record.id.bytes, index.convert(record.properties, record.created_ms, record.updated_ms))
    return index


def extended(index: Index, first_row: int, rows: list[Record]) -> Index:
    index.extend(first_row, [record.id.bytes for record in rows], index.convert_all(rows))
    return index


def restored(collection: Collection, index: Index, keep: list[bool]) -> Index:
    """Through read-only arrays, as a file's map gives them."""
    arrays = index.arrays(np.array(keep, np.bool_))
    for array in arrays.values():
        array.flags.writeable = False
    fresh = Index(collection)
    fresh.restore(arrays)
    return fresh


@ON_A_BUSY_MACHINE
@given(st.data())
def test_rows_added_together_leave_the_arrays_of_rows_added_one_by_one(data: st.DataObject) -> None:
    """What a batch leaves in memory goes into files, and is asked by filters that no test thought of."""
    collection = data.draw(collections())
    rows = data.draw(st.lists(records(collection), max_size=8))
    everything = np.ones(len(rows), np.bool_)
    together = extended(Index(collection), 0, rows).arrays(everything)
    singly = index_of(collection, rows).arrays(everything)
    assert together.keys() == singly.keys()
    assert {name: array.tolist() for name, array in together.items()} == {name: array.tolist() for name, array in singly.items()}


@ON_A_BUSY_MACHINE
@given(st.data())
def test_rows_added_together_or_or_taken_up_from_arrays_answer_as_rows_added_one_by_one(data: st.DataObject) -> None:
    """An import, a file read on opening and single writes must not find different objects."""
    collection = data.draw(collections())
    rows, more = data.draw(st.lists(records(collection), max_size=12)), data.draw(st.lists(records(collection), max_size=4))
    keep = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    cut = data.draw(st.integers(0, len(rows)))
    kept = [record for record, stays in zip(rows, keep, strict=True) if stays]

    together = extended(index_of(collection, rows[:cut]), cut, rows[cut:])
    again = extended(restored(collection, together, keep), len(kept), more)

    for where in data.draw(st.lists(filters(collection), min_size=1, max_size=8)):
        expected = index_of(collection, rows + more).mask(where, len(rows)).tolist()
        assert together.mask(where, len(rows)).tolist() == expected
        assert again.mask(where, len(kept)).tolist() == [passes for passes, stays in zip(expected, keep, strict=True) if stays]
        assert again.mask(where, len(kept) + len(more)).tolist() == index_of(collection, kept + more).mask(where, len(kept) + len(more)).tolist()


@ON_A_BUSY_MACHINE
@given(st.data())
def test_what_was_asked_before_stays_true_while_rows_are_added(data: st.DataObject) -> None:
    """A reader knows a number of rows; a writer adds behind them."""
    collection = data.draw(collections())
    rows = data.draw(st.lists(records(collection), max_size=12))
    cut = data.draw(st.integers(0, len(rows)))
    where = data.draw(filters(collection))
    assert index_of(collection, rows).mask(where, cut).tolist() == index_of(collection, rows[:cut]).mask(where, cut).tolist()


@given(
    st.lists(st.uuids() | st.integers(0, 20).map(lambda number: UUID(int=number)), max_size=6),
    st.sampled_from((Operator.EQUAL, Operator.GREATER_THAN, Operator.GREATER_THAN_EQUAL, Operator.LESS_THAN, Operator.LESS_THAN_EQUAL)),
    st.text(_DIGITS, max_size=40),
    st.integers(0, 40),
)
@example([UUID(int=2**128 - 1)], Operator.GREATER_THAN, "", 36)
def test_ids_compare_as_the_texts_they_are_shown_as(ids: list[UUID], order: Operator, text: str, take: int) -> None:
    """A client pages by them, or asks for a prefix; none of it may write out a million texts."""
    known = Ids()
    known.extend([one.bytes for one in ids])
    value = (str(ids[0])[:take] if ids else "") + text
    compare = {
        Operator.EQUAL: str.__eq__,
        Operator.GREATER_THAN: str.__gt__,
        Operator.GREATER_THAN_EQUAL: str.__ge__,
        Operator.LESS_THAN: str.__lt__,
        Operator.LESS_THAN_EQUAL: str.__le__,
    }[order]
    assert known.holds(order, value, len(ids)).tolist() == [bool(compare(str(one), value)) for one in ids]


def test_a_mask_may_be_written_to_by_whoever_asked() -> None:
    """A caller joins it with the live rows in place; the next caller must get a clean one."""
    index = Index(Collection(name="A"))
    index.extend(0, [UUID(int=number).bytes for number in range(3)], [index.convert({}, number, number) for number in range(3)])
    for where in (Compare(ID_FIELD, Operator.IS_NULL, value=False), Compare("_creationTimeUnix", Operator.IS_NULL, value=False)):
        index.mask(where, 3)[:] = False
        assert index.mask(where, 3).all()
