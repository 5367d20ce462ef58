"""Make, read, alter and drop collections.

May import `domain` and `ports` only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from nearimage.domain.errors import CollectionExists, CollectionNotFound, InvalidSchema, TooManyCollections
from nearimage.domain.schema import NO_MODULE, Collection, Property, VectorConfig
from nearimage.ports.engine import Engine
from nearimage.ports.vectorizer import VectorizerModule
from nearimage.service.altering import altered
from nearimage.service.collection_settings import check_settings
from nearimage.service.expiry import check_expiry
from nearimage.service.index_settings import check_index
from nearimage.service.names import check_collection_name, check_vector_name, collection_name
from nearimage.service.properties import check_presets, check_property, check_unique, with_others
from nearimage.service.vector_settings import check_hashes, check_module_settings, check_multi_vector

_WITHOUT: Mapping[str, Callable[[Property], Property]] = {
    "filterable": lambda prop: replace(prop, filterable=False),
    "searchable": lambda prop: replace(prop, searchable=False),
    "rangeFilters": lambda prop: replace(prop, range_filters=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collections:
    """The collections of one database.

    Attributes:
        dropped: told the name of a collection that is gone.
        maximum: how many there may be; None for any number.
    """

    engine: Engine
    modules: Mapping[str, VectorizerModule]
    dropped: Callable[[str], None] = lambda _: None
    maximum: int | None = None
    altering: Lock = field(default_factory=Lock)

    def create(self, collection: Collection) -> Collection:
        """Check a collection and make it, empty.

        Raises:
            InvalidSchema: a name, a data type or a module's settings are wrong; detail names the setting.
            CollectionExists: the name is taken, also by one that differs in upper and lower case only.
            TooManyCollections: there is no room for another one.
        """
        check_collection_name(collection.name)
        _check_parts(collection, (other.name for other in self.engine.collections()))
        check_settings(collection)
        check_module_settings(collection, collection.properties, self.modules)
        collection = replace(collection, vectors=tuple(self._checked_vector(v, legacy=collection.legacy_vector) for v in collection.vectors))
        for known in self.engine.collections():
            if known.name.lower() == collection.name.lower():
                raise CollectionExists(f"a collection named {known.name!r} already exists; names differ in more than case", collection=known.name)
        if taken := [alias for alias in self.engine.aliases() if alias.lower() == collection.name.lower()]:
            raise CollectionExists(f"an alias named {taken[0]!r} already exists; drop it first", collection=collection.name)
        if self.maximum is not None and len(self.engine.collections()) >= self.maximum:
            message = f"this server may have {self.maximum} collections, and has as many; drop one, or keep what is alike as tenants of one collection"
            raise TooManyCollections(message, maximum=self.maximum)
        self.engine.create_collection(collection)
        return collection

    def get(self, name: str) -> Collection:
        """The collection of that name or alias; its first letter may come in lower case.

        Raises:
            CollectionNotFound: there is none.
        """
        wanted = collection_name(name)
        found = self.engine.find_collection(wanted)
        if found is None and (meant := self.engine.aliases().get(wanted)):
            found = self.engine.find_collection(meant)
        if found is not None:
            return found
        raise CollectionNotFound(f"there is no collection named {wanted!r}; create it first", collection=wanted)

    def by_own_name(self, name: str) -> Collection:
        """The collection of that name, for what nobody shall do to it by an alias.

        Raises:
            CollectionNotFound: there is none, or the name is an alias.
        """
        found = self.get(name)
        if found.name != collection_name(name):
            raise CollectionNotFound(f"{name!r} is an alias; say the collection's own name, {found.name!r}", collection=collection_name(name))
        return found

    def all(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        return self.engine.collections()

    def alter(self, collection: Collection) -> Collection:
        """Put a whole new definition in the place of the one of that name; `altering` says what may differ.

        New properties are refused here, because `add_property` is for them. Afterwards the properties are in the order of their names, as in Weaviate.

        Raises:
            CollectionNotFound: there is none of that name.
            InvalidSchema: something that may not change did, or something new is wrong; detail names the setting.
        """
        with self.altering:
            old = self.get(collection.name)
            if more := [prop.name for prop in collection.properties if old.property(prop.name) is None]:
                raise InvalidSchema(f"collection {old.name!r} has no properties {more}; add each by itself", setting="properties")
            return self._alter(old, replace(collection, properties=tuple(sorted(collection.properties, key=lambda prop: prop.name))))

    def add_property(self, name: str, prop: Property) -> Property:
        """Give a collection another property; objects stored before lack it.

        Raises:
            CollectionNotFound: there is none of that name; aliases do not count.
            InvalidSchema: the property cannot be, or there is one of that name, also one that differs in upper and lower case only.
        """
        with self.altering:
            old = self.by_own_name(name)
            check_module_settings(old, (prop,), self.modules)
            self._alter(old, replace(old, properties=(*old.properties, prop)))
        return prop

    def add_properties(self, name: str, props: Sequence[Property]) -> Collection:
        """Give a collection those of the properties, and of the properties nested in them, that it does not have, by name without regard to case.

        Returns:
            The collection afterwards.

        Raises:
            CollectionNotFound: there is none of that name.
            InvalidSchema: one of them cannot be; none is added.
        """
        with self.altering:
            old = self.get(name)
            return self._alter(old, replace(old, properties=with_others(old.properties, props)))

    def drop_index(self, name: str, prop: str, index: str) -> None:
        """Give up an index of a property, for good: filters or keyword searches on it are refused from then on. One that it does not have is no error.

        Args:
            index: `filterable`, `searchable` or `rangeFilters`.

        Raises:
            CollectionNotFound: there is none of that name.
            InvalidSchema: there is no such property or index.
        """
        if index not in _WITHOUT:
            raise InvalidSchema(f"there is no index {index!r}; choose one of {list(_WITHOUT)}", setting="index")
        with self.altering:
            old = self.get(name)
            known = old.property(prop)
            if known is None:
                raise InvalidSchema(f"collection {old.name!r} has no property {prop!r}", setting="properties")
            without = _WITHOUT[index](known)
            new = replace(old, properties=tuple(without if one is known else one for one in old.properties))
            if new != old:
                self.engine.alter_collection(new)

    def drop(self, name: str) -> bool:
        """Delete a collection with all its objects.

        Returns:
            Whether there was one.
        """
        try:
            self.engine.drop_collection(collection_name(name))
        except CollectionNotFound:
            return False
        self.dropped(collection_name(name))
        return True

    def _alter(self, old: Collection, new: Collection) -> Collection:
        gone = (target for prop in old.properties for target in prop.targets)  # collections may be dropped while references lead to them
        _check_parts(new, {*gone, *(other.name for other in self.engine.collections())})
        check_settings(new, old)
        new = altered(old, new)
        new = replace(new, vectors=tuple(self._altered_vector(old.vector(v.name), v) for v in new.vectors))
        if new != old:
            self.engine.alter_collection(new)
        return new

    def _altered_vector(self, old: VectorConfig | None, new: VectorConfig) -> VectorConfig:
        if old is None:
            return self._checked_vector(new, legacy=False, added=True)
        if old.index_settings != new.index_settings:
            check_index(new)
        return new

    def _checked_vector(self, vector: VectorConfig, *, legacy: bool, added: bool = False) -> VectorConfig:
        """The named vector with its model, which is loaded: what cannot work fails here, not at the first picture."""
        check_vector_name(vector.name, added=added)
        if vector.metric not in self.engine.capabilities.metrics:
            raise InvalidSchema(f"vector {vector.name!r}: this engine cannot compare by {vector.metric}", setting="distance")
        check_multi_vector(vector, legacy=legacy)
        check_index(vector)
        if vector.module == NO_MODULE:
            return vector
        if vector.module not in self.modules:
            whose = "" if legacy else f'target vector "{vector.name}": '
            raise InvalidSchema(f'{whose}vectorizer: no module with name "{vector.module}" present', setting="vectorizer", have=sorted(self.modules))
        module = self.modules[vector.module]
        settings = module.check(vector.module_settings) if vector.configured else module.unconfigured()
        module.open(settings)
        return replace(vector, model=settings.model)


def _check_parts(collection: Collection, others: Iterable[str]) -> None:
    check_unique((p.name for p in collection.properties), "properties")
    check_unique((v.name for v in collection.vectors), "vectorConfig")
    known = {collection.name, *others}
    for prop in collection.properties:
        check_property(prop, known)
    check_hashes(collection)
    check_expiry(collection)
    check_presets(collection.properties, collection.keywords)
