"""Property values to the bytes of a `Value` and back, exactly: what rows are made of.

    "Corgi"         6a 05 "Corgi"           text_value
    3               40 03                   int_value
    (True, False)   2a 06 1a 04 0a 02 01 00     list_value { bool_values }

Types that `Value` keeps with less precision than they have (places), and those made of parts, are not here: `doors.grpc.values` writes them for replies.
May import the standard library, `domain` and `doors.wire.encoding` only.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from nearimage.domain.schema import DataType
from nearimage.domain.values import PropertyValue
from nearimage.doors.wire.encoding import FIXED64, SIZED, VARINT, int64, key, read_varint, sized

NULL = key(12, VARINT) + b"\0"
"""The value that says that there is none."""

_NUMBER, _BOOLEAN, _LIST, _INT = key(1, FIXED64), key(3, VARINT), key(5, SIZED), key(8, VARINT)
_DATE, _UUID, _TEXT = key(6, SIZED), key(7, SIZED), key(13, SIZED)
_NUMBERS, _BOOLEANS, _DATES, _UUIDS, _INTS, _TEXTS = (key(number, SIZED) for number in (2, 3, 5, 6, 7, 8))
_FIRST = key(1, SIZED)
_DOUBLE = struct.Struct("<d")


def _text(value: str) -> bytes:
    return sized(_TEXT, value.encode())


def _date(value: str) -> bytes:
    return sized(_DATE, value.encode())


def _uuid(value: str) -> bytes:
    return sized(_UUID, value.encode())


def _int(value: int) -> bytes | None:
    return _INT + int64(value) if -(1 << 63) <= value < 1 << 63 else None


def _number(value: float) -> bytes:
    return _NUMBER + _DOUBLE.pack(value)


def _boolean(value: bool) -> bytes:
    return _BOOLEAN + (b"\1" if value else b"\0")


def _list(before: bytes, kind: type, packed: Callable[[tuple[Any, ...]], bytes]) -> Callable[[Any], bytes | None]:
    """Writes arrays; None where an element is of another kind."""
    kinds = {kind}

    def written(values: tuple[Any, ...]) -> bytes | None:
        try:
            return sized(_LIST, sized(before, packed(values))) if kinds.issuperset(map(type, values)) else None
        except struct.error:  # an int of more than 64 bits
            return None

    return written


def _repeated(values: tuple[str, ...]) -> bytes:
    return b"".join([sized(_FIRST, value.encode()) for value in values])


def _flags(values: tuple[bool, ...]) -> bytes:
    return sized(_FIRST, bytes(values)) if values else b""


def _longs(values: tuple[int, ...]) -> bytes:
    return sized(_FIRST, struct.pack(f"<{len(values)}q", *values))


def _doubles(values: tuple[float, ...]) -> bytes:
    return sized(_FIRST, struct.pack(f"<{len(values)}d", *values))


WRITERS: Mapping[DataType, tuple[type, Callable[[Any], bytes | None]]] = {
    DataType.TEXT: (str, _text),
    DataType.DATE: (str, _date),
    DataType.UUID: (str, _uuid),
    DataType.INT: (int, _int),
    DataType.NUMBER: (float, _number),
    DataType.BOOLEAN: (bool, _boolean),
    DataType.TEXT_ARRAY: (tuple, _list(_TEXTS, str, _repeated)),
    DataType.DATE_ARRAY: (tuple, _list(_DATES, str, _repeated)),
    DataType.UUID_ARRAY: (tuple, _list(_UUIDS, str, _repeated)),
    DataType.INT_ARRAY: (tuple, _list(_INTS, int, _longs)),
    DataType.NUMBER_ARRAY: (tuple, _list(_NUMBERS, float, _doubles)),
    DataType.BOOLEAN_ARRAY: (tuple, _list(_BOOLEANS, bool, _flags)),
}
"""By data type: what its values are in Python, and what writes one as a `Value`, or gives None where that has no room for it."""


def read_value(data: bytes, at: int, end: int) -> PropertyValue:
    """The `Value` in these bytes."""
    kind, next_byte = data[at], data[at + 1]  # a length or a whole number below 128 is this one byte
    if kind in _TEXTUAL:
        return data[at + 2 if next_byte < 128 else read_varint(data, at + 1)[1] : end].decode()
    if kind == _INT_KIND:
        number = next_byte if next_byte < 128 else read_varint(data, at + 1)[0]
        return number if number < 1 << 63 else number - (1 << 64)
    if kind == _NUMBER_KIND:
        return cast("float", _DOUBLE.unpack_from(data, at + 1)[0])
    if kind == _BOOLEAN_KIND:
        return next_byte == 1
    at = read_varint(data, at + 1)[1]
    return _elements(data[at], data[read_varint(data, at + 1)[1] : end])


_TEXTUAL = frozenset((_TEXT[0], _DATE[0], _UUID[0]))
_INT_KIND, _NUMBER_KIND, _BOOLEAN_KIND = _INT[0], _NUMBER[0], _BOOLEAN[0]


def _elements(kind: int, data: bytes) -> tuple[Any, ...]:
    """The elements in a list's part of a `ListValue`."""
    if not data:
        return ()
    if kind in (_TEXTS[0], _DATES[0], _UUIDS[0]):
        return tuple(_texts(data))
    packed = data[read_varint(data, 1)[1] :]
    if kind == _BOOLEANS[0]:
        return tuple(byte == 1 for byte in packed)
    return struct.unpack(f"<{len(packed) // 8}{'q' if kind == _INTS[0] else 'd'}", packed)


def _texts(data: bytes) -> Iterator[str]:
    at = 0
    while at < len(data):
        length, at = read_varint(data, at + 1)
        yield data[at : at + length].decode()
        at += length
