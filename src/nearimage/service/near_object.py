"""nearObject: the vector of a stored object. May import `domain` and `ports` only."""

from nearimage.domain.errors import ObjectNotFound, VectorNameUnknown
from nearimage.domain.objects import AnyVector, Projection
from nearimage.domain.query import NearObject
from nearimage.domain.schema import VectorConfig
from nearimage.ports.engine import Shard


def near_object(query: NearObject, target: VectorConfig, shard: Shard) -> AnyVector:
    """The stored vector of the object.

    Raises:
        ObjectNotFound: there is no such object.
        VectorNameUnknown: the object has no vector of that name.
    """
    found = shard.get([query.id], Projection(properties=(), vectors=(target.name,))).get(query.id)
    if found is None:
        raise ObjectNotFound(f"nearObject: there is no object with id {query.id} in this collection", id=str(query.id))
    if target.name not in found.vectors:
        raise VectorNameUnknown(f"nearObject: object {query.id} has no vector {target.name!r}; add one to it first", have=sorted(found.vectors))
    return found.vectors[target.name]
