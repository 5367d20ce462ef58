"""Rows in the form of gRPC replies: what is stored comes back, and what is cut out of it is what a reply says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.app import open_engine
from nearimage.domain.errors import InvalidValue
from nearimage.domain.keywords import Keywords
from nearimage.domain.objects import Projection, Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.domain.values import GeoCoordinates, PhoneNumber, PropertyValue, Reference
from nearimage.doors.grpc.rows import Cuts, WireRows
from nearimage.doors.grpc.values import write_properties
from nearimage.doors.wire.messages import PropertiesMessage
from nearimage.engines.embedded import EmbeddedEngine, JsonRows

ELEMENTS: dict[DataType, st.SearchStrategy[Any]] = {
    DataType.TEXT: st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    DataType.INT: st.integers(-(1 << 63), (1 << 63) - 1),
    DataType.NUMBER: st.floats(),
    DataType.BOOLEAN: st.booleans(),
    DataType.DATE: st.sampled_from(["2026-01-31T12:00:00Z", "1969-12-31T23:59:59.000000001+01:00"]),
    DataType.UUID: st.uuids().map(str),
}
PLACE, NUMBER = GeoCoordinates(52.3731, 4.8932), PhoneNumber(input="+49 30 1", national_number=301, country_code=49)
OTHERS: dict[DataType, st.SearchStrategy[Any]] = {
    DataType.GEO_COORDINATES: st.just(PLACE),
    DataType.PHONE_NUMBER: st.just(NUMBER),
    DataType.REFERENCE: st.just((Reference("Dog", UUID(int=7)),)),
    DataType.OBJECT: st.just({"inner": "text", "raw": b"\x00\xff"}),
    DataType.OBJECT_ARRAY: st.just(({"inner": "a"}, {})),
}
ARRAYS = {DataType(f"{kind}[]"): st.lists(values, max_size=4).map(tuple) for kind, values in ELEMENTS.items()}
VALUES = ELEMENTS | ARRAYS | OTHERS
NESTED = (Property(name="inner", data_type=DataType.TEXT), Property(name="raw", data_type=DataType.BLOB))
PHOTO = Collection(
    name="Photo", properties=tuple(Property(name=f"p{n}", data_type=kind, nested=NESTED, searchable=kind is DataType.TEXT) for n, kind in enumerate(VALUES))
)
OBJECTS = st.fixed_dictionaries({}, optional={prop.name: VALUES[prop.data_type] for prop in PHOTO.properties})
PLAIN = tuple(prop for prop in PHOTO.properties if prop.data_type is not DataType.REFERENCE)


def rows() -> WireRows:
    return WireRows(JsonRows())


def encoded(properties: Mapping[str, PropertyValue], codec: WireRows | None = None) -> bytes:
    return (codec or rows()).encoder(PHOTO).encode(properties)


def same(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Equal, of the same types, NaN being NaN."""
    return repr(sorted(left.items())) == repr(sorted(right.items()))


@given(OBJECTS)
def test_what_is_stored_comes_back(properties: dict[str, PropertyValue]) -> None:
    """The row is the only copy there is."""
    assert same(rows().decode(encoded(properties)), properties)


@given(st.lists(OBJECTS, max_size=5))
def test_rows_written_together_are_those_written_one_by_one(objects: list[dict[str, PropertyValue]]) -> None:
    """Which other objects are in a batch, also such as the reply's form has no room for, must not show in the bytes of a row."""
    encoder = rows().encoder(PHOTO)
    odd = [properties | dict.fromkeys(list(properties)[:1], (1 << 63, True)) for properties in objects]
    for batch in (objects, odd, [*objects, *odd]):
        assert encoder.encode_all(batch) == [encoded(properties) for properties in batch]


@given(OBJECTS, st.sets(st.sampled_from([prop.name for prop in PLAIN])))
def test_what_is_cut_out_of_a_row_says_what_a_reply_built_value_by_value_says(properties: dict[str, PropertyValue], names: set[str]) -> None:
    """There are two ways to a reply; a client must not be able to tell which was taken."""
    codec = rows()
    wanted = [prop for prop in PLAIN if prop.name in names]
    (cut,) = Cuts([prop.name for prop in wanted]).of([encoded(properties, codec)])
    built = PropertiesMessage()
    write_properties(built.fields, wanted, properties)
    if cut is None:
        assert properties.keys() & {prop.name for prop in PHOTO.properties if prop.data_type in OTHERS}
    else:
        assert PropertiesMessage.FromString(cut).SerializeToString(deterministic=True) == built.SerializeToString(deterministic=True)


def test_rows_of_plain_values_are_always_cut() -> None:
    """The slow way must stay the exception: it takes five times as long."""
    codec = rows()
    row = encoded({"p0": "Corgi", "p1": 3, "p2": 0.5}, codec)
    for names in (["p0"], ["p1", "p2"], ["p0", "p2"], ["p0", "p1", "p2"], ["p3"], ["p0", "p4"], []):
        (cut,) = Cuts(names).of([row])
        assert cut is not None
        assert sorted(PropertiesMessage.FromString(cut).fields) == sorted(names)


