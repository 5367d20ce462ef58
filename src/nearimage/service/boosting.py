"""Order hits anew by a boost; `domain.boost` has the formulas. May import numpy, `domain` and `ports` only."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nearimage.domain.boost import Boost, Curve, Modifier, NumericDecay, Passes, PropertyValue, TimeDecay
from nearimage.domain.dates import instant_ns
from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import ID_FIELD, And, Compare, Filter, Operator
from nearimage.domain.objects import IDS_ONLY, Hit, Projection
from nearimage.domain.schema import Collection, DataType
from nearimage.ports.engine import Shard

Shares = npt.NDArray[np.float64]
_NS = 1e9


def check_boost(boost: Boost, collection: Collection) -> None:
    """Refuse what cannot be computed.

    Raises:
        InvalidInput: no condition, weights or scales out of range, a property that is not there or of another type.
    """
    if not boost.conditions:
        raise InvalidInput("a boost needs at least one condition")
    if not 0 <= boost.weight <= 1 or not all(math.isfinite(one.weight) for one in boost.conditions):
        raise InvalidInput("a boost's weight is between 0 and 1, a condition's is any number")
    if boost.depth < 1:
        raise InvalidInput(f"a boost looks at least at one hit; got depth {boost.depth}")
    for condition in boost.conditions:
        if not isinstance(condition.rule, Passes):
            _check_rule(condition.rule, collection)


def _check_rule(rule: NumericDecay | TimeDecay | PropertyValue, collection: Collection) -> None:
    prop = collection.property(rule.property)
    kinds = (DataType.DATE,) if isinstance(rule, TimeDecay) else (DataType.INT, DataType.NUMBER)
    if prop is None or prop.data_type not in kinds:
        raise InvalidInput(f"boost: {rule.property!r} is no property of type {' or '.join(kinds)} of {collection.name!r}", property=rule.property)
    if isinstance(rule, PropertyValue):
        return
    scale, offset = (rule.scale_s, rule.offset_s) if isinstance(rule, TimeDecay) else (rule.scale, rule.offset)
    if not 0 < scale < math.inf or not 0 <= offset < math.inf or not 0 < rule.decay < 1:
        raise InvalidInput(f"boost on {rule.property!r}: scale is more than 0, offset at least 0, decay between 0 and 1", property=rule.property)


def boosted(boost: Boost, hits: Sequence[Hit], shard: Shard, now_ms: int) -> list[Hit]:
    """The hits in their new order; equals keep the old one.

    Args:
        hits: best first; filters in the boost are bound.
    """
    if not hits:
        return []
    names = tuple({c.rule.property for c in boost.conditions if not isinstance(c.rule, Passes)})
    records = shard.get([hit.record.id for hit in hits], Projection(properties=names)) if names else {}
    told, total = np.zeros(len(hits)), 0.0
    for condition in boost.conditions:
        rule = condition.rule
        if isinstance(rule, Passes):
            shares = _passing(rule.where, hits, shard)
        else:
            values = [records[hit.record.id].properties.get(rule.property) if hit.record.id in records else None for hit in hits]
            shares = _value_shares(rule, values) if isinstance(rule, PropertyValue) else _decayed(rule, values, now_ms)
        weight = condition.weight or 1.0
        told += weight * shares
        total += abs(weight)
    likeness = _stretched(np.array([-hit.distance if hit.score is None and hit.distance is not None else hit.score or 0.0 for hit in hits]))
    final = (1 - boost.weight) * likeness + boost.weight * told / total
    return [hits[place] for place in np.argsort(-final, kind="stable")]


def _passing(where: Filter, hits: Sequence[Hit], shard: Shard) -> Shares:
    among = And((where, Compare(ID_FIELD, Operator.CONTAINS_ANY, tuple(str(hit.record.id) for hit in hits))))
    passing = {record.id for record in shard.scan(where=among, after=None, limit=len(hits), offset=0, projection=IDS_ONLY)}
    return np.array([float(hit.record.id in passing) for hit in hits])


def _value_shares(rule: PropertyValue, values: Sequence[object]) -> Shares:
    numbers = np.array([float(value) if isinstance(value, int | float) else 0.0 for value in values])
    if rule.modifier is not Modifier.NONE:
        change = np.log1p if rule.modifier is Modifier.LOG1P else np.sqrt
        numbers = change(np.maximum(numbers, 0))
    return _stretched(numbers)


def _decayed(rule: NumericDecay | TimeDecay, values: Sequence[object], now_ms: int) -> Shares:
    if isinstance(rule, TimeDecay):
        origin = now_ms / 1000 if rule.origin == "now" else instant_ns(rule.origin) / _NS
        numbers = [instant_ns(value) / _NS if isinstance(value, str) else math.nan for value in values]
        scale, offset = rule.scale_s, rule.offset_s
    else:
        origin, scale, offset = rule.origin, rule.scale, rule.offset
        numbers = [float(value) if isinstance(value, int | float) else math.nan for value in values]
    beyond = np.maximum(np.abs(np.array(numbers) - origin) - offset, 0) / scale
    if rule.curve is Curve.LINEAR:
        shares = np.maximum(1 - (1 - rule.decay) * beyond, 0)
    else:
        shares = np.exp(math.log(rule.decay) * (beyond**2 if rule.curve is Curve.GAUSS else beyond))
    return np.nan_to_num(shares)


def _stretched(values: Shares) -> Shares:
    """Over 0 .. 1; all equal: 1."""
    least, most = values.min(), values.max()
    return np.asarray((values - least) / (most - least)) if most > least else np.ones(len(values))
