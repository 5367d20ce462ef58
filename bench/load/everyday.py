"""Everyday operations, widely enumerated, for bench/slow_paths.py: a collection with a property of every kind, and requests of every kind to it.

    Thing     the large one: every data type, one vector, a reference to Maker
    Maker     a thousand
    Views     a fifth as many objects, with two vectors each and a multi-vector
    Parted    a thousand tenants of a few objects

Frequencies of words and categories fall as 1/rank, which is how real ones do: `w0` stands in nearly every title, `w5000` in a handful.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import numpy as np

from bench.load.questions import BATCH, Recorded, call, id_of
from nearimage.domain.objects import Matrix, Vector
from nearimage.doors.wire.messages import (
    BatchObjectsRequest,
    Filters,
    VectorsMessage,
)

WORDS, MAKERS, TENANTS, EACH = 20_000, 1_000, 1_000, 10
OWNER = 1 << 40
"""Numbers of the ids of Makers begin here."""

_INDEXES = {"indexNullState": True, "indexPropertyLength": True, "indexTimestamps": True}
_FIELDS = {
    "category": "text", "title": "text", "note": "text", "tags": "text[]", "rank": "int", "price": "number", "sold": "boolean", "made": "date",
    "code": "uuid", "codes": "uuid[]", "sizes": "int[]", "place": "geoCoordinates",
}  # fmt: skip
_NESTED = [{"name": "name", "dataType": ["text"]}, {"name": "size", "dataType": ["int"]}]
PLAIN = {"vectorizer": "none", "vectorIndexType": "hnsw"}


def schemas() -> list[dict[str, Any]]:
    """The collections."""
    whole = {"tokenization": "field"}
    fields = [{"name": name, "dataType": [kind]} | (whole if name in ("category", "tags") else {}) for name, kind in _FIELDS.items()]
    nested = {"name": "detail", "dataType": ["object"], "nestedProperties": _NESTED}
    reference = {"name": "maker", "dataType": ["Maker"]}
    name, multi = {"name": "name", "dataType": ["text"]}, {"multivector": {"enabled": True}}
    views = {one: {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"} for one in ("left", "right")}
    return [
        {"class": "Maker", "properties": [name, {"name": "size", "dataType": ["int"]}], **PLAIN},
        {"class": "Thing", "properties": [*fields, nested, reference], "invertedIndexConfig": _INDEXES, **PLAIN},
        {"class": "Views", "properties": [name], "vectorConfig": {**views, "many": views["left"] | {"vectorIndexConfig": multi}}},
        {"class": "Parted", "properties": [name, {"name": "size", "dataType": ["int"]}], "multiTenancyConfig": {"enabled": True}, **PLAIN},
    ]


def imports(vectors: Matrix) -> Iterator[Recorded]:
    """Everything, 500 objects at a time. The tenants have to be there."""
    draw = np.random.default_rng(5)
    makers = ((id_of(OWNER + n), {"name": f"maker w{n}", "size": n}, None) for n in range(MAKERS))
    yield from batches("Maker", makers)
    yield from batches("Thing", ((id_of(n), thing(n, len(vectors), draw), vectors[n]) for n in range(len(vectors))))
    for start in range(0, len(vectors) // 5, 500):
        request = BatchObjectsRequest()
        for n in range(start, min(start + 500, len(vectors) // 5)):
            entry = request.objects.add(uuid=str(id_of(n)), collection="Views")
            entry.properties.non_ref_properties["name"] = f"view w{n % 97}"
            for name, vector in (("left", vectors[n]), ("right", vectors[-n - 1])):
                entry.vectors.add(name=name, vector_bytes=vector.tobytes(), type=VectorsMessage.VECTOR_TYPE_SINGLE_FP32)
            entry.vectors.add(name="many", vector_bytes=several(vectors[n : n + 4]), type=VectorsMessage.VECTOR_TYPE_MULTI_FP32)
        yield call(BATCH, request)
    for start in range(0, TENANTS, 50):
        numbers = range(start * EACH, (start + 50) * EACH)
        yield from batches("Parted", ((id_of(n), {"name": f"w{n % 50}", "size": n}, vectors[n % len(vectors)]) for n in numbers), lambda n: f"t{n // EACH}")


def thing(number: int, rows: int, draw: np.random.Generator) -> dict[str, Any]:
    """The properties of one Thing; those whose names begin with `+` are no plain values."""
    known = {"note": f"note w{number % 7}"} if number % 2 else {}
    return known | {
        "category": f"c{_rank(draw, 20)}", "title": " ".join(f"w{_rank(draw, WORDS)}" for _ in range(draw.integers(6, 13))),
        "rank": number * 7919 % rows, "price": float(number % 997) / 7, "sold": number % 10 == 0,
        "made": f"20{number % 24:02}-{number % 12 + 1:02}-{number % 28 + 1:02}T0{number % 10}:00:00Z", "code": str(UUID(int=number % 5000 + 1)),
        "+tags": [f"t{_rank(draw, 200)}" for _ in range(number % 4)], "+codes": [str(UUID(int=(number + n) % 900 + 1)) for n in range(2)],
        "+sizes": [number % 50, number % 1000], "+maker": id_of(OWNER + number % MAKERS),
        "place": {"latitude": float(draw.uniform(-60, 60)), "longitude": float(draw.uniform(-170, 170))},
        "+detail": {"name": f"d{number % 9}", "size": number},
    }  # fmt: skip


def _rank(draw: np.random.Generator, most: int) -> int:
    """A number from 0 on, with frequencies that fall as 1/rank."""
    return int(most ** draw.random()) - 1


def several(vectors: Matrix) -> bytes:
    """A multi-vector, as the wire has it."""
    return struct.pack("<H", vectors.shape[1]) + vectors.tobytes()


def batches(collection: str, objects: Iterator[tuple[UUID, dict[str, Any], Vector | None]], tenant: Callable[[int], str] | None = None) -> Iterator[Recorded]:
    """Imports of so many objects, 500 at a time."""
    request = BatchObjectsRequest()
    for uuid, values, vector in objects:
        entry = request.objects.add(uuid=str(uuid), collection=collection)
        entry.tenant = tenant(uuid.int & 0xFFFFFFFF) if tenant else ""
        _fill(entry.properties, values)
        if vector is not None:
            entry.vector_bytes = vector.tobytes()
        if len(request.objects) == 500:
            yield call(BATCH, request)
            request = BatchObjectsRequest()
    if request.objects:
        yield call(BATCH, request)


def _fill(properties: Any, values: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in values.items() if not name.startswith("+")}
    properties.non_ref_properties.update(plain)
    if "+tags" in values:
        for name in ("tags", "codes"):
            properties.text_array_properties.add(prop_name=name, values=values["+" + name])
        properties.int_array_properties.add(prop_name="sizes", values=values["+sizes"])
        properties.single_target_ref_props.add(prop_name="maker", uuids=[str(values["+maker"])])
        properties.object_properties.add(prop_name="detail").value.non_ref_properties.update(values["+detail"])


def where(operator: str, on: str | Mapping[str, Any], **value: Any) -> Any:
    """One condition: the operator's name as in the protocol, a property, and its value."""
    return Filters(operator=Filters.Operator.Value(f"OPERATOR_{operator}"), target={"property": on} if isinstance(on, str) else on, **value)


