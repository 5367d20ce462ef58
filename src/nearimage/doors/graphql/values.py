"""The values of arguments: from the nodes of a parsed document, its literals and its variables, to plain Python.

    {path: ["i"], operator: Equal, valueInt: $n}  -->  {"path": ["i"], "operator": "Equal", "valueInt": 3}

Names of enum values come as text. What a variable without a value stands for is absent. May import graphql and `doors.graphql` only.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from nearimage.doors.graphql.lifting import Literal

_ABSENT = object()


def arguments_of(nodes: tuple[ArgumentNode, ...], variables: Mapping[str, Any], literals: Mapping[int, Literal]) -> dict[str, Any]:
    """The arguments of a field or a directive, by name."""
    values = {node.name.value: _value(node.value, variables, literals) for node in nodes}
    return {name: value for name, value in values.items() if value is not _ABSENT}


def value_of(node: ValueNode, variables: Mapping[str, Any], literals: Mapping[int, Literal]) -> Any:
    """One value; None for null, and for a variable without a value."""
    value = _value(node, variables, literals)
    return None if value is _ABSENT else value


def _value(node: ValueNode, variables: Mapping[str, Any], literals: Mapping[int, Literal]) -> Any:
    if isinstance(node, VariableNode):
        return variables.get(node.name.value, _ABSENT)
    if isinstance(node, ObjectValueNode):
        fields = {field.name.value: _value(field.value, variables, literals) for field in node.fields}
        return {name: value for name, value in fields.items() if value is not _ABSENT}
    lifted = literals.get(node.loc.start) if node.loc else None
    if lifted is not None:
        return lifted
    if isinstance(node, ListValueNode):
        return [value_of(entry, variables, literals) for entry in node.values]
    return _scalar(node)


def _scalar(node: ValueNode) -> Any:
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, FloatValueNode):
        return float(node.value)
    return node.value if isinstance(node, StringValueNode | BooleanValueNode | EnumValueNode) else None
