"""What every engine promises about orders: the part of the conformance suite for `Shard.scan(sort=...)`.

`EngineContract` inherits it. May import pytest, `domain` and `ports`.
"""

from collections.abc import Mapping
from uuid import UUID

import pytest

from nearimage.domain.filters import CREATED_FIELD, ID_FIELD, UPDATED_FIELD, Compare, Operator
from nearimage.domain.objects import IDS_ONLY, PropertyValue
from nearimage.domain.query import SortBy
from nearimage.domain.values import GeoCoordinates, PhoneNumber
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import PHOTOS, UNINDEXED_PHOTOS, photo, uid

SORTED: tuple[Mapping[str, PropertyValue], ...] = (
    {"int": 2**53 + 1, "number": 0.5, "boolean": True, "text": "b", "date": "2026-01-31T12:00:00Z", "int[]": (1, 2), "text[]": ("b",)},
    {"int": 2**53, "number": -2.0, "boolean": False, "text": "B", "date": "2026-01-31T12:30:00.000000001+01:00", "int[]": (1,), "text[]": ()},
    {},
    {"int": -(2**63), "number": 0.5, "boolean": True, "text": "é", "date": "0001-01-01T00:00:00Z", "int[]": (), "text[]": ("a", "c")},
    {"int": 2**63 - 1, "number": 1e300, "boolean": False, "text": "\U0001f436", "date": "9999-12-31T23:59:59Z", "int[]": (0, 9), "text[]": ("a", "b")},
    {"text": "\uffee", "date[]": ("2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"), "boolean[]": (True,)},
    {"text": "b", "date[]": ("2026-01-31T13:00:00+01:00",), "boolean[]": (False, True)},
)
"""Objects 1 to 7 of the tests of orders."""

ASCENDING: tuple[tuple[str, list[int]], ...] = (
    ("int", [3, 6, 7, 4, 2, 1, 5]),
    ("number", [3, 6, 7, 2, 1, 4, 5]),
    ("boolean", [3, 6, 7, 2, 5, 1, 4]),
    ("text", [3, 1, 2, 7, 4, 6, 5]),
    ("date", [3, 6, 7, 4, 2, 1, 5]),
    ("int[]", [3, 4, 6, 7, 5, 2, 1]),
    ("text[]", [2, 3, 6, 7, 5, 4, 1]),
    ("date[]", [1, 2, 3, 4, 5, 7, 6]),
    ("boolean[]", [1, 2, 3, 4, 5, 7, 6]),
    (ID_FIELD, [1, 2, 3, 4, 5, 6, 7]),
    (CREATED_FIELD, [1, 2, 3, 4, 5, 6, 7]),
    (UPDATED_FIELD, [1, 2, 3, 4, 5, 6, 7]),
)
DESCENDING: tuple[tuple[str, list[int]], ...] = (
    ("int", [5, 1, 2, 4, 3, 6, 7]),
    ("number", [5, 1, 4, 2, 3, 6, 7]),
    ("boolean", [1, 4, 2, 5, 3, 6, 7]),
    ("text", [5, 6, 4, 1, 2, 7, 3]),
    ("date", [5, 1, 2, 4, 3, 6, 7]),
    ("int[]", [1, 2, 5, 3, 4, 6, 7]),
    ("text[]", [1, 4, 5, 2, 3, 6, 7]),
    ("date[]", [6, 7, 1, 2, 3, 4, 5]),
    ("boolean[]", [6, 7, 1, 2, 3, 4, 5]),
    (ID_FIELD, [7, 6, 5, 4, 3, 2, 1]),
    (CREATED_FIELD, [7, 6, 5, 4, 3, 2, 1]),
    (UPDATED_FIELD, [7, 6, 5, 4, 3, 2, 1]),
)


