"""Other names for collections: whoever names the alias means the collection.

An alias is usable wherever a collection's name is, but for making, altering and dropping a collection or its tenants: nobody shall drop by one name what
others use by another.

May import `domain` and `ports` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nearimage.domain.errors import AliasNotFound, CollectionExists
from nearimage.ports.engine import Engine
from nearimage.service.collections import Collections
from nearimage.service.names import check_collection_name, collection_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """The aliases of one database."""

    engine: Engine
    collections: Collections

    def all(self, collection: str | None = None) -> Mapping[str, str]:
        """The collection that each alias stands for, in the order of aliases.

        Args:
            collection: only the aliases of this one; none where it is not there.
        """
        wanted = collection_name(collection) if collection else None
        return {alias: name for alias, name in self.engine.aliases().items() if wanted in (None, name)}

    def get(self, alias: str) -> tuple[str, str]:
        """An alias as it is known, and the collection that it stands for.

        Raises:
            AliasNotFound: there is no such alias.
        """
        name = collection_name(alias)
        found = self.engine.aliases().get(name)
        if found is None:
            raise AliasNotFound(f"there is no alias {alias!r}", alias=alias)
        return name, found

    def create(self, alias: str, collection: str) -> tuple[str, str]:
        """Make an alias; returns it and its collection as they are known.

        Raises:
            InvalidSchema: the alias could not name a collection.
            CollectionExists: a collection or another alias has the name.
            CollectionNotFound: there is no such collection; aliases do not count.
        """
        name = collection_name(alias)
        check_collection_name(name, what="an alias")
        with self.collections.altering:
            target = self.collections.by_own_name(collection).name
            taken = {known.name.lower() for known in self.collections.all()} | {known.lower() for known in self.engine.aliases()}
            if name.lower() in taken:
                raise CollectionExists(f"the name {name!r} already exists, as a collection's or an alias's; choose another", collection=name)
            self.engine.set_alias(name, target)
        return name, target

    def replace(self, alias: str, collection: str) -> tuple[str, str]:
        """Let an alias stand for another collection from now on.

        Raises:
            AliasNotFound: there is no such alias.
            CollectionNotFound: there is no such collection.
        """
        with self.collections.altering:
            self.get(alias)
            target = self.collections.by_own_name(collection).name
            self.engine.set_alias(collection_name(alias), target)
        return collection_name(alias), target

    def drop(self, alias: str) -> None:
        """Forget an alias; the collection stays.

        Raises:
            AliasNotFound: there is no such alias.
        """
        if not self.engine.drop_alias(collection_name(alias)):
            raise AliasNotFound(f"there is no alias {alias!r}", alias=alias)
