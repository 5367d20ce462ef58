"""What every vectorizer promises, as tests to inherit.

    class TestMyVectorizer(VectorizerContract):
        understands = frozenset({Modality.IMAGE})

        @pytest.fixture
        def vectorizer(self) -> Vectorizer:
            return ...

Subclasses may add tests, never override one. The pictures are made from formulas, so they are the same on every machine.
May import numpy, the standard library, `ports` and `domain`.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np

from nearimage.domain.errors import NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Vectorizer

TOLERANCE = 1e-4
"""How far a number may move when a picture is embedded beside others: sums of float32 in another order, as a share of the largest number."""


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

    def test_no_pictures_give_no_rows(self, vectorizer: Vectorizer) -> None:
        """A batch in which every picture was unreadable is still a batch."""
        if Modality.IMAGE in self.understands:
            assert vectorizer.embed_images([]).shape == (0, vectorizer.dimensions)

    def test_no_texts_give_no_rows(self, vectorizer: Vectorizer) -> None:
        """A query of negatives only has no positive texts."""
        if Modality.TEXT in self.understands:
            assert vectorizer.embed_texts([]).shape == (0, vectorizer.dimensions)

    def test_pictures_of_any_size_become_finite_rows(self, vectorizer: Vectorizer) -> None:
        """One NaN in an index spoils every distance to it; a 1 x 1 tracking pixel is a picture too."""
        if Modality.IMAGE in self.understands:
            shapes = [(1, 1), (1, 300), (300, 1), (5, 7), (224, 224), (700, 301)]
            self._check_rows(vectorizer.embed_images([np.full((*shape, 3), 90, np.uint8) for shape in shapes]), len(shapes), vectorizer)

    def test_texts_of_any_length_become_finite_rows(self, vectorizer: Vectorizer) -> None:
        """Descriptions are empty, long, or in any script; none of that is an error."""
        if Modality.TEXT in self.understands:
            texts = ["", " ", "cat", "猫", "🐈", "a cat on a mat " * 2000]
            self._check_rows(vectorizer.embed_texts(texts), len(texts), vectorizer)

    def test_row_i_is_picture_i_whatever_is_beside_it(self, vectorizer: Vectorizer) -> None:
        """Batches are cut and merged freely; an object must get its own vector."""
        if Modality.IMAGE in self.understands:
            pictures = list(generated_pictures().values())
            together = vectorizer.embed_images(pictures)
            alone = np.concatenate([vectorizer.embed_images([picture]) for picture in pictures])
            assert np.abs(together - alone).max() <= TOLERANCE * np.abs(alone).max()
            assert len({row.tobytes() for row in together}) == len(pictures)

    def test_row_i_is_text_i_whatever_is_beside_it(self, vectorizer: Vectorizer) -> None:
        """Short texts are padded to the longest beside them; the padding must not be read."""
        if Modality.TEXT in self.understands:
            texts = ["rocket", "a photograph of a small cat that sleeps beside a cup of coffee", "red car", "the moon over a lake"]
            together = vectorizer.embed_texts(texts)
            alone = np.concatenate([vectorizer.embed_texts([text]) for text in texts])
            assert np.abs(together - alone).max() <= TOLERANCE * np.abs(alone).max()
            assert len({row.tobytes() for row in together}) == len(texts)

    def test_a_modality_it_does_not_understand_is_refused(self, vectorizer: Vectorizer) -> None:
        """A made-up vector would be stored and found again, at random."""
        refused: set[Modality] = set()
        try:
            vectorizer.embed_images([generated_pictures()["grey"]])
        except NotSupported:
            refused.add(Modality.IMAGE)
        try:
            vectorizer.embed_texts(["cat"])
        except NotSupported:
            refused.add(Modality.TEXT)
        assert refused == {Modality.IMAGE, Modality.TEXT} - self.understands

    def test_many_threads_get_what_one_thread_gets(self, vectorizer: Vectorizer) -> None:
        """Every door calls from threads of its own, and all callers share one model."""
        if Modality.IMAGE in self.understands:
            pictures = list(generated_pictures().values())
            alone = vectorizer.embed_images(pictures)
            with ThreadPoolExecutor(8) as pool:
                rows = list(pool.map(lambda index: vectorizer.embed_images([pictures[index % len(pictures)]])[0], range(24)))
            for index, row in enumerate(rows):
                assert np.abs(row - alone[index % len(pictures)]).max() <= TOLERANCE * np.abs(alone).max()

    def test_pictures_are_left_as_they_were(self, vectorizer: Vectorizer) -> None:
        """The caller makes a thumbnail from the same pixels afterwards."""
        if Modality.IMAGE in self.understands:
            picture = generated_pictures()["gradient"]
            picture.flags.writeable = False
            vectorizer.embed_images([picture])
            assert np.array_equal(picture, generated_pictures()["gradient"])

    def test_short_side_is_positive(self, vectorizer: Vectorizer) -> None:
        """It is what the decoder is told; 0 would let it throw the picture away."""
        assert vectorizer.short_side > 0

    @staticmethod
    def _check_rows(rows: Matrix, count: int, vectorizer: Vectorizer) -> None:
        assert rows.shape == (count, vectorizer.dimensions)
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert np.isfinite(rows).all()
        assert (np.linalg.norm(rows, axis=1) > 0).all()
