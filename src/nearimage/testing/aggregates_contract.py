"""What every engine promises about summaries: the part of the conformance suite for `Shard.aggregate`.

`EngineContract` inherits it. May import pytest, `domain` and `ports`.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from nearimage.domain.aggregates import Aggregation, BooleanSummary, DateSummary, Group, NumberSummary, Summary, TextSummary
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import PropertyValue
from nearimage.domain.schema import DataType, Property
from nearimage.domain.values import Reference
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import PHOTOS, UNINDEXED_PHOTOS, photo, uid

_UUID_A, _UUID_B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"

SUMMARISED_PHOTOS: tuple[Mapping[str, PropertyValue], ...] = (
    {"text": "Corgi puppy", "int": 1, "number": 0.1, "boolean": True, "date": "2024-01-05T00:00:00Z", "uuid": _UUID_B, "text[]": ("b", "a", "b")},
    {"text": "corgi", "int": 3, "number": 0.2, "boolean": False, "date": "2024-01-06T01:00:00+01:00", "uuid": _UUID_A, "int[]": (4, 4, -1)},
    {"text": "corgi", "int": 3, "number": 0.3, "boolean": True, "date": "2024-01-05T01:00:00+01:00", "text[]": (), "boolean[]": (True, False, True)},
    {"text": "Corgi puppy", "int": 1, "number": 1e16, "date": "2024-01-06T00:00:00Z", "text[]": ("c",), "date[]": ("0001-01-01T00:00:00Z",)},
    {"text": "", "int": 2**63 - 1, "number": -1e16, "uuid": _UUID_A, "number[]": (1.5, -0.0), "date[]": ("9999-12-31T23:59:59Z", "2024-01-05T00:00:00.25Z")},
    {},
)
"""Objects 1 to 6 of the tests of summaries."""

EXPECTED: tuple[tuple[str, Summary], ...] = (
    ("int", NumberSummary(count=5, sum=2**63 + 7, mean=(2**63 + 7) / 5, mode=1, median=3.0, minimum=1, maximum=2**63 - 1)),
    ("number", NumberSummary(count=5, sum=0.6, mean=0.12, mode=-1e16, median=0.2, minimum=-1e16, maximum=1e16)),
    ("boolean", BooleanSummary(count=3, total_true=2, total_false=1, share_true=2 / 3, share_false=1 / 3)),
    (
        "date",
        DateSummary(count=4, mode="2024-01-05T00:00:00Z", median="2024-01-05T12:00:00Z", minimum="2024-01-05T00:00:00Z", maximum="2024-01-06T00:00:00Z"),
    ),
    ("text", TextSummary(count=5, top=(("Corgi puppy", 2), ("corgi", 2)))),
    ("uuid", TextSummary(count=3, top=((_UUID_A, 2), (_UUID_B, 1)))),
    ("text[]", TextSummary(count=4, top=(("b", 2), ("a", 1)))),
    ("int[]", NumberSummary(count=3, sum=7, mean=7 / 3, mode=4, median=4.0, minimum=-1, maximum=4)),
    ("number[]", NumberSummary(count=2, sum=1.5, mean=0.75, mode=0.0, median=0.75, minimum=0.0, maximum=1.5)),
    ("boolean[]", BooleanSummary(count=3, total_true=2, total_false=1, share_true=2 / 3, share_false=1 / 3)),
    (
        "date[]",
        DateSummary(
            count=3,
            mode="0001-01-01T00:00:00Z",
            median="2024-01-05T00:00:00.25Z",
            minimum="0001-01-01T00:00:00Z",
            maximum="9999-12-31T23:59:59Z",
        ),
    ),
    ("uuid[]", TextSummary(count=0)),
)


class AggregatesContract:
    """The promises about summaries; `EngineContract` brings the fixtures."""

    @pytest.mark.parametrize(("name", "expected"), EXPECTED)
    def test_a_summary_says(self, engine: Engine, name: str, expected: Summary) -> None:
        """Figures are exact and of the right type: ints stay ints, 0.1 + 0.2 + 0.3 beside 1e16 is 0.6, text is counted whole, dates by instant."""
        for shard in _both(engine):
            (group,) = shard.aggregate(Aggregation(properties={name: 2}))
            assert group == Group(objects=6, summaries={name: expected})
            assert _types(group.summaries[name]) == _types(expected)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("text", [("Corgi puppy", [1, 4]), ("corgi", [2, 3]), ("", [5])]),
            ("int", [(1, [1, 4]), (3, [2, 3]), (2**63 - 1, [5])]),
            ("number", [(-1e16, [5]), (0.1, [1]), (0.2, [2]), (0.3, [3]), (1e16, [4])]),
            ("boolean", [(True, [1, 3]), (False, [2])]),
            ("date", [("2024-01-05T00:00:00Z", [1, 3]), ("2024-01-06T00:00:00Z", [2, 4])]),
            ("uuid", [(_UUID_A, [2, 5]), (_UUID_B, [1])]),
            ("text[]", [("a", [1]), ("b", [1]), ("c", [4])]),
            ("int[]", [(-1, [2]), (4, [2])]),
            ("uuid[]", []),
        ],
    )
    def test_groups_come_with_most_objects_first(self, engine: Engine, name: str, expected: list[tuple[object, list[int]]]) -> None:
        """Equals come by value, an array counts its object once a value, and each group is summarised apart."""
        whole = Aggregation(properties={"int": 0}, group_by=name)
        for shard in _both(engine):
            groups = shard.aggregate(whole)
            assert [(group.value, group.objects) for group in groups] == [(value, len(members)) for value, members in expected]
            assert [type(group.value) for group in groups] == [type(value) for value, _ in expected]
            sums = [sum(value for one in members if isinstance(value := SUMMARISED_PHOTOS[one - 1]["int"], int)) for _, members in expected]
            assert [_sum(group.summaries["int"]) for group in groups] == sums
            for most in range(4):
                assert shard.aggregate(Aggregation(properties={"int": 0}, group_by=name, groups=most)) == groups[:most]

    def test_references_are_grouped_by_what_they_lead_to(self, engine: Engine) -> None:
        """How many articles has each publication: several references put their object into several groups, the same one twice into one."""
        made = replace(PHOTOS, properties=(*PHOTOS.properties, Property(name="in", data_type=DataType.REFERENCE, targets=("Photo", "Paper"))))
        engine.create_collection(made)
        shard = engine.shard(made.name)
        vogue, wired, photo_2 = Reference("Paper", uid(9)), Reference("Paper", uid(8)), Reference("Photo", uid(9))
        given: list[PropertyValue] = [(vogue,), (wired, vogue), (vogue, vogue), (), (photo_2,)]
        shard.put([photo(number, None, {"in": references, "int": number}) for number, references in enumerate(given, 1)])
        shard.put([photo(6)])
        expected = [(str(vogue), 3, 6), (str(wired), 1, 2), (str(photo_2), 1, 5)]
        groups = shard.aggregate(Aggregation(properties={"int": 0}, group_by="in"))
        assert [(group.value, group.objects, _sum(group.summaries["int"])) for group in groups] == expected
        groups = shard.aggregate(Aggregation(group_by="in", groups=1), where=Compare("int", Operator.GREATER_THAN, 2))
        assert [(group.value, group.objects) for group in groups] == [(str(vogue), 1)]

    def test_only_what_passes_is_summarised(self, engine: Engine) -> None:
        """A filter and a list of ids (the nearest of a search) narrow the question, alone and together."""
        spec = Aggregation(properties={"int": 0, "text": 9})
        where = Compare("int", Operator.LESS_THAN, 10)
        for shard in _both(engine)[:1]:
            assert _told(shard, spec, where=where) == (4, 8, (("Corgi puppy", 2), ("corgi", 2)))
            assert _told(shard, spec, ids=[uid(2), uid(5), uid(77), uid(2)]) == (2, 2**63 + 2, (("", 1), ("corgi", 1)))
            assert _told(shard, spec, where=where, ids=[uid(2), uid(5), uid(6)]) == (1, 3, (("corgi", 1),))
            assert _told(shard, spec, ids=[]) == (0, None, ())
            (group,) = shard.aggregate(Aggregation(properties={"boolean": 0, "date": 0}), ids=[uid(6)])
            assert group == Group(objects=1, summaries={"boolean": BooleanSummary(count=0), "date": DateSummary(count=0)})

    def test_summaries_follow_every_write(self, engine: Engine) -> None:
        """Whatever an engine keeps for the next question must not hide a change."""
        spec = Aggregation(properties={"int": 0, "text": 9})
        for shard in _both(engine):
            assert _told(shard, spec)[2] == (("Corgi puppy", 2), ("corgi", 2), ("", 1))
            shard.put([photo(1, None, {"text": "new", "int": 5}), photo(7, None, {"text": "corgi"})])
            shard.delete([uid(5), uid(4)])
            assert _told(shard, spec) == (5, 11, (("corgi", 3), ("new", 1)))

    def test_a_sum_beyond_the_floats_is_infinite(self, shard: Shard) -> None:
        """It must not fail the whole question, nor make the mean wrong."""
        shard.put([photo(number, number=value) for number, value in enumerate((1.5e308, 1.5e308, -1e308), 1)])
        (group,) = shard.aggregate(Aggregation(properties={"number": 0}))
        got = group.summaries["number"]
        assert isinstance(got, NumberSummary)
        assert (got.sum, got.median) == (math.inf, 1.5e308)
        assert got.mean == pytest.approx(6.666666666666667e307)


def _both(engine: Engine) -> tuple[Shard, ...]:
    """The examples in two collections: every property with an index, and none."""
    made = []
    for collection in (PHOTOS, UNINDEXED_PHOTOS):
        engine.create_collection(collection)
        shard = engine.shard(collection.name)
        shard.put([photo(number, None, properties) for number, properties in enumerate(SUMMARISED_PHOTOS, 1)])
        made.append(shard)
    return tuple(made)


def _told(shard: Shard, spec: Aggregation, **among: object) -> tuple[int, float | None, tuple[tuple[str, int], ...]]:
    (group,) = shard.aggregate(spec, **among)  # type: ignore[arg-type] # where and ids, handed on
    texts = group.summaries["text"]
    assert isinstance(texts, TextSummary)
    return group.objects, _sum(group.summaries["int"]), texts.top


def _sum(summary: Summary) -> float | None:
    assert isinstance(summary, NumberSummary)
    return summary.sum


def _types(summary: Summary) -> dict[str, type]:
    return {name: type(getattr(summary, name)) for name in summary.__slots__}
