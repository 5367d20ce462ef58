"""Each vectorizer keeps the port's promises, and says what its model said under PyTorch.

`reference_vectors.json` was computed by tools/reference_vectors.py with the models' own code.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nearimage.domain.vectorizing import Modality
from nearimage.ports.vectorizer import Vectorizer
from nearimage.testing.vectorizer_contract import VectorizerContract, generated_pictures, rows_of
from nearimage.vectorizers import Choices, Modules, modules
from nearimage.vectorizers.efficientnet_lite.int8 import read_int8
from nearimage.vectorizers.efficientnet_lite.model import LITE0, VARIANTS, EfficientNetLite
from nearimage.vectorizers.remote.containers import Containers
from nearimage.vectorizers.remote.contracts import BIND, CLIP, PICTURES, Contract
from nearimage.vectorizers.starter.minilm import HOW, PACKAGE
from tests.containers import FakeContainer
from tests.contract.lite_inputs import lite_pictures
from tests.stored_models import stored_clip

REFERENCE: Mapping[str, Any] = json.loads(Path(__file__).with_name("reference_vectors.json").read_text(encoding="utf-8"))

CLOSE = 1e-4
"""What a number may differ by: float32 sums in another order; measured 2e-5 for pictures, 3e-7 for texts."""

needs_minilm = pytest.mark.skipif(find_spec(PACKAGE) is None, reason=f"the text half of the starter model is not installed ({HOW})")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def found(cache: Path) -> Iterator[Modules]:
    with modules(cache, Choices(clip_model="starter")) as found:
        yield found


@pytest.fixture(scope="module")
def small_model(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return stored_clip(cache, tmp_path_factory.mktemp("files")).manifest.name


def opened(found: Modules, name: str, **settings: str) -> Vectorizer:
    (module,) = (module for module in found.all if module.name == name)
    return module.open(module.check({"imageFields": ["photo"], **settings}))


class TestImg2VecNeural(VectorizerContract):
    """EfficientNet-Lite0: pictures only."""

    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE})

    @pytest.fixture
    def vectorizer(self, found: Modules) -> Vectorizer:
        return opened(found, "img2vec-neural")

    @pytest.mark.parametrize("name", generated_pictures())
    def test_a_picture_has_the_vector_that_pytorch_gave_it(self, vectorizer: Vectorizer, name: str) -> None:
        """A wrong padding, batch norm or scale still gives plausible vectors; only the original's numbers show it."""
        (row,) = rows_of(vectorizer, Modality.IMAGE, [generated_pictures()[name]])
        expected = REFERENCE["pictures"][name]

        assert np.abs(row[:32] - expected["first"]).max() <= CLOSE
        assert np.linalg.norm(row) == pytest.approx(expected["norm"], rel=CLOSE)

    def test_its_vectors_keep_their_length(self, vectorizer: Vectorizer) -> None:
        """Weaviate's img2vec-neural does not normalise; users who chose the dot product rely on it."""
        norms = np.linalg.norm(rows_of(vectorizer, Modality.IMAGE, list(generated_pictures().values())), axis=1)

        assert norms.max() > 1.5 * norms.min()

    def test_the_shorter_side_is_256(self, vectorizer: Vectorizer) -> None:
        """The decoder throws away what is beyond twice this."""
        assert vectorizer.short_side == 256


LITES = {variant.name: variant for variant in VARIANTS if variant is not LITE0}
OVERLAP_INT8 = 0.85
"""Of the ten nearest among generated scenes; measured 0.75 to 0.9, by the CPU."""


@pytest.mark.parametrize("model", LITES)
def test_the_larger_lites_give_the_vectors_of_pytorch(found: Modules, model: str) -> None:
    """They repeat their blocks more often, and one has wider ones: a block too few still gives plausible vectors."""
    if find_spec(LITES[model].weights.package) is None:
        pytest.skip(f"not installed: {LITES[model].weights.how}")
    vectorizer = opened(found, "img2vec-neural", model=model)
    pictures = lite_pictures(LITES[model].short_side)
    for name, row in zip(pictures, rows_of(vectorizer, Modality.IMAGE, list(pictures.values())), strict=True):
        expected = REFERENCE["larger"][model][name]
        assert np.abs(row[:32] - expected["first"]).max() <= CLOSE
        assert np.linalg.norm(row) == pytest.approx(expected["norm"], rel=CLOSE)


class TestImg2VecNeuralInt8(VectorizerContract):
    """The same in 8-bit integers, quantised on the spot."""

    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE})

    @pytest.fixture
    def vectorizer(self, found: Modules) -> Vectorizer:
        return opened(found, "img2vec-neural", precision="int8")

    def test_what_it_costs_is_measured_and_kept(self, vectorizer: Vectorizer, cache: Path) -> None:
        """Whoever chooses speed must be able to see the price."""
        made = read_int8(cache / f"{LITE0.name}.v1.onnx")

        assert made is not None
        assert OVERLAP_INT8 <= made.overlap_at_10 <= 1


