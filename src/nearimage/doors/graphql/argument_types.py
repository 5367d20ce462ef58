"""The types of GraphQL arguments: what a query may say about a collection.

Names are Weaviate's, so that introspection shows users of its clients what they know: GetObjectsDogWhereInpObj, FusionEnum ...

May import graphql, `domain` and `doors.graphql` only.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    print_ast,
)

from nearimage.domain.filters import Operator
from nearimage.domain.query import Combination
from nearimage.domain.vectorizing import Modality

NEAR_MEDIA: Mapping[str, tuple[str, Modality]] = {
    "nearImage": ("image", Modality.IMAGE),
    "nearAudio": ("audio", Modality.AUDIO),
    "nearVideo": ("video", Modality.VIDEO),
    "nearThermal": ("thermal", Modality.THERMAL),
    "nearDepth": ("depth", Modality.DEPTH),
    "nearIMU": ("imu", Modality.IMU),
}
"""The arguments for media, each with its field and what a module must understand for it to be there."""

STRINGS, FLOATS = GraphQLList(GraphQLString), GraphQLList(GraphQLFloat)
Fields = Mapping[str, GraphQLInputType]


def _as_given(value: Any) -> Any:
    return value


def _checked(kinds: tuple[type[ValueNode], ...], name: str, node: ValueNode, _: object = None) -> Any:
    """Let a literal pass that is of one of these kinds, or a list of such; its value is read elsewhere."""
    entries = node.values if isinstance(node, ListValueNode) else (node,)
    for entry in entries:
        if not isinstance(entry, (*kinds, VariableNode, NullValueNode)):
            raise GraphQLError(f"{name} cannot be {print_ast(entry)}", nodes=node)
    return True


def _lists_of_numbers(name: str, node: ValueNode, _: object = None) -> Any:
    """Let an object pass whose values are numbers, or lists of them to any depth."""
    if not isinstance(node, ObjectValueNode):
        raise GraphQLError(f"{name} is an object of names and numbers, not {print_ast(node)}", nodes=node)
    left: list[ValueNode] = [field.value for field in node.fields]
    while left:
        entry = left.pop()
        if isinstance(entry, ListValueNode):
            left.extend(entry.values)
        elif not isinstance(entry, IntValueNode | FloatValueNode | VariableNode):
            raise GraphQLError(f"{name} has numbers, not {print_ast(entry)}", nodes=entry)
    return True


def _numbers_by_name(name: str, value: Any) -> Any:
    """The same for the value of a variable."""
    if not isinstance(value, dict):
        raise GraphQLError(f"{name} is an object of names and numbers, not {value!r:.100}")
    left: list[Any] = list(value.values())
    while left:
        entry = left.pop()
        if isinstance(entry, list):
            left.extend(entry)
        elif isinstance(entry, bool) or not isinstance(entry, int | float):
            raise GraphQLError(f"{name} has numbers, not {entry!r:.100}")
    return value


def _by_name(name: str) -> GraphQLScalarType:
    """An object of names and numbers, or lists of numbers."""
    return GraphQLScalarType(name, parse_value=partial(_numbers_by_name, name), parse_literal=partial(_lists_of_numbers, name))


def _scalar(name: str, *kinds: type[ValueNode]) -> GraphQLScalarType:
    """One value, or a list of values."""
    return GraphQLScalarType(name, parse_value=_as_given, parse_literal=partial(_checked, kinds, name))


def _enum(name: str, *values: str) -> GraphQLEnumType:
    return GraphQLEnumType(name, {value: value for value in values})


def _object(name: str, fields: Fields) -> GraphQLInputObjectType:
    return GraphQLInputObjectType(name, {key: GraphQLInputField(kind) for key, kind in fields.items()})


class ArgumentTypes:
    """The arguments of the fields of one schema; a type that several fields share is made once."""

    def __init__(self) -> None:
        self._fusion = _enum("FusionEnum", "rankedFusion", "relativeScoreFusion")
        self._combination = _enum("targetCombinationEnum", *(str(way) for way in Combination))
        self._weights = _by_name("Weights")
        self._per_target = _by_name("VectorPerTarget")

    def get(self, name: str, modalities: frozenset[Modality], *, tenants: bool) -> dict[str, GraphQLArgument]:
        """Of a collection under Get."""
        prefix = f"GetObjects{name}"
        order = _enum(f"{prefix}SortInpObjTypeEnum", "asc", "desc")
        merging = _enum(f"{prefix}GroupInpObjTypeEnum", "closest", "merge")
        more: Fields = {
            "after": GraphQLString,
            "limit": GraphQLInt,
            "offset": GraphQLInt,
            "autocut": GraphQLInt,
            "sort": GraphQLList(_object(f"{prefix}SortInpObj", {"path": STRINGS, "order": order})),
            "group": _object(f"{prefix}GroupInpObj", {"type": merging, "force": GraphQLNonNull(GraphQLFloat)}),
            "groupBy": _object(f"{prefix}GroupByInpObj", {"path": STRINGS, "groups": GraphQLInt, "objectsPerGroup": GraphQLInt}),
            "bm25": self._bm25(prefix),
        }
        return self._arguments(prefix, modalities, more, tenants=tenants)

    def aggregate(self, name: str, modalities: frozenset[Modality], *, tenants: bool) -> dict[str, GraphQLArgument]:
        """Of a collection under Aggregate."""
        more: Fields = {"limit": GraphQLInt, "objectLimit": GraphQLInt, "groupBy": STRINGS}
        return self._arguments(f"AggregateObjects{name}", modalities, more, tenants=tenants)

    def explore(self, modalities: frozenset[Modality]) -> dict[str, GraphQLArgument]:
        """Of Explore."""
        given: Fields = {**self._near("Explore", modalities), "limit": GraphQLInt, "offset": GraphQLInt}
        return {key: GraphQLArgument(kind) for key, kind in given.items()}

    def _arguments(self, prefix: str, modalities: frozenset[Modality], more: Fields, *, tenants: bool) -> dict[str, GraphQLArgument]:
        near = self._near(prefix, modalities)
        given: Fields = {**near, **more, "where": _where(prefix), "hybrid": self._hybrid(prefix), **({"tenant": GraphQLString} if tenants else {})}
        return {key: GraphQLArgument(kind) for key, kind in given.items()}

    def _near(self, prefix: str, modalities: frozenset[Modality]) -> dict[str, GraphQLInputType]:
        found: dict[str, GraphQLInputType] = {
            "nearVector": self._near_vector(f"{prefix}NearVector"),
            "nearObject": self._near_one(f"{prefix}NearObject", {"id": GraphQLString, "beacon": GraphQLString}),
        }
        if Modality.TEXT in modalities:
            found["nearText"] = self._near_text(f"{prefix}NearText")
        for argument, (field, modality) in NEAR_MEDIA.items():
            if modality in modalities:
                found[argument] = self._near_one(f"{prefix}N{argument[1:]}", {field: GraphQLNonNull(GraphQLString)})
        return found

    def _near_one(self, prefix: str, what: Fields) -> GraphQLInputObjectType:
        said: Fields = {"certainty": GraphQLFloat, "distance": GraphQLFloat, **self._targets(prefix)}
        return _object(f"{prefix}InpObj", {**what, **said})

    def _near_vector(self, prefix: str) -> GraphQLInputObjectType:
        return self._near_one(prefix, {"vector": FLOATS, "vectorPerTarget": self._per_target})

    def _near_text(self, prefix: str) -> GraphQLInputObjectType:
        moves = {name: _move(f"{prefix}{name[0].upper()}{name[1:]}") for name in ("moveTo", "moveAwayFrom")}
        return self._near_one(prefix, {"concepts": GraphQLNonNull(STRINGS), **moves})

    def _targets(self, prefix: str) -> Fields:
        targets: Fields = {"targetVectors": STRINGS, "combinationMethod": self._combination, "weights": self._weights}
        return {"targetVectors": STRINGS, "targets": _object(f"{prefix}TargetInpObj", targets)}

    def _bm25(self, prefix: str) -> GraphQLInputObjectType:
        return _object(f"{prefix}Bm25InpObj", {"query": GraphQLString, "properties": STRINGS, "searchOperator": _search_operator(f"{prefix}Bm25")})

    def _hybrid(self, prefix: str) -> GraphQLInputObjectType:
        prefix = f"{prefix}Hybrid"
        legs: Fields = {"nearText": self._near_text(f"{prefix}NearText"), "nearVector": self._near_vector(f"{prefix}NearVector")}
        fields: Fields = {
            "query": GraphQLString,
            "alpha": GraphQLFloat,
            "maxVectorDistance": GraphQLFloat,
            "vector": FLOATS,
            "properties": STRINGS,
            "fusionType": self._fusion,
            "bm25SearchOperator": _search_operator(f"{prefix}Bm25"),
            "searches": GraphQLList(_object(f"{prefix}SubSearchInpObj", legs)),
        }
        return _object(f"{prefix}InpObj", {**fields, **self._targets(prefix)})


def _move(prefix: str) -> GraphQLInputObjectType:
    things = GraphQLList(_object(f"{prefix}MovementObjectsInpObj", {"id": GraphQLString, "beacon": GraphQLString}))
    return _object(f"{prefix}InpObj", {"concepts": STRINGS, "objects": things, "force": GraphQLNonNull(GraphQLFloat)})


def _search_operator(prefix: str) -> GraphQLInputObjectType:
    operators = _enum(f"{prefix}SearchOperatorEnum", "And", "AndCross", "Or")
    return _object(f"{prefix}SearchOperatorInpObj", {"operator": operators, "minimumOrTokensMatch": GraphQLInt})


def _where(prefix: str) -> GraphQLInputObjectType:
    place = _object(f"{prefix}WhereGeoRangeGeoCoordinatesInpObj", {"latitude": GraphQLNonNull(GraphQLFloat), "longitude": GraphQLNonNull(GraphQLFloat)})
    reach = _object(f"{prefix}WhereGeoRangeDistanceInpObj", {"max": GraphQLNonNull(GraphQLFloat)})
    fields: Fields = {
        "operator": _enum(f"{prefix}WhereOperatorEnum", "And", "Or", "Not", *(str(operator) for operator in Operator)),
        "path": STRINGS,
        "valueInt": _scalar(f"Int{prefix}", IntValueNode),
        "valueNumber": _scalar(f"Float{prefix}", IntValueNode, FloatValueNode),
        "valueBoolean": _scalar(f"Boolean{prefix}", BooleanValueNode),
        "valueString": _scalar(f"TextString{prefix}", StringValueNode),
        "valueText": _scalar(f"Text{prefix}", StringValueNode),
        "valueDate": _scalar(f"TextDate{prefix}", StringValueNode),
        "valueGeoRange": _object(f"{prefix}WhereGeoRangeInpObj", {"geoCoordinates": GraphQLNonNull(place), "distance": GraphQLNonNull(reach)}),
    }

    def operands() -> dict[str, GraphQLInputField]:
        return {**{key: GraphQLInputField(kind) for key, kind in fields.items()}, "operands": GraphQLInputField(GraphQLList(operand))}

    operand = GraphQLInputObjectType(f"{prefix}WhereOperandsInpObj", operands)
    return GraphQLInputObjectType(f"{prefix}WhereInpObj", operands)
