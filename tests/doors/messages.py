"""Hypothesis strategies for protobuf messages, from their descriptors: any field, any value that the wire can carry.

Half of what is drawn comes from pools of names and numbers that mean something to the database under test, or nearly so: what no collection is called is
refused at the first look, and tests nothing behind it.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

MAX_LEVELS = 5
"""Messages in messages; deeper ones have only fields of their own."""

Draw = st.DrawFn
_DOUBLES = st.sampled_from((0.0, 0.5, 1.0, -1.0, 2.0, 1e30, -1e308, float("nan"), float("inf"), float("-inf")))
_FLOATS = st.sampled_from((0.0, 0.5, 1.0, -1.0, 2.0, 1e30, float("nan"), float("inf")))
_SMALL = (0, 1, 2, 3, 10, 100, 10_001, 2**31 - 1)
_PACKED = ("<3f", 1, 0, 2), ("<2f", 1, 1), ("<H2f", 2, 1, 0), ("<3d", 1, 2, 3)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_FLOAT: _FLOATS,
    FieldDescriptor.CPPTYPE_DOUBLE: _DOUBLES,
    FieldDescriptor.CPPTYPE_INT32: st.sampled_from((*_SMALL, -1, -(2**31))),
    FieldDescriptor.CPPTYPE_INT64: st.sampled_from((*_SMALL, -1, -(2**63), 2**63 - 1)),
    FieldDescriptor.CPPTYPE_UINT32: st.sampled_from((*_SMALL, 2**32 - 1)),
    FieldDescriptor.CPPTYPE_UINT64: st.sampled_from((*_SMALL, 2**64 - 1)),
}
_BYTES = st.sampled_from((b"", b"\0", b"\2\0", *(struct.pack(*one) for one in _PACKED))) | st.binary(max_size=12)


@dataclass(frozen=True)
class Pools:
    """What strings are drawn from, beside any text."""

    words: Sequence[str]

    def strings(self) -> st.SearchStrategy[str]:
        """A word of the pool, or nearly always."""
        known = st.sampled_from(self.words)
        return known | known | known | st.text(max_size=8)


@st.composite
def messages(draw: Draw, kind: Callable[[], Message], pools: Pools) -> Message:
    """A message of this class with some fields set."""
    message = kind()
    _fill(draw, message, message.DESCRIPTOR, pools, 0)
    return message


def _fill(draw: Draw, message: Any, descriptor: Descriptor, pools: Pools, level: int) -> None:
    fields = [field for field in descriptor.fields if level < MAX_LEVELS or field.type != FieldDescriptor.TYPE_MESSAGE]
    if not fields:
        return
    for field in draw(st.lists(st.sampled_from(fields), max_size=6 if level == 0 else 3, unique_by=lambda one: one.number)):
        _set(draw, message, field, pools, level)


def _set(draw: Draw, message: Any, field: FieldDescriptor, pools: Pools, level: int) -> None:
    name, there = field.name, getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _set_entry(draw, there, field.message_type, pools, level)
    elif field.is_repeated and field.message_type is not None:
        for _ in range(draw(st.integers(0, 2))):
            _fill(draw, there.add(), field.message_type, pools, level + 1)
    elif field.is_repeated:
        there.extend(draw(st.lists(_scalars(field, pools), max_size=3)))
    elif field.message_type is not None:
        there.SetInParent()
        _fill(draw, there, field.message_type, pools, level + 1)
    else:
        setattr(message, name, draw(_scalars(field, pools)))


def _set_entry(draw: Draw, entries: Any, entry: Descriptor, pools: Pools, level: int) -> None:
    key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
    chosen = draw(_scalars(key, pools))
    if value.message_type is not None:
        _fill(draw, entries[chosen], value.message_type, pools, level + 1)
    else:
        entries[chosen] = draw(_scalars(value, pools))


def _scalars(field: FieldDescriptor, pools: Pools) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _BYTES
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return pools.strings()
    if field.enum_type is not None:
        return st.sampled_from((*(value.number for value in field.enum_type.values), 99))
    return _SCALARS[field.cpp_type]
