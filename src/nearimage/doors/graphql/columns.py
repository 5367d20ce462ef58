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

from pybase64 import b64encode_as_string

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Hit, Projection, Record
from nearimage.domain.schema import LEGACY_VECTOR, Collection, DataType, Property
from nearimage.domain.values import GeoCoordinates, PhoneNumber, PropertyValue, Reference
from nearimage.doors.graphql.additional import ADDITIONAL, GROUP, HIT_DISTANCE, Origin, additional
from nearimage.doors.graphql.batches import Batch, Column, Columns, Values, constant, inside, rows
from nearimage.doors.graphql.selections import TYPENAME, Field, Selections
from nearimage.doors.grpc.rows import WireProperties
from nearimage.doors.grpc.search_reply import group_name
from nearimage.doors.whole_numbers import with_whole_numbers
from nearimage.service.beacons import beacon_of
from nearimage.service.services import Services

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

    def shown(self, collection: Collection, fields: Sequence[Field], origin: Origin = Origin.LISTED) -> Shown:
        """What fields of an object show; of a group's best, nothing but the group."""
        if origin is Origin.GROUPED:
            return self._grouped(collection, fields)
        plain = tuple(field.name for field in takewhile(partial(self._is_plain, collection), fields))
        columns: dict[str, Column] = {}
        properties, vectors = dict.fromkeys(plain), dict[str, None]()
        for field in fields[len(plain) :]:
            if field.name == TYPENAME:
                columns[field.key] = constant(collection.name)
            elif field.name == "_additional":
                columns[field.key] = self._additional(collection, field, vectors, origin)
            else:
                properties[field.name] = None
                columns[field.key] = self._property(collection, field)
        return Shown(plain, columns, Projection(properties=tuple(properties), vectors=tuple(vectors)), self.selections.spend)

    def _grouped(self, collection: Collection, fields: Sequence[Field]) -> Shown:
        columns: dict[str, Column] = {}
        properties, vectors = dict[str, None](), dict[str, None]()
        for field in fields:
            columns[field.key] = constant(collection.name if field.name == TYPENAME else None)
            if field.name == "_additional":
                asked = self.selections.below(field, f"{collection.name}Additional")
                hit_vectors = any(one.name == "vector" for one in asked)
                shown = {one.key: self._group(collection, one, properties, vectors if hit_vectors else None) for one in asked if one.name == "group"}
                found = {one.key: shown.get(one.key) or constant(f"{collection.name}Additional") for one in asked}
                columns[field.key] = additional(found, {one.key: one.name for one in asked}, Origin.GROUPED)
        return Shown((), columns, Projection(properties=tuple(properties), vectors=tuple(vectors)), self.selections.spend)

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
        """What a property leads to, fragment by fragment; of a collection that no fragment names, nothing is shown."""
        self.follows = True
        shown: dict[str, Shown] = {}
        named = self.selections.conditions(field)
        for target in filter(self.selections.collections.__contains__, prop.targets):  # one may be gone
            fields = self.selections.below(field, target, f"{prop.name}Obj")
            if fields and target in named:
                shown[target] = self.shown(self.selections.collections[target], fields, Origin.LINKED)
        beacons = self.selections.below(field, "Beacon") if "Beacon" in named else ()
        return lambda batch: self._linked(prop.name, shown, beacons, [hit.record for hit in batch.hits], named)

    def _linked(self, name: str, shown: Mapping[str, Shown], beacons: Sequence[Field], records: Sequence[Record], named: Sequence[str]) -> Values:
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
        return [_in_order(record.properties.get(name), some, rendered, named, shown) for record, some in zip(records, links, strict=True)]

    def _additional(self, collection: Collection, field: Field, vectors: dict[str, None], origin: Origin) -> Column:
        columns: dict[str, Column] = {}
        asked = self.selections.below(field, f"{collection.name}Additional")
        for one in asked:
            if one.name == "vector":
                vectors.update(dict.fromkeys([LEGACY_VECTOR] if collection.legacy_vector else []))
                columns[one.key] = _vector(LEGACY_VECTOR, missing=[]) if collection.legacy_vector else constant([])
            elif one.name == "vectors":
                names = {part.key: part.name for part in self.selections.below(one, f"{collection.name}AdditionalVectors")}
                vectors.update(dict.fromkeys(name for name in names.values() if name != TYPENAME))
                shown = {key: constant(f"{collection.name}AdditionalVectors") if name == TYPENAME else _vector(name) for key, name in names.items()}
                columns[one.key] = inside(shown)
            elif one.name == "distance" and origin is Origin.HIT:
                columns[one.key] = HIT_DISTANCE
            else:
                columns[one.key] = constant(f"{collection.name}Additional") if one.name == TYPENAME else ADDITIONAL.get(one.name, constant(None))
        return additional(columns, {one.key: one.name for one in asked}, origin)

    def _group(self, collection: Collection, field: Field, properties: dict[str, None], vectors: dict[str, None] | None) -> Column:
        """A group with its hits.

        Args:
            vectors: what to read of them; None where the hits show none.
        """
        prefix = f"{collection.name}AdditionalGroup"
        columns: dict[str, Column] = {}
        for one in self.selections.below(field, prefix):
            if one.name == "hits":
                shown = self.shown(collection, self.selections.below(one, f"{prefix}Hits"), Origin.HIT)
                properties.update(dict.fromkeys(shown.projection.properties or ()))
                if vectors is not None:
                    vectors.update(dict.fromkeys(shown.projection.vectors or ()))
                columns[one.key] = _hits(shown)
            elif one.name == "groupedBy":
                columns[one.key] = _grouped_by(self.selections.below(one, f"{prefix}GroupedBy"), f"{prefix}GroupedBy")
            else:
                columns[one.key] = constant(prefix) if one.name == TYPENAME else GROUP[one.name]
        return lambda batch: list(rows(columns, batch)) if batch.groups else [None] * len(batch.hits)


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


def _in_order(
    value: PropertyValue | None, links: Sequence[Reference], rendered: Mapping[Reference, Any], named: Sequence[str], shown: Mapping[str, Shown]
) -> Values | None:
    """The objects that fragments show, those of the first fragment first; null where there are only others, empty where there is no reference."""
    if value is None or not links:
        return None if value is None else []
    found = [rendered[link] for target in named for link in links if link in rendered and (link.collection if link.collection in shown else "Beacon") == target]
    return found or None


def _links(value: PropertyValue | None) -> list[Reference]:
    return [one for one in value if isinstance(one, Reference)] if isinstance(value, tuple) else []


_SHOWN_OTHERWISE = frozenset((DataType.NUMBER, DataType.BLOB, DataType.GEO_COORDINATES, DataType.PHONE_NUMBER, DataType.OBJECT, DataType.REFERENCE))
