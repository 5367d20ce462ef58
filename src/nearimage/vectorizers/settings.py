"""Read a module's settings from a schema: field lists, weights, a model's name.

The rules are Weaviate's, which all modules share:

    <kind>Fields           an array of property names, not empty, no empty name
    weights.<kind>Fields   an array of numbers, one for each field
    inferenceUrl           the address of a container

and these are our own:

    model                  a name that the module knows
    precision              how the model computes
    exact                  true: decode pictures at their full size

A setting that is null is a setting that is not there, as clients write it. All that is wrong is told at once, joined by commas.
May import the standard library and `domain` only.
"""

import math
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from nearimage.domain.errors import InvalidSchema

Settings = Mapping[str, object]

_SHOWN = 80  # a schema error should fit a terminal's line or two


class SettingsReader:
    """Reads one module's settings and remembers what is wrong with them.

    Args:
        module: whose settings they are, for messages.
        settings: as the schema has them.
    """

    def __init__(self, module: str, settings: Settings) -> None:
        self._module = module
        self._settings = settings
        self._wrong: dict[str, str] = {}

    def check(self) -> None:
        """Raises if anything that was read is wrong.

        Raises:
            InvalidSchema: detail has "setting", the first one that is wrong.
        """
        if self._wrong:
            raise InvalidSchema(f"module {self._module!r}: {', '.join(self._wrong.values())}", setting=next(iter(self._wrong)))

    def require(self, setting: str) -> None:
        """Note a setting that is not there."""
        if self._settings.get(setting) is None:
            self._note(setting, f"{setting} not present")

    def fields(self, setting: str) -> tuple[str, ...]:
        """The property names under a setting; none if it is not there."""
        value = self._settings.get(setting)
        kind = setting.removesuffix("s")
        if setting not in self._settings:
            return ()
        if not isinstance(value, list | tuple):
            return self._note(setting, f"{setting} must be an array")
        if not value:
            return self._note(setting, f"must contain at least one {setting.removesuffix('Fields')} field name in {setting}")
        if not all(isinstance(name, str) for name in value):
            return self._note(setting, f"{kind} must be a string")
        if not all(value):
            return self._note(setting, f"{kind} values cannot be empty")
        return tuple(value)

    def weights(self, setting: str, *, fields: int) -> tuple[float, ...]:
        """The weights of a setting's fields; none if they, or the fields, are not given.

        Args:
            fields: how many fields the setting has.
        """
        weights = self._settings.get("weights")
        if weights is None or setting in self._wrong:
            return ()
        if not isinstance(weights, Mapping):
            return self._note_value("weights", "must be an object with an array of numbers for each list of fields", weights)
        value = weights.get(setting)
        if value is None or not fields:
            return ()
        name = f"weights.{setting}"
        if not isinstance(value, list | tuple) or not all(_is_weight(number) for number in value):
            return self._note_value(name, "must be an array of finite numbers, none below 0", value)
        if len(value) != fields:
            return self._note(name, f"{name} does not equal number of {setting}")
        return tuple(float(number) for number in value)

    def require_weight(self, weights: Collection[tuple[float, ...]]) -> None:
        """Note weights that are all 0: nothing would be left of any object."""
        if weights and not any(any(some) for some in weights):
            self._note_value("weights", "must have a number above 0", self._settings.get("weights"))

    def choice(self, setting: str, known: Collection[str]) -> str:
        """One of some words; empty where it is not there."""
        value = self._settings.get(setting)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or value not in known:
            self._note_value(setting, f"must be one of {', '.join(sorted(known))}", value)
            return ""
        return value

    def flag(self, setting: str) -> bool:
        """True or false; false where it is not there."""
        value = self._settings.get(setting)
        if value is not None and not isinstance(value, bool):
            self._note_value(setting, "must be true or false", value)
        return value is True

    def url(self, setting: str) -> str:
        """The address of a container, without a slash at its end; empty where it is not there."""
        value = self._settings.get(setting)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or not is_url(value):
            self._note_value(setting, "must be an address such as http://localhost:8000", value)
            return ""
        return value.rstrip("/")

    def _note(self, setting: str, message: str) -> tuple[()]:
        """Remember what is wrong, in the words that clients know; programs compare them."""
        self._wrong.setdefault(setting, message)
        return ()

    def _note_value(self, setting: str, rule: str, got: object) -> tuple[()]:
        text = repr(got)
        return self._note(setting, f"{setting} {rule}, got {text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}")


def is_url(text: str) -> bool:
    """Whether this is an address that can be asked over HTTP."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        return False


def _is_weight(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number) and number >= 0
