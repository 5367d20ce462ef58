"""Pixels and tokens are those that transformers and open_clip make, and a small random CLIP gives their vectors.

`parity_reference.json` was computed by tools/reference_parity.py with those programs.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from nearimage.vectorizers.onnx_towers.pictures import Scale, fitted
from nearimage.vectorizers.onnx_towers.texts import Tokens, bundled_merges
from nearimage.vectorizers.store.manifest import Filter, Fit, Pictures, Preset, Words
from tests.unit.vectorizers.parity_inputs import parity_pictures, parity_texts

REFERENCE: Mapping[str, Any] = json.loads(Path(__file__).with_name("parity_reference.json").read_text(encoding="utf-8"))
DIGITS = 12

VARIANTS = {
    "hf": Pictures(size=224, preset=Preset.HF),
    "openclip 224": Pictures(size=224),
    "openclip 256 bilinear": Pictures(size=256, filter=Filter.BILINEAR),
    "openclip 224 squash": Pictures(size=224, fit=Fit.SQUASH),
}


def digest(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:DIGITS]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", parity_pictures())
def test_pixels_are_those_of_the_original_program(name: str, variant: str) -> None:
    """One pixel off costs recall nobody can explain; the presets differ where a margin is odd."""
    assert digest(fitted(parity_pictures()[name], VARIANTS[variant])) == REFERENCE["pictures"][name][variant]


@pytest.mark.parametrize("preset", [Preset.HF, Preset.OPENCLIP])
@pytest.mark.parametrize("name", parity_pictures())
def test_numbers_are_those_of_the_original_program(name: str, preset: Preset) -> None:
    """Mean and deviation in the wrong order, or channels in the wrong one, still give plausible vectors."""
    how = Pictures(size=224, preset=preset)
    numbers = np.empty((3, 224, 224), np.float32)
    Scale(how).write(fitted(parity_pictures()[name], how), numbers)

    assert np.abs(numbers.reshape(-1)[::7919] - REFERENCE["pictures"][name][f"{preset} numbers"]).max() <= 1e-6


def test_the_presets_differ_where_a_margin_is_odd() -> None:
    """Otherwise the comparison above would prove only one of them."""
    picture = parity_pictures()["227x224"]

    assert digest(fitted(picture, VARIANTS["hf"])) != digest(fitted(picture, VARIANTS["openclip 224"]))


def test_tokens_are_those_of_open_clip(tmp_path: Path) -> None:
    """1,200 texts: emoji, entities, curly quotes, broken encodings, a dozen scripts, and far more than 77 tokens."""
    (tmp_path / "merges").write_bytes(bundled_merges())
    tokens = Tokens(tmp_path, Words(file="merges"))
    texts, expected = parity_texts(), REFERENCE["texts"]
    assert len(texts) >= 1_000
    assert len(expected) == DIGITS * len(texts)
    found = [tokens.ids(text) for text in texts]

    wrong = [text for n, text in enumerate(texts) if digest(np.array(found[n], "<i4")) != expected[n * DIGITS : (n + 1) * DIGITS]]
    assert wrong == []
    assert max(map(len, found)) == 77
    assert sum(len(ids) == 77 for ids in found) >= 50
