"""Which named vector does a request mean?

Guessing among several would make answers depend on the order of a dict, so a request that could mean two is refused. May import `domain` only.
"""

from collections.abc import Mapping

from nearimage.domain.drafts import UNNAMED
from nearimage.domain.errors import VectorNameAmbiguous, VectorNameUnknown
from nearimage.domain.objects import Vector
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.domain.vectors import check_vector


def target_of(collection: Collection, name: str | None) -> VectorConfig:
    """The named vector to search.

    Raises:
        VectorNameUnknown: there is none of that name, or the collection has no vectors at all.
        VectorNameAmbiguous: no name, several vectors.
    """
    have = [v.name for v in collection.vectors]
    if name:
        found = collection.vector(name)
        if found is None:
            raise VectorNameUnknown(f"collection {collection.name!r} has no vector named {name!r}; it has {have}", have=have)
        return found
    if not have:
        raise VectorNameUnknown(f"collection {collection.name!r} has no vectors to search", have=have)
    if len(have) > 1:
        raise VectorNameAmbiguous(f"collection {collection.name!r} has several vectors, {have}; name one of them as the target vector", have=have)
    return collection.vectors[0]


def name_vectors(collection: Collection, given: Mapping[str, Vector]) -> dict[str, Vector]:
    """Give each vector of an object the name under which it is stored, and check it.

    Raises:
        VectorNameUnknown, VectorNameAmbiguous: as for `target_of`.
        InvalidVector: NaN, infinity, nothing, or zeros under cosine.
    """
    named: dict[str, Vector] = {}
    for key, vector in given.items():
        config = target_of(collection, None if key == UNNAMED else key)
        check_vector(vector, name=config.name, metric=config.metric)
        named[config.name] = vector
    return named
