"""Render objects as the fields that a query selects, column by column.

    hits --one list of values a field--> columns --zip--> [{"breed": "Corgi", "_additional": {"id": "..."}}, ...]

A column works on all hits at once: what references lead to is read with one call for each field and collection, whatever number of objects there are, and
plain values cost little more than copying them. May import numpy, graphql, pybase64, `domain`, `doors` and `service` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
from pybase64 import b64encode_as_string

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, Projection, Record
from nearimage.domain.query import HitGroup
from nearimage.domain.schema import LEGACY_VECTOR, Collection, DataType, Property
from nearimage.domain.values import GeoCoordinates, PhoneNumber, PropertyValue, Reference
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.doors.grpc.rows import WireProperties
from nearimage.doors.grpc.search_reply import group_name
from nearimage.doors.whole_numbers import with_whole_numbers
from nearimage.service.beacons import beacon_of
from nearimage.service.services import Services

Values = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is rendered together.

    Attributes:
        groups: where the query groups: one for each of the hits, which is its best.
        path: the property that they are grouped by.
    """

    hits: Sequence[Hit]
    groups: Sequence[HitGroup] = ()
    path: str = ""


Column = Callable[[Batch], Values]
Columns = Mapping[str, Column]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show of the objects of one collection.

    Attributes:
        plain: properties that come before anything else, as they are stored and under their own names.
        columns: the rest.
        projection: what has to be read for it.
        spend: counts values.
    """

    plain: tuple[str, ...]
    columns: Columns
    projection: Projection
    spend: Callable[[int], None]

    def render(self, batch: Batch) -> list[dict[str, Any]]:
        """One dict a hit, in order.

        Raises:
            DocumentTooLarge: the whole answer would have too many values.
        """
        self.spend(len(batch.hits) * (len(self.plain) + len(self.columns)))
        if not self.plain:
            return rows(self.columns, batch)
        found = [_plain(hit.record.properties, self.plain) for hit in batch.hits]
        return [{**row, **more} for row, more in zip(found, rows(self.columns, batch), strict=True)] if self.columns else found


def _plain(properties: Mapping[str, PropertyValue], names: tuple[str, ...]) -> dict[str, Any]:
    """The values of these names, null where there is none."""
    values = properties.decoded() if type(properties) is WireProperties else properties
    if type(values) is dict and tuple(values) == names:
        return values
    return {name: values.get(name) for name in names}


def rows(columns: Columns, batch: Batch) -> list[dict[str, Any]]:
    """The columns side by side."""
    if not columns:
        return [{} for _ in batch.hits]
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*(column(batch) for column in columns.values()), strict=True)]


def written(values: Any, known: dict[int, int]) -> int:
    """How many values there are when they are written out: an object that several references lead to is made once, and written each time.

    Args:
        known: what is known already, by identity.
    """
    if not isinstance(values, list | dict):
        return 1
    if id(values) not in known:
        inside = values.values() if isinstance(values, dict) else values
        known[id(values)] = 1 + sum(written(value, known) for value in inside)
    return known[id(values)]


@dataclass(slots=True)
class Reader:
    """Turns selections into columns.

    Attributes:
        tenant: of the request, for the collections that references lead to.
        follows: whether a reference is among them.
    """

    services: Services
    selections: Selections
    tenant: str
    follows: bool = False

    def shown(self, collection: Collection, fields: Sequence[Field]) -> Shown:
        """What fields of an object show."""
        plain = tuple(field.name for field in takewhile(partial(self._is_plain, collection), fields))
        columns: dict[str, Column] = {}
        properties, vectors = dict.fromkeys(plain), dict[str, None]()
        for field in fields[len(plain) :]:
            if field.name == TYPENAME:
                columns[field.key] = _constant(collection.name)
            elif field.name == "_additional":
                columns[field.key] = self._additional(collection, field, properties, vectors)
            else:
                properties[field.name] = None
                columns[field.key] = self._property(collection, field)
        return Shown(plain, columns, Projection(properties=tuple(properties), vectors=tuple(vectors)), self.selections.spend)

    def _is_plain(self, collection: Collection, field: Field) -> bool:
        prop = collection.property(field.name)
        return prop is not None and prop.data_type.element not in _SHOWN_OTHERWISE and field.key == prop.name

    def _property(self, collection: Collection, field: Field) -> Column:
        prop = collection.property(field.name)
        if prop is None:
            raise InvalidInput(f"collection {collection.name!r} has no property {field.name!r}", property=field.name)
        if prop.data_type is DataType.REFERENCE:
            return self._references(prop, field)
        convert = self._convert(prop, field, collection.name, prop.name)
        name = prop.name
        if convert is None:
            return lambda batch: [hit.record.properties.get(name) for hit in batch.hits]
        return lambda batch: [None if (value := hit.record.properties.get(name)) is None else convert(value) for hit in batch.hits]

    def _convert(self, prop: Property, field: Field, owner: str, path: str) -> Convert | None:
        """How a stored value is shown; None for as it is."""
        kind = prop.data_type.element
        if kind is DataType.BLOB:
            return b64encode_as_string
        if kind is DataType.GEO_COORDINATES:
            return _picked(self.selections.below(field, name := f"{owner}{prop.name}GeoCoordinatesObj"), name, _place)
        if kind is DataType.PHONE_NUMBER:
            return _picked(self.selections.below(field, name := f"{owner}{prop.name}PhoneNumberObj"), name, _phone)
        if kind is DataType.NUMBER:
            return with_whole_numbers
        if kind is not DataType.OBJECT:
            return None
        return self._nested(prop, field, owner, path)

    def _nested(self, prop: Property, field: Field, owner: str, path: str) -> Convert:
        known, typename = {nested.name: nested for nested in prop.nested}, f"{owner}_{path}_object"
        parts: list[tuple[str, str, Convert | None]] = []
        for one in self.selections.below(field, typename):
            convert = self._convert(known[one.name], one, owner, f"{path}_{one.name}") if one.name in known else None
            parts.append((one.key, one.name, convert))

        def shown(value: Any) -> Any:
            if isinstance(value, tuple):
                return [shown(entry) for entry in value]
            return {key: typename if name == TYPENAME else _converted(value.get(name), convert) for key, name, convert in parts}

        return shown

    def _references(self, prop: Property, field: Field) -> Column:
        """What a property leads to; of a collection that no fragment names, nothing is shown."""
        self.follows = True
        shown: dict[str, Shown] = {}
        for target in filter(self.selections.collections.__contains__, prop.targets):  # one may be gone
            fields = self.selections.below(field, target, f"{prop.name}Obj")
            if fields:
                shown[target] = self.shown(self.selections.collections[target], fields)
        beacons = self.selections.below(field, "Beacon")
        return lambda batch: self._linked(prop.name, shown, beacons, [hit.record for hit in batch.hits])

    def _linked(self, name: str, shown: Mapping[str, Shown], beacons: Sequence[Field], records: Sequence[Record]) -> Values:
        links = [_links(record.properties.get(name)) for record in records]
        rendered: dict[Reference, Any] = {}
        for target, what in shown.items():
            wanted = list(dict.fromkeys(link for some in links for link in some if link.collection == target))
            self.selections.spend(len(wanted))  # before they are read
            tenant = self.tenant if self.selections.collections[target].tenancy.enabled else ""
            stored = self.services.objects.get_many(target, [link.id for link in wanted], what.projection, tenant) if wanted else {}
            there = [link for link in wanted if link.id in stored]
            rendered.update(zip(there, what.render(Batch(hits=[Hit(record=stored[link.id]) for link in there])), strict=True))
        if beacons:
            keys = {one.key: one.name for one in beacons}
            for link in {link for some in links for link in some if link.collection not in shown}:
                rendered[link] = {key: "Beacon" if what == TYPENAME else beacon_of(link) for key, what in keys.items()}
        return [[rendered[link] for link in some if link in rendered] if some else None for some in links]

    def _additional(self, collection: Collection, field: Field, properties: dict[str, None], vectors: dict[str, None]) -> Column:
        columns: dict[str, Column] = {}
        for one in self.selections.below(field, f"{collection.name}Additional"):
            if one.name == "group":
                columns[one.key] = self._group(collection, one, properties, vectors)
            elif one.name == "vector":
                vectors.update(dict.fromkeys([LEGACY_VECTOR] if collection.legacy_vector else []))
                columns[one.key] = _vector(LEGACY_VECTOR, missing=[]) if collection.legacy_vector else _constant([])
            elif one.name == "vectors":
                names = {part.key: part.name for part in self.selections.below(one, f"{collection.name}AdditionalVectors")}
                vectors.update(dict.fromkeys(name for name in names.values() if name != TYPENAME))
                shown = {key: _constant(f"{collection.name}AdditionalVectors") if name == TYPENAME else _vector(name) for key, name in names.items()}
                columns[one.key] = _inside(shown)
            else:
                columns[one.key] = _constant(f"{collection.name}Additional") if one.name == TYPENAME else _ADDITIONAL[one.name]
        return _inside(columns)

    def _group(self, collection: Collection, field: Field, properties: dict[str, None], vectors: dict[str, None]) -> Column:
        prefix = f"{collection.name}AdditionalGroup"
        columns: dict[str, Column] = {}
        for one in self.selections.below(field, prefix):
            if one.name == "hits":
                shown = self.shown(collection, self.selections.below(one, f"{prefix}Hits"))
                properties.update(dict.fromkeys(shown.projection.properties or ()))
                vectors.update(dict.fromkeys(shown.projection.vectors or ()))
                columns[one.key] = _hits(shown)
            elif one.name == "groupedBy":
                columns[one.key] = _grouped_by(self.selections.below(one, f"{prefix}GroupedBy"), f"{prefix}GroupedBy")
            else:
                columns[one.key] = _constant(prefix) if one.name == TYPENAME else _GROUP[one.name]
        return lambda batch: list(rows(columns, batch)) if batch.groups else [None] * len(batch.hits)


def _constant(value: Any) -> Column:
    return lambda batch: [value] * len(batch.hits)


def _inside(columns: Columns) -> Column:
    return lambda batch: list(rows(columns, batch))


def _vector(name: str, missing: Any = None) -> Column:
    return lambda batch: [hit.record.vectors.get(name, missing) for hit in batch.hits]


def _hits(shown: Shown) -> Column:
    def column(batch: Batch) -> Values:
        rendered = iter(shown.render(Batch(hits=[hit for group in batch.groups for hit in group.hits])))
        return [[next(rendered) for _ in group.hits] for group in batch.groups]

    return column


def _grouped_by(fields: Sequence[Field], typename: str) -> Column:
    def column(batch: Batch) -> Values:
        values = [{"path": [batch.path], "value": group_name(group.value), TYPENAME: typename} for group in batch.groups]
        return [{field.key: value[field.name] for field in fields} for value in values]

    return column


def _picked(fields: Sequence[Field], typename: str, read: Callable[[Any], Mapping[str, Any]]) -> Convert:
    wanted = [(field.key, field.name) for field in fields]

    def picked(value: Any) -> Any:
        said = {**read(value), TYPENAME: typename}
        return {key: said[name] for key, name in wanted}

    return picked


def _converted(value: Any, convert: Convert | None) -> Any:
    return value if value is None or convert is None else convert(value)


def _place(value: GeoCoordinates) -> dict[str, Any]:
    return {"latitude": value.latitude, "longitude": value.longitude}


def _phone(value: PhoneNumber) -> dict[str, Any]:
    return {
        "input": value.input,
        "internationalFormatted": value.international,
        "nationalFormatted": value.national,
        "national": value.national_number,
        "valid": value.valid,
        "countryCode": value.country_code,
        "defaultCountry": value.default_country,
    }


def _links(value: PropertyValue | None) -> list[Reference]:
    return [one for one in value if isinstance(one, Reference)] if isinstance(value, tuple) else []


def _single(value: float | None) -> Any:
    """As short as a single float is: 0.07191074, not 0.07191073894500732; without a fraction, a whole number."""
    return None if value is None else int(value) if value.is_integer() else np.float32(value)


_SHOWN_OTHERWISE = frozenset((DataType.NUMBER, DataType.BLOB, DataType.GEO_COORDINATES, DataType.PHONE_NUMBER, DataType.OBJECT, DataType.REFERENCE))
_ADDITIONAL: Mapping[str, Column] = {
    "id": lambda batch: [str(hit.record.id) for hit in batch.hits],
    "distance": lambda batch: [_single(hit.distance) for hit in batch.hits],
    "certainty": lambda batch: [hit.certainty for hit in batch.hits],
    "score": lambda batch: [str(np.float32(hit.score or 0)).removesuffix(".0") for hit in batch.hits],
    "explainScore": lambda batch: [hit.explanation for hit in batch.hits],
    "creationTimeUnix": lambda batch: [str(hit.record.created_ms) for hit in batch.hits],
    "lastUpdateTimeUnix": lambda batch: [str(hit.record.updated_ms) for hit in batch.hits],
    "isConsistent": _constant(True),
    "classification": _constant(None),
}
_GROUP: Mapping[str, Column] = {
    "id": lambda batch: list(range(len(batch.groups))),
    "count": lambda batch: [len(group.hits) for group in batch.groups],
    "minDistance": lambda batch: [_single(group.hits[0].distance) for group in batch.groups],
    "maxDistance": lambda batch: [_single(group.hits[-1].distance) for group in batch.groups],
}
