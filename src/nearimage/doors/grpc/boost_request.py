"""Read the boost of a SearchRequest. May import `domain` and `doors.wire` only; messages are `Any`, see `doors.wire.messages`."""

import re
from collections.abc import Mapping
from typing import Any

from nearimage.domain.boost import (
    DEFAULT_DECAY,
    DEFAULT_DEPTH,
    DEFAULT_WEIGHT,
    Boost,
    BoostCondition,
    Curve,
    Modifier,
    NumericDecay,
    Passes,
    PropertyValue,
    TimeDecay,
)
from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidInput
from nearimage.doors.grpc.filters import read_filter
from nearimage.doors.wire.messages import BoostMessage

_CURVES: Mapping[int, Curve] = {
    BoostMessage.DECAY_CURVE_GAUSS: Curve.GAUSS,
    BoostMessage.DECAY_CURVE_LINEAR: Curve.LINEAR,
    BoostMessage.DECAY_CURVE_EXPONENTIAL: Curve.EXPONENTIAL,
}
_MODIFIERS: Mapping[int, Modifier] = {
    BoostMessage.PROPERTY_VALUE_MODIFIER_LOG1P: Modifier.LOG1P,
    BoostMessage.PROPERTY_VALUE_MODIFIER_SQRT: Modifier.SQRT,
}
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def read_boost(message: Any) -> Boost:
    """A boost.

    Raises:
        InvalidInput: a condition without a rule, a duration or a date that is none.
    """
    return Boost(
        conditions=tuple(BoostCondition(rule=_rule(one), weight=one.weight if one.HasField("weight") else 1.0) for one in message.conditions),
        weight=message.weight if message.HasField("weight") else DEFAULT_WEIGHT,
        depth=message.depth if message.HasField("depth") else DEFAULT_DEPTH,
    )


def _rule(condition: Any) -> Passes | NumericDecay | TimeDecay | PropertyValue:
    kind = condition.WhichOneof("condition")
    if kind is None:
        raise InvalidInput("a boost condition says nothing; give it a filter, a decay or a property value")
    rule = getattr(condition, kind)
    if kind == "filter":
        return Passes(read_filter(rule))
    if kind == "property_value":
        return PropertyValue(property=rule.property, modifier=_MODIFIERS.get(rule.modifier, Modifier.NONE))
    curve, decay = _CURVES.get(rule.curve, Curve.EXPONENTIAL), rule.decay_value if rule.HasField("decay_value") else DEFAULT_DECAY
    if kind == "numeric_decay":
        return NumericDecay(property=rule.property, origin=rule.origin, scale=rule.scale, offset=rule.offset, curve=curve, decay=decay)
    offset = _seconds(rule.offset) if rule.offset else 0.0
    return TimeDecay(property=rule.property, origin=_origin(rule.origin), scale_s=_seconds(rule.scale), offset_s=offset, curve=curve, decay=decay)


def _origin(text: str) -> str:
    if text in ("", "now"):
        return "now"
    try:
        instant_ns(text)
    except ValueError as wrong:
        raise InvalidInput(f"boost: the origin of a time decay is 'now' or a date; {wrong}") from wrong
    return text


def _seconds(text: str) -> float:
    """`7d`, `12h`, `1h30m` as seconds."""
    parts = _DURATION.findall(text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise InvalidInput(f"boost: {text!r} is no duration such as 7d, 12h or 1h30m")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))
