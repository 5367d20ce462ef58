"""The profile of a search under the names that clients of Weaviate know, as the bytes of a `QueryProfile`.

    engine's word     vector                                       keyword                       object
    filter            filters_build_allow_list_took                the same                      the same
    terms                                                          kwd_1_tok_time
    search            vector_search_took, knn_search_layer_0_took  kwd_time, kwd_4_bmw_time
    sort                                                                                         sort_took
    objects           objects_took                                 kwd_5_objects_time            objects_took

There is one layer: lists of codes, not a graph (docs/design/engine/vector-search.md). Durations are written as Go writes them, "1.234ms".

May import `domain` and `doors.wire` only.
"""

from collections.abc import Mapping

from nearimage.domain.profile import Details, Fact, Kind, Phase, Profile
from nearimage.doors.wire.messages import QueryProfile

_FILTER: Mapping[Phase, tuple[str, ...]] = {"filter": ("filters_build_allow_list_took",)}
_TIMES: Mapping[Kind, Mapping[Phase, tuple[str, ...]]] = {
    "vector": {**_FILTER, "search": ("vector_search_took", "knn_search_layer_0_took"), "objects": ("objects_took",)},
    "keyword": {**_FILTER, "terms": ("kwd_1_tok_time",), "search": ("kwd_time", "kwd_4_bmw_time"), "objects": ("kwd_5_objects_time",)},
    "object": {**_FILTER, "sort": ("sort_took",), "objects": ("objects_took",)},
}
_FACTS: Mapping[Kind, Mapping[Fact, str]] = {
    "vector": {"passing": "filters_ids_matched", "exact": "hnsw_flat_search"},
    "keyword": {"passing": "kwd_filter_size", "hits": "kwd_6_res_count"},
    "object": {"passing": "filters_ids_matched"},
}
_KEYWORD_METHOD = "bm25f"
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def render_profile(profile: Profile, shard: str, node: str) -> bytes:
    """The profile of a search in one shard."""
    message = QueryProfile()
    told = message.shards.add(name=shard, node=node)
    for kind, details in profile.searches.items():
        told.searches[kind].details.update(_named(kind, details))
    return bytes(message.SerializeToString())


def _named(kind: Kind, details: Details) -> dict[str, str]:
    found = {"total_took": duration(sum(details.seconds.values()))}
    if kind == "keyword":
        found["kwd_method"] = _KEYWORD_METHOD
    for phase, seconds in details.seconds.items():
        found |= dict.fromkeys(_TIMES[kind].get(phase, ()), duration(seconds))
    for fact, value in details.facts.items():
        if name := _FACTS[kind].get(fact):
            found[name] = str(value).lower()
    return found


def duration(seconds: float) -> str:
    """Seconds in the largest unit of which there is one."""
    size, unit = next((one for one in _UNITS if seconds >= one[0]), (1e-9, "ns"))
    return f"{seconds / size:.3f}".rstrip("0").rstrip(".") + unit
