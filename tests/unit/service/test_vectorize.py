"""How the vectors of several fields become one."""

from collections.abc import Mapping

import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidVector
from nearimage.domain.objects import Projection, Record
from nearimage.domain.query import NearMedia, Search
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectorizing import Modality
from tests.fakes import RED, World, dogs, picture


def vector_of(settings: Mapping[str, object], properties: Mapping[str, object]) -> list[float]:
    services = World().services()
    services.collections.create(dogs(VectorConfig(name="v", module="multi2vec-clip", module_settings=settings)))
    record = services.objects.insert("Dog", Draft(properties=properties))
    stored = services.objects.get("Dog", record.id, Projection(vectors=None))
    return stored.vectors["v"].tolist()  # type: ignore[no-any-return] # numpy says Any


def test_without_weights_fields_count_the_same() -> None:
    """The mean is what Weaviate computes."""
    assert vector_of({"imageFields": ["image"], "textFields": ["breed"]}, {"image": RED, "breed": "blue"}) == [127.5, 0, 127.5]


def test_weights_are_scaled_to_one_and_the_sum_is_still_divided_by_the_number_of_fields() -> None:
    """So does Weaviate, and under a dot product it shows."""
    settings = {"imageFields": ["image"], "textFields": ["breed"], "weights": {"imageFields": [3.0], "textFields": [1.0]}}

    assert vector_of(settings, {"image": RED, "breed": "blue"}) == pytest.approx([255 * 0.75 / 2, 0, 255 * 0.25 / 2])


def test_a_missing_field_takes_its_weight_along() -> None:
    """The weight belongs to the property: the picture alone is the whole vector, whatever its weight."""
    settings = {"imageFields": ["image"], "textFields": ["breed"], "weights": {"imageFields": [0.1], "textFields": [0.9]}}

    assert vector_of(settings, {"image": RED}) == pytest.approx([255, 0, 0])


def test_fields_that_weigh_nothing_make_no_vector() -> None:
    """Nothing is left of such an object; a vector of zeros or NaN would poison every search."""
    services = World().services()
    settings = {"imageFields": ["image"], "textFields": ["breed"], "weights": {"imageFields": [1.0], "textFields": [0.0]}}
    services.collections.create(dogs(VectorConfig(name="v", module="multi2vec-clip", module_settings=settings)))

    assert services.objects.insert("Dog", Draft(properties={"breed": "blue"})).vectors == {}
    assert services.objects.insert("Dog", Draft(properties={"breed": "blue", "image": RED})).vectors["v"].tolist() == [127.5, 0, 0]


def test_an_object_whose_vector_cannot_be_compared_fails_alone() -> None:
    """A black picture is all zeros to this model; under cosine that is no direction, and no error of the others."""
    services = World().services()
    services.collections.create(dogs())
    black, red = services.objects.put_many("Dog", [Draft(properties={"image": picture(0, 0, 0)}), Draft(properties={"image": RED})])

    assert isinstance(black, InvalidVector)
    assert isinstance(red, Record)
    with pytest.raises(InvalidVector):
        services.searches.run(Search(collection="Dog", by=NearMedia(modality=Modality.IMAGE, data=picture(0, 0, 0))))
