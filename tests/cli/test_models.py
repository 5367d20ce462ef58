"""`nearimage models`, as people and scripts use it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from nearimage.app import open_database
from nearimage.cli.main import main
from nearimage.config.settings import Settings
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.store.presets import preset
from nearimage.vectorizers.store.scenes import scene
from tests.stored_models import NAME, tower_files
from tests.unit.vectorizers.hub import Hub, running_hub


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Modality, Path]:
    return tower_files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


def models(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["models", words[0], "--data", str(data), *words[1:]])


def answered(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)["models"]
    return found


@pytest.fixture
def added(data: Path, files: dict[Modality, Path]) -> Path:
    """A data folder with a small CLIP in its store."""
    towers = ["--image", str(files[Modality.IMAGE]), "--text", str(files[Modality.TEXT])]
    (report,) = answered(models(data, "add", NAME, *towers, "--size", "32", "--context", "77", "--licence", "MIT", "--json"))
    assert (report["name"], report["state"], report["dimensions"], report["modalities"]) == (NAME, "stored", 32, ["image", "text"])
    return data


def test_the_list_shows_what_is_there_and_what_could_be(added: Path) -> None:
    """The licence is part of it: ImageBind's forbids commercial use."""
    found = {report["name"]: report for report in answered(models(added, "list", "--json"))}

    assert (found[NAME]["state"], found[NAME]["licence"]) == ("stored", "MIT")
    assert (found["imagebind"]["state"], found["imagebind"]["licence"]) == ("bring your own", "CC-BY-NC-SA-4.0")
    assert (found["clip-vit-b-32"]["state"], found["efficientnet-lite0"]["state"]) == ("pull", "installed")
    assert NAME in models(added, "list").output


def test_a_collection_uses_an_added_model_and_keeps_it_from_being_removed(added: Path) -> None:
    """Its objects could not be searched by picture or words any more."""
    with open_database(Settings(data=str(added))) as database:
        schema: Any = {"class": "Photos", "vectorizer": "multi2vec-clip", "moduleConfig": {"multi2vec-clip": {"imageFields": ["image"], "model": NAME}}}
        create(database, schema)

    refused = models(added, "remove", NAME)
    assert refused.exit_code == 1
    assert "Photos" in refused.output
    assert models(added, "remove", NAME, "--force").exit_code == 0
    assert NAME not in {report["name"] for report in answered(models(added, "list", "--json"))}


def create(database: Any, schema: dict[str, Any]) -> None:
    """Make a collection as the REST door does."""
    import msgspec

    from nearimage.doors.rest.schema import ClassBody, read_class

    schema["properties"] = [{"name": "image", "dataType": ["blob"]}]
    database.services.collections.create(read_class(msgspec.convert(schema, ClassBody)))


def test_a_damaged_model_fails_the_check_with_what_to_do(added: Path) -> None:
    """Scripts look at the exit code, people at the note."""
    assert models(added, "check", NAME).exit_code == 0
    path = added / "models" / NAME / "image" / "vision.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    checked = models(added, "check", NAME, "--json")
    (report,) = json.loads(checked.output)["models"]
    assert checked.exit_code == 1
    assert report["state"] == "damaged"
    assert "nearimage models remove" in report["note"]
    assert models(added, "check", "no-such-model").exit_code == 1


def test_the_int8_version_is_measured_on_the_users_own_pictures(added: Path, tmp_path: Path) -> None:
    """What it keeps on holiday photographs may not be what it keeps on X-rays."""
    (tmp_path / "photos").mkdir()
    for number in range(12):
        Image.fromarray(scene(number)).save(tmp_path / "photos" / f"{number}.jpg")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")

    (report,) = answered(models(added, "quantize", NAME, "--pictures", str(tmp_path / "photos"), "--json"))

    assert set(report["int8_overlap"]) == {"image", "text"}
    assert 0.5 <= report["int8_overlap"]["image"] <= 1
    for number in range(2, 12):
        (tmp_path / "photos" / f"{number}.jpg").unlink()
    assert "at least 11" in models(added, "quantize", NAME, "--pictures", str(tmp_path / "photos")).output


def test_pull_takes_pins_from_the_command_line_and_refuses_without(data: Path, hub: Hub, files: dict[Modality, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are not CLIP's, so the model is refused by what it gives, after its files were found to be the pinned ones."""
    known = preset("clip-vit-l-14")
    content = {"onnx/vision_model.onnx": files[Modality.IMAGE].read_bytes(), "onnx/text_model.onnx": files[Modality.TEXT].read_bytes()}
    hub.files = {f"/{known.repository}/resolve/{known.revision}/{name}": body for name, body in content.items()}
    pins = [word for name, body in content.items() for word in ("--sha256", f"{name}={hashlib.sha256(body).hexdigest()}")]

    assert "--sha256 onnx/text_model.onnx=<SHA-256>" in models(data, "pull", "clip-vit-l-14", "--hub", hub.url).output
    refused = models(data, "pull", "clip-vit-l-14", "--hub", hub.url, *pins)
    assert refused.exit_code == 1
    assert "cannot be used" in refused.output
    assert len(hub.asked) == 2


def test_a_pinned_model_needs_no_pins_and_takes_no_other_file(data: Path, hub: Hub, files: dict[Modality, Path]) -> None:
    """What the command in the README does, against a hub that serves something else under the right name."""
    known = preset("clip-vit-b-32")
    hub.files = {f"/{known.repository}/resolve/{known.revision}/onnx/vision_model.onnx": files[Modality.IMAGE].read_bytes()}

    refused = models(data, "pull", "clip-vit-b-32", "--hub", hub.url)

    assert refused.exit_code == 1
    assert known.pins["onnx/vision_model.onnx"] in refused.output
    assert [path for path, _ in hub.asked] == list(hub.files)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "x"], "at least one tower"),
        (["add", "x", "--image", "IMAGE"], "--preset"),
        (["add", "x", "--image", "IMAGE", "--size", "0"], "size"),
        (["add", "x", "--tower", "smell=IMAGE"], "no kind of tower"),
        (["add", "x", "--tower", "audio"], "--tower takes two words"),
        (["add", "x", "--text", "IMAGE", "--preset", "siglip-base"], "tokenizer"),
        (["add", "x", "--image", "IMAGE", "--preset", "nonsense"], "known are"),
        (["remove", "x"], "there is no model"),
        (["quantize", "x"], "there is no model"),
        (["quantize", "starter"], "fp32 only"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(data: Path, files: dict[Modality, Path], words: list[str], said: str) -> None:
    """With the option that mends it; never a stack trace."""
    result = models(data, *(str(files[Modality.IMAGE]) if word == "IMAGE" else word.replace("=IMAGE", f"={files[Modality.IMAGE]}") for word in words))

    assert result.exit_code == 1
    assert said in result.output
    assert isinstance(result.exception, SystemExit)
