"""Read a gRPC SearchRequest into the query every door asks.

What this version does not answer is refused by name: an ignored clause would be a wrong answer. May import `domain` and `doors.wire` only.
"""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidInput, NotSupported
from nearimage.domain.query import GroupBy, Search, SortBy
from nearimage.doors.grpc.asked import Asked
from nearimage.doors.grpc.boost_request import read_boost
from nearimage.doors.grpc.filters import read_filter
from nearimage.doors.grpc.near_request import read_diversity, read_ranking
from nearimage.doors.uuids import read_uuid

_NOT_ANSWERED: Mapping[str, str] = {"generative": "generative search", "rerank": "rerank"}


def read_query(message: Any, asked: Asked) -> Search:
    """The query in a SearchRequest.

    Raises:
        InvalidInput: it contradicts itself.
        NotSupported: it asks for what this version does not answer.
    """
    for field, feature in _NOT_ANSWERED.items():
        if message.HasField(field):
            raise NotSupported(f"{feature} is not supported by this server", feature=feature)
    return Search(
        collection=message.collection,
        tenant=message.tenant,
        by=read_ranking(message, ("bm25_search", "hybrid_search"), asked.collection),
        where=read_filter(message.filters) if message.HasField("filters") else None,
        limit=message.limit or None,
        offset=message.offset,
        after=read_uuid(message.after, what="after") if message.after else None,
        autocut=message.autocut,
        sort=tuple(SortBy(field=_sort_field(key), descending=not key.ascending) for key in message.sort_by),
        group_by=_group_by(message.group_by) if message.HasField("group_by") else None,
        diversity=read_diversity(message),
        boost=read_boost(message.boost) if message.HasField("boost") else None,
        projection=asked.projection,
        explains=asked.metadata.explain_score,
    )


def _sort_field(key: Any) -> str:
    if len(key.path) != 1:
        raise InvalidInput(f"sort_by takes a path of one property, got {list(key.path)}")
    return str(key.path[0])


def _group_by(message: Any) -> GroupBy:
    if len(message.path) != 1:
        raise InvalidInput(f"groupby path can only have one entry, got {list(message.path)}")
    return GroupBy(property=message.path[0], groups=message.number_of_groups, per_group=message.objects_per_group)
