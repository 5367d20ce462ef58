"""Folders of earlier formats are brought up to date when they are opened."""

import struct
import zlib
from pathlib import Path
from uuid import UUID

import apsw
import numpy as np
import pytest

from nearimage.domain.errors import Corrupt
from nearimage.domain.objects import Projection
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.layout import SHARD_FORMAT

PHOTOS = Collection(
    name="Photo",
    properties=(Property(name="n", data_type=DataType.INT), Property(name="blob", data_type=DataType.BLOB)),
    vectors=(VectorConfig(name="v"),),
)
EVERYTHING = Projection(properties=("n", "blob"), vectors=None)

FORMAT_1 = """
CREATE TABLE mark (revision INTEGER NOT NULL, slots INTEGER NOT NULL, objects INTEGER NOT NULL);
CREATE TABLE vectors (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dims INTEGER NOT NULL, slots INTEGER NOT NULL);
CREATE TABLE objects (
    revision INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    slot INTEGER, seals BLOB NOT NULL, properties BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE pictures (revision INTEGER NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE (revision, name));
PRAGMA application_id = 0x6E656172;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""
VECTORS = np.array([[1, 2], [3, 4], [5, 6]], "<f4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a shard of format 1: five revisions, of which 2, 3 and 5 are alive, one with a picture; slot 0 is dead."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    engine.close()
    shard = tmp_path / "collections" / "c000001"
    (shard / "shard.db").unlink()
    header = b"NEARVEC\0" + struct.pack("<II", 1, 2)
    (shard / "vector-000.slots").write_bytes((header + struct.pack("<I", zlib.crc32(header))).ljust(4096, b"\0") + VECTORS.tobytes())
    connection = apsw.Connection(str(shard / "shard.db"))
    connection.execute(FORMAT_1)
    connection.execute("INSERT INTO mark VALUES (5, 3, 3); INSERT INTO vectors VALUES (0, 'v', 2, 3)")
    for revision, slot in ((2, 1), (3, None), (5, 2)):
        seals = b"" if slot is None else struct.pack("<HI", 0, zlib.crc32(VECTORS[slot].data))
        row = struct.pack("<qqqq", revision, 10, 20, -1 if slot is None else slot) + UUID(int=revision).bytes + seals + b'{"n":%d}' % revision
        values = (revision, UUID(int=revision).bytes, 10, 20, slot, seals, b'{"n":%d}' % revision, zlib.crc32(row))
        connection.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("INSERT INTO pictures VALUES (5, 'blob', ?, ?)", (b"picture", zlib.crc32(b"picture")))
    connection.close()
    return tmp_path


def test_a_shard_of_the_first_format_is_upgraded(folder: Path) -> None:
    """Whoever stored pictures with the first release still has them, whole."""
    for _ in range(2):  # the second opening finds the new format
        engine = EmbeddedEngine(folder)
        shard = engine.shard("Photo")
        found = shard.get([UUID(int=n) for n in range(9)], EVERYTHING)
        assert {one.id.int: dict(one.properties) for one in found.values()} == {2: {"n": 2}, 3: {"n": 3}, 5: {"n": 5, "blob": b"picture"}}
        assert {one.id.int: one.vectors["v"].tolist() for one in found.values() if one.vectors} == {2: [3, 4], 5: [5, 6]}
        engine.close()
    connection = apsw.Connection(str(folder / "collections" / "c000001" / "shard.db"))
    assert connection.execute("PRAGMA user_version").get == SHARD_FORMAT
    connection.close()


def test_damage_from_before_an_upgrade_still_shows_after_it(folder: Path) -> None:
    """An upgrade that made new checksums of damaged rows would seal the damage."""
    connection = apsw.Connection(str(folder / "collections" / "c000001" / "shard.db"))
    connection.execute("UPDATE objects SET created_ms = 11 WHERE revision = 5")
    connection.close()
    engine = EmbeddedEngine(folder)
    with pytest.raises(Corrupt, match="revision 5"):
        engine.shard("Photo")
    engine.close()
