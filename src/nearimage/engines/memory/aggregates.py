"""Summaries of records, with Python's own exact arithmetic.

    records, Aggregation --groups--> value: records --summaries--> Group, Group, ...

May import `domain` only.
"""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

from nearimage.domain.aggregates import Aggregation, BooleanSummary, DateSummary, Group, NumberSummary, Summary, TextSummary
from nearimage.domain.dates import instant_ns, instant_text
from nearimage.domain.objects import Record, Scalar
from nearimage.domain.schema import Collection, DataType


def aggregate(records: Sequence[Record], aggregation: Aggregation, collection: Collection) -> tuple[Group, ...]:
    """The groups of the records, or all of them as one."""
    types = {prop.name: prop.data_type.element for prop in collection.properties}
    if aggregation.group_by is None:
        return (_group(None, records, aggregation, types),)
    members: dict[Scalar, list[Record]] = {}
    for record in records:
        for value in dict.fromkeys(_values([record], aggregation.group_by, types)):
            members.setdefault(value, []).append(record)
    ranked = sorted(members, key=lambda value: (-len(members[value]), value))[: aggregation.groups]
    is_date = types[aggregation.group_by] is DataType.DATE
    return tuple(_group(instant_text(int(value)) if is_date else value, members[value], aggregation, types) for value in ranked)


def _group(value: Scalar | None, records: Sequence[Record], aggregation: Aggregation, types: dict[str, DataType]) -> Group:
    summaries = {name: _summary(_values(records, name, types), types[name], top) for name, top in aggregation.properties.items()}
    return Group(value=value, objects=len(records), summaries=summaries)


def _values(records: Sequence[Record], name: str, types: dict[str, DataType]) -> list[Scalar]:
    """The property's values and array entries; dates as instants, references as texts."""
    found = [record.properties[name] for record in records if name in record.properties]
    flat = [entry for value in found for entry in cast("tuple[Scalar, ...]", value if isinstance(value, tuple) else (value,))]
    if types[name] is DataType.REFERENCE:
        return [str(entry) for entry in flat]
    return [instant_ns(str(entry)) for entry in flat] if types[name] is DataType.DATE else flat


def _summary(values: Sequence[Scalar], kind: DataType, top: int) -> Summary:
    match kind:
        case DataType.BOOLEAN:
            return _booleans(values)
        case DataType.DATE:
            return _dates([int(value) for value in values])
        case DataType.INT | DataType.NUMBER:
            return _numbers([cast("float", value) for value in values], whole=kind is DataType.INT)
        case _:
            counts = Counter(str(value) for value in values)
            ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            return TextSummary(count=len(values), top=tuple(ranked[:top]))


def _numbers(values: Sequence[float], *, whole: bool) -> NumberSummary:
    if not values:
        return NumberSummary(count=0)
    total = sum((Fraction(value) for value in values), Fraction())
    return NumberSummary(
        count=len(values),
        sum=int(total) if whole else _float(total),
        mean=_float(total / len(values)),
        mode=_mode(values),
        median=_float(_median(values)),
        minimum=min(values),
        maximum=max(values),
    )


def _dates(instants: Sequence[int]) -> DateSummary:
    if not instants:
        return DateSummary(count=0)
    figures = (int(_mode(instants)), math.floor(_median(instants)), min(instants), max(instants))
    mode, median, minimum, maximum = (instant_text(figure) for figure in figures)
    return DateSummary(count=len(instants), mode=mode, median=median, minimum=minimum, maximum=maximum)


def _booleans(values: Sequence[Scalar]) -> BooleanSummary:
    true = sum(value is True for value in values)
    false = len(values) - true
    if not values:
        return BooleanSummary(count=0)
    return BooleanSummary(count=len(values), total_true=true, total_false=false, share_true=true / len(values), share_false=false / len(values))


def _mode(values: Sequence[float]) -> float:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _median(values: Sequence[float]) -> Fraction:
    ordered = sorted(values)
    half = len(ordered) // 2
    return Fraction(ordered[half]) if len(ordered) % 2 else (Fraction(ordered[half - 1]) + Fraction(ordered[half])) / 2


def _float(figure: Fraction) -> float:
    try:
        return float(figure)
    except OverflowError:
        return math.inf if figure > 0 else -math.inf
