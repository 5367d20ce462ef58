"""Read a module's settings from a schema: field lists, weights, a model's name.

The rules are Weaviate's, which all modules share:

    <kind>Fields           an array of property names, not empty, no empty name
    weights.<kind>Fields   an array of numbers, one for each field
    model                  a name that the module knows; no setting of Weaviate's own modules

A setting that is null is a setting that is not there, as clients write it. May import the standard library and `domain` only.
"""

import math
from collections.abc import Collection, Mapping

from nearimage.domain.errors import InvalidSchema

Settings = Mapping[str, object]


def read_fields(settings: Settings, setting: str, *, module: str) -> tuple[str, ...]:
    """The property names under a setting; none if it is not there.

    Raises:
        InvalidSchema: detail has "setting".
    """
    value = settings.get(setting)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _refused(module, setting, f"{setting} must be an array")
    if not value:
        raise _refused(module, setting, f"must contain at least one {setting.removesuffix('Fields')} field name in {setting}")
    for name in value:
        if not isinstance(name, str):
            raise _refused(module, setting, f"{setting.removesuffix('s')} must be a string")
        if not name:
            raise _refused(module, setting, f"{setting.removesuffix('s')} values cannot be empty")
    return tuple(value)


def read_weights(settings: Settings, setting: str, *, fields: int, module: str) -> tuple[float, ...]:
    """The weights of a setting's fields; none if they are not given.

    Args:
        fields: how many fields the setting has.

    Raises:
        InvalidSchema: detail has "setting", such as "weights.imageFields".
    """
    weights = settings.get("weights")
    if weights is None:
        return ()
    if not isinstance(weights, Mapping):
        raise _wrong(module, "weights", "must be an object with an array of numbers for each list of fields", weights)
    value = weights.get(setting)
    if value is None:
        return ()
    name = f"weights.{setting}"
    if not isinstance(value, list | tuple) or not all(_is_weight(number) for number in value):
        raise _wrong(module, name, "must be an array of finite numbers, none below 0", value)
    if len(value) != fields:
        raise _refused(module, name, f"{name} does not equal number of {setting}")
    if not any(value):
        raise _wrong(module, name, "must have a number above 0", value)
    return tuple(float(number) for number in value)


def read_model(settings: Settings, *, known: Collection[str], default: str | None, module: str) -> str | None:
    """The model's name, or the default where none is given.

    Raises:
        InvalidSchema: a name that is not known; detail has "setting".
    """
    value = settings.get("model")
    if value is None or value == "":
        return default
    if not isinstance(value, str) or value not in known:
        raise _wrong(module, "model", f"must be one of {', '.join(sorted(known))}", value)
    return value


def _is_weight(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number) and number >= 0


def _refused(module: str, setting: str, message: str) -> InvalidSchema:
    """In the words that clients know; programs compare them."""
    return InvalidSchema(f"module {module!r}: {message}", setting=setting)


def _wrong(module: str, setting: str, rule: str, got: object) -> InvalidSchema:
    text = repr(got)
    shown = text if len(text) <= 80 else text[:77] + "..."  # a schema error should fit a terminal's line or two
    return InvalidSchema(f"module {module!r}: {setting} {rule}, got {shown}", setting=setting)
