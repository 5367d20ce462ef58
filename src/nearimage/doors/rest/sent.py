"""What clients send, whatever the case of its names: `MultiTenancyConfig` is `multiTenancyConfig`.

Weaviate reads requests with a reader to which names of fields are the same in any case, and programs have come to count on it. Names that nobody knows are
ignored, because clients send some that no server reads.

    JSON --strictly--> body                       every name is known as it stands: what nearly all requests are, at no cost
    JSON --> plain values --fitted--> body        some are not: those that differ in case only get the name that is known, the rest is left out

Only the fields of a `Sent` are looked at: names of properties, of vectors and of what modules are told stay as they are.

May import msgspec only.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import TypeVar, cast

import msgspec
from msgspec import inspect

T = TypeVar("T")


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request, or a part of it. What is not known is told by `msgspec`, so that `read_value` is asked."""


def read_value(value: object, kind: type[T]) -> T:
    """A body out of plain values, the names of its fields in any case.

    Raises:
        msgspec.ValidationError: a part has another type.
        RecursionError: it is nested too deeply.
    """
    return msgspec.convert(_fitted(value, _shape(cast(Hashable, kind))), kind)


@lru_cache(maxsize=64)
def _shape(kind: Hashable) -> inspect.Type:
    return inspect.type_info(kind)


def _fitted(value: object, shape: inspect.Type) -> object:
    if isinstance(shape, inspect.UnionType):
        return next((_fitted(value, one) for one in shape.types if isinstance(one, _HOLDERS.get(type(value), ()))), value)
    if isinstance(value, list) and isinstance(shape, inspect.ListType):
        return [_fitted(part, shape.item_type) for part in value] if _holds_names(shape.item_type) else value
    if isinstance(value, dict) and isinstance(shape, inspect.DictType):
        return {name: _fitted(part, shape.value_type) for name, part in value.items()}
    if isinstance(value, dict) and isinstance(shape, inspect.StructType) and issubclass(shape.cls, Sent):
        return _with_known_names(value, shape)
    return value


def _holds_names(shape: inspect.Type) -> bool:
    """Whether it is worth to look at each part of a list: a vector is a long one, of numbers."""
    return any(isinstance(one, _HOLDERS[dict] + _HOLDERS[list]) for one in (shape.types if isinstance(shape, inspect.UnionType) else (shape,)))


def _with_known_names(value: dict[str, object], shape: inspect.StructType) -> dict[str, object]:
    known = {field.encode_name: field for field in shape.fields}
    in_any_case = {name.lower(): field for name, field in known.items()}
    named = ((known.get(name) or in_any_case.get(name.lower()), part) for name, part in value.items())
    return {field.encode_name: _fitted(part, field.type) for field, part in named if field}


_HOLDERS: dict[type, tuple[type[inspect.Type], ...]] = {dict: (inspect.StructType, inspect.DictType), list: (inspect.ListType,)}
