"""Values are what their data types say, whatever the wire made of them."""

import pytest

from nearimage.domain.errors import FetchFailed, InvalidInput, InvalidValue
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
        (DataType.DATE_ARRAY, ["2026-01-31T12:00:00.50Z"], ("2026-01-31T12:00:00.5Z",)),
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


@pytest.mark.parametrize(("data_type", "value"), [(DataType.INT, 7.0), (DataType.INT_ARRAY, [7, 7.0]), (DataType.OBJECT, {"inner": 7.0})])
@pytest.mark.parametrize("many", [1, 10])
def test_where_ints_and_floats_are_apart_a_float_is_no_int(data_type: DataType, value: object, many: int) -> None:
    """JSON says which of the two was meant; one object or a batch, at any depth."""
    prop = Property(name="p", data_type=data_type, nested=(Property(name="inner", data_type=DataType.INT),) if data_type is DataType.OBJECT else ())
    collection = Collection(name="C", properties=(prop,))

    assert not any(isinstance(one, InvalidInput) for one in READER.read_many(collection, [{"p": value}] * many))
    assert all(isinstance(one, InvalidValue) for one in READER.read_many(collection, [{"p": value}] * many, whole_floats=False))


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


def with_pictures() -> Collection:
    """A picture, and an object that has another."""
    inner = Property(name="page", data_type=DataType.BLOB)
    return Collection(
        name="C",
        properties=(Property(name="image", data_type=DataType.BLOB), Property(name="scans", data_type=DataType.OBJECT_ARRAY, nested=(inner,))),
    )


def test_pictures_that_urls_name_are_fetched_together_and_once() -> None:
    """A batch names the same logo in every object; and what is fetched one after the other takes an hour."""
    media = FakeMedia()
    objects: list[dict[str, object]] = [{"image": "web:red"}, {"image": RED}, {"image": "web:red", "scans": [{"page": "web:blue"}, {"page": None}]}, {}]

    read = ValueReader(media=media).read_many(with_pictures(), objects)

    assert read == [
        {"image": b"RGB\xff\x00\x00"},
        {"image": b"RGB\xff\x00\x00"},
        {"image": b"RGB\xff\x00\x00", "scans": ({"page": b"RGB\x00\x00\xff"}, {})},
        {},
    ]
    assert media.fetched == ["web:red", "web:blue"]


def test_a_url_that_brings_nothing_fails_each_object_that_names_it_and_no_other() -> None:
    """One dead link must not cost an import, and each object says which property it was."""
    objects: list[dict[str, object]] = [{"image": "web:dead"}, {"image": "web:red"}, {"scans": [{"page": "web:dead"}]}, {"nonsense": "web:green"}]
    media = FakeMedia()

    first, second, third, fourth = ValueReader(media=media).read_many(with_pictures(), objects)

    assert second == {"image": b"RGB\xff\x00\x00"}
    assert isinstance(first, FetchFailed)
    assert isinstance(third, FetchFailed)
    assert (first.detail, third.detail) == ({"url": "web:dead", "property": "image"}, {"url": "web:dead", "property": "scans.page"})
    assert first.message.startswith("property 'image': ")
    assert isinstance(fourth, InvalidValue)
    assert media.fetched == ["web:dead", "web:red"]


def test_a_picture_that_is_hashed_has_the_hash_of_its_base64_however_it_came() -> None:
    """The hash is there to find the same picture again."""
    collection = Collection(name="C", properties=(Property(name="p", data_type=DataType.BLOB_HASH),))

    by_url, sent = ValueReader(media=FakeMedia()).read_many(collection, [{"p": "web:red"}, {"p": RED}])

    assert by_url == sent
