"""The model store: what a manifest may say, models that come in whole or not at all, and what is told when one is damaged."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import Conflict, Corrupt, DiskFull, FolderUnusable, InvalidInput, ModelMissing
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.runtime.graph import Graph, edge
from nearimage.vectorizers.runtime.int8 import is_convolutional, overlap
from nearimage.vectorizers.store import folder as folder_module
from nearimage.vectorizers.store.adding import add
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Manifest, Pictures, Pinned, Tower, parse, render
from nearimage.vectorizers.store.presets import presets
from nearimage.vectorizers.store.quantizing import int8_files
from nearimage.vectorizers.store.scenes import scene
from nearimage.vectorizers.store.trial import UnusableModel
from tests.stored_models import NAME, small_clip, stored_clip, tower_files

PIN = Pinned(sha256="0" * 64, bytes=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    tower_files(folder)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def model(store: ModelStore, files: Path) -> StoredModel:
    return stored_clip(store.folder, files)


def test_a_manifest_comes_back_as_it_was_written(model: StoredModel) -> None:
    """Everything that a model's vectors depend on stands in this one file."""
    assert parse(render(model.manifest)) == model.manifest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "upgrade"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "many"}, "dimensions"),
        ({"name": "../elsewhere"}, "name"),
        ({"files": {"../secret": {"sha256": "0" * 64, "bytes": 1}}}, "below the model's folder"),
        ({"files": {"/etc/passwd": {"sha256": "0" * 64, "bytes": 1}}}, "below the model's folder"),
        ({"files": {"image/vision.onnx": {"sha256": "abc", "bytes": 1}}}, "64 hexadecimal"),
        ({"files": {}}, "not among the files"),
        ({"towers": {"smell": {"file": "a"}}}, "smell"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_with_the_part(model: StoredModel, change: dict[str, object], said: str) -> None:
    """Manifests come from URLs too: none may reach outside of its folder, or be taken for what it is not."""
    with pytest.raises(ValueError, match=said):
        parse(json.dumps({**json.loads(render(model.manifest)), **change}).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff"])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    """A half-written file must be told from one of a newer version."""
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_an_added_model_has_everything_in_its_manifest(model: StoredModel) -> None:
    """Names of inputs and outputs, dimensions and checksums are found out, not asked."""
    manifest = model.manifest
    image, text = manifest.towers[Modality.IMAGE], manifest.towers[Modality.TEXT]

    assert (manifest.name, manifest.dimensions, manifest.licence) == (NAME, 32, "MIT")
    assert (image.inputs, image.output) == ({"pixels": "pixel_values"}, "image_embeds")
    assert (text.inputs, text.output) == ({"ids": "input_ids"}, "text_embeds")
    assert set(manifest.files) == {"image/vision.onnx", "text/text.onnx", "clip_bpe.txt.gz"}
    model.verify()


def test_a_model_is_there_once(store: ModelStore, model: StoredModel, files: Path) -> None:
    """Replacing one silently would change what stored vectors are compared with."""
    with pytest.raises(Conflict, match="--replace"):
        add(store, small_clip(files))

    assert add(store, small_clip(files), replace=True).manifest == model.manifest
    assert store.names() == (NAME,)


def broken_tower(path: Path, kind: str) -> Path:
    """An image tower that is none, in one way."""
    graph = Graph(kind)
    mean = graph.node("ReduceMean", "pixels", axes=[2, 3], keepdims=0)
    if kind == "not finite":
        mean = graph.node("Div", mean, graph.constant("zero", 0))
    if kind == "all alike":
        mean = graph.node("Mul", mean, graph.constant("zero", 0))
    if kind == "random":
        mean = graph.node("Add", mean, graph.node("RandomUniformLike", mean))
    graph.node("Identity", mean, output="scores" if kind == "many outputs" else "vectors")
    outputs = [edge("scores" if kind == "many outputs" else "vectors", "float32", "n", 3)]
    if kind == "many outputs":
        graph.node("Neg", mean, output="features")
        outputs.append(edge("features", "float32", "n", 3))
    path.write_bytes(graph.finish(inputs=[edge("pixels", "float32", "n", 3, 8, 8)], outputs=outputs))
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [("not finite", "not finite"), ("all alike", "same vector for every input"), ("random", "another vector each time"), ("many outputs", "--output")],
)
def test_a_tower_that_does_not_work_is_refused_and_nothing_is_kept(store: ModelStore, tmp_path: Path, kind: str, said: str) -> None:
    """It would be found out by searches that find nothing, after a night of importing."""
    towers = {Modality.IMAGE: broken_tower(tmp_path / "tower.onnx", kind)}

    with pytest.raises(UnusableModel, match=said):
        add(store, replace(small_clip(tmp_path), towers=towers, pictures=Pictures(size=8)))

    assert list(store.folder.iterdir()) == []


def test_an_output_may_be_named(store: ModelStore, tmp_path: Path) -> None:
    """Exports of classifiers have the scores beside the features."""
    towers = {Modality.IMAGE: broken_tower(tmp_path / "tower.onnx", "many outputs")}
    new = replace(small_clip(tmp_path), towers=towers, pictures=Pictures(size=8), outputs={Modality.IMAGE: "features"})

    assert add(store, new).manifest.towers[Modality.IMAGE].output == "features"


def test_towers_of_two_models_do_not_pass_for_one(store: ModelStore, files: Path, tmp_path: Path) -> None:
    """Their vectors could not be compared, and faiss would only say so at the first search."""
    towers = {**tower_files(files), Modality.IMAGE: broken_tower(tmp_path / "tower.onnx", "fine")}

    with pytest.raises(UnusableModel):
        add(store, replace(small_clip(files), towers=towers, pictures=Pictures(size=8)))


def test_the_towers_of_a_text_and_an_image_are_told_apart(store: ModelStore, files: Path) -> None:
    """Two files in the wrong order is the likeliest mistake; the message lists what each takes."""
    image, text = tower_files(files).values()

    with pytest.raises(UnusableModel, match=r"input_ids \(\? x \?\)"):
        add(store, replace(small_clip(files), towers={Modality.IMAGE: text, Modality.TEXT: image}))


def test_what_is_no_onnx_file_is_refused(store: ModelStore, tmp_path: Path) -> None:
    """A checkpoint of PyTorch, a page of HTML that a browser saved: both end in .onnx sometimes."""
    path = tmp_path / "page.onnx"
    path.write_bytes(b"<html>")

    with pytest.raises((UnusableModel, Corrupt)):
        add(store, replace(small_clip(tmp_path), towers={Modality.IMAGE: path}))
    assert store.names() == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"towers": {}}, "at least one tower"), ({"pictures": None}, "--preset"), ({"words": None}, "--tokenizer"), ({"name": "a/b"}, "name has letters")],
)
def test_what_is_missing_is_said_before_anything_is_copied(store: ModelStore, files: Path, change: dict[str, object], said: str) -> None:
    """Copying gigabytes first would waste minutes."""
    with pytest.raises(InvalidInput, match=said):
        add(store, replace(small_clip(files), **change))  # type: ignore[arg-type] # the changes are wrong on purpose

    assert not store.folder.exists()


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, DiskFull), (errno.EACCES, FolderUnusable)])
def test_a_store_that_takes_no_file_is_named(store: ModelStore, files: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]) -> None:
    """A full disk passes, a forbidden folder does not."""

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(folder_module, "write_synced", refuse)

    with pytest.raises(expected):
        add(store, small_clip(files))

    assert store.names() == ()


@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_a_damaged_file_is_named_with_what_to_do(model: StoredModel, damage: str) -> None:
    """A flipped bit gives no error, only worse answers."""
    path = model.path("image/vision.onnx")
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(Corrupt, match="nearimage models remove small-clip") as caught:
        model.verify()

    assert caught.value.detail == {"path": str(path), "model": NAME}


def test_a_damaged_manifest_is_corrupt_and_can_be_removed(store: ModelStore, model: StoredModel) -> None:
    """What cannot be read must not stand in the way of getting it anew."""
    model.path("manifest.json").write_bytes(b"{")

    with pytest.raises(Corrupt):
        store.find(NAME)
    assert store.names() == (NAME,)
    store.remove(NAME)
    assert store.names() == ()


@pytest.mark.parametrize("name", ["none", "", ".", "..", "../models", "a/b", "\0"])
def test_a_model_that_is_not_there_says_how_to_get_it(store: ModelStore, name: str) -> None:
    """No name may lead out of the store, whoever writes it into a schema."""
    with pytest.raises(ModelMissing):
        store.find(name)
    with pytest.raises(ModelMissing):
        store.remove(name)
    assert not store.has(name)


def test_what_a_crash_left_is_no_model(store: ModelStore, model: StoredModel) -> None:
    """The manifest is written last: a folder without one was never whole."""
    model.path("manifest.json").unlink()

    assert store.names() == ()
    with pytest.raises(ModelMissing):
        store.find(NAME)


def test_every_preset_says_its_licence_and_how_to_look() -> None:
    """A model whose licence nobody read must not be one command away."""
    for name, preset in presets().items():
        assert preset.licence != "unknown", name
        assert preset.package or preset.towers, name
        for modality in preset.towers.keys() & {Modality.IMAGE, Modality.TEXT}:
            assert preset.towers[modality].pictures or preset.towers[modality].words, name
        assert all(Pinned(sha256=digest, bytes=0) for digest in preset.pins.values())
        assert preset.pins.keys() <= {tower.file for tower in preset.towers.values()} | {tower.words.file for tower in preset.towers.values() if tower.words}


def test_an_int8_version_is_made_once_measured_and_made_again_when_damaged(store: ModelStore, model: StoredModel) -> None:
    """It is derived: losing it costs a minute, trusting a damaged one costs answers."""
    files = int8_files(store, model)
    noted = store.find(NAME)
    made = noted.manifest.int8[Modality.IMAGE]
    before = noted.path(made.file).stat().st_mtime_ns

    assert set(files) == {Modality.IMAGE, Modality.TEXT}
    assert 0.8 <= made.overlap_at_10 <= 1
    assert made.bytes < noted.manifest.files["image/vision.onnx"].bytes / 2
    assert int8_files(store, noted) == files
    assert noted.path(made.file).stat().st_mtime_ns == before
    noted.path(made.file).write_bytes(b"damaged")
    int8_files(store, noted)
    assert noted.path(made.file).stat().st_size == made.bytes


def test_a_convolutional_model_is_told_from_a_transformer(model: StoredModel, tmp_path: Path) -> None:
    """Each has its own way to 8 bits; a transformer cuts its picture into patches with one convolution."""
    assert not is_convolutional(model.path("image/vision.onnx"))
    graph = Graph("convolutions")
    graph.node("Conv", "x", graph.constant("w", np.ones((3, 3, 1, 1))), output="y")
    path = tmp_path / "conv.onnx"
    path.write_bytes(graph.finish(inputs=[edge("x", "float32", 1, 3, 4, 4)], outputs=[edge("y", "float32", 1, 3, 4, 4)]))
    assert is_convolutional(path)


def test_overlap_counts_neighbours_that_stayed() -> None:
    """The figure is shown to people who decide by it."""
    rows = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)

    assert overlap(rows, rows * np.float32(3)) == 1
    assert overlap(rows, np.random.default_rng(2).standard_normal((40, 8)).astype(np.float32)) < 0.6


def test_scenes_are_pictures_that_differ() -> None:
    """A model is tried and calibrated with them: the same every time, each its own, neither flat nor noise."""
    first, second = scene(1), scene(2)

    assert np.array_equal(first, scene(1))
    assert not np.array_equal(first, second)
    steps = np.abs(np.diff(first.astype(int), axis=1))
    assert first.std() > 10
    assert np.median(steps) < 12 < steps.max()


def test_a_manifest_needs_its_towers_files() -> None:
    """A tower without its file would be found out at the first search."""
    with pytest.raises(ValueError, match="not among the files"):
        Manifest(name="m", dimensions=1, towers={Modality.IMAGE: Tower(file="a.onnx")}, files={"b.onnx": PIN})
