"""A stored model as a vectorizer: the reference's vectors, texts of any length, towers that are missing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearimage.domain.errors import Busy, Corrupt, InvalidInput, NotSupported
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.onnx_towers.model import StoredTowers
from nearimage.vectorizers.onnx_towers.texts import cleaned
from nearimage.vectorizers.runtime.session import PROVIDERS, Provider
from nearimage.vectorizers.store.adding import add
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Clean, Padding, Words
from tests.stored_models import small_clip, stored_clip, tower_files
from tests.towers import SMALL_TEXT, text_tower
from tests.unit.vectorizers.parity_inputs import parity_pictures

REFERENCE: Mapping[str, Any] = json.loads(Path(__file__).with_name("parity_reference.json").read_text(encoding="utf-8"))["small model"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def model(files: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return stored_clip(tmp_path_factory.mktemp("models"), files)


@pytest.fixture(scope="module")
def clip(model: StoredModel) -> Iterator[StoredTowers]:
    with closing(StoredTowers(model)) as vectorizer:
        yield vectorizer


def test_pictures_have_the_vectors_of_the_reference(clip: StoredTowers) -> None:
    """From the file's pixels to the unit vector, nothing may differ from what the model's users know."""
    rows = clip.embed_images(list(parity_pictures().values()))

    assert np.abs(rows - np.array([REFERENCE["pictures"][name] for name in parity_pictures()])).max() <= 1e-5


def test_texts_have_the_vectors_of_the_reference(clip: StoredTowers) -> None:
    """The reference pads each text to 77 tokens; ours are padded to the longest beside them, in any order, and must not differ."""
    texts = list(REFERENCE["texts"])
    rows = clip.embed_texts(texts)
    alone = np.concatenate([clip.embed_texts([text]) for text in texts])

    for found in (rows, alone):
        assert np.abs(found - np.array([REFERENCE["texts"][text] for text in texts])).max() <= 1e-5


def test_a_tower_of_fixed_length_gets_rows_of_that_length(files: Path, tmp_path: Path) -> None:
    """Some exporters fix the sequence at 77; such files are to be used as they are."""
    path = tmp_path / "fixed.onnx"
    path.write_bytes(text_tower(SMALL_TEXT, length=77))
    new = small_clip(files)
    model = add(ModelStore(tmp_path / "models"), replace(new, towers={**new.towers, Modality.TEXT: path}))
    text = list(REFERENCE["texts"])[3]

    with closing(StoredTowers(model)) as clip:
        assert np.abs(clip.embed_texts([text])[0] - np.array(REFERENCE["texts"][text])).max() <= 1e-5


def test_towers_that_read_their_padding_always_get_the_whole_context(model: StoredModel) -> None:
    """SigLIP pools the last position: rows as long as the longest text would give every text another vector."""
    words = Words(file=model.manifest.towers[Modality.TEXT].words.file, pad=Padding.CONTEXT)  # type: ignore[union-attr] # it has words
    towers = {**model.manifest.towers, Modality.TEXT: replace(model.manifest.towers[Modality.TEXT], words=words)}
    with closing(StoredTowers(StoredModel(model.folder, replace(model.manifest, towers=towers)))) as clip:
        fed = clip._opened_texts().feed([[49_406, 320, 49_407]])

    assert fed["input_ids"].shape == (1, 77)


def test_a_model_that_does_not_normalise_is_left_alone(model: StoredModel) -> None:
    """The manifest says what its authors did; under the dot product the length is part of the answer."""
    with closing(StoredTowers(StoredModel(model.folder, replace(model.manifest, normalise=False)))) as clip:
        norms = np.linalg.norm(clip.embed_texts(["cat", "dog"]), axis=1)

    assert np.abs(norms - 1).min() > 0.01


def test_a_missing_tower_is_named(files: Path, tmp_path: Path) -> None:
    """A search by words over a model that only looks must say so, not guess."""
    images_only = add(ModelStore(tmp_path), replace(small_clip(files), towers={Modality.IMAGE: tower_files(files)[Modality.IMAGE]}))
    with closing(StoredTowers(images_only)) as vectorizer, pytest.raises(NotSupported, match="no text tower"):
        vectorizer.embed_texts(["cat"])


def test_the_decoder_is_told_what_the_tower_looks_at(model: StoredModel) -> None:
    """A picture decoded smaller than that would be enlarged again, and blurred."""
    assert StoredTowers(model).vectorizer().short_side == 32


def test_a_damaged_tokenizer_is_corrupt(files: Path, tmp_path: Path) -> None:
    """The tokenizers library raises exceptions of its own; the user must learn which model it was."""
    model = stored_clip(tmp_path, files)
    model.path("clip_bpe.txt.gz").write_bytes(b"no merges")
    with closing(StoredTowers(model)) as clip, pytest.raises(Corrupt, match="pull the model again"):
        clip.embed_texts(["cat"])


def test_a_closed_model_is_busy(model: StoredModel) -> None:
    """A request that comes in while the server stops must not load a tower again."""
    clip = StoredTowers(model)
    clip.close()

    with pytest.raises(Busy):
        clip.embed_texts(["cat"])


@pytest.mark.parametrize(("clean", "expected"), [(Clean.LOWER, "it's a “b”!".replace("“", '"').replace("”", '"')), (Clean.CANONICALIZE, "its a b")])
def test_texts_are_cleaned_as_the_model_wants(clean: Clean, expected: str) -> None:
    """SigLIP was trained without punctuation, CLIP with it."""
    assert cleaned("  It’s\n a “B”! ", clean) == expected


@pytest.mark.parametrize("provider", [Provider.OPENVINO, Provider.CUDA])
def test_other_hardware_gives_the_same_vectors(model: StoredModel, clip: StoredTowers, provider: Provider) -> None:
    """A provider that rounds otherwise would give stored vectors and queries of two kinds."""
    import onnxruntime

    if PROVIDERS[provider] not in onnxruntime.get_available_providers():
        with pytest.raises(InvalidInput, match="onnxruntime-"):
            StoredTowers(model, provider=provider).embed_texts(["cat"])
        pytest.skip(f"this ONNX Runtime has no {PROVIDERS[provider]}")
    pictures = list(parity_pictures().values())
    with closing(StoredTowers(model, provider=provider)) as other:
        assert np.abs(other.embed_images(pictures) - clip.embed_images(pictures)).max() <= 1e-3
