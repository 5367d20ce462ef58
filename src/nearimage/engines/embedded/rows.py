"""An object as bytes in SQLite: the properties through a codec, the rest sealed with a checksum.

The codec is handed to the engine, which neither knows nor looks into what it makes: a server whose replies have a form of their own may store
properties in that form and send them untouched. `JsonRows` is for everybody else, and for people with the `sqlite3` shell.

SQLite does not checksum its pages. So each row carries a CRC-32 over everything it says (`checksum`), each vector one over its bytes (in the row, not
in the slot file, so that damage to either shows), each picture its own.

    vector seals    for each vector that the object has: uint16 number of the named vector, uint32 CRC-32 of its float32s; little-endian, by number

May import numpy, orjson and `domain`.
"""

import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Final, NamedTuple, Protocol, cast
from uuid import UUID

import numpy as np
import numpy.typing as npt
import orjson

from nearimage.domain.errors import InvalidValue
from nearimage.domain.schema import Collection
from nearimage.domain.values import Element, GeoCoordinates, PhoneNumber, PropertyValue, Reference

_SEAL = struct.Struct("<HI")
_SEALS = np.dtype([("number", "<u2"), ("crc", "<u4")])
_JOINED = frozenset((list, dict))
"""What JSON has for values of several parts; asking for the type is four times as quick as `isinstance` with a union."""

_FIXED = struct.Struct("<qqqq")
_KEY = struct.Struct("<q")


class RowEncoder(Protocol):
    """Makes bytes of the properties of objects, blobs apart."""

    def encode(self, properties: Mapping[str, PropertyValue]) -> bytes:
        """Those of one object.

        Raises:
            InvalidValue: the codec could not give one of them back.
        """
        ...

    def encode_all(self, objects: Sequence[Mapping[str, PropertyValue]]) -> list[bytes]:
        """Those of many objects, in order.

        Raises:
            InvalidValue: as for `encode`, of one of the objects.
        """
        ...


class RowCodec(Protocol):
    """Properties, blobs apart, to bytes and back; one codec reads what it wrote in every later version."""

    def encoder(self, collection: Collection) -> RowEncoder:
        """What makes bytes of this collection's objects, as it is defined now."""
        ...

    def decode(self, data: bytes) -> dict[str, PropertyValue]:
        """What was encoded: equal values of the same types."""
        ...

    def view(self, data: bytes, names: tuple[str, ...] | None) -> Mapping[str, PropertyValue]:
        """Those of these names (None: all), perhaps decoded only when somebody looks."""
        ...


