"""What the schema says about vectorizers that cannot be: in words that programs know."""

from typing import Any

import httpx
import pytest

NEURAL = {"img2vec-neural": {"imageFields": ["image"]}}


@pytest.mark.parametrize(
    ("vectorizer", "told"),
    [
        ("img2vec-neural", "class.VectorConfig.Vectorizer must be an object, got string"),
        (None, "class.VectorConfig.Vectorizer must be an object, got null"),
        ([NEURAL], "class.VectorConfig.Vectorizer must be an object, got array"),
        ({}, "class.VectorConfig.Vectorizer must consist only 1 configuration, got: 0"),
        ({**NEURAL, "none": {}}, "class.VectorConfig.Vectorizer must consist only 1 configuration, got: 2"),
        ({"img2vec-martian": {}}, 'target vector "looks": vectorizer: no module with name "img2vec-martian" present'),
        ({"img2vec-neural": "x"}, "must be an object"),
    ],
)
def test_a_named_vector_whose_vectorizer_cannot_be_is_refused_by_name(http: httpx.Client, vectorizer: Any, told: str) -> None:
    """A schema that was written by hand is mended by the message alone."""
    refused = http.post("/v1/schema", json={"class": "Dog", "vectorConfig": {"looks": {"vectorizer": vectorizer}}})

    assert refused.status_code == 422
    assert told in refused.json()["error"][0]["message"]


def test_a_class_with_settings_of_two_vectorizers_is_refused(http: httpx.Client) -> None:
    """The second would be ignored, and nobody would notice; settings of other kinds of modules may stand beside."""
    two = {"class": "Dog", "vectorizer": "img2vec-neural", "moduleConfig": {**NEURAL, "multi2vec-clip": {"textFields": ["x"]}}}
    refused = http.post("/v1/schema", json=two)
    fine = http.post("/v1/schema", json={"class": "Cat", "vectorizer": "img2vec-neural", "moduleConfig": {**NEURAL, "generative-openai": {}}})

    assert refused.status_code == 422
    assert "multiple vectorizers configured in class's moduleConfig: ['img2vec-neural', 'multi2vec-clip']" in refused.json()["error"][0]["message"]
    assert fine.status_code == 200
