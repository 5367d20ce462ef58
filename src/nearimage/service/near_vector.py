"""nearVector: the caller has the vector. May import `domain` only."""

from nearimage.domain.objects import Vector
from nearimage.domain.query import NearVector
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectors import check_vector


def near_vector(query: NearVector, target: VectorConfig) -> Vector:
    """The query's own vector, checked.

    Raises:
        InvalidVector: NaN, infinity, nothing, or zeros under cosine.
    """
    check_vector(query.vector, name=target.name, metric=target.metric)
    return query.vector
