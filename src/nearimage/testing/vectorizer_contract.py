"""What every vectorizer promises, as tests to inherit.

    class TestMyVectorizer(VectorizerContract):
        understands = frozenset({Modality.IMAGE})

        @pytest.fixture
        def vectorizer(self) -> Vectorizer:
            return ...

A vectorizer that takes files (sounds, films; pictures too, if it has no `short_side`) is given them by its class:

        files = {Modality.AUDIO: (dog_barking, rain, bell)}

Subclasses may add tests, never override one. The pictures are made from formulas, so they are the same on every machine.
May import numpy, the standard library, `ports` and `domain`.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np

from nearimage.domain.errors import InvalidInput, NearimageError, NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Bundle, Input, Vectorizer

TOLERANCE = 1e-4
"""How far a number may move when a picture is embedded beside others: sums of float32 in another order, as a share of the largest number."""

TEXTS = ("rocket", "a photograph of a small cat that sleeps beside a cup of coffee", "red car", "the moon over a lake")

UNREADABLE = b"these bytes are no file of any kind"


def rows_of(vectorizer: Vectorizer, modality: Modality, contents: Sequence[str | bytes | Pixels]) -> Matrix:
    """The rows of some inputs, each in a bundle of its own; at least one.

    Raises:
        NearimageError: whatever an input failed with.
    """
    made = vectorizer.embed([[Input(modality, content)] for content in contents])
    return np.concatenate([succeeded(one) for one in made])


def succeeded(outcome: Matrix | NearimageError) -> Matrix:
    """The rows of a bundle, or its error raised."""
    if isinstance(outcome, NearimageError):
        raise outcome
    return outcome


def generated_pictures() -> dict[str, Pixels]:
    """Pictures from formulas, by name; their sides shrink to whole numbers when the shorter becomes 256, so every way of cropping agrees."""
    return {
        "gradient": _gradient(256, 256),
        "wide": _gradient(512, 768),
        "checkerboard": _checkerboard(512, 512, square=32),
        "tall": _checkerboard(320, 256, square=10),
        "noise": np.random.default_rng(7).integers(0, 256, (256, 256, 3), dtype=np.uint8),
        "grey": np.full((256, 256, 3), 127, np.uint8),
    }


def _gradient(height: int, width: int) -> Pixels:
    down, across = np.mgrid[0:height, 0:width]
    channels = (255 * down // (height - 1), 255 * across // (width - 1), 255 * (down + across) // (height + width - 2))
    return np.stack(channels, axis=-1).astype(np.uint8)


def _checkerboard(height: int, width: int, *, square: int) -> Pixels:
    down, across = np.mgrid[0:height, 0:width]
    light = (down // square + across // square) % 2 == 1
    return np.where(light[..., None], np.array([240, 200, 40]), np.array([20, 60, 160])).astype(np.uint8)


class VectorizerContract:
    """Inherit it and provide the fixture `vectorizer`."""

    understands: ClassVar[frozenset[Modality]]
    files: ClassVar[Mapping[Modality, Sequence[bytes]]] = {}
    """At least three different ones for each modality that it takes as files."""

    def test_it_says_what_it_understands(self, vectorizer: Vectorizer) -> None:
        """Queries are refused by it, before anything is read."""
        assert vectorizer.modalities == self.understands

    def test_no_bundles_give_nothing(self, vectorizer: Vectorizer) -> None:
        """A batch in which every picture was unreadable is still a batch."""
        assert vectorizer.embed([]) == []

    def test_pictures_of_any_shape_become_finite_rows(self, vectorizer: Vectorizer) -> None:
        """Users store icons, panoramas and single pixels; one of them must not fail a batch."""
        if Modality.IMAGE in self.understands and vectorizer.short_side is not None:
            shapes = [(1, 1), (1, 300), (300, 1), (5, 7), (224, 224), (700, 301)]
            self._check_rows(rows_of(vectorizer, Modality.IMAGE, [np.full((*shape, 3), 90, np.uint8) for shape in shapes]), len(shapes))

    def test_texts_of_any_length_become_finite_rows(self, vectorizer: Vectorizer) -> None:
        """Descriptions are empty, long, or in any script; none of that is an error."""
        if Modality.TEXT in self.understands:
            texts = ["", " ", "cat", "猫", "🐈", "a cat on a mat " * 2000]
            self._check_rows(rows_of(vectorizer, Modality.TEXT, texts), len(texts))

    def test_row_i_is_input_i_whatever_is_beside_it(self, vectorizer: Vectorizer) -> None:
        """Batches are cut and merged freely, and short texts are padded to the longest beside them; an object must get its own vector."""
        for modality in sorted(self.understands):
            contents = self._contents(vectorizer, modality)
            alone = np.concatenate([rows_of(vectorizer, modality, [content]) for content in contents])
            for together in (rows_of(vectorizer, modality, contents), succeeded(vectorizer.embed([[Input(modality, one) for one in contents]])[0])):
                assert np.abs(together - alone).max() <= TOLERANCE * np.abs(alone).max(), modality
            assert len({row.tobytes() for row in alone}) == len(contents), modality

    def test_a_bundle_of_all_kinds_has_its_rows_in_its_own_order(self, vectorizer: Vectorizer) -> None:
        """An object's text and pictures are weighed by their places; a swap would weigh the wrong one."""
        bundle = [Input(modality, self._contents(vectorizer, modality)[0]) for modality in sorted(self.understands)]
        expected = np.concatenate([succeeded(vectorizer.embed([[entry]])[0]) for entry in bundle])
        (there,) = vectorizer.embed([bundle])
        (back,) = vectorizer.embed([bundle[::-1]])

        self._check_rows(succeeded(there), len(bundle))
        assert np.allclose(succeeded(there), expected, atol=TOLERANCE * np.abs(expected).max())
        assert np.allclose(succeeded(back)[::-1], expected, atol=TOLERANCE * np.abs(expected).max())

    def test_a_modality_it_does_not_understand_is_refused(self, vectorizer: Vectorizer) -> None:
        """A made-up vector would be stored and found again, at random; what it does understand is not held up by it."""
        for modality in set(Modality) - self.understands:
            content = "cat" if modality is Modality.TEXT else UNREADABLE
            known = sorted(self.understands)[0]
            good: Bundle = [Input(known, self._contents(vectorizer, known)[0])]
            fine, refused = vectorizer.embed([good, [Input(modality, content), *good]])

            self._check_rows(succeeded(fine), 1)
            assert isinstance(refused, NotSupported), modality

    def test_an_unreadable_file_fails_its_own_bundle_only(self, vectorizer: Vectorizer) -> None:
        """One broken sound among a thousand must not cost the others their vectors."""
        for modality in sorted(self.files):
            good = self.files[modality][0]
            first, broken, last = vectorizer.embed([[Input(modality, good)], [Input(modality, UNREADABLE)], [Input(modality, good)]])

            assert isinstance(broken, InvalidInput), modality
            assert np.allclose(succeeded(first), succeeded(last)), modality

    def test_many_threads_get_what_one_thread_gets(self, vectorizer: Vectorizer) -> None:
        """Every door calls from threads of its own, and all callers share one model."""
        modality = sorted(self.understands)[0]
        contents = self._contents(vectorizer, modality)
        alone = rows_of(vectorizer, modality, contents)
        with ThreadPoolExecutor(8) as pool:
            rows = list(pool.map(lambda index: rows_of(vectorizer, modality, [contents[index % len(contents)]])[0], range(24)))
        for index, row in enumerate(rows):
            assert np.abs(row - alone[index % len(contents)]).max() <= TOLERANCE * np.abs(alone).max()

    def test_pictures_are_left_as_they_were(self, vectorizer: Vectorizer) -> None:
        """The caller makes a thumbnail from the same pixels afterwards."""
        if Modality.IMAGE in self.understands and vectorizer.short_side is not None:
            picture = generated_pictures()["gradient"]
            picture.flags.writeable = False
            rows_of(vectorizer, Modality.IMAGE, [picture])
            assert np.array_equal(picture, generated_pictures()["gradient"])

    def test_short_side_is_positive(self, vectorizer: Vectorizer) -> None:
        """It is what the decoder is told; 0 would let it throw the picture away."""
        assert vectorizer.short_side is None or vectorizer.short_side > 0

    def _contents(self, vectorizer: Vectorizer, modality: Modality) -> Sequence[str | bytes | Pixels]:
        if modality is Modality.TEXT:
            return TEXTS
        if modality is Modality.IMAGE and vectorizer.short_side is not None:
            return list(generated_pictures().values())
        assert len(self.files[modality]) >= 3, f"files has too few of {modality}"
        return self.files[modality]

    @staticmethod
    def _check_rows(rows: Matrix, count: int) -> None:
        assert rows.ndim == 2
        assert rows.shape[0] == count
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert np.isfinite(rows).all()
        assert (np.linalg.norm(rows, axis=1) > 0).all()
