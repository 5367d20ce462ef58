"""Labels by examples, and by the labels themselves."""

from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import ClassificationNotFound, InvalidInput
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, VectorConfig
from nearimage.domain.values import Reference
from nearimage.service.classification import Run, RunState
from nearimage.service.classification_task import Method, Task
from nearimage.service.services import Services
from tests.fakes import World
from tests.waiting import eventually

CAT, DOG, OTHER = (UUID(int=n) for n in (1, 2, 3))
TASK = Task(collection="Photo", properties=("kind",), based_on=("title",))


@pytest.fixture
def services() -> Services:
    """Kinds of animals, and photographs that may show one."""
    services = World().services()
    services.collections.create(Collection(name="Kind", vectors=(VectorConfig(name="default"),)))
    properties = (
        Property(name="title", data_type=DataType.TEXT),
        Property(name="kind", data_type=DataType.REFERENCE, targets=("Kind",)),
        Property(name="also", data_type=DataType.REFERENCE, targets=("Kind",)),
    )
    services.collections.create(Collection(name="Photo", properties=properties, vectors=(VectorConfig(name="default"),)))
    for kind, vector in ((CAT, (1, 0)), (DOG, (0, 1))):
        services.objects.insert("Kind", Draft(id=kind, vectors={"default": np.array(vector, np.float32)}))
    return services


def photo(services: Services, number: int, vector: tuple[float, float] | None, *kinds: UUID) -> UUID:
    properties = {"title": f"photo {number}", **({"kind": [{"beacon": f"weaviate://localhost/Kind/{kind}"} for kind in kinds]} if kinds else {})}
    vectors = {"default": np.array(vector, np.float32)} if vector else {}
    return services.objects.insert("Photo", Draft(id=UUID(int=number), properties=properties, vectors=vectors)).id


def kinds_of(services: Services, photo_id: UUID) -> list[UUID]:
    value = services.objects.get("Photo", photo_id, EVERYTHING_BUT_BLOBS).properties.get("kind", ())
    assert isinstance(value, tuple)
    return [one.id for one in value if isinstance(one, Reference)]


def ended(services: Services, task: Task) -> Run:
    run = services.classifications.begin(task)
    assert run.state is RunState.RUNNING
    eventually("the classification ends", lambda: services.classifications.get(run.id).state is not RunState.RUNNING)
    return services.classifications.get(run.id)


def test_most_of_the_nearest_decide(services: Services) -> None:
    """Not the very nearest alone: one wrong example must not win."""
    for number, kind in ((10, DOG), (11, CAT), (12, CAT)):
        photo(services, number, (1, number / 100), kind)
    photo(services, 13, (0, 1), DOG)
    new = photo(services, 20, (1, 0.1))

    told = ended(services, TASK)

    assert (told.state, told.succeeded, told.failed, told.error) == (RunState.COMPLETED, 1, 0, "")
    assert kinds_of(services, new) == [CAT]
    assert kinds_of(services, UUID(int=10)) == [DOG]


def test_of_equally_frequent_labels_the_nearest_wins(services: Services) -> None:
    """The same data give the same labels every time."""
    photo(services, 10, (0, 1), DOG)
    photo(services, 11, (1, 0), CAT)
    new = photo(services, 20, (1, 0.9))

    ended(services, TASK)

    assert kinds_of(services, new) == [CAT]


def test_a_guess_is_no_example(services: Services) -> None:
    """Else one mistake would spread, and the answer depend on the order of ids."""
    photo(services, 10, (0, 1), DOG)
    photo(services, 11, (1, 0), CAT)
    near_dogs = [photo(services, number, (0.9, 1)) for number in (20, 21, 22)]
    other = photo(services, 23, (1, 0.95))

    ended(services, Task(collection="Photo", properties=("kind",), based_on=("title",), k=1))

    assert [kinds_of(services, one) for one in (*near_dogs, other)] == [[DOG], [DOG], [DOG], [CAT]]