class JsonRows:
    """Properties as one JSON object: 1 stays an int, 1.0 a float, and arrays come back as tuples.

    What JSON has no form for is an object with one key that begins with $, which no property's name does:
    {"$geo": [latitude, longitude]}, {"$phone": [...]}, {"$ref": [collection, id]}, {"$blob": base64} (a blob in a nested object).
    """

    def encoder(self, collection: Collection) -> RowEncoder:  # noqa: ARG002 the protocol's argument
        """JSON needs no definition."""
        return self

    def encode(self, properties: Mapping[str, PropertyValue]) -> bytes:
        """The properties of one object as bytes."""
        try:
            data = orjson.dumps(properties, default=_tagged, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        except TypeError as wrong:
            raise InvalidValue(f"properties cannot be stored: {wrong}") from wrong
        if b"null" in data:  # orjson writes null for NaN and infinity, and a missing value is an absent key: only those (or a text) can be meant
            data = json.dumps(properties, default=_tagged).encode()
        return data

    def encode_all(self, objects: Sequence[Mapping[str, PropertyValue]]) -> list[bytes]:
        """The properties of many objects as bytes."""
        return list(map(self.encode, objects))

    def decode(self, data: bytes) -> dict[str, PropertyValue]:
        """What `encode` was given."""
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError:
            found = json.loads(data)  # NaN and infinity, which JSON proper does not have
        for name, value in found.items():
            if type(value) in _JOINED:
                found[name] = _untagged(value)
        return cast("dict[str, PropertyValue]", found)

    def view(self, data: bytes, names: tuple[str, ...] | None) -> Mapping[str, PropertyValue]:
        """Those of these names, decoded."""
        found = self.decode(data)
        if names is None or (len(found) == len(names) and all(name in found for name in names)):
            return found
        return {name: found[name] for name in names if name in found}


def _tagged(value: object) -> Mapping[str, object]:
    match value:
        case GeoCoordinates():
            return {"$geo": [value.latitude, value.longitude]}
        case PhoneNumber():
            return {"$phone": astuple(value)}
        case Reference():
            return {"$ref": [value.collection, str(value.id)]}
        case bytes():
            return {"$blob": b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} has no form in a row")


def _untagged(value: object) -> PropertyValue:
    match value:
        case list():
            plain = _JOINED.isdisjoint(map(type, value))
            return tuple(value) if plain else tuple(cast("Element", _untagged(one) if type(one) in _JOINED else one) for one in value)
        case {"$geo": [float() | int() as latitude, float() | int() as longitude]}:
            return GeoCoordinates(latitude, longitude)
        case {"$phone": [str() as given, str() as default, str() as whole, str() as national, int() as number, int() as code, bool() as valid]}:
            return PhoneNumber(
                input=given, default_country=default, international=whole, national=national, national_number=number, country_code=code, valid=valid
            )
        case {"$ref": [str() as collection, str() as found]}:
            return Reference(collection, UUID(found))
        case {"$blob": str() as text}:
            return b64decode(text)
        case dict():
            return {name: _untagged(one) if isinstance(one, list | dict) else one for name, one in value.items()}
    raise TypeError(f"{type(value).__name__} is nothing that a row holds")


Row = tuple[int, bytes, int, int, int | None, bytes, bytes, int, int | None]
"""A row of the table `objects` as SQLite gives and takes it; `StoredRow` names its columns."""


class StoredRow(NamedTuple):
    """A row of the table `objects`, in the order of its columns.

    Attributes:
        slot: the place of its vectors in the slot files; None where it has none.
        seals: which vectors it has and their checksums, packed.
        crc: `checksum` of all the rest.
        pictures: the key of its blobs in the table `pictures`, which versions share while the blobs stay the same; None where it has none.
    """

    revision: int
    id: bytes
    created_ms: int
    updated_ms: int
    slot: int | None
    seals: bytes
    properties: bytes
    crc: int
    pictures: int | None = None

    @property
    def is_intact(self) -> bool:
        """Whether it says what was written."""
        return self.crc == checksum(self)


_CRC: Final = 7


class RowColumns(NamedTuple):
    """Rows of the table `objects`, column by column, as in `StoredRow`."""

    revisions: Sequence[int]
    ids: Sequence[bytes]
    created_ms: Sequence[int]
    updated_ms: Sequence[int]
    slots: Sequence[int | None]
    seals: Sequence[bytes]
    properties: Sequence[bytes]
    pictures: Sequence[int | None]


def row_columns(rows: Sequence[Row]) -> RowColumns:
    """What rows say, column by column."""
    columns = tuple(zip(*rows, strict=True)) or ((),) * 9
    return RowColumns._make(cast("RowColumns", columns[:_CRC] + columns[_CRC + 1 :]))


def damaged_row(rows: Sequence[Row], columns: RowColumns) -> bytes | None:
    """The packed id of a row that does not match its checksum; None where all do.

    Args:
        columns: what the rows say.
    """
    stored, summed = [row[_CRC] for row in rows], _checksums(columns)
    if stored == summed:
        return None
    return next(one for one, mine, other in zip(columns.ids, stored, summed, strict=True) if mine != other)


def sealed_rows(columns: RowColumns) -> list[Row]:
    """Rows as SQLite is given them, each with its checksum: the inverse of `row_columns`."""
    return list(zip(*columns[:7], _checksums(columns), columns.pictures, strict=True))


def _checksums(columns: RowColumns) -> list[int]:
    """The `checksum` of each row, in one pass."""
    pack, crc32 = _FIXED.pack, zlib.crc32
    sums = [
        crc32(pack(revision, created_ms, updated_ms, -1 if slot is None else slot) + packed_id + seals + properties)
        for revision, packed_id, created_ms, updated_ms, slot, seals, properties, _ in zip(*columns, strict=True)
    ]
    for place, key in enumerate(columns.pictures):
        if key is not None:
            sums[place] = checksum_with_pictures(sums[place], key)
    return sums


def stored_row(columns: tuple[object, ...]) -> StoredRow:
    """A row as SQLite gives it; the table's declaration says the types."""
    return StoredRow._make(cast("Row", columns))


def checksum(row: StoredRow) -> int:
    """CRC-32 over all columns but the checksum itself; a row without pictures has the sum that format 1 gave it."""
    revision, packed_id, created_ms, updated_ms, slot, seals, properties, _, pictures = row
    found = zlib.crc32(_FIXED.pack(revision, created_ms, updated_ms, -1 if slot is None else slot) + packed_id + seals + properties)
    return found if pictures is None else checksum_with_pictures(found, pictures)


def checksum_with_pictures(without: int, key: int) -> int:
    """A row's checksum once it has pictures, from the one it had before: a checksum of bytes is continued by those that follow."""
    return zlib.crc32(_KEY.pack(key), without)


def pack_seals(seals: Mapping[int, int]) -> bytes:
    """Checksums by number of the named vector, as bytes."""
    if len(seals) == 1:  # as nearly always
        return _SEAL.pack(*next(iter(seals.items())))
    return b"".join(_SEAL.pack(number, seals[number]) for number in sorted(seals))


def unpack_seals(packed: bytes) -> dict[int, int]:
    """The inverse of `pack_seals`."""
    return dict(_SEAL.iter_unpack(packed))


def seals_of(rows: Sequence[StoredRow]) -> dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """The same of many rows, by number of the named vector: the positions of those that have it, and its checksums."""
    seals = np.frombuffer(b"".join(row.seals for row in rows), _SEALS)
    owners = np.repeat(np.arange(len(rows)), [len(row.seals) // _SEALS.itemsize for row in rows])
    numbers = seals["number"]
    return {int(number): (owners[numbers == number], seals["crc"][numbers == number].astype(np.int64)) for number in np.unique(numbers)}
