"""What every engine promises of filters beyond plain comparisons: lengths, missing values, places, references; and of the values behind them.

Inherited by `EngineContract`, which has the fixtures. May import pytest, `domain`, `ports` and this package's examples.
"""

from collections.abc import Mapping
from uuid import UUID

import pytest

from nearimage.domain.errors import InvalidFilter
from nearimage.domain.filters import And, Compare, Filter, FilterValue, GeoRange, Not, Operator, PointsTo, Through
from nearimage.domain.objects import IDS_ONLY, Projection, Record
from nearimage.domain.query import SortBy
from nearimage.domain.schema import DataType
from nearimage.domain.values import GeoCoordinates, PhoneNumber, PropertyValue, Reference
from nearimage.ports.engine import Shard
from nearimage.testing.engine_examples import photo, uid

O = Operator  # noqa: E741 short, because the tables below are read by their columns

_REFERENCE, _GEO = DataType.REFERENCE.value, DataType.GEO_COORDINATES.value

_MEASURED: tuple[Mapping[str, PropertyValue], ...] = (
    {"text": "犬🐶é", "text[]": ("a", ""), "int[]": (1, 2, 3)},
    {"text": "", "text[]": (), "int[]": (), "boolean[]": (False,), "blob": b""},
    {"text": "four", "text[]": ("",), "date[]": (), "int": 0, "boolean": False},
    {},
)
"""Objects 1 to 4 of the tests of lengths and missing values."""

_LENGTHS: tuple[tuple[str, Operator, FilterValue, set[int]], ...] = (
    ("len(text)", O.EQUAL, 3, {1}),
    ("len(text)", O.EQUAL, 0, {2, 4}),
    ("len(text)", O.NOT_EQUAL, 3, {2, 3, 4}),
    ("len(text)", O.GREATER_THAN, 3, {3}),
    ("len(text)", O.LESS_THAN_EQUAL, 3, {1, 2, 4}),
    ("len(text[])", O.EQUAL, 2, {1}),
    ("len(text[])", O.GREATER_THAN_EQUAL, 1, {1, 3}),
    ("len(int[])", O.LESS_THAN, 3, {2, 3, 4}),
    ("len(boolean[])", O.EQUAL, 1, {2}),
    ("text", O.IS_NULL, True, {2, 4}),
    ("text[]", O.IS_NULL, True, {2, 4}),
    ("int[]", O.IS_NULL, False, {1}),
    ("date[]", O.IS_NULL, True, {1, 2, 3, 4}),
    ("int", O.IS_NULL, True, {1, 2, 4}),
    ("boolean", O.IS_NULL, False, {3}),
    ("blob", O.IS_NULL, False, {2}),
)

_TRUTHS: tuple[Mapping[str, PropertyValue], ...] = (
    {"boolean": True, "boolean[]": (False, True)},
    {"boolean": False, "boolean[]": (False,)},
    {"boolean[]": ()},
    {},
)
_ORDERED_TRUTHS: tuple[tuple[Operator, bool, set[int]], ...] = (
    (O.GREATER_THAN, False, {1}),
    (O.GREATER_THAN_EQUAL, False, {1, 2}),
    (O.GREATER_THAN, True, set()),
    (O.LESS_THAN, True, {2}),
    (O.LESS_THAN_EQUAL, True, {1, 2}),
    (O.LESS_THAN, False, set()),
)
"""Of the property and of the array alike, but that an array passes where one of its entries does."""

_PLACES = (
    GeoCoordinates(52.52, 13.405),  # Berlin
    GeoCoordinates(52.4, 13.066),  # Potsdam, 27 km away
    GeoCoordinates(-33.868, 151.209),  # Sydney
    GeoCoordinates(-17.8, 179.9),  # Fiji, to both sides of the date line, 21 km apart
    GeoCoordinates(-17.8, -179.9),
    GeoCoordinates(90.0, 0.0),
)
"""Where objects 1 to 6 are; object 7 is nowhere."""

_CIRCLES: tuple[tuple[GeoRange, set[int]], ...] = (
    (GeoRange(52.52, 13.405, 0), {1}),
    (GeoRange(52.52, 13.405, 20_000), {1}),
    (GeoRange(52.52, 13.405, 30_000), {1, 2}),
    (GeoRange(-17.8, 180, 12_000), {4, 5}),
    (GeoRange(-17.8, 179.9, 20_000), {4}),
    (GeoRange(-17.8, -179.9, 22_000), {4, 5}),
    (GeoRange(89.95, 170, 6_000), {6}),
    (GeoRange(89.95, 170, 5_000), set()),
    (GeoRange(0, -46.6, 19_000_000), {1, 2, 3, 4, 5, 6}),
    (GeoRange(52.52, 13.405, 17_000_000), {1, 2, 3, 4, 5, 6}),
    (GeoRange(52.52, 13.405, 16_000_000), {1, 2, 4, 5, 6}),  # Fiji is at 15,979 and 15,984 km, Sydney at 16,094
    (GeoRange(52.52, 13.405, 15_980_000), {1, 2, 4, 6}),
)

