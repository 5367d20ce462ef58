"""nearVector: the caller has the vector. May import `domain` only."""

from nearimage.domain.objects import AnyVector
from nearimage.domain.query import NearVector
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectors import check_vector


def near_vector(query: NearVector, target: VectorConfig, position: int) -> AnyVector:
    """The query's own vector for the target at this position, checked.

    Raises:
        InvalidVector: NaN, infinity, nothing, or zeros under cosine.
    """
    vector = query.vectors[position if len(query.vectors) > 1 else 0]
    check_vector(vector, name=target.name, metric=target.metric, is_multi=target.is_multi)
    return vector