def both(*conditions: Any, by: str = "AND") -> Any:
    """And, Or or Not of conditions."""
    return Filters(operator=Filters.Operator.Value(f"OPERATOR_{by}"), filters=conditions)


def filters(rows: int) -> dict[str, Any]:
    """Every operator, by type and by how many pass."""
    refers = {"single_target": {"on": "maker", "target": {"property": "size"}}}
    shares = {f"{100 * share:g} %": int(rows * share) for share in (0.0001, 0.01, 0.1, 0.5, 0.9)}
    found = {f"int < {name}": where("LESS_THAN", "rank", value_int=most) for name, most in shares.items()}
    found |= {f"category = {share}": where("EQUAL", "category", value_text=name) for share, name in (("25 %", "c0"), ("2 %", "c19"))}
    found |= {f"title = word {n}": where("EQUAL", "title", value_text=f"w{n}") for n in (0, 10, 300, 9000)}
    found |= _contains()
    found |= {
        "title = three words": where("EQUAL", "title", value_text="w0 w3 w20"),
        "title != frequent": where("NOT_EQUAL", "title", value_text="w0"),
        "title like prefix": where("LIKE", "title", value_text="w123*"),
        "title like infix": where("LIKE", "title", value_text="*99*"),
        "title like rare infix": where("LIKE", "title", value_text="*1999?*"),
        "category like": where("LIKE", "category", value_text="c1*"),
        "int = one": where("EQUAL", "rank", value_int=77),
        "int != one": where("NOT_EQUAL", "rank", value_int=77),
        "number > 50 %": where("GREATER_THAN", "price", value_number=71.0),
        "boolean 10 %": where("EQUAL", "sold", value_boolean=True),
        "date > 50 %": where("GREATER_THAN", "made", value_text="2012-01-01T00:00:00Z"),
        "date = one": where("EQUAL", "made", value_text="2003-04-04T03:00:00Z"),
        "uuid = one": where("EQUAL", "code", value_text=str(UUID(int=8))),
        "id = one": where("EQUAL", "_id", value_text=str(id_of(rows // 2))),
        "note is null": where("IS_NULL", "note", value_boolean=True),
        "note is not null": where("IS_NULL", "note", value_boolean=False),
        "len(tags) = 0": where("EQUAL", "len(tags)", value_int=0),
        "len(title) > 50": where("GREATER_THAN", "len(title)", value_int=50),
        "created after": where("GREATER_THAN", "_creationTimeUnix", value_text="2020-01-01T00:00:00Z"),
        "geo 100 km": where("WITHIN_GEO_RANGE", "place", value_geo={"latitude": 40, "longitude": 10, "distance": 100_000}),
        "geo 3,000 km": where("WITHIN_GEO_RANGE", "place", value_geo={"latitude": 40, "longitude": 10, "distance": 3_000_000}),
        "reference's int = one": where("EQUAL", refers, value_int=77),
        "reference's int < 50 %": where("LESS_THAN", refers, value_int=500),
        "reference's name": where("EQUAL", {"single_target": {"on": "maker", "target": {"property": "name"}}}, value_text="w5"),
        "count of references > 0": where("GREATER_THAN", {"count": {"on": "maker"}}, value_int=0),
    }
    wide, word, kind = found["int < 50 %"], found["title = word 0"], found["category = 25 %"]
    found |= {
        "and: int, category": both(wide, kind),
        "and: int, word, boolean": both(wide, word, found["boolean 10 %"]),
        "and: rare, frequent": both(found["title = word 9000"], word),
        "or: int, category": both(wide, kind, by="OR"),
        "or of 10 categories": both(*[where("EQUAL", "category", value_text=f"c{n}") for n in range(10)], by="OR"),
        "not: category": both(kind, by="NOT"),
        "not: and": both(both(wide, kind), by="NOT"),
    }
    return found


def _contains() -> dict[str, Any]:
    """Any, all or none of several values."""
    made, ids = [str(UUID(int=n + 1)) for n in range(1000)], [str(id_of(97 * n)) for n in range(1000)]
    return {
        "uuid[] any of 10": where("CONTAINS_ANY", "codes", value_text_array={"values": made[:10]}),
        "int[] any of 10": where("CONTAINS_ANY", "sizes", value_int_array={"values": range(500, 510)}),
        "int[] all of 2": where("CONTAINS_ALL", "sizes", value_int_array={"values": [7, 507]}),
        "int[] none of 10": where("CONTAINS_NONE", "sizes", value_int_array={"values": range(10)}),
        "int any of 1,000": where("CONTAINS_ANY", "rank", value_int_array={"values": range(0, 3000, 3)}),
        "uuid any of 1,000": where("CONTAINS_ANY", "code", value_text_array={"values": made}),
        "title any of 10": where("CONTAINS_ANY", "title", value_text_array={"values": [f"w{n}" for n in range(100, 110)]}),
        "title any of 1,000": where("CONTAINS_ANY", "title", value_text_array={"values": [f"w{n}" for n in range(100, 1100)]}),
        "title all of 3": where("CONTAINS_ALL", "title", value_text_array={"values": ["w0", "w1", "w2"]}),
        "title none of 10": where("CONTAINS_NONE", "title", value_text_array={"values": [f"w{n}" for n in range(10)]}),
        "tags any of 10": where("CONTAINS_ANY", "tags", value_text_array={"values": [f"t{n}" for n in range(10, 20)]}),
        "tags all of 2": where("CONTAINS_ALL", "tags", value_text_array={"values": ["t0", "t1"]}),
        "id any of 10": where("CONTAINS_ANY", "_id", value_text_array={"values": ids[:10]}),
        "id any of 1,000": where("CONTAINS_ANY", "_id", value_text_array={"values": ids}),
    }
