"""Checkpoints are read as data: strides, truncation, and code that must not run."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import Corrupt
from nearimage.vectorizers.efficientnet_lite.checkpoint import MAGIC, PROTOCOL, read_checkpoint

# A hand-made pickle of {"w": _rebuild_tensor_v2(("storage", FloatStorage, "7", "cpu", 6, None), 0, (2, 3), strides, False, OrderedDict())}.
STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x06NtQ"


def checkpoint(tensor: bytes, *, numbers: bytes | None = None) -> bytes:
    """A file with one tensor named "w" over one storage of six numbers 0 to 5."""
    state = b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s."
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, {"little_endian": True}))
    content = np.arange(6, dtype="<f4").tobytes() if numbers is None else numbers
    return head + state + pickle.dumps(["7"], 2) + (6).to_bytes(8, "little") + content


def tensor(*, shape: tuple[int, int] = (2, 3), strides: tuple[int, int] = (3, 1), function: bytes = b"ctorch._utils\n_rebuild_tensor_v2\n") -> bytes:
    """The program that rebuilds the tensor."""
    sizes = b"".join(b"K" + bytes([first]) + b"K" + bytes([second]) + b"\x86" for first, second in (shape, strides))
    return function + b"(" + STORAGE + b"K\x00" + sizes + b"\x89ccollections\nOrderedDict\n)RtR"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"


def test_a_tensor_is_read_in_the_order_of_its_strides(path: Path) -> None:
    """The weights come from TensorFlow and were transposed on paper only."""
    path.write_bytes(checkpoint(tensor(strides=(1, 2))))

    assert read_checkpoint(path)["w"].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_a_tensor_may_not_reach_outside_its_storage(path: Path) -> None:
    """Strides are addresses: believed unchecked, they read the memory of the process."""
    path.write_bytes(checkpoint(tensor(strides=(4, 1))))

    with pytest.raises(Corrupt, match="outside its storage"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", [b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n"])
def test_a_file_that_names_anything_else_is_refused(path: Path, name: bytes) -> None:
    """A pickle is a program; this one may only build tensors."""
    path.write_bytes(checkpoint(tensor(function=name)))

    with pytest.raises(Corrupt, match="asks for") as caught:
        read_checkpoint(path)

    assert caught.value.detail == {"path": str(path)}


def test_a_file_cut_anywhere_is_corrupt(path: Path) -> None:
    """An interrupted installation must not become a model with missing weights."""
    whole = checkpoint(tensor())
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(Corrupt):
            read_checkpoint(path)


def test_another_file_is_corrupt(path: Path) -> None:
    """A newer PyTorch writes zip files; they are not this format."""
    path.write_bytes(pickle.dumps(OrderedDict(a=1), 2))

    with pytest.raises(Corrupt, match="no checkpoint"):
        read_checkpoint(path)
