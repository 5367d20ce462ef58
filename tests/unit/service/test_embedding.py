"""Several models at once: each picture decoded once, each failure where it belongs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import Busy, InvalidInput, NearimageError, UnreadablePicture
from nearimage.domain.objects import Matrix, Projection, Record
from nearimage.domain.query import Combination, NearMedia, Search, Targets
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Bundle, Input
from nearimage.service.embedding import Order, Value, embed
from nearimage.service.vectorize import PICTURES_AT_ONCE
from tests.fakes import BROKEN, GREEN, RED, FakeMedia, World, dogs, image_vector, picture, text


class WatchedMedia(FakeMedia):
    """Remembers how it was asked to decode."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int, bool]] = []

    def decode(self, pictures: Sequence[bytes], *, short_side: int, exact: bool = False) -> list[Pixels | InvalidInput]:
        self.asked.append((len(pictures), short_side, exact))
        return super().decode(pictures, short_side=short_side, exact=exact)


@dataclass
class Watched:
    """A model that remembers what it was given."""

    short_side: int | None
    modalities: frozenset[Modality] = frozenset(Modality)
    given: list[Bundle] = field(default_factory=list)

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        self.given += bundles
        return [np.ones((len(bundle), 2), np.float32) for bundle in bundles]


def rgb(*colour: int) -> bytes:
    return b"RGB" + bytes(colour)


def test_a_picture_is_decoded_once_large_enough_for_everybody() -> None:
    """Decoding a large photograph takes longer than embedding it."""
    media, small, large, remote = WatchedMedia(), Watched(224), Watched(384), Watched(None)
    red, green = Value(Modality.IMAGE, rgb(255, 0, 0)), Value(Modality.IMAGE, rgb(0, 255, 0))
    embed(media, [Order(small, False, [[red], [green]]), Order(large, False, [[red]]), Order(remote, False, [[red]])])

    assert media.asked == [(2, 384, False)]
    assert small.given[0][0].content is large.given[0][0].content
    assert remote.given == [[Input(Modality.IMAGE, red.content)]]


def test_nothing_is_decoded_for_containers_alone() -> None:
    """They are sent the file as it came."""
    media = WatchedMedia()
    embed(media, [Order(Watched(None), False, [[Value(Modality.IMAGE, rgb(1, 2, 3))]])])

    assert media.asked == []


def test_exact_is_what_the_decoder_is_told_if_any_vector_asks_for_it() -> None:
    """The whole picture serves those who would have been content with less."""
    media, value = WatchedMedia(), Value(Modality.IMAGE, rgb(1, 2, 3))
    embed(media, [Order(Watched(10), False, [[value]]), Order(Watched(20), True, [[value]])])

    assert media.asked == [(1, 20, True)]


def test_sounds_and_films_are_never_decoded_as_pictures() -> None:
    """They go to the model's own reader as they came."""
    media, model = WatchedMedia(), Watched(10)
    values = [Value(modality, f"{modality}".encode()) for modality in (Modality.AUDIO, Modality.VIDEO, Modality.IMU)]
    embed(media, [Order(model, False, [values])])

    assert media.asked == []
    assert [entry.content for entry in model.given[0]] == [value.content for value in values]


@pytest.mark.parametrize("modality", [Modality.THERMAL, Modality.DEPTH])
def test_pictures_of_heat_and_depth_are_decoded_as_pictures(modality: Modality) -> None:
    """They come in the same formats, with the same hostile bytes; one decoder with limits is enough."""
    media, model, remote = WatchedMedia(), Watched(10), Watched(None)
    value = Value(modality, rgb(9, 9, 9))
    embed(media, [Order(model, False, [[value]]), Order(remote, False, [[value]])])

    assert media.asked == [(1, 10, False)]
    assert isinstance(model.given[0][0].content, np.ndarray)
    assert remote.given == [[Input(modality, value.content)]]


def test_an_unreadable_picture_fails_its_own_bundle_and_never_reaches_the_model() -> None:
    """The others keep their places."""
    model = Watched(10)
    bad, good = Value(Modality.IMAGE, b"nonsense"), Value(Modality.IMAGE, rgb(1, 2, 3))
    ((first, second, third),) = embed(FakeMedia(), [Order(model, False, [[good], [good, bad], [good]])])

    assert isinstance(second, UnreadablePicture)
    assert not isinstance(first, NearimageError)
    assert not isinstance(third, NearimageError)
    assert len(model.given) == 2


