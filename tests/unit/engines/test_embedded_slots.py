"""Slot files, byte by byte."""

import struct
import zlib
from pathlib import Path
from uuid import UUID

import numpy as np

from nearimage.domain.objects import Record
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.slots import EXTENT_BYTES, SlotFile

PHOTOS = Collection(name="Photo", properties=(Property(name="n", data_type=DataType.INT),), vectors=(VectorConfig(name="v"), VectorConfig(name="w")))


def test_the_file_is_what_the_essay_says(tmp_path: Path) -> None:
    """The format is a promise to every later version; this test is its second witness."""
    file = SlotFile.create(tmp_path / "x.slots", 3)
    file.write(np.array([0, 2]), np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    file.close()
    data = (tmp_path / "x.slots").read_bytes()
    assert data[:20] == b"NEARVEC\0" + struct.pack("<II", 1, 3) + struct.pack("<I", zlib.crc32(data[:16]))
    assert data[20:4096] == bytes(4076)
    assert data[4096 : 4096 + 36] == struct.pack("<9f", 1, 2, 3, 0, 0, 0, 4, 5, 6)


def test_room_is_taken_ahead_and_given_back_on_opening(tmp_path: Path) -> None:
    """An allocation for each write would be a journal entry of the file system for each write."""
    path = tmp_path / "x.slots"
    file = SlotFile.create(path, 4)
    file.write(np.array([0]), np.ones((1, 4), np.float32))
    assert path.stat().st_size == 4096 + 16 + EXTENT_BYTES
    file.close()
    file = SlotFile.open(path, 4)
    file.cut(1)
    assert path.stat().st_size == 4096 + 16
    assert file.matrix().tolist() == [[1, 1, 1, 1]]
    file.close()


def test_an_array_outlives_its_file_and_the_growth_of_the_mapping(tmp_path: Path) -> None:
    """A reader searches a state while the writer extends the file, or drops the collection."""
    file = SlotFile.create(tmp_path / "x.slots", 4)
    file.write(np.array([0]), np.ones((1, 4), np.float32))
    held = file.matrix()
    file.write(np.array([EXTENT_BYTES // 8]), np.ones((1, 4), np.float32))
    assert len(file.matrix()) > len(held)
    file.close()
    (tmp_path / "x.slots").unlink()
    assert held[0].tolist() == [1, 1, 1, 1]


def test_a_property_change_keeps_the_slot_and_a_vector_change_takes_a_new_one(tmp_path: Path) -> None:
    """Or a million patched captions would write every vector anew."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    shard, one = engine.shard("Photo"), np.ones(4, np.float32)

    def put(n: int, **vectors: np.ndarray[tuple[int], np.dtype[np.float32]]) -> int:
        assert shard.put([Record(id=UUID(int=1), properties={"n": n}, vectors=vectors)]) == (None,)
        return shard._publication.state.slots

    assert [put(1, v=one), put(2, v=one), put(3, v=2 * one), put(4, v=2 * one, w=one), put(5), put(6)] == [1, 1, 2, 3, 3, 3]
    engine.close()
