"""The GraphQL schema of a database: which questions its collections take, and what they answer.

    query WeaviateObj
      Get        GetObjectsObj        { Dog(nearImage: ..., limit: ...): [Dog] }
      Aggregate  AggregateObjectsObj  { Dog(groupBy: ...): [AggregateDog] }
      Explore    [ExploreObj]

It serves two ends: validating a document before it is run, and introspection. Questions are answered without it. A document can speak only of the collections
that it names, so `schema_of` is given those, and a database of a thousand collections costs no more than one of two; introspection is given all.

Names are Weaviate's. May import graphql, `domain` and `doors.graphql` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
)

from nearimage.domain.aggregates import SUMMARISED
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.domain.vectorizing import Modality
from nearimage.doors.graphql.argument_types import FLOATS, STRINGS, ArgumentTypes

Modalities = Callable[[Collection], frozenset[Modality]]
"""What the modules of a collection's vectors understand."""

Fields = dict[str, GraphQLField]

_SCALARS: Mapping[DataType, GraphQLOutputType] = {
    DataType.INT: GraphQLInt,
    DataType.NUMBER: GraphQLFloat,
    DataType.BOOLEAN: GraphQLBoolean,
}
_NUMERIC = ("sum", "minimum", "maximum", "mean", "mode", "median")
_DATE = ("minimum", "maximum", "mode", "median")
_BOOLEAN: Mapping[str, GraphQLOutputType] = {
    "totalTrue": GraphQLInt,
    "totalFalse": GraphQLInt,
    "percentageTrue": GraphQLFloat,
    "percentageFalse": GraphQLFloat,
}
_PHONE: Mapping[str, GraphQLOutputType] = {
    "input": GraphQLString,
    "internationalFormatted": GraphQLString,
    "nationalFormatted": GraphQLString,
    "national": GraphQLInt,
    "valid": GraphQLBoolean,
    "countryCode": GraphQLInt,
    "defaultCountry": GraphQLString,
}
_GROUPED_BY: Mapping[str, GraphQLOutputType] = {"path": STRINGS, "value": GraphQLString}
_GEO: Mapping[str, GraphQLOutputType] = {"latitude": GraphQLFloat, "longitude": GraphQLFloat}


def schema_of(collections: Sequence[Collection], modalities: Modalities, understood: frozenset[Modality]) -> GraphQLSchema:
    """The schema of these collections.

    Args:
        understood: by some collection of the database, for Explore.
    """
    types = _Types(modalities, {collection.name: collection for collection in collections})
    root = {
        "Get": GraphQLField(GraphQLObjectType("GetObjectsObj", {c.name: types.get(c) for c in collections})),
        "Aggregate": GraphQLField(GraphQLObjectType("AggregateObjectsObj", {c.name: types.aggregate(c) for c in collections})),
        "Explore": types.explore(understood),
    }
    return GraphQLSchema(GraphQLObjectType("WeaviateObj", root), assume_valid=True)


def _object(name: str, fields: Mapping[str, GraphQLOutputType]) -> GraphQLObjectType:
    return GraphQLObjectType(name, {key: GraphQLField(kind) for key, kind in fields.items()})


