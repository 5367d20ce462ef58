"""Property values as messages of the wire.

    1                  int_value 1
    (1, 2)             list_value { int_values: 8 bytes each }
    {"street": "..."}  object_value { fields }

May import pybase64, `domain` and `doors.wire` only; messages are `Any`, see `doors.wire.messages`.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pybase64 import b64encode_as_string

from nearimage.domain.schema import DataType, Property
from nearimage.domain.values import GeoCoordinates, PhoneNumber, PropertyValue


def write_properties(fields: Any, properties: Sequence[Property], values: Mapping[str, PropertyValue]) -> None:
    """Fill `Properties.fields`: one entry a property, null where it has no value."""
    for prop in properties:
        value = values.get(prop.name)
        if value is None:
            fields[prop.name].null_value = 0
        else:
            write_value(fields[prop.name], prop, value)


def write_value(out: Any, prop: Property, value: PropertyValue) -> None:
    """Fill a `Value`."""
    if isinstance(value, tuple):
        _write_list(out.list_value, prop, value)
    elif prop.data_type is DataType.OBJECT:
        out.object_value.SetInParent()
        _write_object(out.object_value, prop, cast("Mapping[str, PropertyValue]", value))
    elif isinstance(value, GeoCoordinates):
        out.geo_value.SetInParent()  # 0, 0 is a place
        out.geo_value.latitude, out.geo_value.longitude = value.latitude, value.longitude
    elif isinstance(value, PhoneNumber):
        _write_phone(out.phone_value, value)
    else:
        field, convert = _SCALARS[prop.data_type.element]
        setattr(out, field, convert(value))


def _text(value: Any) -> str:
    return str(value)


_SCALARS: Mapping[DataType, tuple[str, Callable[[Any], Any]]] = {
    DataType.TEXT: ("text_value", _text),
    DataType.INT: ("int_value", int),
    DataType.NUMBER: ("number_value", float),
    DataType.BOOLEAN: ("bool_value", bool),
    DataType.DATE: ("date_value", _text),
    DataType.UUID: ("uuid_value", _text),
    DataType.BLOB: ("blob_value", b64encode_as_string),
    DataType.BLOB_HASH: ("blob_value", _text),
}
_LISTS = {DataType.BOOLEAN: "bool_values", DataType.DATE: "date_values", DataType.UUID: "uuid_values"}


def _write_list(out: Any, prop: Property, values: tuple[Any, ...]) -> None:
    """Numbers are packed 8 bytes each; everything else is repeated."""
    element = prop.data_type.element
    if element is DataType.INT:
        out.int_values.values = struct.pack(f"<{len(values)}q", *values)
    elif element is DataType.NUMBER:
        out.number_values.values = struct.pack(f"<{len(values)}d", *values)
    elif element is DataType.OBJECT:
        out.object_values.SetInParent()
        for value in values:
            _write_object(out.object_values.values.add(), prop, value)
    else:
        part = getattr(out, _LISTS.get(element, "text_values"))
        part.SetInParent()
        part.values.extend(values)


def _write_object(out: Any, prop: Property, value: Mapping[str, PropertyValue]) -> None:
    """Fill `Properties` with the fields that a nested object has."""
    for nested in prop.nested:
        found = value.get(nested.name)
        if found is not None:
            write_value(out.fields[nested.name], nested, found)


def _write_phone(out: Any, value: PhoneNumber) -> None:
    out.SetInParent()
    out.input, out.default_country = value.input, value.default_country
    out.international_formatted, out.national_formatted = value.international, value.national
    out.national, out.country_code, out.valid = value.national_number, value.country_code, value.valid
