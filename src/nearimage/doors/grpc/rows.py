"""Properties of stored objects in the form in which gRPC replies carry them, so that a reply is joined from bytes of the disk.

    encode    {"title": "Corgi", "rank": 3} -->  entries of `Properties.fields`, one behind the other (row_encoder.py)
    view      the row as a mapping that is decoded when somebody looks into it: REST and GraphQL do
    Cuts      the entries of some properties, cut out of the row undecoded

The engine keeps these bytes and does not know what they say; it is handed the codec (`nearimage.engines.embedded.rows.RowCodec`). A row:

    01 or 02           02: something follows the entries
    uint16             how many entries there are: n
    8 bytes            their shape: the head of the BLAKE2b hash of their names, in order, NUL between them
    n x uint32         where each entry ends, counted from the beginning of the first
    entries            in the order of the schema; each is 0a, a length, 0a, the name with its length, 12, and the `Value` with its length
    JSON               what the reply's form does not hold exactly, or has no form for: places (float32 there), references, nested objects, telephone numbers

    {"rank": 3}  -->  01 0100 shape 0c000000  0a 0a  0a 04 "rank" 12 02 40 03

Rows of one shape are cut at the same entries, so where to cut is worked out once a shape: a row then costs a look-up and a slice. A row that begins with
anything else, JSON by an older release, is left to the other codec. All integers are little-endian.

May import the standard library, `domain` and `doors` only.
"""

import struct
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from nearimage.domain.columns import RecordColumns
from nearimage.domain.schema import Collection
from nearimage.domain.values import PropertyValue
from nearimage.doors.grpc.row_encoder import ENTRIES, ENTRIES_AND_REST, HEADER, OtherRows, RowEncoder, entry_of, prefix_of
from nearimage.doors.grpc.value_bytes import NULL, read_value
from nearimage.doors.wire.encoding import read_varint

Values = dict[str, PropertyValue]

_AT = HEADER.size
_CUTTABLE = (bytes([ENTRIES]), bytes([ENTRIES_AND_REST]))
_UINT32 = struct.Struct("<I").unpack_from
_SHAPES = 4096
"""Kept at most; objects that lack now this, now that property make many."""

_SHORT = 130
"""Bytes of an entry whose lengths are all one byte: its name's, its value's, its own."""


class _Plan(NamedTuple):
    """How to read some properties out of rows of one shape.

    Attributes:
        ends: reads where the entries end.
        start: of the first entry.
        entries: name, number, and how far behind the beginning of a short entry its value stands.
    """

    ends: struct.Struct
    start: int
    entries: tuple[tuple[str, int, int], ...]


class WireRows:
    """A codec for the engine.

    Args:
        other: for the rest of a row, and for rows of older releases.
    """

    def __init__(self, other: OtherRows) -> None:
        self._other = other
        self._names: dict[bytes, tuple[str, ...]] = {}
        self._plans: dict[tuple[bytes, tuple[str, ...] | None], _Plan] = {}

    def encoder(self, collection: Collection) -> RowEncoder:
        """What makes rows of this collection's objects."""
        return RowEncoder(collection, self._other)

    def view(self, data: bytes, names: tuple[str, ...] | None) -> "Mapping[str, PropertyValue]":
        """The properties of these names (None: all), decoded when somebody looks."""
        return WireProperties(self, data, names)

    def decode(self, data: bytes, wanted: tuple[str, ...] | None = None) -> Values:
        """The properties of these names (None: all).

        Cost:
            0.4 us a property; those that are not wanted are not looked at. `python bench/graphql_door.py` lists a hundred objects.
        """
        if data[0] not in (ENTRIES, ENTRIES_AND_REST):
            return _only(self._other.decode(data), wanted)
        plan = self._plans.get((data[3:_AT], wanted)) or self._plan(data, wanted)
        ends, start, values = plan.ends.unpack_from(data, _AT), plan.start, {}
        for name, number, short in plan.entries:
            first, last = start + (ends[number - 1] if number else 0), start + ends[number]
            at = first + short if last - first < _SHORT else _value_at(data, first)
            values[name] = read_value(data, at, last)
        if data[0] == ENTRIES_AND_REST:
            values |= _only(self._other.decode(data[start + ends[-1] if ends else start :]), wanted)
        return values

    def _plan(self, data: bytes, wanted: tuple[str, ...] | None) -> "_Plan":
        names = self.names(data)
        numbers = {name: number for number, name in enumerate(names)}
        entries = tuple((name, numbers[name], 6 + len(name.encode())) for name in (names if wanted is None else wanted) if name in numbers)
        if len(self._plans) >= _SHAPES:
            self._plans.clear()
        plan = self._plans[data[3:_AT], wanted] = _Plan(struct.Struct(f"<{len(names)}I"), _AT + 4 * len(names), entries)
        return plan

    def names(self, data: bytes) -> tuple[str, ...]:
        """Of the entries, in order."""
        shape = data[3:_AT]
        known = self._names.get(shape)
        if known is None:
            if len(self._names) >= _SHAPES:
                self._names.clear()
            known = self._names[shape] = tuple(_read_names(data))
        return known


