"""Delete every object that passes a filter. May import `domain` and `ports` only."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from nearimage.domain.filters import Filter
from nearimage.domain.objects import IDS_ONLY
from nearimage.domain.query import MAXIMUM_RESULTS
from nearimage.service.collections import Collections
from nearimage.service.filters import bind_filter, targets_of
from nearimage.service.shards import Shards
from nearimage.service.sorting import BY_AGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """Deletes by filter in one database.

    Attributes:
        maximum: at most so many objects a call, the oldest of them; the caller calls again until none is left.
    """

    collections: Collections
    shards: Shards
    maximum: int = MAXIMUM_RESULTS

    def delete(self, collection: str, where: Filter, *, tenant: str = "", dry_run: bool = False) -> Sequence[UUID]:
        """Delete, or with a dry run only find, what passes.

        Returns:
            The ids, the oldest first.

        Raises:
            InvalidFilter, CollectionNotFound: as they say.
        """
        schema = self.collections.get(collection)
        shard = self.shards.reading(schema, tenant) if dry_run else self.shards.changing(schema, tenant)
        bound = bind_filter(where, schema, targets=targets_of(self.collections, self.shards, tenant))
        if dry_run:
            found = shard.scan(where=bound, after=None, limit=self.maximum, offset=0, sort=BY_AGE, projection=IDS_ONLY)
            return [record.id for record in found]
        return shard.delete_where(bound, limit=self.maximum)
