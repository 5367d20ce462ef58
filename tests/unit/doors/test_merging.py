"""Hits that are alike become one."""

from uuid import UUID

import numpy as np

from nearimage.domain.objects import Hit, Record
from nearimage.domain.schema import LEGACY_VECTOR
from nearimage.domain.values import GeoCoordinates, PropertyValue, Reference
from nearimage.doors.graphql.merging import Merging, merged

ANN, BOB = Reference("Person", UUID(int=1)), Reference("Person", UUID(int=2))


def hit(number: int, angle: float | None, **properties: PropertyValue) -> Hit:
    vectors = {} if angle is None else {LEGACY_VECTOR: np.array([np.cos(angle), np.sin(angle)], np.float32)}
    return Hit(record=Record(id=UUID(int=number), properties=properties, vectors=vectors), distance=0.1 * number)


def test_a_chain_of_alike_hits_is_one_group() -> None:
    """Each is like some member, though the first and the last are not alike; one without a vector stays alone."""
    chain = [hit(1, 0.0), hit(2, 1.6), hit(3, 0.4), hit(4, 0.8), hit(5, None), hit(6, None)]

    assert [one.record.id.int for one in merged(chain, Merging(merge=False, force=0.05))] == [1, 2, 5, 6]


def test_no_force_groups_nothing() -> None:
    """Not even what is the same."""
    assert len(merged([hit(1, 0.0), hit(2, 0.0)], Merging(merge=False, force=0.0))) == 2


def test_merging_makes_one_object_of_all() -> None:
    """Each kind of value in its own way, lists of plain values in none; what is the same is told once, and what was one hit's alone is no one's."""
    first = hit(1, 0.0, text="red", size=1, truth=True, tags=("a",), people=(ANN,), place=GeoCoordinates(10, 20), only=b"x")
    second = hit(2, 0.2, text="blue", size=4, truth=False, tags=("a", "b"), people=(ANN, BOB), place=GeoCoordinates(20, 40), more=2)
    third = hit(3, 0.1, text="red", size=4)
    (one,) = merged([first, second, third], Merging(merge=True, force=0.5))

    assert one.record.properties == {
        "text": "red (blue)",
        "size": 3,
        "truth": True,
        "people": (ANN, BOB),
        "place": GeoCoordinates(15, 30),
        "only": b"x",
        "more": 2,
    }
    assert one.record.vectors[LEGACY_VECTOR].tolist() == np.mean([h.record.vectors[LEGACY_VECTOR] for h in (first, second, third)], axis=0).tolist()
    assert (one.distance, one.record.created_ms, one.record.updated_ms) == (0, 0, 0)
