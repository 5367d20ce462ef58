"""Files of numpy arrays: written whole or not at all, checked when opened, read by mapping.

    offset              bytes   what
    0                   8       magic, "NEARCOL" and a zero byte
    8                   4       format version, uint32: 1
    12                  4       length of the header in bytes, uint32
    16                  4       CRC-32 of the header, uint32
    20                  ...     the header: JSON, {"about": {...}, "arrays": [{"name", "dtype", "shape", "at", "crc"}, ...]}
    "at", by 64         ...     one array, C order, little-endian; zeros up to the next

All numbers are little-endian. `at` is counted from the start of the file; arrays start at multiples of 64, a cache line, so that a mapped array is as
quick as one in memory. `about` is the caller's. Such files are derived: whoever finds one missing or damaged makes it anew, so nothing here raises `Corrupt`.

Writing goes to another name, which takes the place of the file when it is on the disk: a crash leaves the old file, or the new one, and perhaps a file
that ends in `.part`, which is swept.

May import numpy, orjson, `domain` and this package's `disk`.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from nearimage.engines.embedded.disk import force, force_folder, write_fully, write_gently

ARRAYS_FORMAT = 1
PART = ".part"
"""The ending of a file that is being written."""

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Array = npt.NDArray[np.generic]

_MAGIC = b"NEARCOL\0"
_START = struct.Struct("<8sIII")
_ALIGNMENT = 64
_PIECE = 8 << 20
"""Bytes summed at a time: milliseconds, during which the interpreter's lock is free."""


class Contents(NamedTuple):
    """What a file holds.

    Attributes:
        arrays: by name, read-only, over the mapping; good as long as they are held, also when the file was replaced.
    """

    about: dict[str, Json]
    arrays: dict[str, Array]


def write_arrays(path: Path, arrays: Mapping[str, Array], about: Mapping[str, Json]) -> None:
    """Write a file; durable, and in the place of any file of that name, when it returns.

    Raises:
        OSError: nothing is left of it, and a file that was there before is as it was.
    """
    flat = {name: np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False) for name, array in arrays.items()}
    entries: list[dict[str, object]] = [
        {"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "at": 0, "crc": _checksum(_bytes(array))} for name, array in flat.items()
    ]
    header = _header(about, entries, flat)
    part = path.with_name(path.name + PART)
    fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_fully(fd, memoryview(_START.pack(_MAGIC, ARRAYS_FORMAT, len(header), zlib.crc32(header)) + header), 0)
        for entry, array in zip(entries, flat.values(), strict=True):
            write_gently(fd, _bytes(array), int(str(entry["at"])))
        force(fd)
        os.replace(part, path)
        force_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def open_arrays(path: Path) -> Contents | None:
    """Map a file and check all of it; None if it is missing, damaged, or of another format.

    Cost:
        1 s a GB: every byte is summed.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        length = os.fstat(fd).st_size
        if length < _START.size:
            return None
        return _read(memoryview(mmap.mmap(fd, length, access=mmap.ACCESS_READ)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a header that is whole but says nonsense
        return None
    finally:
        os.close(fd)


def _header(about: Mapping[str, Json], entries: list[dict[str, object]], flat: Mapping[str, Array]) -> bytes:
    """The header, with the places of the arrays: they depend on its length, which hardly depends on them."""
    at = _aligned(_START.size + len(orjson.dumps({"about": dict(about), "arrays": entries})) + 20 * len(entries))
    for entry, array in zip(entries, flat.values(), strict=True):
        entry["at"] = at
        at = _aligned(at + array.nbytes)
    return orjson.dumps({"about": dict(about), "arrays": entries})


def _read(data: memoryview) -> Contents | None:
    magic, version, length, crc = _START.unpack_from(data)
    header = bytes(data[_START.size : _START.size + length])
    if magic != _MAGIC or version != ARRAYS_FORMAT or zlib.crc32(header) != crc:
        return None
    said = orjson.loads(header)
    arrays = {}
    for entry in said["arrays"]:
        kind, count = np.dtype(entry["dtype"]), int(np.prod(entry["shape"], dtype=np.int64))
        piece = data[entry["at"] : entry["at"] + kind.itemsize * count]
        if len(piece) != kind.itemsize * count or _checksum(piece) != entry["crc"]:
            return None
        arrays[entry["name"]] = np.frombuffer(piece, kind, count).reshape(entry["shape"])
    return Contents(said["about"], arrays)


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def _checksum(data: memoryview) -> int:
    found = 0
    for start in range(0, len(data), _PIECE):
        found = zlib.crc32(data[start : start + _PIECE], found)
    return found


def _aligned(at: int) -> int:
    return -(-at // _ALIGNMENT) * _ALIGNMENT