class WireProperties(Mapping[str, PropertyValue]):
    """The properties of one object, as they are stored."""

    __slots__ = ("_codec", "_names", "_values", "data")

    def __init__(self, codec: WireRows, data: bytes, names: tuple[str, ...] | None) -> None:
        self.data = data
        self._codec = codec
        self._names = names
        self._values: Values | None = None

    def __getitem__(self, name: str) -> PropertyValue:
        return self.decoded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.decoded())

    def __len__(self) -> int:
        return len(self.decoded())

    def __contains__(self, name: object) -> bool:
        return name in self.decoded()

    def __repr__(self) -> str:
        return repr(self.decoded())

    def items(self) -> ItemsView[str, PropertyValue]:
        """Names and values; Mapping's own would look each name up."""
        return self.decoded().items()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name, or the default."""
        values = self._values
        return (self.decoded() if values is None else values).get(name, default)

    def decoded(self) -> Values:
        """All of them; in the order in which they were asked for, where the row has all of them."""
        if self._values is None:
            self._values = self._codec.decode(self.data, self._names)
        return self._values


Cut = Callable[[bytes], bytes]
"""Takes `Properties.fields` out of a row of the shape that it was made for."""


def _cut_at(start: int, runs: Sequence[tuple[int, int]], missing: bytes) -> Cut:
    """Cuts out entries that follow each other.

    Args:
        start: of the first entry.
        runs: entries from .. to (exclusive), ascending.
        missing: what comes behind them.
    """
    end = _UINT32
    ends = [(_AT + 4 * first - 4, _AT + 4 * last - 4) for first, last in runs]
    if [first for first, _ in runs] == [0]:  # as mostly; in a third of the time
        ((_, at),) = ends
        return lambda data: data[start : start + end(data, at)[0]] + missing
    return lambda data: b"".join([data[start + (end(data, before)[0] if before >= _AT else 0) : start + end(data, last)[0]] for before, last in ends]) + missing


class Cuts:
    """Cuts the entries of some properties out of rows.

    Args:
        names: of the properties.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._wanted = tuple(names)
        self._cuts: dict[bytes, Cut | None] = {}

    def of(self, rows: Sequence[bytes]) -> list[bytes | None]:
        """`Properties.fields` of each, null where the object has no value; None where these properties have to be written one by one."""
        return [cut(data) if (cut := self._cut(data)) else None for data in rows]

    def _cut(self, data: bytes) -> Cut | None:
        head = data[:_AT]
        try:
            return self._cuts[head]
        except KeyError:
            if len(self._cuts) >= _SHAPES:
                self._cuts.clear()
            cut = self._cuts[head] = self._cut_of(data) if data[:1] in _CUTTABLE else None
            return cut

    def _cut_of(self, data: bytes) -> Cut | None:
        names = tuple(_read_names(data))
        runs: list[tuple[int, int]] = []
        for number, name in enumerate(names):
            if name in self._wanted:
                first = runs.pop()[0] if runs and runs[-1][1] == number else number
                runs.append((first, number + 1))
        missing = b"".join(entry_of(prefix_of(name), NULL) for name in self._wanted if name not in names)
        if missing and data[0] == ENTRIES_AND_REST:  # they may stand in the rest
            return None
        return _cut_at(_AT + 4 * len(names), runs, missing)


def stored_rows(records: RecordColumns) -> Sequence[bytes]:
    """The rows of records; empty bytes for one whose properties are not as they were stored."""
    if records.encoded:
        return records.encoded.rows
    return [record.properties.data if isinstance(record.properties, WireProperties) else b"" for record in records]


@lru_cache(256)
def cuts_of(names: tuple[str, ...]) -> Cuts:
    """Cuts of these properties, with what is known of the shapes of rows."""
    return Cuts(names)


def _only(values: Values, wanted: tuple[str, ...] | None) -> Values:
    return values if wanted is None else {name: values[name] for name in wanted if name in values}


def _value_at(data: bytes, entry: int) -> int:
    """Where the value of an entry begins."""
    _, at = read_varint(data, entry + 1)
    length, at = read_varint(data, at + 1)  # of the name
    return read_varint(data, at + length + 1)[1]


def _ends(data: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}I", data, _AT)


def _read_names(data: bytes) -> Iterator[str]:
    count = int.from_bytes(data[1:3], "little")
    at = start = _AT + 4 * count
    for end in _ends(data, count):
        _, at = read_varint(data, at + 1)
        length, at = read_varint(data, at + 1)
        yield data[at : at + length].decode()
        at = start + end
