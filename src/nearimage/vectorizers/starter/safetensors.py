"""Read a safetensors file.

    8 bytes   little-endian: the length of the header
    header    JSON: name -> {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, and perhaps "__metadata__"
    the rest  the numbers, little-endian, row by row; the offsets count from here

For example, one 2 x 3 matrix "w": 64 (as 8 bytes), 64 bytes of JSON, 24 bytes of numbers. Only float32 and int64 are read here, which is what the
weights in use have. Nothing in such a file runs. Format: huggingface.co/docs/safetensors.

May import numpy, the standard library and `domain` only.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt

DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}


def read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a file, by name; views of the file, read when touched.

    Raises:
        Corrupt: not such a file, or cut; detail has "path".
    """
    try:
        content = np.memmap(path, np.uint8, mode="r")
        start = 8 + int.from_bytes(content[:8].tobytes(), "little")
        header = json.loads(content[8:start].tobytes())
        return {name: _tensor(content[start:], entry) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"{path} is no safetensors file ({error}); reinstall the package it came with", path=str(path)) from error


def _tensor(data: npt.NDArray[np.uint8], entry: dict[str, Any]) -> npt.NDArray[Any]:
    begin, end = entry["data_offsets"]
    if not 0 <= begin <= end <= len(data):
        raise ValueError(f"a tensor lies at {begin}..{end} of {len(data)} bytes")
    dtype: np.dtype[Any] = DTYPES[entry["dtype"]]
    return np.frombuffer(data[begin:end], dtype).reshape(entry["shape"])
