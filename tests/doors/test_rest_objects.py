"""Objects as they are sent and told over REST, where the form matters."""

import httpx
import pytest

from tests.doors.test_rest import DOG


@pytest.fixture
def dogs(http: httpx.Client) -> httpx.Client:
    """A collection of dogs."""
    assert http.post("/v1/schema", json=DOG).status_code == 200
    return http


def test_of_a_telephone_number_what_is_empty_is_not_told(http: httpx.Client) -> None:
    """Weaviate leaves out empty texts, zeros and what is false."""
    http.post("/v1/schema", json={"class": "Person", "properties": [{"name": "phone", "dataType": ["phoneNumber"]}]})
    told = http.post("/v1/objects", json={"class": "Person", "properties": {"phone": {"input": "+49 12"}}}).json()["properties"]["phone"]

    assert set(told) == {"input", "internationalFormatted", "nationalFormatted", "national", "countryCode"}


def test_the_parts_of_an_object_that_a_batch_asks_for_have_names(dogs: httpx.Client) -> None:
    """All is told in any case; a name that is none is a mistake."""
    objects = [{"class": "Dog", "properties": {"weight": 1}, "vectors": {"default": None}}]

    assert [dogs.post("/v1/batch/objects", json={"fields": fields, "objects": objects}).status_code for fields in (["id"], ["ALL"], ["foo"])] == [200, 200, 422]
    assert dogs.post("/v1/batch/objects", json={"objects": None}).status_code == 422
