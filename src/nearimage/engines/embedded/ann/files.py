"""The file of an index: derived data, so that any doubt about it is answered by building anew.

    0       8    NEARANN, zero
    8       4    format, uint32
    12      4    length n of the description, uint32
    16      n    JSON: metric, figures, tuning, and the arrays' names, types and shapes
    ...          the arrays, each from the next multiple of 64 on
    end-4   4    CRC-32 of everything before

Little-endian. Written beside and renamed, after its data was forced to the disk: a crash leaves the old file or the new one, and a leftover `.new` is
overwritten by the next.

Which slots the file covers is said by `covered` and `revision` together: a slot may have been given to another vector since. The row that names it then has a
later revision, and the opener takes such slots away (`without`).

May import msgspec, numpy, `domain` and this package.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from nearimage.domain.schema import Metric
from nearimage.engines.embedded.ann.codes import Codes, Slots, Spread
from nearimage.engines.embedded.ann.projection import Projection
from nearimage.engines.embedded.ann.tuning import Tuning
from nearimage.engines.embedded.ann.vector_index import VectorIndex
from nearimage.engines.embedded.disk import force, force_folder, write_fully, write_gently

INDEX_FORMAT = 4

_MAGIC = b"NEARANN\0"
_FIXED = struct.Struct("<8sII")
_ALIGN = 64
_CRC_BYTES = 4


class _Description(msgspec.Struct, frozen=True):
    """The JSON of a file."""

    metric: Metric
    centres_queries: bool
    tuning: Tuning
    vectors: int
    trained_on: int
    measured_on: int
    revision: int
    arrays: dict[str, tuple[str, tuple[int, ...]]]


def save(index: VectorIndex, path: Path) -> None:
    """Write the file, durably; the one before stays until then.

    Raises:
        OSError: it could not be written; the one before is as it was.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "mean": index.projection.mean,
        "directions": index.projection.directions,
        "covered": index.covered,
        "spread": np.stack(index.codes.spread),
        "codes": index.codes.to_bytes(),
    }
    description = msgspec.json.encode(
        _Description(
            metric=index.metric,
            centres_queries=index.projection.centres_queries,
            tuning=index.tuning,
            vectors=index.vectors,
            trained_on=index.trained_on,
            measured_on=index.measured_on,
            revision=index.revision,
            arrays={name: (array.dtype.str, array.shape) for name, array in arrays.items()},
        )
    )
    head = _FIXED.pack(_MAGIC, INDEX_FORMAT, len(description)) + description
    _replace(path, [memoryview(head), *(array.reshape(-1).view(np.uint8).data for array in arrays.values())])


def load(path: Path) -> VectorIndex | None:
    """The index of a file; None if there is none, or it is damaged or of another version.

    Nothing that was written since opening is known to it: `seen` is 0.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    try:
        return _parse(data)
    except (ValueError, KeyError, struct.error, msgspec.DecodeError):
        return None


def without(index: VectorIndex, slots: Slots) -> VectorIndex:
    """The index, as covering none of these slots."""
    mask = np.unpackbits(index.covered, bitorder="little")
    mask[slots[slots < len(mask)]] = 0
    return replace(index, covered=np.packbits(mask, bitorder="little"), vectors=int(mask.sum()))


def _parse(data: bytes) -> VectorIndex:
    magic, version, length = _FIXED.unpack_from(data)
    (crc,) = struct.unpack_from("<I", data, len(data) - _CRC_BYTES)
    if magic != _MAGIC or version != INDEX_FORMAT or zlib.crc32(memoryview(data)[:-_CRC_BYTES]) != crc:
        raise ValueError("damaged, or of another version")
    description = msgspec.json.decode(data[_FIXED.size : _FIXED.size + length], type=_Description)
    position, arrays = _aligned(_FIXED.size + length), dict[str, npt.NDArray[np.generic]]()
    for name, (kind, shape) in description.arrays.items():
        arrays[name] = np.frombuffer(data, kind, int(np.prod(shape)), position).reshape(shape)
        position = _aligned(position + arrays[name].nbytes)
    projection = Projection(
        mean=np.array(arrays["mean"], np.float32), directions=np.array(arrays["directions"], np.float32), centres_queries=description.centres_queries
    )
    codes = Codes.from_bytes(np.array(arrays["codes"], np.uint8), Spread(*np.array(arrays["spread"], np.float32)))
    return VectorIndex(
        metric=description.metric,
        projection=projection,
        codes=codes,
        tuning=description.tuning,
        homes=codes.homes(8 * len(arrays["covered"])),
        covered=np.array(arrays["covered"], np.uint8),
        vectors=description.vectors,
        trained_on=description.trained_on,
        measured_on=description.measured_on,
        seen=0,
        revision=description.revision,
    )


def _replace(path: Path, parts: Sequence[memoryview]) -> None:
    """Write the parts, each from a multiple of 64 on, and their checksum; no part is copied, which would keep the interpreter for 20 ms a million codes."""
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        position = crc = 0
        for part in parts:
            for piece in (part, memoryview(bytes(-len(part) % _ALIGN))):
                write_gently(fd, piece, position)
                position, crc = position + len(piece), zlib.crc32(piece, crc)
        write_fully(fd, memoryview(struct.pack("<I", crc)), position)
        force(fd)
    finally:
        os.close(fd)
    beside.replace(path)
    force_folder(path.parent)


def _aligned(position: int) -> int:
    return -(-position // _ALIGN) * _ALIGN
