"""Values are what their data types say, whatever the wire made of them."""

import pytest

from nearimage.domain.errors import InvalidInput, InvalidValue
from nearimage.domain.schema import Collection, DataType, Property
from nearimage.service.values import ValueReader
from tests.fakes import RED, FakeMedia

READER = ValueReader(media=FakeMedia())


def read(data_type: DataType, value: object) -> object:
    collection = Collection(name="C", properties=(Property(name="p", data_type=data_type),))
    return READER.read(collection, {"p": value}).get("p")


@pytest.mark.parametrize(
    ("data_type", "value", "stored"),
    [
        (DataType.TEXT, "Corgi", "Corgi"),
        (DataType.INT, 7.0, 7),
        (DataType.INT, 2**63 - 1, 2**63 - 1),
        (DataType.NUMBER, 7, 7.0),
        (DataType.BOOLEAN, False, False),
        (DataType.DATE, "2026-01-31T12:00:00.123456789+02:00", "2026-01-31T12:00:00.123456789+02:00"),
        (DataType.UUID, "36DDD5912DEE4E7EA3CCEB86D30A4303", "36ddd591-2dee-4e7e-a3cc-eb86d30a4303"),
        (DataType.BLOB, RED, b"RGB\xff\x00\x00"),
        (DataType.INT_ARRAY, [1.0, 2], (1, 2)),
        (DataType.TEXT_ARRAY, [], ()),
        (DataType.TEXT, None, None),
    ],
)
def test_a_value_of_its_type_is_stored(data_type: DataType, value: object, stored: object) -> None:
    """The wire of one door knows no integers, that of the other no dates: the data type decides."""
    assert read(data_type, value) == stored
    assert type(read(data_type, value)) is type(stored)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        (DataType.TEXT, 7),
        (DataType.INT, 7.5),
        (DataType.INT, "7"),
        (DataType.INT, True),
        (DataType.INT, 2**63),
        (DataType.INT, float("nan")),
        (DataType.NUMBER, "7"),
        (DataType.NUMBER, float("inf")),
        (DataType.NUMBER, 10**400),
        (DataType.NUMBER, True),
        (DataType.BOOLEAN, 1),
        (DataType.DATE, "yesterday"),
        (DataType.DATE, "2026-01-31"),
        (DataType.DATE, "2026-02-31T12:00:00Z"),
        (DataType.UUID, "nope"),
        (DataType.BLOB, 7),
        (DataType.TEXT_ARRAY, "Corgi"),
        (DataType.TEXT_ARRAY, ["Corgi", None]),
        (DataType.TEXT, {"nested": "object"}),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_property(data_type: DataType, value: object) -> None:
    """A value stored wrongly is found never, or by the wrong filter."""
    with pytest.raises(InvalidValue) as caught:
        read(data_type, value)

    assert caught.value.detail == {"property": "p", "data_type": str(data_type)}


def test_a_long_wrong_value_is_shown_by_its_beginning() -> None:
    """A megabyte of base64 in an error message helps nobody."""
    with pytest.raises(InvalidInput) as caught:
        read(DataType.INT, "x" * 1_000_000)

    assert len(str(caught.value)) < 300
