"""Which parts of an object a gRPC reply shows, and of the objects that its references lead to.

May import `domain` and `service` only; messages are `Any`, see `doors.wire.messages`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nearimage.domain.errors import InvalidInput
from nearimage.domain.objects import Projection
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.filters import MAX_DEPTH

Find = Callable[[str], Collection]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to show of objects of one collection.

    Attributes:
        properties: in the order of the schema, references apart; those of nested objects narrowed to what is asked for.
        vectors: names.
        metadata: the MetadataRequest.
    """

    collection: Collection
    properties: tuple[Property, ...]
    references: "tuple[AskedReference, ...]" = ()
    vectors: tuple[str, ...]
    metadata: Any

    @property
    def is_costly(self) -> bool:
        """Whether the reply takes pictures, or objects of other collections."""
        return bool(self.references) or any(prop.data_type is DataType.BLOB for prop in self.properties)

    @property
    def projection(self) -> Projection:
        """The same for the engine."""
        return Projection(properties=(*(p.name for p in self.properties), *(r.property for r in self.references)), vectors=self.vectors)


@dataclass(frozen=True, slots=True)
class AskedReference:
    """What to show of the objects in one collection that a property leads to."""

    property: str
    asked: Asked


def read_asked(message: Any, collection: Collection, find: Find) -> Asked:
    """Which properties and vectors the reply to a SearchRequest carries; what hits are grouped by is among them.

    Args:
        find: the collection of a name.

    Raises:
        InvalidInput: a property that the collection does not have.
        CollectionNotFound: a reference to one that is not there.
    """
    properties = message.properties if message.HasField("properties") else None
    asked = _asked(properties, message.metadata, collection, find, 0)
    return _in_groups(asked, message.group_by.path) if message.HasField("group_by") else asked


def _in_groups(asked: Asked, path: Sequence[str]) -> Asked:
    """What hits in groups show: what they are grouped by too, and of the metadata id, distance and vectors only."""
    given, shown = asked.metadata, {p.name: p for p in asked.properties}
    metadata = type(given)(uuid=given.uuid, distance=given.distance, vector=given.vector, vectors=given.vectors, query_profile=given.query_profile)
    return replace(asked, metadata=metadata, properties=tuple(shown.get(p.name, p) for p in _plain(asked.collection) if p.name in shown or p.name in path))


def _asked(wanted: Any, metadata: Any, collection: Collection, find: Find, depth: int) -> Asked:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"references are asked for over more than {MAX_DEPTH} levels; ask for fewer")
    references = wanted.ref_properties if wanted is not None else ()
    return Asked(
        collection=collection,
        properties=_properties(wanted, collection),
        references=tuple(_reference(reference, collection, find, depth) for reference in references),
        vectors=_vectors(metadata, collection),
        metadata=metadata,
    )


def _reference(wanted: Any, collection: Collection, find: Find, depth: int) -> AskedReference:
    prop = _known(wanted.reference_property, {p.name: p for p in collection.properties}, collection)
    if prop.data_type is not DataType.REFERENCE:
        raise InvalidInput(f"property {prop.name!r} is {prop.data_type}, no reference", property=prop.name)
    target = wanted.target_collection or (prop.targets[0] if len(prop.targets) == 1 else "")
    if target not in prop.targets:
        raise InvalidInput(f"property {prop.name!r} leads to {list(prop.targets)}; name one of them, got {target!r}", property=prop.name)
    properties = wanted.properties if wanted.HasField("properties") else None
    return AskedReference(prop.name, _asked(properties, wanted.metadata, find(target), find, depth + 1))


def _properties(wanted: Any, collection: Collection) -> tuple[Property, ...]:
    plain = {p.name: p for p in _plain(collection)}
    if wanted is None or wanted.return_all_nonref_properties:
        return tuple(p for p in plain.values() if p.data_type is not DataType.BLOB)
    chosen = {name: _known(name, plain, collection) for name in wanted.non_ref_properties}
    for nested in wanted.object_properties:
        chosen[nested.prop_name] = _narrowed(_known(nested.prop_name, plain, collection), nested, collection, 0)
    return tuple(chosen[name] for name in plain if name in chosen)


def _plain(collection: Collection) -> tuple[Property, ...]:
    return tuple(p for p in collection.properties if p.data_type is not DataType.REFERENCE)


def _narrowed(prop: Property, wanted: Any, collection: Collection, depth: int) -> Property:
    """The property of a nested object with those of its fields that are asked for."""
    if depth > MAX_DEPTH:
        raise InvalidInput(f"nested objects are asked for over more than {MAX_DEPTH} levels; ask for fewer")
    known = {p.name: p for p in prop.nested}
    chosen = {name: _known(name, known, collection) for name in wanted.primitive_properties}
    for nested in wanted.object_properties:
        chosen[nested.prop_name] = _narrowed(_known(nested.prop_name, known, collection), nested, collection, depth + 1)
    return replace(prop, nested=tuple(chosen[name] for name in known if name in chosen))


def _known(name: str, known: Mapping[str, Property], collection: Collection) -> Property:
    if name not in known:
        raise InvalidInput(f"collection {collection.name!r} has no property {name!r} to return; it has {sorted(known)}", property=name)
    return known[name]


def _vectors(metadata: Any, collection: Collection) -> tuple[str, ...]:
    known = [v.name for v in collection.vectors]
    return tuple(known) if metadata.vector else tuple(name for name in metadata.vectors if name in known)
