"""Slot files: the vectors of one named vector, at fixed places, mapped into memory.

    offset      bytes  what
    0           8      magic, "NEARVEC" and a zero byte
    8           4      format version, uint32: 1
    12          4      dims, uint32
    16          4      CRC-32 of the 16 bytes before
    20          4076   zeros
    4096        ...    slot 0, slot 1, ...: dims float32 each, nothing between

All numbers are little-endian. The header takes a page, so that slots start aligned. One slot belongs to one version of one object in all slot files of
a shard; where the object lacks a vector, that file has zeros nobody reads. Example, dims 3: slot 2 of the file lies at 4096 + 2 x 12 = 4120.

A slot is written once and published by the commit in SQLite that first names it: everything from the high-water mark on (kept in SQLite) is garbage of
a write that never finished. So the file needs no log and no recovery but a cut. Room is allocated ahead: a store into a sparse page of a mapping on a full
disk kills the process (SIGBUS), a failed posix_fallocate is an error. We only read through the mapping and write with pwrite; Linux and macOS keep the two
coherent. Mapping a file that is too short would kill the process as well, at the first read, so its length is checked first.

May import numpy, `domain` and this package's `disk`.
"""

import itertools
import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt, FormatTooNew
from nearimage.domain.objects import Matrix
from nearimage.engines.embedded.disk import allocate, force, force_folder, punch, write_fully

SLOT_FORMAT = 1
HEADER_BYTES = 4096
EXTENT_BYTES = 1 << 20
"""Room is added in extents of at least 1 MiB, or an eighth of the file: 200 puts of 1280 dims share one allocation, and at most an eighth lies idle."""

_MAGIC = b"NEARVEC\0"
_HEADER = struct.Struct("<8sII")


class SlotFile:
    """One open slot file. Written by one thread at a time, read by any."""

    def __init__(self, path: Path, fd: int, dims: int) -> None:
        self.path = path
        self.dims = dims
        self._fd = fd
        self._length = os.fstat(fd).st_size
        self._matrix = self._map()

    @classmethod
    def create(cls, path: Path, dims: int) -> Self:
        """Make an empty file, over whatever an unfinished write left under that name; durable when it returns."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            fixed = _HEADER.pack(_MAGIC, SLOT_FORMAT, dims)
            header = (fixed + struct.pack("<I", zlib.crc32(fixed))).ljust(HEADER_BYTES, b"\0")
            write_fully(fd, memoryview(header), 0)
            force(fd)
            force_folder(path.parent)
            return cls(path, fd, dims)
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def open(cls, path: Path, dims: int) -> Self:
        """Open a file; `cut` must follow before its vectors are read.

        Raises:
            Corrupt: it is missing, or its header is damaged.
            FormatTooNew: a newer version wrote it.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as missing:
            raise Corrupt(f"{path} is missing; restore it from a backup", path=str(path)) from missing
        try:
            check_header(path, os.pread(fd, HEADER_BYTES, 0), dims)
            return cls(path, fd, dims)
        except BaseException:
            os.close(fd)
            raise

    def cut(self, slots: int) -> None:
        """Cut off what lies beyond so many published slots, on opening.

        Raises:
            Corrupt: the file is too short for them.
        """
        published = HEADER_BYTES + slots * self.dims * 4
        length = os.fstat(self._fd).st_size
        if length < published:
            raise Corrupt(f"{self.path} has {length} bytes, but {published} were stored; restore it from a backup", path=str(self.path))
        os.ftruncate(self._fd, published)
        self._length = published
        self._matrix = self._map()

    def matrix(self) -> Matrix:
        """(capacity, dims) float32 over the mapping, read-only; rows from the mark on mean nothing. Good as long as the array is held, also after `close`."""
        return self._matrix

    def intact(self, slots: npt.NDArray[np.int64], sums: Sequence[int]) -> Matrix:
        """Copies of the vectors in these slots.

        Args:
            slots: (n,), published.
            sums: the CRC-32 of each vector's bytes.

        Raises:
            Corrupt: a vector does not match its checksum.
        """
        found = self._matrix[slots] if len(slots) != 1 else self._matrix[slots[0] : slots[0] + 1].copy()  # half of the time for one
        for slot, vector, expected in zip(slots.tolist(), found, sums, strict=True):
            if zlib.crc32(vector) != expected:
                raise Corrupt(f"slot {slot} of {self.path} does not match its checksum; restore the file from a backup", path=str(self.path))
        return found

    def write(self, slots: npt.NDArray[np.int64], vectors: Matrix) -> None:
        """Put vectors into unpublished slots.

        Args:
            slots: (n,) ascending; n > 0.
            vectors: (n, dims).

        Raises:
            OSError: ENOSPC and the like; nothing that is published was touched.
        """
        self._make_room(int(slots[-1]) + 1)
        is_run = int(slots[-1]) - int(slots[0]) + 1 == len(slots)  # as nearly always
        starts = (0, len(slots)) if is_run else np.concatenate(([0], np.flatnonzero(np.diff(slots) != 1) + 1, [len(slots)]))
        for first, end in itertools.pairwise(starts):  # a run of neighbours is one write
            position = HEADER_BYTES + int(slots[first]) * self.dims * 4
            write_fully(self._fd, np.ascontiguousarray(vectors[first:end], "<f4").data.cast("B"), position)

    def give_back(self, slots: int) -> None:
        """Let go of the disk's blocks beyond so many slots; `cut` makes the file shorter on the next opening, when nothing is mapped."""
        start = HEADER_BYTES + slots * self.dims * 4
        punch(self._fd, start, self._length - start)

    def force(self) -> None:
        """Return when all that was written is on the disk."""
        force(self._fd)

    def close(self) -> None:
        """Let go of the file; mappings live on while somebody holds their arrays."""
        self._matrix = np.empty((0, self.dims), np.float32)
        os.close(self._fd)

    def _make_room(self, slots: int) -> None:
        needed = HEADER_BYTES + slots * self.dims * 4
        if needed <= self._length:
            return
        length = needed + max(EXTENT_BYTES, needed // 8)
        try:
            allocate(self._fd, length)
        except OSError:
            os.ftruncate(self._fd, self._length)  # give back what part of it was found
            raise
        self._length = length
        self._matrix = self._map()

    def _map(self) -> Matrix:
        capacity = (self._length - HEADER_BYTES) // (self.dims * 4)
        if capacity == 0:
            return np.empty((0, self.dims), np.float32)
        mapping = mmap.mmap(self._fd, self._length, access=mmap.ACCESS_READ)
        return np.frombuffer(mapping, "<f4", capacity * self.dims, HEADER_BYTES).reshape(capacity, self.dims)


def check_header(path: Path, header: bytes, dims: int) -> None:
    """Refuse a file whose first page is not that of a slot file of so many dims.

    Raises:
        Corrupt: it is damaged, or of another shard.
        FormatTooNew: a newer version wrote it.
    """
    intact = len(header) == HEADER_BYTES and header.startswith(_MAGIC)
    if not intact or struct.unpack_from("<I", header, _HEADER.size)[0] != zlib.crc32(header[: _HEADER.size]):
        raise Corrupt(f"the header of {path} is damaged; restore the file from a backup", path=str(path))
    _, version, found = _HEADER.unpack_from(header)
    if version > SLOT_FORMAT:
        raise FormatTooNew(f"{path} has format {version}; this version reads up to {SLOT_FORMAT}", path=str(path), found=version, known=SLOT_FORMAT)
    if found != dims:
        raise Corrupt(f"{path} holds vectors of {found} dimensions, {dims} were stored; it belongs to another shard", path=str(path))