_ANN, _BEN = uid(1 << 64), uid((1 << 64) + 1)
_POINTING: tuple[tuple[Reference, ...] | None, ...] = (
    (Reference("Person", _ANN),),
    (Reference("Person", _BEN), Reference("Photo", _ANN)),
    (),
    None,
    (Reference("Photo", uid(1)),),
)
"""What objects 1 to 5 lead to."""

_POINTS: tuple[tuple[Filter, set[int]], ...] = (
    (PointsTo(_REFERENCE, "Person", _ANN.bytes), {1}),
    (PointsTo(_REFERENCE, "Photo", _ANN.bytes + uid(1).bytes), {2, 5}),
    (PointsTo(_REFERENCE, "Person", _BEN.bytes + _ANN.bytes + uid(7).bytes), {1, 2}),
    (PointsTo(_REFERENCE, "Person", b""), set()),
    (PointsTo(_REFERENCE, "Nowhere", _ANN.bytes), set()),
    (Not(PointsTo(_REFERENCE, "Person", _ANN.bytes)), {2, 3, 4, 5}),
    (Compare(f"len({_REFERENCE})", O.EQUAL, 0), {3, 4}),
    (Compare(f"len({_REFERENCE})", O.GREATER_THAN, 1), {2}),
    (Compare(_REFERENCE, O.IS_NULL, value=True), {3, 4}),
)


