"""Where the time of a search went, as the official client shows it."""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.classes.config import Configure, DataType, Property
    from weaviate.classes.data import DataObject
    from weaviate.classes.query import Filter, GroupBy, MetadataQuery, Sort
    from weaviate.classes.tenants import Tenant

DURATION = re.compile(r"[0-9]+(\.[0-9]+)?(ns|µs|ms|s)")
PROFILE = MetadataQuery(query_profile=True)


@pytest.fixture(scope="module")
def words(client: Any) -> Iterator[Any]:
    properties = [Property(name="text", data_type=DataType.TEXT), Property(name="rank", data_type=DataType.INT)]
    made = client.collections.create("Profiled", properties=properties, vector_config=Configure.Vectors.self_provided())
    texts = ("hello world", "goodbye world", "foo bar")
    made.data.insert_many([DataObject({"text": text, "rank": n}, vector=[float(n == place) for place in range(3)]) for n, text in enumerate(texts)])
    yield made
    client.collections.delete("Profiled")


def details(answer: Any, kind: str) -> Mapping[str, str]:
    """What was told about one kind of search in the only shard; every value is a duration but the named ones."""
    (shard,) = answer.query_profile.shards
    assert (shard.name, shard.node) == ("Profiled", "nearimage")
    found: dict[str, str] = shard.searches[kind].details
    durations = {key: value for key, value in found.items() if key.endswith(("_took", "_time"))}
    assert all(map(DURATION.fullmatch, durations.values())), durations
    assert {"total_took"} < set(durations)
    return found


def test_a_search_by_vector(words: Any) -> None:
    """Without parts a slow search is only slow: index, filter and reading the objects need different cures."""
    told = details(words.query.near_vector([1.0, 0, 0], return_metadata=PROFILE, limit=2, filters=Filter.by_property("rank").less_than(2)), "vector")
    assert told["hnsw_flat_search"] == "true"
    assert told["filters_ids_matched"] == "2"
    assert {"vector_search_took", "knn_search_layer_0_took", "objects_took", "filters_build_allow_list_took"} <= told.keys()


def test_a_search_by_words(words: Any) -> None:
    """The number of results shows whether the words or the reading were much."""
    told = details(words.query.bm25("world", return_metadata=PROFILE), "keyword")
    assert (told["kwd_method"], told["kwd_6_res_count"]) == ("bm25f", "2")
    assert {"kwd_time", "kwd_1_tok_time", "kwd_5_objects_time"} <= told.keys()


def test_a_hybrid_search_tells_of_both_legs(words: Any) -> None:
    """One of the two is the slow one."""
    answer = words.query.hybrid("hello", vector=[1.0, 0, 0], return_metadata=PROFILE, limit=2)
    assert "vector_search_took" in details(answer, "vector")
    assert "kwd_time" in details(answer, "keyword")


def test_a_list_of_objects(words: Any) -> None:
    """Sorting may take longer than all the rest."""
    plain = details(words.query.fetch_objects(return_metadata=PROFILE), "object")
    assert set(plain) == {"total_took", "objects_took"}
    assert "sort_took" in details(words.query.fetch_objects(return_metadata=PROFILE, sort=Sort.by_property("rank")), "object")


def test_groups_have_one_too(words: Any) -> None:
    """The client reads it from another kind of answer."""
    group_by = GroupBy(prop="text", objects_per_group=1, number_of_groups=3)
    assert "vector_search_took" in details(words.query.near_vector([1.0, 0, 0], return_metadata=PROFILE, group_by=group_by), "vector")


def test_nobody_is_told_who_did_not_ask(words: Any) -> None:
    """It is bytes in each reply."""
    assert words.query.near_vector([1.0, 0, 0], return_metadata=MetadataQuery(distance=True)).query_profile is None


def test_a_tenant_s_shard_has_its_name(client: Any) -> None:
    """Tenants differ in size, and so in speed."""
    made = client.collections.create("Profiled_tenants", vector_config=Configure.Vectors.self_provided(), multi_tenancy_config=Configure.multi_tenancy(True))
    try:
        made.tenants.create([Tenant(name="anna")])
        (shard,) = made.with_tenant("anna").query.near_vector([1.0], return_metadata=PROFILE).query_profile.shards
        assert shard.name == "anna"
    finally:
        client.collections.delete("Profiled_tenants")
