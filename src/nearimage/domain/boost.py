"""Boosts: let other things than likeness have a say in the order of hits.

    Boost(conditions=(BoostCondition(rule=Passes(...), weight=2), BoostCondition(rule=NumericDecay("price", origin=30, scale=100))), weight=0.5)

The best `depth` hits are ordered anew by

    (1 - weight) x likeness + weight x the sum of weighted conditions / the sum of their weights, taken as positive

where likeness is the search's own distance or score, stretched to 0 .. 1 over those hits, and each condition says 0 .. 1 of each hit:

    Passes          1 where a filter holds, else 0
    NumericDecay    1 near an origin, falling with the distance of a number from it
    TimeDecay       the same of a date
    PropertyValue   a number of the object, 0 where there is none, stretched to 0 .. 1 over the hits, after a modifier

A condition of negative weight draws down what it says something of. An object without the property gets 0 from a decay. The decay curves, of the distance x
beyond the offset, are `decay` at x = scale:

    gauss exp(ln(decay) (x / scale)^2)    exponential exp(ln(decay) x / scale)    linear max(0, 1 - (1 - decay) x / scale)

May import the standard library and `domain` only.
"""

from dataclasses import dataclass
from enum import StrEnum

from nearimage.domain.filters import Filter

DEFAULT_DEPTH = 100
DEFAULT_DECAY = 0.5
DEFAULT_WEIGHT = 0.5


class Curve(StrEnum):
    """How a decay falls."""

    GAUSS = "gauss"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class Modifier(StrEnum):
    """What is done to a property's value before it counts."""

    NONE = "none"
    LOG1P = "log1p"
    SQRT = "sqrt"


@dataclass(frozen=True, slots=True)
class Passes:
    """The object passes a filter."""

    where: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericDecay:
    """How near a number is to another."""

    property: str
    origin: float
    scale: float
    offset: float = 0.0
    curve: Curve = Curve.EXPONENTIAL
    decay: float = DEFAULT_DECAY


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDecay:
    """How near a date is to another.

    Attributes:
        origin: RFC 3339 text, or "now".
        scale_s, offset_s: seconds.
    """

    property: str
    origin: str
    scale_s: float
    offset_s: float = 0.0
    curve: Curve = Curve.EXPONENTIAL
    decay: float = DEFAULT_DECAY


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyValue:
    """How large a number of the object is."""

    property: str
    modifier: Modifier = Modifier.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostCondition:
    """One condition with its weight among the conditions; 0 is the usual weight, 1, as in Weaviate."""

    rule: Passes | NumericDecay | TimeDecay | PropertyValue
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boost:
    """Conditions, and how much they weigh against likeness (0 .. 1).

    Attributes:
        depth: how many of the best hits are looked at.
    """

    conditions: tuple[BoostCondition, ...]
    weight: float = DEFAULT_WEIGHT
    depth: int = DEFAULT_DEPTH
