"""Names of fields in requests: in any case, beside others that nobody knows."""

from typing import Any

import msgspec
import pytest

from nearimage.domain.errors import MalformedJson
from nearimage.doors.rest.json_body import read_body
from nearimage.doors.rest.objects import BatchBody, ObjectBody
from nearimage.doors.rest.schema import ClassBody, PropertyBody, VectorBody
from nearimage.doors.rest.search import SearchBody
from nearimage.doors.rest.sent import read_value


def read(sent: Any, kind: Any) -> Any:
    return read_body(msgspec.json.encode(sent), kind)


def test_names_of_fields_are_the_same_in_any_case_at_any_depth() -> None:
    """A program that writes `MultiTenancyConfig` would get a collection without tenants, and no word about it."""
    body = read({"Class": "A", "MultiTenancyConfig": {"ENABLED": True}, "properties": [{"Name": "p", "nestedproperties": [{"NAME": "q"}]}]}, ClassBody)

    assert body.name == "A"
    assert body.multi_tenancy_config.enabled
    assert body.properties == [PropertyBody(name="p", nested_properties=[PropertyBody(name="q")])]


def test_names_that_a_client_gave_stay_as_they_are() -> None:
    """Names of vectors, of properties, and what a module is told, are the client's own."""
    body = read({"class": "A", "VectorConfig": {"Title": {"Vectorizer": {"none": {"Class": 1}}}}}, ClassBody)
    assert body.vector_config == {"Title": VectorBody(vectorizer={"none": {"Class": 1}})}

    body = read({"Objects": [{"CLASS": "A", "Properties": {"Class": 1, "id": 2}, "Vectors": {"Id": [1.0]}}]}, BatchBody)
    assert body.objects == [ObjectBody(collection="A", properties={"Class": 1, "id": 2}, vectors={"Id": [1.0]})]


def test_a_name_as_it_stands_goes_before_its_like() -> None:
    """The Python client sends what it read of an expiry, and what is to change, under names that differ in case only."""
    body = read({"class": "A", "objectTtlConfig": {"enabled": True}, "objectTTLConfig": {"enabled": False}, "more": 1}, ClassBody)

    assert body.object_ttl_config.enabled
    assert not body.object_ttl_changes.enabled


def test_names_that_nobody_knows_are_left_out() -> None:
    """What one client leaks into its requests must not make them fail; our own search is the stricter."""
    body = read({"class": "A", "vectorizers": 1, "properties": [{"name": "p", "more": {}}]}, ClassBody)
    assert body == ClassBody(name="A", properties=[PropertyBody(name="p")])
    with pytest.raises(MalformedJson, match="imag"):
        read({"imag": "x"}, SearchBody)


@pytest.mark.parametrize("sent", [{"Class": 1}, {"more": 1, "properties": [{"name": 2}]}])
def test_a_wrong_type_is_told_with_its_place(sent: dict[str, Any]) -> None:
    """Whatever the case of the names on the way there."""
    with pytest.raises(MalformedJson, match="at `\\$"):
        read(sent, ClassBody)


def test_plain_values_are_read_like_json() -> None:
    """The command line has them as what another server told, which may know more than we do."""
    assert read_value({"class": "A", "new": 1}, ClassBody) == ClassBody(name="A")
