"""Read a PyTorch checkpoint without PyTorch, and without running anything that is in it.

The file is what `torch.save(model.state_dict(), ...)` wrote before PyTorch 1.6: six parts, one after the other, no table of contents.

    pickle   119547037146038801333356, the magic number
    pickle   1001, the protocol version
    pickle   {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}}
    pickle   OrderedDict: name -> _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)
    pickle   the list of storage keys, in the order in which they follow
    for each key: 8 bytes, little-endian: how many elements; then the elements

A storage is a flat array. In the fourth pickle it is a persistent id, ("storage", torch.FloatStorage, key, "cpu", elements, None): a promise that
the array comes later. A tensor is a view of a storage: element (i, j) lies at offset + i * strides[0] + j * strides[1]. The strides matter:
these weights come from TensorFlow, whose convolution kernels are (height, width, in, out), and were only transposed on paper.

    "_conv_stem.weight"  shape (32, 3, 3, 3)  strides (1, 32, 288, 96)  ->  out is the innermost axis

A pickle is a program. This one may name four things - OrderedDict, the tensor builder and two storage types - and gets stand-ins for the latter
three; a name beyond them, a view that reaches outside its storage, a length that disagrees: `Corrupt`, and nothing was run. PyTorch's newer zip
form is left out: no weights that are read here use it. Format: torch/serialization.py (`_legacy_load`) of PyTorch 1.5.

May import numpy, the standard library and `domain` only.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt

Array = npt.NDArray[Any]

MAGIC = 119547037146038801333356
PROTOCOL = 1001
DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True, slots=True)
class _Storage:
    """A flat array that follows later in the file."""

    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor before its storage was read."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, flat: Array) -> Array:
        """The tensor, C-contiguous."""
        reach = self.offset + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True))
        if self.offset < 0 or min(self.shape, default=1) < 1 or min(self.strides, default=0) < 0 or reach >= len(flat):
            raise ValueError(f"a tensor of shape {self.shape} reaches outside its storage of {len(flat)} elements")
        steps = tuple(stride * flat.itemsize for stride in self.strides)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, steps)).reshape(self.shape)


def _view(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    """Stands in for torch._utils._rebuild_tensor_v2."""
    return _View(storage, offset, shape, strides)


ALLOWED: Mapping[tuple[str, str], Callable[..., object] | str] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch", "FloatStorage"): "FloatStorage",
    ("torch", "LongStorage"): "LongStorage",
}


class _Reader(pickle.Unpickler):
    """Unpickles one part of the file."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _place, elements, _view_of = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"the file refers to a {kind!r}")
        return _Storage(key, DTYPES[storage_type], elements)


def read_checkpoint(path: Path) -> dict[str, Array]:
    """The tensors of a checkpoint, by name.

    Returns:
        float32 and int64 arrays, C-contiguous, of the shapes that the file states.

    Raises:
        Corrupt: not such a file, cut, or it asks for more than tensors; detail has "path".
    """
    try:
        with path.open("rb") as file:
            return _tensors(file)
    except Exception as error:  # a damaged pickle raises anything: KeyError, IndexError, EOFError, AttributeError ...
        raise Corrupt(f"{path} is no checkpoint of tensors ({error}); reinstall the package it came with", path=str(path)) from error


def _tensors(file: BinaryIO) -> dict[str, Array]:
    if _Reader(file).load() != MAGIC or _Reader(file).load() != PROTOCOL or not _Reader(file).load()["little_endian"]:
        raise ValueError("it does not start like a PyTorch checkpoint")
    views: dict[str, _View] = dict(_Reader(file).load())
    storages = {view.storage.key: view.storage for view in views.values()}
    flat = {key: _elements(file, storages[key]) for key in _Reader(file).load()}
    return {name: view.of(flat[view.storage.key]) for name, view in views.items()}


def _elements(file: BinaryIO, storage: _Storage) -> Array:
    stated = int.from_bytes(file.read(8), "little")
    content = file.read(storage.elements * storage.dtype.itemsize)
    if stated != storage.elements or len(content) != storage.elements * storage.dtype.itemsize:
        raise ValueError(f"storage {storage.key} should have {storage.elements} elements")
    return np.frombuffer(content, storage.dtype)