class FiltersContract:
    """Promises about filters and values; see `EngineContract`."""

    @pytest.mark.parametrize(("field", "operator", "value", "expected"), _LENGTHS)
    def test_a_length_counts_characters_or_entries_and_what_is_empty_is_missing(
        self, shard: Shard, field: str, operator: Operator, value: FilterValue, expected: set[int]
    ) -> None:
        """Weaviate counts code points, takes a missing value for length 0 and an empty text or array for missing; people search for gaps that way."""
        shard.put([photo(number, None, properties) for number, properties in enumerate(_MEASURED, 1)])
        assert passing(shard, Compare(field, operator, value)) == expected

    @pytest.mark.parametrize(("circle", "expected"), _CIRCLES)
    def test_a_circle_has_the_places_in_it(self, shard: Shard, circle: GeoRange, expected: set[int]) -> None:
        """Near the date line and at the poles longitudes lie; an object without a place is in no circle."""
        shard.put([photo(number, None, {_GEO: place}) for number, place in enumerate(_PLACES, 1)] + [photo(7)])
        where = Compare(_GEO, O.WITHIN_GEO_RANGE, circle)
        assert passing(shard, where) == expected
        assert passing(shard, Not(where)) == set(range(1, 8)) - expected

    @pytest.mark.parametrize(("operator", "value", "expected"), _ORDERED_TRUTHS, ids=str)
    def test_false_is_less_than_true(self, shard: Shard, operator: Operator, value: bool, expected: set[int]) -> None:
        """As it is sorted, and as Weaviate compares."""
        shard.put([photo(number, None, properties) for number, properties in enumerate(_TRUTHS, 1)])
        assert passing(shard, Compare("boolean", operator, value)) == expected
        entry = {1} if operator is O.LESS_THAN and value else set()
        assert passing(shard, Compare("boolean[]", operator, value)) == expected | entry

    @pytest.mark.parametrize(("where", "expected"), _POINTS)
    def test_references_are_found_by_where_they_lead(self, shard: Shard, where: Filter, expected: set[int]) -> None:
        """A filter on what a reference leads to ends as this question; the same id in two collections is two objects."""
        shard.put([photo(number, None, {} if to is None else {_REFERENCE: to}) for number, to in enumerate(_POINTING, 1)])
        assert passing(shard, where) == expected

    def test_thousands_of_ids_are_one_question(self, shard: Shard) -> None:
        """The inner filter of a reference may pass very many objects, on any bits of their ids."""
        targets = [UUID(int=number << (64 * (number % 2))) for number in range(1, 5001)]
        shard.put([photo(number, None, {_REFERENCE: (Reference("Photo", targets[number]),)}) for number in (1, 2, 3000, 4998)])
        ids = b"".join(one.bytes for one in targets[1000:])
        assert passing(shard, PointsTo(_REFERENCE, "Photo", ids)) == {3000, 4998}
        texts = tuple(str(uid(number)) for number in range(2, 5000))
        assert passing(shard, Compare("_id", O.CONTAINS_ANY, texts)) == {2, 3000, 4998}
        assert passing(shard, Compare("_id", O.CONTAINS_NONE, texts)) == {1}

    def test_objects_asked_for_by_id_come_as_others_do(self, shard: Shard) -> None:
        """In any order, by pages, once each; those that are not there, and what is no id, are passed over. It must not show that nobody looks at the rest."""
        shard.put([photo(number, None, {"int": -number}) for number in range(1, 7)])
        shard.delete([uid(2)])
        shard.put([photo(4, None, {"int": 0})])
        some = Compare("_id", O.CONTAINS_ANY, (f" {uid(6)} ", str(uid(4)), str(uid(1)), str(uid(6)), str(uid(2)), str(uid(9)), str(uid(5)), "no id"))

        def scanned(where: Filter, *sort: SortBy, after: int = 0, limit: int = 9, offset: int = 0) -> list[int]:
            found = shard.scan(where=where, after=uid(after) if after else None, limit=limit, offset=offset, projection=IDS_ONLY, sort=sort)
            return [record.id.int for record in found]

        assert scanned(some) == [1, 4, 5, 6]
        assert scanned(some, SortBy("int")) == [6, 5, 1, 4]
        assert scanned(some, SortBy("int", descending=True), limit=2, offset=1) == [1, 5]
        assert scanned(some, after=4, limit=1) == [5]
        assert scanned(Compare("_id", O.EQUAL, str(uid(4))), SortBy("int")) == [4]
        assert scanned(Compare("_id", O.EQUAL, str(uid(2)))) == []
        assert scanned(Compare("_id", O.CONTAINS_ANY, ())) == []

    def test_a_filter_through_a_reference_must_have_been_answered_before(self, shard: Shard) -> None:
        """A shard knows no other; passing over the condition would be a wrong answer."""
        shard.put([photo(1)])
        with pytest.raises(InvalidFilter):
            shard.count(Through(_REFERENCE, "Person", Compare("_id", O.IS_NULL, value=False)))

    def test_passing_ids_come_in_order_and_whole(self, shard: Shard) -> None:
        """They are searched for in another shard, by their bytes."""
        numbers = sorted({1, 255, 256, 1 << 63, 1 << 64, (1 << 128) - 1})
        shard.put([Record(id=uid(number), properties={"int": number % 2}) for number in reversed(numbers)])
        assert shard.passing_ids(None) == b"".join(uid(number).bytes for number in numbers)
        assert shard.passing_ids(Compare("int", O.EQUAL, 1)) == b"".join(uid(number).bytes for number in numbers if number % 2)
        shard.delete([uid(1)])
        assert shard.passing_ids(And((Compare("int", O.EQUAL, 1), Compare("_id", O.LESS_THAN, str(uid(256)))))) == uid(255).bytes

    def test_composite_values_come_back_as_they_were(self, shard: Shard) -> None:
        """Nested objects hold anything, also what looks like our own notation."""
        phone = PhoneNumber(input="030 1", default_country="DE", international="+49 30 1", national="030 1", national_number=301, country_code=49, valid=True)
        values: dict[str, PropertyValue] = {
            _GEO: GeoCoordinates(-0.0, 179.5),
            DataType.PHONE_NUMBER.value: phone,
            _REFERENCE: (Reference("Person", _ANN), Reference("Person", _ANN)),
            DataType.OBJECT.value: {"int": 1, "number": 1.0, "blob": b"\0", "list": (1, 2), "deep": {"geo": GeoCoordinates(1.5, 2.5), "none": {}}},
            DataType.OBJECT_ARRAY.value: ({}, {"a": ({"b": "null"}, {"phones": (phone,)})}),
        }
        shard.put([photo(1, None, values)])
        found = shard.get([uid(1)], Projection())[uid(1)].properties
        assert found == values
        assert repr(found) == repr({name: values[name] for name in found})


def passing(shard: Shard, where: Filter) -> set[int]:
    """The numbers of the ids that pass."""
    packed = shard.passing_ids(where)
    found = {int.from_bytes(packed[start : start + 16], "big") for start in range(0, len(packed), 16)}
    assert shard.count(where) == len(found)
    return found
