"""Which properties a collection can have.

May import `domain` only.
"""

from collections import Counter
from collections.abc import Collection as Known
from collections.abc import Iterable
from dataclasses import replace

from nearimage.domain.errors import InvalidSchema
from nearimage.domain.keywords import STOPWORD_PRESETS
from nearimage.domain.schema import DataType, KeywordSettings, Property
from nearimage.service.names import check_property_name

MAX_NESTED = 20
"""Levels of objects in objects; nobody reads more, and recursion must end long before Python's limit of 1,000 frames."""

_IN_RANGES = (DataType.INT, DataType.NUMBER, DataType.DATE)
_NEVER_NESTED = (DataType.REFERENCE, DataType.GEO_COORDINATES, DataType.PHONE_NUMBER)


def check_property(prop: Property, known: Known[str], path: str = "") -> None:
    """Refuse a property that cannot be.

    Args:
        known: the names of the collections that references may lead to.
        path: of the object that the property is nested in, with a dot behind it.

    Raises:
        InvalidSchema: detail has "setting".
    """
    check_property_name(prop.name, nested=bool(path))
    name, kind = path + prop.name, prop.data_type.element
    if kind is not DataType.TEXT and prop.tokenization is not None:
        message = f"property {name!r}: tokenization {str(prop.tokenization)!r} is not allowed for data type {prop.data_type}; only text has one"
        raise InvalidSchema(message, setting="tokenization")
    if kind is not DataType.TEXT and prop.searchable:
        raise InvalidSchema(f"property {name!r} is {prop.data_type}; only text is searchable by keywords (`indexSearchable`)", setting="indexSearchable")
    if prop.range_filters and prop.data_type not in _IN_RANGES:
        message = f"property {name!r} is {prop.data_type}; `indexRangeFilters` is for {', '.join(_IN_RANGES)}"
        raise InvalidSchema(message, setting="indexRangeFilters")
    if kind is not DataType.TEXT and (prop.fold is not None or prop.stopwords):
        raise InvalidSchema(f"property {name!r} is {prop.data_type}; only text has a textAnalyzer", setting="textAnalyzer")
    if unknown := [target for target in prop.targets if target not in known]:
        raise InvalidSchema(f"property {name!r} leads to {unknown}, which is no collection; create it first", setting="dataType")
    _check_nested(prop, known, path)


def check_preset(preset: str, settings: KeywordSettings, where: str = "stopwords") -> None:
    """Refuse a preset of stopwords that is not there.

    Args:
        where: it is named, for the message.

    Raises:
        InvalidSchema: detail has "setting".
    """
    have = {name for name, _ in settings.presets} | set(STOPWORD_PRESETS)
    if preset and preset not in have:
        raise InvalidSchema(f"{where}: there is no stopword preset {preset!r}; there are {sorted(have)}", setting="stopwordPreset")


def check_presets(properties: Iterable[Property], settings: KeywordSettings) -> None:
    """Refuse properties, also nested ones, whose preset of stopwords is not there.

    Raises:
        InvalidSchema: detail has "setting".
    """
    for prop in properties:
        check_preset(prop.stopwords, settings, f"property {prop.name!r}")
        check_presets(prop.nested, settings)


def check_unique(names: Iterable[str], setting: str) -> None:
    """Refuse a name that comes twice.

    Raises:
        InvalidSchema: detail has "setting".
    """
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise InvalidSchema(f"{setting} names {twice} more than once (upper and lower case count as the same)", setting=setting)


def with_others(properties: Iterable[Property], others: Iterable[Property]) -> tuple[Property, ...]:
    """The properties, then those of the others that they lack, by name without regard to case; objects of both have the fields of both."""
    found = {prop.name.lower(): prop for prop in properties}
    for other in others:
        have = found.setdefault(other.name.lower(), other)
        if have is not other and have.data_type.element is other.data_type.element is DataType.OBJECT:
            found[other.name.lower()] = replace(have, nested=with_others(have.nested, other.nested))
    return tuple(found.values())


def _check_nested(prop: Property, known: Known[str], path: str) -> None:
    name, setting = path + prop.name, "nestedProperties"
    if path and prop.data_type in _NEVER_NESTED:
        raise InvalidSchema(f"property {name!r}: a nested object cannot hold {prop.data_type}", setting=setting)
    if (prop.data_type.element is DataType.OBJECT) is not bool(prop.nested):
        message = f"property {name!r} is {prop.data_type}: object and object[] have nestedProperties, at least one, and no others have"
        raise InvalidSchema(message, setting=setting)
    if path.count(".") > MAX_NESTED:
        raise InvalidSchema(f"property {name!r} is nested more than {MAX_NESTED} levels deep; flatten it", setting=setting)
    check_unique((inner.name for inner in prop.nested), f"nestedProperties of {name!r}")
    for inner in prop.nested:
        check_property(inner, known, f"{name}.")
