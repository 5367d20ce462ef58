"""Columns are sequences of records and hits like any others."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.columns import Encoded, HitColumns, RecordColumns, packed_ids
from nearimage.domain.objects import Hit, PropertyValue, Record

RECORDS = tuple(
    Record(id=UUID(int=number), properties={"title": f"t{number}"}, created_ms=10 + number, updated_ms=20 + number, revision=1 + number) for number in range(5)
)
HITS = tuple(Hit(record=record, distance=0.1 * place, certainty=1 - 0.05 * place) for place, record in enumerate(RECORDS))
PLACES = st.lists(st.integers(0, len(RECORDS) - 1))


def view(row: bytes, names: tuple[str, ...] | None) -> Mapping[str, PropertyValue]:
    return {name: value for name, value in (("title", row.decode()), ("rank", len(row))) if names is None or name in names}


def columns(names: tuple[str, ...] | None = ("title",)) -> RecordColumns:
    return RecordColumns(
        [record.id.bytes for record in RECORDS],
        [record.revision for record in RECORDS],
        times=([record.created_ms for record in RECORDS], [record.updated_ms for record in RECORDS]),
        encoded=Encoded(rows=[f"t{number}".encode() for number in range(5)], names=names, view=view),
    )


@given(PLACES)
def test_records_in_columns_are_those_records(places: list[int]) -> None:
    """Callers of the engine must not be able to tell whether objects were made for them yet."""
    chosen = columns().at(places)
    assert chosen == tuple(RECORDS[place] for place in places)
    assert tuple(RECORDS[place] for place in places) == tuple(chosen)
    assert packed_ids(chosen) == [RECORDS[place].id.bytes for place in places]


@given(st.integers(-7, 7), st.integers(-7, 7))
def test_a_slice_of_columns_is_that_of_their_members(first: int, last: int) -> None:
    """Pages are cut out of columns."""
    assert columns()[first:last] == RECORDS[first:last]
    assert HitColumns(columns(), distances=[hit.distance for hit in HITS], certainties=[hit.certainty for hit in HITS])[first:last] == HITS[first:last]


def test_the_last_members_are_counted_from_the_end() -> None:
    """Groups tell the distance of their farthest."""
    assert columns()[-1] == RECORDS[-1]
    assert columns()[-1].properties == {"title": "t4"}


def test_a_member_is_made_once() -> None:
    """What is decoded when somebody looks must not be decoded at each look."""
    made = columns()
    assert made[2] is made[2]
    assert made[1:][1] is made[2]


def test_one_property_is_what_the_projection_left_of_it() -> None:
    """Grouping reads a property of each hit; it must see no more than its caller asked for."""
    assert columns().values("title") == [f"t{number}" for number in range(5)]
    assert columns().values("rank") == [None] * 5
    assert columns(None).values("rank") == [2] * 5
    assert RecordColumns.of(RECORDS).values("title") == columns().values("title")
    assert RecordColumns([record.id.bytes for record in RECORDS], [1] * 5).values("title") == [None] * 5


def test_a_record_has_the_vectors_that_it_has() -> None:
    """An object may lack some of its named vectors."""
    vector = np.ones(3, np.float32)
    made = RecordColumns([bytes(16), bytes(16)], [1, 1], vectors={"a": [None, vector], "b": [vector, None]})
    assert [sorted(record.vectors) for record in made] == [["b"], ["a"]]
    assert RecordColumns.of(list(made)).vectors == {"a": [None, vector], "b": [vector, None]}


def test_members_become_columns_and_stay_themselves() -> None:
    """Hits that were ordered anew, one by one, are rendered like all others."""
    made = HitColumns.of(HITS)
    assert made == HITS
    assert made[0] is HITS[0]
    assert made.records[3] is RECORDS[3]
    assert made.certainties == [hit.certainty for hit in HITS]
    assert HitColumns.of(made) is made


def test_columns_differ_from_other_sequences() -> None:
    """Equality looks at members, and at their number."""
    others: list[Sequence[Record]] = [RECORDS[:4], (*RECORDS[:4], RECORDS[0])]
    assert all(columns() != other for other in others)
    assert columns() != "records"