def two_vectors() -> Collection:
    return dogs(image_vector("a"), image_vector("b", module="multi2vec-clip", textFields=["breed"]))


def test_several_vectors_of_one_object_share_its_picture() -> None:
    """Two named vectors, one decoding."""
    world = World()
    services = world.services()
    services.collections.create(two_vectors())
    services.objects.insert("Dog", Draft(properties={"image": RED, "breed": "blue"}))

    assert world.media.decoded == 1


def test_a_query_over_several_targets_decodes_its_picture_once() -> None:
    """As for objects."""
    world = World()
    services = world.services()
    services.collections.create(two_vectors())
    services.objects.insert("Dog", Draft(properties={"image": RED}))
    world.media.decoded = 0
    near = NearMedia(modality=Modality.IMAGE, data=RED, targets=Targets(names=("a", "b"), combination=Combination.AVERAGE))

    assert len(services.searches.run(Search(collection="Dog", by=near)).hits) == 1
    assert world.media.decoded == 1


def test_an_update_embeds_what_changed_and_keeps_the_rest() -> None:
    """The vector that does not see the changed property is not made again, and one that the user supplies wins over both."""
    world = World()
    services = world.services()
    services.collections.create(two_vectors())
    one = services.objects.insert("Dog", Draft(properties={"image": RED, "breed": "blue"})).id
    world.media.decoded = 0
    services.objects.merge("Dog", one, Draft(properties={"weight": 5}))
    untouched = world.media.decoded
    services.objects.merge("Dog", one, Draft(properties={"breed": "green"}, vectors={"a": np.array([1, 2, 3], np.float32)}))
    stored = services.objects.get("Dog", one, Projection(vectors=None))

    assert untouched == 0
    assert world.media.decoded == 1
    assert stored.vectors["a"].tolist() == [1, 2, 3]
    assert stored.vectors["b"].tolist() == [127.5, 127.5, 0]


def test_in_a_batch_over_several_slices_each_object_has_its_own_vectors() -> None:
    """Batches are cut so that memory holds one slice of pixels; a cut in the wrong place would give an object its neighbour's vector."""
    services = World().services()
    services.collections.create(two_vectors())
    count = 2 * PICTURES_AT_ONCE + 5
    drafts = [Draft(properties={"image": picture(number, 1, 2)} if number % 3 else {"breed": "red"}) for number in range(count)]
    drafts[70] = Draft(properties={"image": BROKEN})
    outcomes = services.objects.put_many("Dog", drafts)

    assert isinstance(outcomes[70], UnreadablePicture)
    for number, outcome in enumerate(outcomes):
        if number != 70:
            assert isinstance(outcome, Record)
            assert outcome.vectors["b"].tolist() == ([number, 1, 2] if number % 3 else [255, 0, 0])
            assert ("a" in outcome.vectors) == bool(number % 3)


def test_texts_in_an_array_count_each_for_itself() -> None:
    """As in Weaviate: the weight of a property is that of each of its texts."""
    services = World().services()
    properties = (text("breed"), Property(name="tags", data_type=DataType.TEXT_ARRAY), Property(name="image", data_type=DataType.BLOB))
    settings = {"textFields": ["tags"], "imageFields": ["image"], "weights": {"textFields": [1], "imageFields": [2]}}
    services.collections.create(
        Collection(name="Dog", properties=properties, vectors=(VectorConfig(name="v", module="multi2vec-clip", module_settings=settings),))
    )
    stored = services.objects.insert("Dog", Draft(properties={"tags": ["red", "blue"], "image": GREEN}))

    assert stored.vectors["v"].tolist() == pytest.approx([255 / 4 / 3, 255 * 2 / 4 / 3, 255 / 4 / 3])


def test_a_model_whose_queue_is_full_is_told_to_the_caller_once() -> None:
    """Nothing was embedded, so the whole batch may be sent again."""

    class Full(Watched):
        def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
            raise Busy("full")

    with pytest.raises(Busy):
        embed(FakeMedia(), [Order(Full(10), False, [[Value(Modality.TEXT, "x")]])])