def test_cuts_that_served_one_shape_serve_others() -> None:
    """They are kept from request to request; objects lack now this, now that."""
    codec, cuts = rows(), Cuts(["p0", "p1"])
    shapes: list[dict[str, PropertyValue]] = [{"p0": "a", "p1": 1}, {"p1": 1}, {"p0": "a", "p1": 1}, {"p2": 0.5, "p0": "a" * 5000}]
    for properties in shapes:
        (cut,) = cuts.of([encoded(properties, codec)])
        built = PropertiesMessage()
        write_properties(built.fields, PHOTO.properties[:2], properties)
        assert cut is not None
        assert PropertiesMessage.FromString(cut) == built


def test_a_row_of_an_older_release_is_read() -> None:
    """Nobody imports a million pictures again because rows look different now."""
    codec = rows()
    properties: dict[str, PropertyValue] = {"p0": "Corgi", "p1": 3}
    old = JsonRows().encode(properties)
    assert codec.decode(old) == properties
    assert dict(codec.view(old, ("p1",))) == {"p1": 3}
    assert Cuts(["p1"]).of([old]) == [None]


@pytest.mark.parametrize("value", [3, 1 << 70, True, None, (1.5,), b"raw"], ids=repr)
def test_a_value_that_is_not_of_its_type_comes_back_as_it_was_or_is_refused(value: Any) -> None:
    """An engine used without the service checks nothing, and must not turn 3 into "3" or 3.0."""
    for name in ("p0", "p2", "p4", "p6", "unknown"):
        try:
            stored = encoded({name: value, "p1": 1})
        except InvalidValue:
            continue
        assert same(rows().decode(stored), {name: value, "p1": 1})


def test_text_that_is_no_unicode_is_refused() -> None:
    """Half of a surrogate pair has no bytes; it must not be stored as something else."""
    with pytest.raises(InvalidValue):
        encoded({"p0": "\ud800"})


def test_a_view_shows_the_names_asked_for() -> None:
    """A projection is a promise of the engine, however lazily it is kept."""
    view = rows().view(encoded({"p0": "Corgi", "p1": 3}), ("p1", "p2"))
    assert (dict(view), len(view), "p0" in view, view.get("p0", "none"), view["p1"]) == ({"p1": 3}, 1, False, "none", 3)
    assert view == {"p1": 3}
    assert repr(view) == "{'p1': 3}"


@pytest.mark.parametrize("length", [1, 121, 122, 127, 128, 200, 231])
@pytest.mark.parametrize("value", ["", "a" * 122, "b" * 200, 1, 1 << 62, -1, True, (1, 2)])
def test_names_of_every_length_are_read(length: int, value: Any) -> None:
    """Lengths below 128 take one byte, others two, and each entry has three of them."""
    kind = DataType({str: "text", int: "int", bool: "boolean", tuple: "int[]"}[type(value)])
    names = ("n" * length, "other")
    photo = Collection(name="Photo", properties=tuple(Property(name=name, data_type=kind) for name in names))
    data = rows().encoder(photo).encode(dict.fromkeys(names, value))

    assert dict(rows().view(data, None)) == dict.fromkeys(names, value)
    assert dict(rows().view(data, names[:1])) == {names[0]: value}
    assert dict(rows().view(data, ("other", "missing"))) == {"other": value}


def test_an_engine_keeps_such_rows_and_those_of_an_older_release(tmp_path: Path) -> None:
    """A folder written before the change goes on being used, and a changed object takes the new form."""
    collection = Collection(name="Photo", properties=(*PHOTO.properties, Property(name="raw", data_type=DataType.BLOB)), vectors=(VectorConfig(name="v"),))
    objects: list[dict[str, PropertyValue]] = [{"p0": "Corgi", "p1": 3, "raw": b"picture", f"p{list(VALUES).index(DataType.GEO_COORDINATES)}": PLACE}, {}]
    everything = Projection(properties=tuple(p.name for p in collection.properties))
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(collection)
    engine.shard("Photo").put([Record(id=UUID(int=n), properties=properties) for n, properties in enumerate(objects)])
    engine.close()
    for _ in range(2):
        engine = open_engine(tmp_path)
        shard = engine.shard("Photo")
        found = shard.scan(where=None, after=None, limit=9, offset=0, projection=everything)
        assert [dict(record.properties) for record in found] == objects
        objects[1] = {**objects[1], "p0": f"changed from {objects[1]}"}
        assert shard.put([Record(id=UUID(int=1), properties=objects[1])]) == (None,)
        hits = shard.match_text(Keywords(text="changed", boosts={"p0": 1.0}), limit=9, offset=0, where=None, projection=Projection())
        assert [dict(record.properties) for record in hits.records] == [objects[1]]
        engine.close()
