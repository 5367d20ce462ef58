"""The settings of an index are within Weaviate's limits, or refused by their name."""

from dataclasses import replace
from typing import Any

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidSchema
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.service.auto_schema import AutoSettings
from nearimage.service.collection_defaults import INDEX_SETTINGS, index_settings
from nearimage.service.index_settings import check_index, index_type_setting
from nearimage.service.services import build_services
from tests.fakes import World


def vector(index_type: str = "hnsw", **settings: Any) -> VectorConfig:
    """A vector whose index has these settings beside the defaults."""
    return VectorConfig(name="v", index_type=index_type, index_settings=index_settings(index_type, settings))


@pytest.mark.parametrize("index_type", sorted(INDEX_SETTINGS))
def test_the_defaults_can_be(index_type: str) -> None:
    """Clients send back what they were shown."""
    check_index(vector(index_type))


@pytest.mark.parametrize(
    ("index_type", "settings"),
    [
        ("hnsw", {"maxConnections": 4, "efConstruction": 4, "ef": -1, "filterStrategy": "sweeping"}),
        ("hnsw", {"maxConnections": 2047, "pq": {"enabled": True, "encoder": {"type": "tile", "distribution": "normal"}}}),
        ("hnsw", {"rq": {"enabled": True, "bits": 1}}),
        ("hnsw", {"rq": {"enabled": False, "bits": 4}, "sq": {"enabled": True}}),
        ("flat", {"bq": {"enabled": True, "cache": True}}),
        ("dynamic", {"hnsw": {"pq": {"enabled": True}}, "flat": {"bq": {"enabled": True}}}),
        ("hnsw", {"madeUpLater": 5, "skip": None}),
    ],
)
def test_what_weaviate_takes_is_taken(index_type: str, settings: dict[str, Any]) -> None:
    """A schema must move here unchanged; what is not said is the default, and names that nobody knows harm nothing."""
    check_index(vector(index_type, **settings))


@pytest.mark.parametrize(
    ("index_type", "settings", "setting"),
    [
        ("hnsw", {"maxConnections": 3}, "maxConnections"),
        ("hnsw", {"maxConnections": 2048}, "maxConnections"),
        ("hnsw", {"efConstruction": 3}, "efConstruction"),
        ("hnsw", {"filterStrategy": "guessing"}, "filterStrategy"),
        ("hnsw", {"ef": "many"}, "ef"),
        ("hnsw", {"ef": True}, "ef"),
        ("hnsw", {"skip": 1}, "skip"),
        ("hnsw", {"pq": {"segments": 1.5}}, "pq.segments"),
        ("hnsw", {"pq": {"enabled": True}, "bq": {"enabled": True}}, "bq"),
        ("hnsw", {"pq": {"encoder": {"type": "rabbit"}}}, "pq.encoder.type"),
        ("hnsw", {"pq": {"encoder": {"distribution": "uniform"}}}, "pq.encoder.distribution"),
        ("hnsw", {"rq": {"enabled": True, "bits": 4}}, "rq.bits"),
        ("hnsw", {"multivector": {"enabled": True, "muvera": {"enabled": True, "ksim": 11}}}, "multivector.muvera.ksim"),
        ("flat", {"pq": {"enabled": True}}, "pq"),
        ("flat", {"sq": {"enabled": True}}, "sq"),
        ("flat", {"bq": {"enabled": True}, "rq": {"enabled": True}}, "rq"),
        ("flat", {"rq": {"enabled": True, "bits": 2}}, "rq.bits"),
        ("flat", {"bq": {"cache": True}}, "bq.cache"),
        ("dynamic", {"threshold": "soon"}, "threshold"),
        ("dynamic", {"hnsw": {"efConstruction": 1}}, "efConstruction"),
        ("dynamic", {"flat": {"pq": {"enabled": True}}}, "pq"),
    ],
)
def test_what_weaviate_refuses_is_refused(index_type: str, settings: dict[str, Any], setting: str) -> None:
    """A mistyped setting that is taken without a word is found out months later, on another server."""
    with pytest.raises(InvalidSchema) as caught:
        check_index(vector(index_type, **settings))

    assert caught.value.detail["setting"] == f"vectorIndexConfig.{setting}"


def test_an_altered_index_is_looked_at_again_and_an_old_one_may_stay() -> None:
    """A collection of an earlier version, which took everything, can still be given a property or a description."""
    world = World()
    old = Collection(name="Old", vectors=(vector(filterStrategy="guessing"),))
    world.engine.create_collection(old)
    services = world.services()

    services.collections.alter(replace(old, description="still here"))
    with pytest.raises(InvalidSchema):
        services.collections.alter(replace(old, vectors=(vector(filterStrategy="hoping"),)))

    assert services.collections.get("Old").description == "still here"


@pytest.mark.parametrize(
    ("index_type", "given", "limit"),
    [
        ("hnsw", {"rq": {"bits": 1}}, 512),
        ("hnsw", {"rq": {"bits": 1, "rescoreLimit": 20}}, 20),
        ("hnsw", {"rq": {"bits": 8}}, 20),
        ("flat", {"rq": {"bits": 1}}, -1),
    ],
)
def test_one_bit_measures_more_anew(index_type: str, given: dict[str, Any], limit: int) -> None:
    """Signs tell little, so Weaviate's graph looks at 512 objects again, unless it is told how many."""
    assert index_settings(index_type, given)["rq"]["rescoreLimit"] == limit


def test_one_bit_measures_more_anew_within_a_dynamic_index() -> None:
    """Its graph is the same graph."""
    assert index_settings("dynamic", {"hnsw": {"rq": {"bits": 1}}})["hnsw"]["rq"]["rescoreLimit"] == 512


def test_a_collection_that_makes_itself_has_the_default_index() -> None:
    """Who set DEFAULT_VECTOR_INDEX does not care who made the collection."""
    services = build_services(World().parts(), auto=AutoSettings(index=index_type_setting("flat", "default_vector_index")))

    services.objects.insert("Auto", Draft(properties={"n": 1}))

    (made,) = services.collections.get("Auto").vectors
    assert (made.index_type, made.index_settings) == ("flat", INDEX_SETTINGS["flat"])


def test_an_index_that_is_none_stops_the_start() -> None:
    """A server that starts with another index than the one in its settings would be noticed late."""
    with pytest.raises(InvalidSchema, match="flatt"):
        index_type_setting("flatt", "default_vector_index")