class TestStoredClip(VectorizerContract):
    """A small random CLIP that a user added to the store."""

    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE, Modality.TEXT})

    @pytest.fixture
    def vectorizer(self, found: Modules, small_model: str) -> Vectorizer:
        return opened(found, "multi2vec-clip", model=small_model)


class TestStoredClipInt8(VectorizerContract):
    """The same in 8-bit integers."""

    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE, Modality.TEXT})

    @pytest.fixture
    def vectorizer(self, found: Modules, small_model: str) -> Vectorizer:
        return opened(found, "multi2vec-clip", model=small_model, precision="int8")


@needs_minilm
class TestStarter(VectorizerContract):
    """EfficientNet-Lite0 and MiniLM, bridged by the names of classes."""

    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE, Modality.TEXT})

    @pytest.fixture
    def vectorizer(self, found: Modules) -> Vectorizer:
        return opened(found, "multi2vec-clip")

    @pytest.mark.parametrize("text", REFERENCE["texts"], ids=lambda text: text[:12])
    def test_a_text_has_the_vector_that_pytorch_gave_it(self, vectorizer: Vectorizer, text: str) -> None:
        """Among them an empty one, one of several scripts, and one that must be cut at 256 word pieces."""
        (row,) = rows_of(vectorizer, Modality.TEXT, [text])

        assert np.abs(row[:32] - REFERENCE["texts"][text]["first"]).max() <= CLOSE

    def test_pictures_and_texts_have_length_1(self, vectorizer: Vectorizer) -> None:
        """They are compared with each other, so neither may be longer by nature."""
        rows = np.concatenate([rows_of(vectorizer, Modality.TEXT, ["cat", ""]), rows_of(vectorizer, Modality.IMAGE, list(generated_pictures().values()))])

        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() <= 1e-5

    def test_words_find_the_photograph_that_shows_the_thing(self, vectorizer: Vectorizer) -> None:
        """The point of the model, on real photographs."""
        data = pytest.importorskip("skimage.data", reason="photographs come with scikit-image")
        photographs = [data.chelsea(), data.coffee(), data.rocket()]
        texts = ["a kitten", "a hot drink", "spacecraft"]
        similarities = rows_of(vectorizer, Modality.TEXT, texts) @ rows_of(vectorizer, Modality.IMAGE, photographs).T

        assert similarities.argmax(axis=1).tolist() == [0, 1, 2]


FILES: Mapping[Modality, Sequence[bytes]] = {
    modality: tuple(f"{modality} {number}".encode() for number in range(3)) for modality in Modality if modality is not Modality.TEXT
}


class _Container(VectorizerContract):
    """A container, asked over HTTP by one of the three contracts."""

    contract: ClassVar[Contract]

    @pytest.fixture
    def vectorizer(self) -> Iterator[Vectorizer]:
        with FakeContainer() as container:
            containers = Containers()
            yield containers.vectorizer(self.contract, container.url)
            containers.close()


class TestPictureContainer(_Container):
    """What stands behind IMAGE_INFERENCE_API."""

    contract = PICTURES
    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE})
    files: ClassVar[Mapping[Modality, Sequence[bytes]]] = {Modality.IMAGE: FILES[Modality.IMAGE]}


class TestClipContainer(_Container):
    """What stands behind CLIP_INFERENCE_API."""

    contract = CLIP
    understands: ClassVar[frozenset[Modality]] = frozenset({Modality.IMAGE, Modality.TEXT})
    files: ClassVar[Mapping[Modality, Sequence[bytes]]] = {Modality.IMAGE: FILES[Modality.IMAGE]}


class TestBindContainer(_Container):
    """What stands behind BIND_INFERENCE_API."""

    contract = BIND
    understands: ClassVar[frozenset[Modality]] = frozenset(Modality)
    files: ClassVar[Mapping[Modality, Sequence[bytes]]] = FILES


@pytest.mark.parametrize("name", generated_pictures())
def test_the_classifier_agrees_with_pytorch(cache: Path, name: str) -> None:
    """The starter model stands on these probabilities."""
    model = EfficientNetLite(cache)
    try:
        (probabilities,) = model.classify([generated_pictures()[name]])
    finally:
        model.close()
    expected = REFERENCE["pictures"][name]

    assert probabilities.argmax() == expected["class"]
    assert probabilities.max() == pytest.approx(expected["probability"], abs=CLOSE)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
