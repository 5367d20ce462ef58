"""Objects go in whole, with the vectors their modules make, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import UNNAMED, Draft
from nearimage.domain.errors import InvalidValue, ObjectExists, ObjectNotFound, UnreadablePicture, VectorNameAmbiguous, VectorNameUnknown
from nearimage.domain.objects import Projection, Record, Vector
from nearimage.service.services import Services
from tests.fakes import BLUE, BROKEN, GREEN, RED, World, dogs, image_vector

ID = UUID(int=7)
WHOLE = Projection(properties=("breed", "image", "weight"), vectors=None)


def numbers(*values: float) -> Vector:
    return np.array(values, np.float32)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def services(world: World) -> Services:
    made = world.services()
    made.collections.create(dogs())
    return made


def insert(services: Services, **properties: object) -> Record:
    return services.objects.insert("Dog", Draft(id=ID, properties=properties))


def stored(services: Services) -> Record:
    return services.objects.get("Dog", ID, WHOLE)


def test_a_picture_gets_its_vector_on_the_way_in(services: Services) -> None:
    """That is what the user installed us for."""
    insert(services, breed="Corgi", image=RED)

    assert stored(services).vectors["default"].tolist() == [255, 0, 0]


def test_an_object_without_its_picture_is_stored_without_a_vector(services: Services) -> None:
    """A missing picture is no mistake: it may come later."""
    insert(services, breed="Ghost")

    assert stored(services).vectors == {}


def test_a_vector_that_the_user_brings_wins_and_the_picture_is_not_even_decoded(world: World, services: Services) -> None:
    """Who brings a vector has a reason, and should not pay for another one."""
    services.objects.insert("Dog", Draft(id=ID, properties={"image": RED}, vectors={UNNAMED: numbers(1, 2, 3)}))

    assert stored(services).vectors["default"].tolist() == [1, 2, 3]
    assert world.media.decoded == 0


def test_an_id_is_taken_once(services: Services) -> None:
    """An insert must never overwrite."""
    insert(services, breed="Corgi")

    with pytest.raises(ObjectExists):
        insert(services, breed="Husky")
    assert stored(services).properties["breed"] == "Corgi"


def test_an_unknown_property_is_refused_by_name(services: Services) -> None:
    """A typing mistake in a property name must not lose the value."""
    with pytest.raises(InvalidValue) as caught:
        insert(services, bread="Corgi")

    assert caught.value.detail["property"] == "bread"


def test_a_broken_picture_stores_nothing(services: Services) -> None:
    """Half an object, without its vector, would never be found again."""
    with pytest.raises(UnreadablePicture):
        insert(services, breed="Corgi", image=BROKEN)
    with pytest.raises(ObjectNotFound):
        stored(services)


def test_in_a_batch_one_bad_object_fails_alone_and_in_its_place(services: Services) -> None:
    """Users match errors to objects by position."""
    drafts = [
        Draft(id=UUID(int=1), properties={"image": RED}),
        Draft(id=UUID(int=2), properties={"image": BROKEN}),
        Draft(id=UUID(int=3), properties={"weight": "heavy"}),
        Draft(id=UUID(int=4), vectors={UNNAMED: numbers(1, 2)}),
        Draft(id=UUID(int=5), properties={"image": BLUE}),
    ]

    outcomes = services.objects.put_many("Dog", drafts)

    assert [type(outcome).__name__ for outcome in outcomes] == ["Record", "UnreadablePicture", "InvalidValue", "DimensionMismatch", "Record"]
    assert services.objects.get("Dog", UUID(int=5), WHOLE).vectors["default"].tolist() == [0, 0, 255]


def test_a_merge_changes_what_it_names_and_keeps_the_rest(services: Services) -> None:
    """PATCH is how a caption is corrected: the picture must survive it."""
    insert(services, breed="Corgi", image=RED, weight=12)

    services.objects.merge("Dog", ID, Draft(properties={"breed": "Husky", "weight": None}))

    record = stored(services)
    assert record.properties == {"breed": "Husky", "image": b"RGB\xff\x00\x00"}
    assert record.vectors["default"].tolist() == [255, 0, 0]


def test_a_merge_takes_away_what_it_names_in_either_case_of_its_first_letter(services: Services) -> None:
    """Values are found that way, so nothing must be too."""
    services.objects.insert("Dog", Draft(id=ID, properties={"Breed": "Corgi", "weight": 12}))
    services.objects.merge("Dog", ID, Draft(properties={"Breed": None}))

    assert services.objects.get("Dog", ID, Projection()).properties == {"weight": 12}


def test_a_merge_that_leaves_the_picture_alone_does_not_embed_it_again(world: World, services: Services) -> None:
    """Embedding is the expensive part; a new caption must not cost it."""
    insert(services, breed="Corgi", image=RED)
    before = world.media.decoded

    services.objects.merge("Dog", ID, Draft(properties={"breed": "Husky"}))

    assert world.media.decoded == before


def test_a_merge_keeps_a_vector_that_the_user_brought(services: Services) -> None:
    """It cannot be made again from the properties."""
    services.objects.insert("Dog", Draft(id=ID, properties={"breed": "Corgi"}, vectors={UNNAMED: numbers(1, 2, 3)}))

    services.objects.merge("Dog", ID, Draft(properties={"breed": "Husky"}))

    assert stored(services).vectors["default"].tolist() == [1, 2, 3]


def test_a_new_picture_brings_a_new_vector(services: Services) -> None:
    """An object must be found by what it shows now."""
    insert(services, breed="Corgi", image=RED)

    services.objects.merge("Dog", ID, Draft(properties={"image": GREEN}))

    assert stored(services).vectors["default"].tolist() == [0, 255, 0]


def test_a_picture_that_is_taken_away_leaves_its_vector_behind(services: Services) -> None:
    """As in Weaviate, until another picture comes."""
    made = insert(services, breed="Corgi", image=RED)

    services.objects.merge("Dog", ID, Draft(properties={"image": None}))

    assert "image" not in stored(services).properties
    assert np.array_equal(stored(services).vectors["default"], made.vectors["default"])
    services.objects.merge("Dog", ID, Draft(properties={"image": GREEN}))
    assert not np.array_equal(stored(services).vectors["default"], made.vectors["default"])


def test_replacing_drops_what_is_not_named_and_keeps_the_time_of_creation(services: Services) -> None:
    """PUT is the whole object; but it is still the same object."""
    first = insert(services, breed="Corgi", image=RED)

    services.objects.replace("Dog", ID, Draft(properties={"breed": "Husky"}))

    record = stored(services)
    assert record.properties == {"breed": "Husky"}
    assert record.vectors == {}
    assert record.created_ms == first.created_ms < record.updated_ms


def test_changing_what_is_not_there_says_so(services: Services) -> None:
    """A merge must not create."""
    with pytest.raises(ObjectNotFound):
        services.objects.merge("Dog", ID, Draft(properties={"breed": "Husky"}))
    with pytest.raises(ObjectNotFound):
        services.objects.replace("Dog", ID, Draft(properties={"breed": "Husky"}))


def test_deleting_says_whether_there_was_one(services: Services) -> None:
    """Twice is fine."""
    insert(services)

    assert [services.objects.delete("Dog", ID) for _ in range(2)] == [True, False]


def test_a_vector_without_a_name_needs_a_collection_with_one_vector() -> None:
    """Guessing among several would store it under a name chosen by chance."""
    services = World().services()
    services.collections.create(dogs(image_vector("a"), image_vector("b")))

    with pytest.raises(VectorNameAmbiguous) as caught:
        services.objects.insert("Dog", Draft(vectors={UNNAMED: numbers(1, 2, 3)}))
    assert caught.value.detail == {"have": ["a", "b"]}


def test_a_vector_of_an_unknown_name_is_refused(services: Services) -> None:
    """A typing mistake must not lose the vector."""
    with pytest.raises(VectorNameUnknown):
        services.objects.insert("Dog", Draft(vectors={"titel": numbers(1, 2, 3)}))


def test_changes_that_meet_are_all_made(services: Services) -> None:
    """Eight clients that change one object get through, each with its own property kept: none may be told to try again."""
    insert(services)

    def change(number: int) -> None:
        for value in range(20):
            services.objects.merge("Dog", ID, Draft(properties={"weight": value} if number else {"breed": str(value)}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))

    assert stored(services).properties == {"breed": "19", "weight": 19}
