"""How the vectors of several fields become one."""

from collections.abc import Mapping

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.objects import Projection
from nearimage.domain.schema import VectorConfig
from nearimage.service.vectorize import combine
from tests.fakes import RED, World, dogs


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


def test_weights_that_sum_to_nothing_do_not_divide_by_it() -> None:
    """A vector of NaN would poison every search."""
    combined = combine(np.ones((2, 2), np.float32), [0.0, 0.0])

    assert np.isfinite(combined).all()
