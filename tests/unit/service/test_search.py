"""Queries find what is near, under the names and limits that users know."""

from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import (
    CollectionNotFound,
    InvalidInput,
    InvalidVector,
    ObjectNotFound,
    TooManyResults,
    VectorNameAmbiguous,
    VectorNameUnknown,
)
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.query import AnyNear, NearMedia, NearObject, NearText, NearVector, Search, Targets
from nearimage.domain.schema import Metric, VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.service.services import Services
from tests.fakes import BLUE, GREEN, ORANGE, RED, World, dogs, image_vector


@pytest.fixture
def services() -> Services:
    made = World().services(maximum_results=100)
    made.collections.create(dogs(image_vector("pic"), image_vector("clip", "multi2vec-clip"), VectorConfig(name="own", metric=Metric.L2_SQUARED)))
    drafts = [
        Draft(id=UUID(int=n), properties={"breed": breed, "image": image, "weight": n * 10}, vectors={"own": np.array([n, 0], np.float32)})
        for n, (breed, image) in enumerate([("Corgi", RED), ("Husky", GREEN), ("Beagle", BLUE)], 1)
    ]
    made.objects.put_many("Dog", drafts)
    return made


def near_image(image: str, target: str | None = None, **more: float) -> NearMedia:
    return NearMedia(modality=Modality.IMAGE, data=image, targets=Targets.of(target), **more)


def breeds(services: Services, near: AnyNear, **more: object) -> list[object]:
    query = Search(collection="Dog", by=near, **more)  # type: ignore[arg-type] # the fields of Search
    return [hit.record.properties["breed"] for hit in services.searches.run(query).hits]


def test_a_picture_finds_the_picture_most_like_it(services: Services) -> None:
    """The first promise of the product."""
    assert breeds(services, near_image(ORANGE, "pic"), limit=2) == ["Corgi", "Husky"]


def test_base64_in_lines_is_read_in_a_query_and_refused_in_an_object(services: Services) -> None:
    """As Weaviate does: its containers overlook what is no base64, its objects are checked strictly."""
    in_lines = f"{ORANGE[:4]}\n{ORANGE[4:]}\n"

    assert breeds(services, near_image(in_lines, "pic"), limit=1) == ["Corgi"]
    (outcome,) = services.objects.put_many("Dog", [Draft(id=UUID(int=9), properties={"image": in_lines})])
    assert isinstance(outcome, InvalidInput)


def test_words_find_the_picture_they_name(services: Services) -> None:
    """Words and pictures share one space in multi2vec-clip."""
    assert breeds(services, NearText(concepts=("blue",), targets=Targets.of("clip")), limit=1) == ["Beagle"]


def test_several_concepts_count_as_their_mean(services: Services) -> None:
    """As Weaviate does it."""
    assert set(breeds(services, NearText(concepts=("blue", "red"), targets=Targets.of("clip")), limit=2)) == {"Beagle", "Corgi"}


def test_an_object_finds_itself_first(services: Services) -> None:
    """More like this."""
    hits = services.searches.run(Search(collection="Dog", by=NearObject(id=UUID(int=2), targets=Targets.of("pic")))).hits

    assert (hits[0].record.id, hits[0].distance, hits[0].certainty) == (UUID(int=2), 0, 1)


def test_a_vector_is_searched_in_its_own_metric_and_certainty_is_for_cosine_only(services: Services) -> None:
    """A certainty of another metric would be a made-up number."""
    hit = services.searches.run(Search(collection="Dog", by=NearVector(vectors=(np.array([3, 4], np.float32),), targets=Targets.of("own")))).hits[0]

    assert (hit.distance, hit.certainty) == (16, None)
    with pytest.raises(InvalidInput, match="cosine only"):
        breeds(services, NearVector(vectors=(np.array([3, 4], np.float32),), targets=Targets.of("own"), min_certainty=0.5))


def test_a_distance_limit_keeps_what_is_near(services: Services) -> None:
    """And a certainty is the same limit, told the other way round."""
    assert breeds(services, near_image(ORANGE, "pic", max_distance=0.5)) == ["Corgi"]
    assert breeds(services, near_image(ORANGE, "pic", min_certainty=0.75)) == ["Corgi"]


def test_a_filter_counts_before_the_limit(services: Services) -> None:
    """Filtering afterwards would return too little."""
    assert breeds(services, near_image(RED, "pic"), where=Compare("weight", Operator.GREATER_THAN, 10), limit=2) == ["Husky", "Beagle"]


def test_without_a_target_several_vectors_are_ambiguous(services: Services) -> None:
    """Guessing would make results depend on the order of the schema."""
    with pytest.raises(VectorNameAmbiguous) as caught:
        breeds(services, near_image(RED))

    assert caught.value.detail == {"have": ["pic", "clip", "own"]}


def test_an_unknown_target_says_which_there_are(services: Services) -> None:
    """The cure belongs in the message."""
    with pytest.raises(VectorNameUnknown, match=r"pic.*clip.*own"):
        breeds(services, near_image(RED, "picture"))


def test_what_is_not_there_is_named(services: Services) -> None:
    """Each of these is a different mistake."""
    with pytest.raises(CollectionNotFound):
        services.searches.run(Search(collection="Cat", by=near_image(RED)))
    with pytest.raises(ObjectNotFound):
        breeds(services, NearObject(id=UUID(int=99), targets=Targets.of("pic")))
    with pytest.raises(InvalidInput, match="at least one concept"):
        breeds(services, NearText(concepts=(), targets=Targets.of("clip")))


def test_a_zero_vector_has_no_direction(services: Services) -> None:
    """Under cosine every distance to it would be arbitrary."""
    with pytest.raises(InvalidVector):
        breeds(services, NearVector(vectors=(np.zeros(3, np.float32),), targets=Targets.of("pic")))


def test_no_query_may_ask_for_more_than_the_maximum(services: Services) -> None:
    """One request must not make the server hold everything."""
    with pytest.raises(TooManyResults):
        breeds(services, near_image(RED, "pic"), limit=60, offset=41)
    with pytest.raises(InvalidInput, match="negative"):
        breeds(services, near_image(RED, "pic"), limit=-1)


def test_a_listing_goes_by_ids_and_pages_by_cursor(services: Services) -> None:
    """So an import that runs beside it neither repeats nor skips what was there."""
    first = services.searches.run(Search(collection="Dog", limit=2)).hits
    second = services.searches.run(Search(collection="Dog", limit=2, after=first[-1].record.id)).hits

    assert [hit.record.id.int for hit in (*first, *second)] == [1, 2, 3]


def test_a_cursor_does_not_mix_with_a_filter(services: Services) -> None:
    """A cursor is a place in the list of all objects."""
    with pytest.raises(InvalidInput, match="cursor"):
        services.searches.run(Search(collection="Dog", after=UUID(int=1), where=Compare("weight", Operator.EQUAL, 10)))
