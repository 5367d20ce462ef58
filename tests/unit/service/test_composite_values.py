"""Places, telephone numbers, references and nested objects are checked part by part, and bad ones named by their path."""

from uuid import UUID

import pytest

from nearimage.domain.errors import InvalidSchema, InvalidValue
from nearimage.domain.schema import Collection, DataType, Property, Tokenization
from nearimage.domain.values import GeoCoordinates, PropertyValue, Reference
from nearimage.service.beacons import beacon_of, read_beacon
from nearimage.service.phones import read_phone_number
from nearimage.service.properties import MAX_NESTED, check_property
from nearimage.service.values import ValueReader
from tests.fakes import RED, FakeMedia

READER = ValueReader(media=FakeMedia())
ID = UUID("36ddd591-2dee-4e7e-a3cc-eb86d30a4303")
ADDRESS = Property(
    name="address",
    data_type=DataType.OBJECT,
    nested=(
        Property(name="street", data_type=DataType.TEXT),
        Property(name="numbers", data_type=DataType.INT_ARRAY),
        Property(name="photo", data_type=DataType.BLOB),
        Property(name="tags", data_type=DataType.OBJECT_ARRAY, nested=(Property(name="weight", data_type=DataType.NUMBER),)),
    ),
)
PERSON = Collection(
    name="Person",
    properties=(
        Property(name="home", data_type=DataType.GEO_COORDINATES),
        Property(name="phone", data_type=DataType.PHONE_NUMBER),
        Property(name="pet", data_type=DataType.REFERENCE, targets=("Dog", "Cat")),
        Property(name="boss", data_type=DataType.REFERENCE, targets=("Person",)),
        ADDRESS,
        Property(name="others", data_type=DataType.OBJECT_ARRAY, nested=(Property(name="city", data_type=DataType.TEXT),)),
    ),
)


def read(name: str, value: object) -> PropertyValue:
    return READER.read(PERSON, {name: value})[name]


def test_a_place_is_two_numbers_of_degrees() -> None:
    """Some clients send whole degrees as ints."""
    assert read("home", {"latitude": 52, "longitude": -180.0}) == GeoCoordinates(52.0, -180.0)


def test_a_nested_object_is_converted_at_every_level() -> None:
    """One door sends 1 as 1.0 at any depth, and None for what is not there."""
    given = {"street": "Sesame", "numbers": [1.0, 2], "photo": RED, "tags": [{"weight": 3}, {}]}
    stored = {"street": "Sesame", "numbers": (1, 2), "photo": b"RGB\xff\x00\x00", "tags": ({"weight": 3.0}, {})}
    assert repr(read("address", given)) == repr(stored)
    assert read("address", {"street": None}) == {}
    assert read("others", [{"city": "Ulm"}]) == ({"city": "Ulm"},)


def test_references_are_read_from_both_forms_of_beacons_and_written_in_the_newer() -> None:
    """The oldest clients name no collection; then there must be just one."""
    assert read("boss", [{"beacon": f"weaviate://localhost/{ID}"}, {"beacon": f"http://localhost/person/{ID}"}]) == (Reference("Person", ID),) * 2
    assert read("pet", [{"beacon": f"weaviate://localhost/Cat/{ID}", "href": "/v1/objects"}]) == (Reference("Cat", ID),)
    assert read_beacon(beacon_of(Reference("Dog", ID)), ("Dog",)) == Reference("Dog", ID)


