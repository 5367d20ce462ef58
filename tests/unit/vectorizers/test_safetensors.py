"""Safetensors files: a header of JSON, then numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import Corrupt
from nearimage.vectorizers.starter.safetensors import read_safetensors


def safetensors(header: object, data: bytes) -> bytes:
    """A file of that header and those bytes."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(*, shape: tuple[int, ...] = (2, 3), offsets: tuple[int, int] = (0, 24), dtype: str = "F32") -> dict[str, object]:
    """A header's line about one tensor."""
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


NUMBERS = np.arange(6, dtype="<f4").tobytes()


def test_a_matrix_is_read_row_by_row(tmp_path: Path) -> None:
    """The format's one promise; the metadata beside it is no tensor."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors({"__metadata__": {"format": "pt"}, "w": entry()}, NUMBERS))

    tensors = read_safetensors(path)

    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"w": [[0, 1, 2], [3, 4, 5]]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        safetensors({"w": entry(offsets=(0, 28))}, NUMBERS),
        safetensors({"w": entry(offsets=(-4, 20))}, NUMBERS),
        safetensors({"w": entry(shape=(5, 5))}, NUMBERS),
        safetensors({"w": entry(dtype="BF16")}, NUMBERS),
        safetensors(["w"], NUMBERS),
        safetensors({"w": entry()}, NUMBERS)[:-1],
    ],
)
def test_a_file_that_contradicts_itself_is_corrupt(tmp_path: Path, content: bytes) -> None:
    """Weights that are not all there would embed, and find nonsense."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(Corrupt) as caught:
        read_safetensors(path)

    assert caught.value.detail == {"path": str(path)}