class SortingContract:
    """The promises about orders; `EngineContract` brings the fixtures."""

    @pytest.mark.parametrize(("field", "expected"), ASCENDING)
    def test_an_ascending_order_puts_what_is_missing_first(self, engine: Engine, field: str, expected: list[int]) -> None:
        """Every type with an order, whether there is an index of it or not; what is equal comes by id, or pages would overlap."""
        for shard in _both(engine):
            assert _order(shard, SortBy(field)) == expected

    @pytest.mark.parametrize(("field", "expected"), DESCENDING)
    def test_a_descending_order_is_the_other_way_round_but_for_equals(self, engine: Engine, field: str, expected: list[int]) -> None:
        """Objects without the value come last; equals still come by ascending id."""
        for shard in _both(engine):
            assert _order(shard, SortBy(field, descending=True)) == expected

    def test_places_and_telephone_numbers_are_ordered_by_their_parts(self, shard: Shard) -> None:
        """From west to east, then from south to north; by country, then by number: as Weaviate's clients know it."""
        places = (GeoCoordinates(52.4, 4.9), GeoCoordinates(0, 0), GeoCoordinates(51.2, 6.8), GeoCoordinates(-33.9, 0))
        numbers = ((49, 30), (1, 99), (49, 7), (0, 0))
        phones = [PhoneNumber(input="", country_code=country, national_number=number) for country, number in numbers]
        both: list[dict[str, PropertyValue]] = [{"geoCoordinates": place, "phoneNumber": phone} for place, phone in zip(places, phones, strict=True)]
        shard.put([photo(number, None, values) for number, values in enumerate(both, 1)])
        shard.put([photo(5)])
        assert _order(shard, SortBy("geoCoordinates")) == [5, 4, 2, 1, 3]
        assert _order(shard, SortBy("geoCoordinates", descending=True)) == [3, 1, 2, 4, 5]
        assert _order(shard, SortBy("phoneNumber")) == [5, 4, 2, 3, 1]
        assert _order(shard, SortBy("phoneNumber", descending=True)) == [1, 3, 2, 4, 5]

    def test_texts_stand_as_they_are_written_in_json(self, shard: Shard) -> None:
        """As Weaviate has them: a quoted title comes after the figures and capitals, behind the backslash that JSON puts before it."""
        texts = ['"Dallas"', "a#b", '"', "a & b", "[x]", "<b>", "Zoo", "\n", 'a"b', "(1 of 2)", "_", "\x01", "7", "\u2028", "a b"]
        shard.put([photo(number, text=text) for number, text in enumerate(texts, 1)])
        found = [texts[number - 1] for number in _order(shard, SortBy("text"))]
        assert found == ["(1 of 2)", "7", "[x]", '"', '"Dallas"', "\n", "\x01", "<b>", "\u2028", "_", "a & b", "a b", "a#b", 'a"b', "Zoo"]

    def test_equals_under_a_filter_come_as_they_were_written(self, shard: Shard) -> None:
        """Who imports a batch and lists what passes sees it in the order of the batch, whatever ids it drew; and pages fit together."""
        written = [5, 2, 7, 1, 6, 3]
        shard.put([photo(number, int=1) for number in written[:3]])
        for number in written[3:]:
            shard.put([photo(number, int=1)])
        where = Compare("int", Operator.EQUAL, 1)
        for sort in (SortBy("int"), SortBy("int", descending=True)):
            pages = (shard.scan(where=where, after=None, limit=2, offset=start, projection=IDS_ONLY, sort=(sort,)) for start in (0, 2, 4))
            assert [one.id.int for page in pages for one in page] == written
        shard.put([photo(2, int=1)])
        assert [one.id.int for one in shard.scan(where=where, after=None, limit=9, offset=0, projection=IDS_ONLY, sort=(SortBy("int"),))] == [5, 7, 1, 6, 3, 2]

    def test_a_second_key_decides_between_equals(self, engine: Engine) -> None:
        """People sort by shelf, then by price."""
        for shard in _both(engine):
            assert _order(shard, SortBy("boolean", descending=True), SortBy("int")) == [4, 1, 2, 5, 3, 6, 7]
            assert _order(shard, SortBy("number"), SortBy("text"), SortBy(ID_FIELD, descending=True)) == [3, 7, 6, 2, 1, 4, 5]

    def test_pages_of_an_order_fit_together(self, shard: Shard) -> None:
        """Offset and limit cut one order, they do not make another, with a filter as without."""
        shard.put([photo(number, int=number % 7, boolean=number % 2 == 0) for number in range(1, 60)])
        sort = (SortBy("boolean"), SortBy("int", descending=True))
        for where in (None, Compare("int", Operator.GREATER_THAN, 2)):
            whole = [one.id for one in shard.scan(where=where, after=None, limit=99, offset=0, projection=IDS_ONLY, sort=sort)]
            pages = (shard.scan(where=where, after=None, limit=8, offset=start, projection=IDS_ONLY, sort=sort) for start in range(0, 80, 8))
            assert [one.id for page in pages for one in page] == whole
            assert shard.scan(where=where, after=None, limit=0, offset=0, projection=IDS_ONLY, sort=sort) == ()

    def test_an_order_follows_every_write(self, engine: Engine) -> None:
        """Whatever an engine keeps for the next order must not hide a change."""
        for shard in _both(engine):
            assert _order(shard, SortBy("text")) == [3, 1, 2, 7, 4, 6, 5]
            shard.put([photo(3, None, {"text": "z", "int": 0}), photo(8, None, {"text": "A", "int": 1})])
            shard.delete([uid(7)])
            assert _order(shard, SortBy("text")) == [8, 1, 2, 3, 4, 6, 5]
            assert _order(shard, SortBy("int", descending=True)) == [5, 1, 2, 8, 3, 4, 6]

    def test_a_cursor_leaves_out_ids_before_the_order_is_made(self, engine: Engine) -> None:
        """The arguments of a scan mean the same together as apart."""
        for shard in _both(engine):
            found = shard.scan(where=None, after=uid(3), limit=2, offset=1, projection=IDS_ONLY, sort=(SortBy("int", descending=True),))
            assert [one.id.int for one in found] == [4, 6]


def _both(engine: Engine) -> tuple[Shard, Shard]:
    """The examples in two collections: every property with an index, and none."""
    made = []
    for collection in (PHOTOS, UNINDEXED_PHOTOS):
        engine.create_collection(collection)
        shard = engine.shard(collection.name)
        shard.put([photo(number, None, properties) for number, properties in enumerate(SORTED, 1)])
        made.append(shard)
    return made[0], made[1]


def _order(shard: Shard, *sort: SortBy) -> list[int]:
    found = shard.scan(where=None, after=None, limit=99, offset=0, projection=IDS_ONLY, sort=sort)
    ids: list[UUID] = [one.id for one in found]
    return [one.int for one in ids]