def test_a_telephone_number_is_understood() -> None:
    """People type it in their country's way and search for it in another's; what the clients read back and send again is worked out anew."""
    phone = read_phone_number("0171 1234567", "de")
    assert (phone.international, phone.national, phone.national_number, phone.country_code) == ("+49 171 1234567", "0171 1234567", 1711234567, 49)
    assert (phone.valid, phone.default_country, phone.input) == (True, "DE", "0171 1234567")
    assert read("phone", {"input": "+49 171 1234567", "valid": False, "national": 7}) == read_phone_number("+49 171 1234567", "")
    assert not read_phone_number("+49 12", "").valid


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("home", {"latitude": 91, "longitude": 0}, "home"),
        ("home", {"latitude": 1}, "longitude"),
        ("home", {"latitude": True, "longitude": 0}, "home"),
        ("home", {"latitude": float("nan"), "longitude": 0}, "home"),
        ("home", "52,13", "home"),
        ("phone", {"input": "0171 1234567"}, "defaultCountry"),
        ("phone", {"input": "hello", "defaultCountry": "DE"}, "phone"),
        ("phone", {"input": "0171 1234567", "defaultCountry": "Atlantis"}, "phone"),
        ("phone", {"defaultCountry": "DE"}, "input"),
        ("phone", "+49 171 1234567", "input"),
        ("boss", {"beacon": f"weaviate://localhost/{ID}"}, "list"),
        ("boss", [f"weaviate://localhost/{ID}"], "beacon"),
        ("boss", [{"beacon": "weaviate://localhost/Person/7"}], "beacon"),
        ("boss", [{"beacon": f"weaviate://localhost/Dog/{ID}"}], "Person"),
        ("boss", [{"beacon": f"weaviate://elsewhere/Person/{ID}"}], "beacon"),
        ("boss", [{"beacon": f"weaviate://localhost/Person/{ID}", "foo": 1}], "beacon"),
        ("pet", [{"beacon": f"weaviate://localhost/{ID}"}], "Dog"),
        ("address", ["street"], "object"),
        ("address", {"stret": "x"}, "stret"),
        ("address", {"tags": [{"weight": "heavy"}]}, "address.tags.weight"),
        ("address", {"tags": {"weight": 1}}, "list"),
        ("others", {"city": "Ulm"}, "list"),
    ],
)
def test_a_part_that_does_not_fit_is_refused_and_named(name: str, value: object, said: str) -> None:
    """In an object of fifty parts 'invalid object' helps nobody."""
    with pytest.raises(InvalidValue) as caught:
        read(name, value)
    assert name in caught.value.message
    assert said in caught.value.message


def deep(levels: int) -> Property:
    inner = Property(name="end", data_type=DataType.INT)
    for _ in range(levels):
        inner = Property(name="o", data_type=DataType.OBJECT, nested=(inner,))
    return inner


@pytest.mark.parametrize(
    "prop",
    [
        Property(name="empty", data_type=DataType.OBJECT),
        Property(name="int", data_type=DataType.INT, nested=(ADDRESS,)),
        Property(name="twice", data_type=DataType.OBJECT, nested=(ADDRESS, Property(name="Address", data_type=DataType.INT))),
        Property(name="bad", data_type=DataType.OBJECT, nested=(Property(name="not good", data_type=DataType.INT),)),
        Property(name="bad", data_type=DataType.OBJECT, nested=(Property(name="n", data_type=DataType.INT, tokenization=Tokenization.WORD),)),
        Property(name="bad", data_type=DataType.OBJECT, nested=(Property(name="n", data_type=DataType.REFERENCE, targets=("Dog",)),)),
        Property(name="bad", data_type=DataType.OBJECT, nested=(Property(name="n", data_type=DataType.GEO_COORDINATES),)),
        Property(name="lost", data_type=DataType.REFERENCE, targets=("Dog", "Nowhere")),
        deep(MAX_NESTED + 3),
    ],
)
def test_a_property_that_cannot_be_is_refused(prop: Property) -> None:
    """At the creation of the collection, not at the first object."""
    with pytest.raises(InvalidSchema):
        check_property(prop, {"Dog"})


def test_objects_in_objects_and_references_to_what_is_there_are_fine() -> None:
    """The refusals above must not be for another reason."""
    for prop in (*PERSON.properties, deep(MAX_NESTED)):
        check_property(prop, {"Dog", "Cat", "Person"})
