"""Check property values against a collection's data types.

    JSON value --data type--> PropertyValue

The wire decides little: JSON has no int64 beside its doubles, gRPC's Struct has doubles only, pictures travel as base64. So the data type of the
property decides, in one place for all doors. A batch is checked column by column, the plain types at one stroke (`plain_columns`); objects with
something wrong in them, or with something that may have to be fetched, are then read one by one.

May import `domain` and `ports` only.
"""

import hashlib
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from uuid import UUID

from nearimage.domain.dates import date_text
from nearimage.domain.errors import InvalidInput, InvalidValue
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.value_columns import ValueColumn, columns_of
from nearimage.domain.values import INT64, BlobToHash, Element, GeoCoordinates, PhoneNumber, PropertyValue, Reference, Scalar
from nearimage.ports.media import Media
from nearimage.service.beacons import read_beacon
from nearimage.service.names import known_name
from nearimage.service.phones import read_phone_number
from nearimage.service.plain_columns import read_plain

_FEW = 4
"""Fewer objects are read one by one: columns of them take longer."""

_MAY_WAIT = frozenset({DataType.BLOB, DataType.BLOB_HASH, DataType.OBJECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueReader:
    """Reads the property values of requests."""

    media: Media

    def read(self, collection: Collection, properties: Mapping[str, object]) -> dict[str, PropertyValue]:
        """Check and convert the properties of one object; None and missing are the same and leave no entry, of whatever name.

        Raises:
            InvalidValue: an unknown property, or a value that does not fit its data type.
        """
        (outcome,) = self.read_many(collection, [properties])
        if isinstance(outcome, InvalidInput):
            raise outcome
        return outcome

    def read_many(
        self, collection: Collection, objects: Sequence[Mapping[str, object]], *, whole_floats: bool = True
    ) -> list[dict[str, PropertyValue] | InvalidInput]:
        """Check and convert the properties of many objects; pictures that URLs name are fetched side by side, each once.

        Args:
            whole_floats: whether a float without a fraction may stand for an int.

        Returns:
            For each object, in order: its values, or what is wrong with them.

        Raises:
            Busy: too many requests wait for URLs.
        """
        if len(objects) < _FEW:
            return self._one_by_one(collection, objects, whole_floats=whole_floats)
        rows, odd = self._by_column(collection, objects, whole_floats=whole_floats)
        outcomes: list[dict[str, PropertyValue] | InvalidInput] = [*rows]
        for place, outcome in zip(odd, self._one_by_one(collection, [objects[place] for place in odd], whole_floats=whole_floats), strict=True):
            outcomes[place] = outcome
        return outcomes

    def _by_column(
        self, collection: Collection, objects: Sequence[Mapping[str, object]], *, whole_floats: bool
    ) -> tuple[list[dict[str, PropertyValue]], list[int]]:
        """The values of each object, and which objects must be read one by one instead, ascending."""
        known = {p.name: p for p in collection.properties}
        names: dict[str, str] = {}
        converted: dict[str, Iterable[PropertyValue]] = {}
        odd: set[int] = set()
        is_alike = True
        for given, sent in columns_of(objects).items():
            name = names[given] = known_name(given, known)
            places, values = _without_nulls(sent) if None in sent.values else sent
            column = self._column(known[name], values, whole_floats=whole_floats) if values and name in known else None
            if column is None:
                odd.update(places)
            converted[given] = repeat((), len(places)) if column is None else column
            is_alike = is_alike and type(places) is range
        if is_alike:
            rows = [dict(zip(names.values(), row, strict=True)) for row in zip(*converted.values(), strict=True)] if names else [{} for _ in objects]
        else:
            following = {given: iter(column) for given, column in converted.items()}
            rows = [{names[given]: next(following[given]) for given, value in properties.items() if value is not None} for properties in objects]
        return rows, sorted(odd)

    def _column(self, prop: Property, values: Sequence[object], *, whole_floats: bool) -> Sequence[PropertyValue] | None:
        """The values of a property, at least one; None where one of them is wrong, or may have to be fetched."""
        column = read_plain(prop.data_type, values, whole_floats=whole_floats)
        if column is not None or prop.data_type.element in _MAY_WAIT:
            return column
        conversion = _Conversion(self.media, {}, whole_floats=whole_floats)
        try:
            return [conversion.value(prop, value) for value in values]
        except InvalidInput:
            return None

    def _one_by_one(
        self, collection: Collection, objects: Sequence[Mapping[str, object]], *, whole_floats: bool
    ) -> list[dict[str, PropertyValue] | InvalidInput]:
        named = [_named(collection, properties) for properties in objects]
        may_wait = any(prop.data_type.element in _MAY_WAIT for prop in collection.properties)
        waited_for = dict.fromkeys(self._all_to_wait_for(named)) if may_wait else {}
        contents = dict(zip(waited_for, self.media.read_many(list(waited_for)), strict=True)) if waited_for else {}
        conversion = _Conversion(self.media, contents, whole_floats=whole_floats)
        return [pairs if isinstance(pairs, InvalidInput) else conversion.values(pairs) for pairs in named]

    def _all_to_wait_for(self, named: Sequence[Sequence[tuple[Property, object]] | InvalidInput]) -> Iterator[str]:
        for pairs in named:
            for prop, value in () if isinstance(pairs, InvalidInput) else pairs:
                yield from self._to_wait_for(prop, value)

    def _to_wait_for(self, prop: Property, value: object) -> Iterator[str]:
        """The references in a value whose bytes are somewhere else."""
        kind = prop.data_type.element
        if kind not in _MAY_WAIT:
            return
        for entry in value if isinstance(value, list | tuple) else (value,):
            if isinstance(entry, str) and kind is not DataType.OBJECT and self.media.waits(entry):
                yield entry
            elif isinstance(entry, Mapping) and kind is DataType.OBJECT:
                for inner in prop.nested:
                    yield from self._to_wait_for(inner, entry.get(inner.name))


def _without_nulls(column: ValueColumn[object]) -> ValueColumn[object]:
    kept = [(place, value) for place, value in zip(column.places, column.values, strict=True) if value is not None]
    return ValueColumn([place for place, _ in kept], [value for _, value in kept])


def _named(collection: Collection, properties: Mapping[str, object]) -> list[tuple[Property, object]] | InvalidInput:
    """The properties that have a value, or what is wrong with a name."""
    known = {p.name: p for p in collection.properties}
    pairs: list[tuple[Property, object]] = []
    for given, value in properties.items():
        if value is None:
            continue
        name = known_name(given, known)
        if name not in known:
            return InvalidValue(
                f"collection {collection.name!r} has no property {name!r}; it has {sorted(known)}. Add the property to the collection first",
                property=name,
                data_type=None,
            )
        pairs.append((known[name], value))
    return pairs


@dataclass(frozen=True, slots=True)
class _Conversion:
    """Makes values, with what was fetched for them at hand."""

    media: Media
    contents: Mapping[str, bytes | InvalidInput]
    whole_floats: bool

    def values(self, pairs: Sequence[tuple[Property, object]]) -> dict[str, PropertyValue] | InvalidInput:
        try:
            return {prop.name: self.value(prop, value) for prop, value in pairs}
        except InvalidInput as wrong:
            return wrong

    def value(self, prop: Property, value: object) -> PropertyValue:
        if convert := _PLAIN.get(prop.data_type):
            return convert(prop, self._apart(prop, value))
        if prop.data_type.is_list:
            if not isinstance(value, list | tuple):
                raise _misfit(prop, value, "a list")
            return tuple(self._element(prop, entry) for entry in value)
        return self._element(prop, value)

    def _element(self, prop: Property, value: object) -> Element:
        kind = prop.data_type.element
        if kind is DataType.BLOB:
            return self._blob(prop, value)
        if kind is DataType.BLOB_HASH:
            return self._to_hash(self._blob(prop, value), str(value))
        return self._nested(prop, value) if kind is DataType.OBJECT else _CONVERT[kind](prop, self._apart(prop, value))

    def _apart(self, prop: Property, value: object) -> object:
        """The value, where it is no float that would have to be an int."""
        if type(value) is float and not self.whole_floats and prop.data_type.element is DataType.INT:
            raise _misfit(prop, value, "a whole number without a point or an exponent")
        return value

    def _to_hash(self, content: bytes, sent: str) -> BlobToHash:
        """The same picture has the same hash, sent as base64 or fetched."""
        text = b64encode(content) if self.media.waits(sent) else sent.encode()
        return BlobToHash(content, hashlib.sha256(text).hexdigest())

    def _nested(self, prop: Property, value: object) -> dict[str, PropertyValue]:
        """The fields of a nested object, whose names begin with its own in what is said about them."""
        if not isinstance(value, Mapping):
            raise _misfit(prop, value, "an object")
        known = {p.name: p for p in prop.nested}
        unknown = [name for name in value if name not in known]
        if unknown:
            raise InvalidValue(
                f"property {prop.name!r} has no nested property {unknown[0]!r}; it has {sorted(known)}", property=prop.name, data_type=str(prop.data_type)
            )
        given = ((known[name], entry) for name, entry in value.items() if entry is not None)
        read = {inner.name: self.value(replace(inner, name=f"{prop.name}.{inner.name}"), entry) for inner, entry in given}
        return {name: inner.digest if isinstance(inner, BlobToHash) else inner for name, inner in read.items()}

    def _blob(self, prop: Property, value: object) -> bytes:
        if not isinstance(value, str):
            raise _misfit(prop, value, "base64 text")
        try:
            content = self.contents[value] if self.media.waits(value) else self.media.read(value)
        except InvalidInput as error:
            content = error
        if isinstance(content, InvalidInput):  # a new one: several objects may name the same URL
            raise type(content)(f"property {prop.name!r}: {content.message}", **{**content.detail, "property": prop.name}) from content
        return content


def as_text(prop: Property, value: object) -> str:
    """Text stays text."""
    if not isinstance(value, str):
        raise _misfit(prop, value, "text")
    return value


def as_int(prop: Property, value: object) -> int:
    """An int, or a float without a fraction (gRPC knows no other), within 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not value.is_integer()):
        raise _misfit(prop, value, "a whole number")
    if int(value) not in INT64:
        raise _misfit(prop, value, "a whole number of at most 64 bits")
    return int(value)


def as_number(prop: Property, value: object) -> float:
    """A finite float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(prop, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _misfit(prop, value, "a finite number")
    return number


def as_boolean(prop: Property, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _misfit(prop, value, "true or false")
    return value


def as_date(prop: Property, value: object) -> str:
    """RFC 3339 text, as it is told back."""
    if not isinstance(value, str):
        raise _misfit(prop, value, "a date as RFC 3339 text")
    try:
        return date_text(value)
    except ValueError as wrong:
        raise _misfit(prop, value, "a date as RFC 3339 text with a zone, such as 2026-01-31T12:00:00Z") from wrong


def as_uuid(prop: Property, value: object) -> str:
    """A UUID in canonical form."""
    if not isinstance(value, str):
        raise _misfit(prop, value, "a UUID as text")
    try:
        return str(UUID(value))
    except ValueError as wrong:
        raise _misfit(prop, value, "a UUID such as 36ddd591-2dee-4e7e-a3cc-eb86d30a4303") from wrong


def as_place(prop: Property, value: object) -> GeoCoordinates:
    """Latitude and longitude, in degrees on the globe."""
    latitude, longitude = (value.get("latitude"), value.get("longitude")) if isinstance(value, Mapping) else (None, None)
    for degrees, limit in ((latitude, 90), (longitude, 180)):
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or not -limit <= degrees <= limit:
            raise _misfit(prop, value, "an object with latitude (-90 to 90) and longitude (-180 to 180)")
    return GeoCoordinates(as_number(prop, latitude), as_number(prop, longitude))


def as_phone_number(prop: Property, value: object) -> PhoneNumber:
    """A telephone number that can be understood; what clients read back and send again is worked out anew."""
    typed, country = (value.get("input"), value.get("defaultCountry") or "") if isinstance(value, Mapping) else (None, "")
    if not isinstance(typed, str) or not isinstance(country, str):
        raise _misfit(prop, value, "an object with input and, unless that begins with + and a country code, defaultCountry")
    try:
        return read_phone_number(typed, country)
    except ValueError as wrong:
        raise _misfit(prop, value, f"a telephone number with a country code or a defaultCountry such as DE ({wrong})") from wrong


def as_reference(prop: Property, value: object) -> Reference:
    """An object with a beacon that leads to one of the property's collections, and at most the path that is told beside it."""
    if isinstance(value, Mapping) and not value.keys() <= {"beacon", "href"}:
        raise _misfit(prop, value, "an object with a beacon")
    try:
        return read_beacon(value.get("beacon") if isinstance(value, Mapping) else None, prop.targets)
    except ValueError as wrong:
        raise _misfit(prop, value, f"an object with {wrong}") from wrong


_SCALARS: Mapping[DataType, Callable[[Property, object], Scalar]] = {
    DataType.TEXT: as_text,
    DataType.INT: as_int,
    DataType.NUMBER: as_number,
    DataType.BOOLEAN: as_boolean,
    DataType.DATE: as_date,
    DataType.UUID: as_uuid,
    DataType.BLOB_HASH: as_text,
}
"""What filters compare; of a blobHash that is the hash."""
_PLAIN: Mapping[DataType, Callable[[Property, object], Scalar]] = {kind: convert for kind, convert in _SCALARS.items() if kind is not DataType.BLOB_HASH}
"""What nothing but its own text or number is needed for."""

_CONVERT: Mapping[DataType, Callable[[Property, object], Element]] = {
    **_SCALARS,
    DataType.GEO_COORDINATES: as_place,
    DataType.PHONE_NUMBER: as_phone_number,
    DataType.REFERENCE: as_reference,
}


def convert_scalar(prop: Property, value: object) -> Scalar:
    """One value of a property's element type.

    Raises:
        InvalidValue: it does not fit.
    """
    return _SCALARS[prop.data_type.element](prop, value)


def _misfit(prop: Property, value: object, expected: str) -> InvalidValue:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return InvalidValue(
        f"property {prop.name!r} has data type {prop.data_type}: expected {expected}, got {type(value).__name__} {shown}",
        property=prop.name,
        data_type=str(prop.data_type),
    )