def test_filters_choose_examples_and_what_is_labelled(services: Services) -> None:
    """Who trusts some examples only says so."""
    photo(services, 10, (1, 0), DOG)
    photo(services, 11, (0, 1), CAT)
    first, second = photo(services, 20, (1, 0)), photo(services, 21, (1, 0))
    examples = Compare("title", Operator.EQUAL, "11")
    task = Task(collection="photo", properties=("kind",), based_on=("title",), training=examples, source=Compare("title", Operator.EQUAL, "20"))

    assert ended(services, task).succeeded == 1

    assert (kinds_of(services, first), kinds_of(services, second)) == ([CAT], [])


def test_without_examples_the_nearest_label_is_taken(services: Services) -> None:
    """Zero-shot: a label is an object with a vector too; targetWhere says which may be labels."""
    new = photo(services, 20, (0.2, 1))
    task = Task(collection="Photo", properties=("kind",), based_on=("title",), method=Method.ZERO_SHOT, source=Compare("title", Operator.EQUAL, "20"))

    assert ended(services, task).state is RunState.COMPLETED
    assert kinds_of(services, new) == [DOG]

    other = photo(services, 21, (0.2, 1))
    only_cats = Task(collection="Photo", properties=("kind",), based_on=("title",), method=Method.ZERO_SHOT, target=Compare("id", Operator.EQUAL, str(CAT)))
    ended(services, only_cats)
    assert kinds_of(services, other) == [CAT]


def test_what_cannot_be_labelled_is_counted_and_the_rest_goes_on(services: Services) -> None:
    """One object without a vector, and one example with two labels beside good ones."""
    photo(services, 10, (1, 0), CAT)
    photo(services, 11, (0, 1), CAT, DOG)
    good, doubtful = photo(services, 20, (1, 0)), photo(services, 21, (0, 1))
    photo(services, 22, None)

    told = ended(services, Task(collection="Photo", properties=("kind",), based_on=("title",), k=1))

    assert (told.state, told.succeeded, told.failed) == (RunState.FAILED, 1, 2)
    assert "2 references" in told.error
    assert (kinds_of(services, good), kinds_of(services, doubtful)) == ([CAT], [])


def test_where_everything_has_a_label_it_says_so(services: Services) -> None:
    """Whoever runs it twice by mistake notices."""
    photo(services, 10, (1, 0), CAT)

    told = ended(services, TASK)

    assert told.state is RunState.FAILED
    assert "nothing to classify" in told.error


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ({"properties": ()}, "at least one"),
        ({"properties": ("title",)}, "no reference"),
        ({"properties": ("colour",)}, "no property"),
        ({"based_on": ()}, "one property"),
        ({"based_on": ("kind",)}, "text or blob"),
        ({"k": 0}, "neighbours"),
        ({"target": Compare("id", Operator.EQUAL, str(CAT))}, "trainingSetWhere"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_at_once(services: Services, change: dict[str, object], about: str) -> None:
    """Not in the background, where nobody looks."""
    asked: dict[str, object] = {"collection": "Photo", "properties": ("kind",), "based_on": ("title",)}
    with pytest.raises(InvalidInput, match=about):
        services.classifications.begin(Task(**(asked | change)))  # type: ignore[arg-type]


def test_tenants_are_refused(services: Services) -> None:
    """A task names no tenant, and guessing one would label somebody else's objects."""
    services.collections.create(Collection(name="Ten", properties=(Property(name="title", data_type=DataType.TEXT),), tenancy=Tenancy(enabled=True)))
    with pytest.raises(InvalidInput, match="tenants"):
        services.classifications.begin(Task(collection="Ten", properties=("title",), based_on=("title",)))


def test_an_unknown_run_is_not_found(services: Services) -> None:
    """Nor one of another process: runs are not stored."""
    with pytest.raises(ClassificationNotFound):
        services.classifications.get(OTHER)
