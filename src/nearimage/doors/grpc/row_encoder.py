"""Make the rows that `rows` describes: a collection's objects, many at a time.

    objects --columns_of--> columns --writers--> an entry of each value --> one row an object

What stands before a value depends on the property and on the value's length only, so it is looked up and not put together anew. An object with something that
the reply's form has no room for (an int of more than 64 bits, a place) is written by itself: such values go into the JSON at the end of its row, and it takes
the others of its column along.

May import the standard library, `domain` and `doors` only.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Sized
from hashlib import blake2b
from itertools import accumulate
from typing import Any, NamedTuple, Protocol, Self, cast

from nearimage.domain.columns import NOTHING
from nearimage.domain.errors import InvalidValue
from nearimage.domain.schema import Collection, Property
from nearimage.domain.value_columns import ValueColumn, across, columns_of
from nearimage.domain.values import PropertyValue
from nearimage.doors.grpc.value_bytes import WRITERS
from nearimage.doors.wire.encoding import SIZED, key, sized, varint

ENTRIES, ENTRIES_AND_REST = 1, 2
HEADER = struct.Struct("<BH8s")

_FIRST, _VALUE = key(1, SIZED), key(2, SIZED)
_SHAPES = 4096
"""Kept at most; objects that lack now this, now that property make many."""

_HEADS = 128
"""Lengths of values whose heads are kept: others take a call, which beside the text itself is little."""


class OtherRows(Protocol):
    """Properties as bytes that begin with `{`, and back."""

    def encode(self, properties: Mapping[str, PropertyValue]) -> bytes:
        """The properties as bytes."""
        ...

    def decode(self, data: bytes) -> dict[str, PropertyValue]:
        """What `encode` was given."""
        ...


def prefix_of(name: str) -> bytes:
    """What an entry of this name begins with, behind its length and before the length of its value."""
    return sized(_FIRST, name.encode()) + _VALUE


def entry_of(prefix: bytes, value: bytes) -> bytes:
    """An entry of `Properties.fields`."""
    return sized(_FIRST, prefix + varint(len(value)) + value)


class _Heads(dict[int, bytes]):
    """What stands before the values of one property, by their length."""

    def __init__(self, name: str) -> None:
        self._prefix = prefix_of(name)

    def __missing__(self, length: int) -> bytes:
        before = self._prefix + varint(length)
        head = _FIRST + varint(len(before) + length) + before
        if length < _HEADS:
            self[length] = head
        return head


class _Entries:
    """Writes the entries of one property."""

    def __init__(self, prop: Property) -> None:
        self._kind, self._write = WRITERS[prop.data_type]
        self._heads = _Heads(prop.name)

    def of(self, values: Sequence[Any]) -> list[bytes] | None:
        """One entry a value; None where some value has no form in a reply."""
        if not {self._kind}.issuperset(map(type, values)):
            return None
        contents, heads = list(map(self._write, values)), self._heads
        if None in contents:
            return None
        return [heads[len(content)] + content for content in cast("list[bytes]", contents)]

    def one(self, value: Any) -> bytes | None:
        """The entry of one value."""
        content = self._write(value) if type(value) is self._kind else None
        return None if content is None else self._heads[len(content)] + content


class _Layout(NamedTuple):
    """What the rows of one shape have in common.

    Attributes:
        plain, with_rest: their headers, where something follows the entries or not.
        pack: writes where the entries end.
    """

    plain: bytes
    with_rest: bytes
    pack: Callable[..., bytes]

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        """Of rows with entries of these names."""
        digest = blake2b("\0".join(names).encode(), digest_size=8).digest()
        plain, with_rest = (HEADER.pack(version, len(names), digest) for version in (ENTRIES, ENTRIES_AND_REST))
        return cls(plain, with_rest, struct.Struct(f"<{len(names)}I").pack)


class RowEncoder:
    """Makes rows of one collection's objects.

    Args:
        other: for what the reply's form does not hold.
    """

    def __init__(self, collection: Collection, other: OtherRows) -> None:
        self._other = other
        self._known = {prop.name: _Entries(prop) for prop in collection.properties if prop.data_type in WRITERS}
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def encode(self, properties: Mapping[str, PropertyValue]) -> bytes:
        """One object's properties as a row.

        Raises:
            InvalidValue: they cannot be stored.
        """
        found: dict[str, bytes] = {}
        try:
            for name, entries in self._known.items():
                if name in properties and (entry := entries.one(properties[name])):
                    found[name] = entry
        except UnicodeEncodeError as wrong:
            raise InvalidValue(f"properties cannot be stored: {wrong}") from wrong
        return self._row(tuple(found), found.values(), {name: value for name, value in properties.items() if name not in found})

    def encode_all(self, objects: Sequence[Mapping[str, PropertyValue]]) -> list[bytes]:
        """The rows of many objects, in order.

        Raises:
            InvalidValue: one of them cannot be stored; which, `encode` says.
        """
        columns, odd = columns_of(objects), set[int]()
        written: list[ValueColumn[bytes]] = []
        try:
            for name, entries in self._known.items():
                if name in columns:
                    places, values = columns[name]
                    made = entries.of(values)
                    if made is None:
                        odd.update(places)
                    else:
                        written.append(ValueColumn(places, made))
        except UnicodeEncodeError as wrong:
            raise InvalidValue(f"properties cannot be stored: {wrong}") from wrong
        found = across(written, len(objects))
        return [self.encode(properties) if place in odd else self._joined(properties, found[place]) for place, properties in enumerate(objects)]

    def _joined(self, properties: Mapping[str, PropertyValue], entries: Sequence[bytes]) -> bytes:
        """The row of an object of which everything that can be an entry is one."""
        if len(entries) == len(properties):
            return self._row(tuple(properties), entries, NOTHING)
        rest = {name: value for name, value in properties.items() if name not in self._known}
        return self._row(tuple(name for name in properties if name in self._known), entries, rest)

    def _row(self, names: tuple[str, ...], entries: Sized[bytes], rest: Mapping[str, PropertyValue]) -> bytes:
        """Out of entries of these names, in the order of the schema, whatever the order of the names."""
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= _SHAPES:
                self._layouts.clear()
            layout = self._layouts[names] = _Layout.of([name for name in self._known if name in names])
        ends = layout.pack(*accumulate(map(len, entries)))
        if rest:
            return b"".join((layout.with_rest, ends, *entries, self._other.encode(rest)))
        return b"".join((layout.plain, ends, *entries))