@dataclass(frozen=True, slots=True)
class _Types:
    """The types of one schema, each made once."""

    modalities: Modalities
    collections: Mapping[str, Collection]
    arguments: ArgumentTypes = field(default_factory=ArgumentTypes)
    objects: dict[str, GraphQLObjectType] = field(default_factory=dict)
    properties: dict[str, Fields] = field(default_factory=dict)

    def get(self, collection: Collection) -> GraphQLField:
        """A collection under Get."""
        arguments = self.arguments.get(collection.name, self.modalities(collection), tenants=collection.tenancy.enabled)
        return GraphQLField(GraphQLList(self.stored(collection)), arguments, description=collection.description or None)

    def aggregate(self, collection: Collection) -> GraphQLField:
        """A collection under Aggregate."""
        arguments = self.arguments.aggregate(collection.name, self.modalities(collection), tenants=collection.tenancy.enabled)
        return GraphQLField(GraphQLList(_summary(collection)), arguments, description=collection.description or None)

    def explore(self, understood: frozenset[Modality]) -> GraphQLField:
        """Nearness across collections."""
        found = {"className": GraphQLString, "beacon": GraphQLString, "certainty": GraphQLFloat, "distance": GraphQLFloat}
        return GraphQLField(GraphQLList(_object("ExploreObj", found)), self.arguments.explore(understood))

    def stored(self, collection: Collection) -> GraphQLObjectType:
        """An object of a collection."""
        if collection.name not in self.objects:
            self.objects[collection.name] = GraphQLObjectType(
                collection.name,
                lambda: {**self._properties(collection), "_additional": self._additional(collection)},
                description=collection.description or None,
            )
        return self.objects[collection.name]

    def _properties(self, collection: Collection) -> Fields:
        if collection.name not in self.properties:
            made = {prop.name: GraphQLField(self._property(collection, prop), description=prop.description or None) for prop in collection.properties}
            self.properties[collection.name] = made
        return self.properties[collection.name]

    def _property(self, collection: Collection, prop: Property) -> GraphQLOutputType:
        kind = prop.data_type
        if kind is DataType.REFERENCE:
            return self._reference(collection, prop)
        if kind is DataType.GEO_COORDINATES:
            return _object(f"{collection.name}{prop.name}GeoCoordinatesObj", _GEO)
        if kind is DataType.PHONE_NUMBER:
            return _object(f"{collection.name}{prop.name}PhoneNumberObj", _PHONE)
        return _plain(collection.name, prop, prop.name)

    def _reference(self, collection: Collection, prop: Property) -> GraphQLOutputType:
        """A union of the collections that it may lead to; those that the document does not name are not in the schema."""
        targets = [self.stored(self.collections[name]) for name in prop.targets if name in self.collections]
        name = f"{collection.name}{prop.name[0].upper()}{prop.name[1:]}Obj"
        return GraphQLList(GraphQLUnionType(name, [*targets, self._beacon()], description=prop.description or None))

    def _beacon(self) -> GraphQLObjectType:
        if "" not in self.objects:  # no collection has this name
            self.objects[""] = _object("Beacon", {"beacon": GraphQLString})
        return self.objects[""]

    def _additional(self, collection: Collection) -> GraphQLField:
        name = f"{collection.name}Additional"
        classified: dict[str, GraphQLOutputType] = {
            "id": GraphQLString,
            "basedOn": STRINGS,
            "scope": STRINGS,
            "classifiedFields": STRINGS,
            "completed": GraphQLString,
        }
        texts = ("id", "creationTimeUnix", "lastUpdateTimeUnix", "score", "explainScore")
        fields: dict[str, GraphQLOutputType] = {
            **dict.fromkeys(texts, GraphQLString),
            "certainty": GraphQLFloat,
            "distance": GraphQLFloat,
            "vector": FLOATS,
            "classification": _object(f"{name}Classification", classified),
            "group": self._group(collection, name),
        }
        named = [vector.name for vector in collection.vectors if "-" not in vector.name]  # GraphQL has no such names
        if named and not collection.legacy_vector:
            fields["vectors"] = _object(f"{name}Vectors", dict.fromkeys(named, FLOATS))
        return GraphQLField(_object(name, fields))

    def _group(self, collection: Collection, prefix: str) -> GraphQLObjectType:
        shown: dict[str, GraphQLOutputType] = {"id": GraphQLString, "vector": FLOATS, "distance": GraphQLFloat}
        own = {"_additional": GraphQLField(_object(f"{prefix}GroupHitsAdditional", shown))}
        hits = GraphQLObjectType(f"{prefix}GroupHits", {**self._properties(collection), **own})
        grouped = _object(f"{prefix}GroupGroupedBy", _GROUPED_BY)
        numbers: dict[str, GraphQLOutputType] = {"id": GraphQLInt, "count": GraphQLInt, "minDistance": GraphQLFloat, "maxDistance": GraphQLFloat}
        return _object(f"{prefix}Group", {**numbers, "groupedBy": grouped, "hits": GraphQLList(hits)})


def _plain(collection: str, prop: Property, path: str) -> GraphQLOutputType:
    """A property without references: a scalar, an object, or a list of them."""
    element = prop.data_type.element
    if element is DataType.OBJECT:
        fields = {nested.name: _plain(collection, nested, f"{path}_{nested.name}") for nested in prop.nested}
        kind: GraphQLOutputType = _object(f"{collection}_{path}_object", fields)
    else:
        kind = _SCALARS.get(element, GraphQLString)
    return GraphQLList(kind) if prop.data_type.is_array else kind


def _summary(collection: Collection) -> GraphQLObjectType:
    """What Aggregate answers about a collection."""
    prefix = f"Aggregate{collection.name}"
    fields = {prop.name: _property_summary(f"{prefix}{prop.name}", prop.data_type.element) for prop in collection.properties}
    found = {name: GraphQLField(kind) for name, kind in fields.items() if kind is not None}
    own = {
        "meta": GraphQLField(_object(f"{prefix}MetaObject", {"count": GraphQLInt})),
        "groupedBy": GraphQLField(_object(f"{prefix}GroupedByObj", _GROUPED_BY)),
    }
    return GraphQLObjectType(prefix, {**found, **own})


def _property_summary(prefix: str, kind: DataType) -> GraphQLObjectType | None:
    said: dict[str, GraphQLOutputType] = {"count": GraphQLInt, "type": GraphQLString}
    if kind is DataType.REFERENCE:
        return _object(f"{prefix}Obj", {"type": GraphQLString, "pointingTo": STRINGS})
    if kind not in SUMMARISED or kind is DataType.UUID:
        return None
    if kind in (DataType.INT, DataType.NUMBER):
        return _object(f"{prefix}Obj", {**said, **dict.fromkeys(_NUMERIC, GraphQLFloat)})
    if kind is DataType.DATE:
        return _object(f"{prefix}Obj", {"count": GraphQLInt, **dict.fromkeys(_DATE, GraphQLString)})
    if kind is DataType.BOOLEAN:
        return _object(f"{prefix}Obj", {**said, **_BOOLEAN})
    top = GraphQLList(_object(f"{prefix}TopOccurrencesObj", {"value": GraphQLString, "occurs": GraphQLInt}))
    fields = {key: GraphQLField(kind) for key, kind in said.items()}
    return GraphQLObjectType(f"{prefix}Obj", {**fields, "topOccurrences": GraphQLField(top, {"limit": GraphQLArgument(GraphQLInt)})})
