"""Backups: what was copied comes back, whatever went on meanwhile; what was not copied whole is refused."""

import hashlib
import json
import os
import random
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import CollectionExists, CollectionNotFound, Corrupt, FolderUnusable, FormatTooNew, SnapshotUnusable
from nearimage.domain.objects import Projection, Record
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, TenantState, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.manifest import MANIFEST_FORMAT
from nearimage.engines.embedded.slots import HEADER_BYTES
from nearimage.ports.engine import Engine
from nearimage.testing.engine_contract import assert_same
from nearimage.testing.engine_examples import photo, uid

ACTIVE, INACTIVE = TenantState.ACTIVE, TenantState.INACTIVE
PHOTOS = Collection(
    name="Photo",
    properties=(Property(name="text", data_type=DataType.TEXT), Property(name="blob", data_type=DataType.BLOB)),
    vectors=(VectorConfig(name="clip"), VectorConfig(name="Clip")),
    settings={"a": {"b": [1, 2.5, None, "é"]}},
)
SHARED = Collection(name="Shared", vectors=(VectorConfig(name="clip"),), tenancy=Tenancy(enabled=True, auto_create=True))
EVERYTHING = Projection(properties=("text", "blob"), vectors=None)


def fill(engine: Engine) -> None:
    """A collection with objects, one without, one with tenants in every state."""
    engine.create_collection(PHOTOS)
    engine.shard("Photo").put([photo(number, [number, 1], text=f"corgi {number}", blob=b"\0" * number) for number in range(1, 40)])
    engine.shard("Photo").put([photo(7, [7, 7, 7], name="Clip"), photo(8, None, text="patched")])
    engine.shard("Photo").delete([uid(9)])
    engine.create_collection(Collection(name="Empty"))
    engine.create_collection(SHARED)
    engine.create_tenants("Shared", {"anna": ACTIVE, "bert": ACTIVE, "carl": INACTIVE, "dora": ACTIVE})
    for number, name in enumerate(("anna", "bert", "dora"), 1):
        engine.shard("Shared", name).put([photo(one, [number, one]) for one in range(number)])
    engine.set_tenants("Shared", {"bert": INACTIVE})


def content(engine: Engine) -> dict[str, Sequence[Record]]:
    """Every object of every collection and tenant; it leaves the tenants active."""
    pages = {}
    for collection in engine.collections():
        tenants = engine.tenants(collection.name) if collection.tenancy.enabled else {"": ACTIVE}
        for tenant in tenants:
            if tenant:
                engine.set_tenants(collection.name, {tenant: ACTIVE})
            shard = engine.shard(collection.name, tenant)
            pages[f"{collection.name}/{tenant}"] = shard.scan(where=None, after=None, limit=999, offset=0, projection=EVERYTHING)
    return pages


def assert_equal(left: Engine, right: Engine) -> None:
    """The same collections, tenants, states and objects, revisions included."""
    assert left.collections() == right.collections()
    assert left.tenants("Shared") == right.tenants("Shared")
    pages, others = content(left), content(right)
    assert pages.keys() == others.keys()
    for name, page in pages.items():
        assert_same(page, others[name])


def test_what_was_copied_comes_back_whole(tmp_path: Path) -> None:
    """Into a new folder, and into a database that has other collections; open shards and closed ones, active tenants and others."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    seen: list[tuple[int, int]] = []
    engine.snapshot(tmp_path / "backup", progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert all(done <= total for done, total in seen)

    fresh = EmbeddedEngine(tmp_path / "fresh")
    fresh.create_collection(Collection(name="Other"))
    fresh.restore(tmp_path / "backup")
    assert [c.name for c in fresh.collections()] == ["Empty", "Other", "Photo", "Shared"]
    fresh.drop_collection("Other")
    assert_equal(fresh, engine)
    fresh.shard("Shared", "carl").put([photo(1)])
    fresh.create_tenants("Shared", {"emil": ACTIVE})
    fresh.shard("Shared", "emil").put([photo(2)])
    fresh.close()

    again = EmbeddedEngine(tmp_path / "fresh")
    assert [again.shard("Shared", name).count() for name in ("anna", "bert", "carl", "dora", "emil")] == [1, 2, 1, 3, 1]
    again.snapshot(tmp_path / "second")
    again.close()
    third = EmbeddedEngine(tmp_path / "third")
    third.restore(tmp_path / "second")
    assert third.shard("Shared", "emil").count() == 1
    third.close()
    engine.close()


def test_some_collections_can_be_chosen(tmp_path: Path) -> None:
    """One collection was spoilt; the others went on since."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    engine.snapshot(tmp_path / "one", collections=["Photo", "Photo"])
    engine.snapshot(tmp_path / "all")
    with pytest.raises(CollectionNotFound):
        engine.snapshot(tmp_path / "none", collections=["Photo", "Missing"])
    assert not (tmp_path / "none").exists()
    engine.drop_collection("Photo")
    for source in (tmp_path / "one", tmp_path / "all"):
        with pytest.raises(CollectionNotFound, match="Missing"):
            engine.restore(source, collections=["Missing"])
        engine.restore(source, collections=["Photo"])
        assert engine.shard("Photo").count() == 38
        with pytest.raises(CollectionExists):
            engine.restore(source, collections=["Photo"])
        engine.drop_collection("Photo")
    engine.close()


def test_aliases_come_back_with_their_collection(tmp_path: Path) -> None:
    """Programs know the alias, not the collection behind it; but a name that is in use must not change what it means."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    for alias, collection in {"Pictures": "Photo", "Taken": "Photo", "Used": "Photo", "Nothing": "Empty"}.items():
        engine.set_alias(alias, collection)
    engine.snapshot(tmp_path / "backup", collections=["Photo"])
    engine.close()

    fresh = EmbeddedEngine(tmp_path / "fresh")
    for name in ("Taken", "Other"):
        fresh.create_collection(Collection(name=name))
    fresh.set_alias("Used", "Other")
    fresh.restore(tmp_path / "backup")
    assert fresh.aliases() == {"Pictures": "Photo", "Used": "Other"}
    fresh.close()
    again = EmbeddedEngine(tmp_path / "fresh")
    assert again.aliases() == {"Pictures": "Photo", "Used": "Other"}
    again.close()


def test_a_snapshot_of_the_first_format_is_read(tmp_path: Path) -> None:
    """Backups are kept for years; the first ones knew no aliases, and their checksum is that of the JSON as it was then."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    engine.snapshot(tmp_path / "backup")
    engine.close()
    path = tmp_path / "backup" / "manifest.json"
    manifest = {**json.loads(path.read_text()), "format": 1, "checksum": ""}
    assert set(manifest["collections"][0]) == {"definition", "folder", "tenants"}
    compact = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    path.write_text(json.dumps({**manifest, "checksum": hashlib.sha256(compact.encode()).hexdigest()}))

    fresh = EmbeddedEngine(tmp_path / "fresh")
    fresh.restore(tmp_path / "backup")
    assert fresh.shard("Photo").count() == 38
    fresh.close()


def test_a_snapshot_taken_during_writes_is_one_commit(tmp_path: Path) -> None:
    """Each write moves a unit between two objects, in properties and in vectors, so any commit adds up; a mixture of two would not, nor a reused slot."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(PHOTOS)
    shard, ids, dims = engine.shard("Photo"), range(60), 300

    def pair(first: int, second: int, amount: int) -> list[Record]:
        return [_account(first, amount, dims), _account(second, -amount, dims)]

    shard.put([_account(number, 0, dims) for number in ids])
    stop = threading.Event()

    def write() -> None:
        rng = random.Random(5)  # noqa: S311 a fixed seed
        while not stop.is_set():
            first = rng.randrange(0, 60, 2)
            shard.put(pair(first, first + 1, rng.randrange(-9, 9)))
            if rng.random() < 0.1:
                shard.delete([uid(first), uid(first + 1)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(8):
            engine.snapshot(tmp_path / f"backup{number}")
    finally:
        stop.set()
        writer.join()
    engine.close()
    for number in range(8):
        fresh = EmbeddedEngine(tmp_path / f"fresh{number}")
        fresh.restore(tmp_path / f"backup{number}")
        found = {r.id.int: r for r in fresh.shard("Photo").scan(where=None, after=None, limit=99, offset=0, projection=EVERYTHING)}
        for first in range(0, 60, 2):
            assert (first in found) == (first + 1 in found)
            if first in found:
                left, right = (found[one] for one in (first, first + 1))
                assert int(str(left.properties["text"])) == -int(str(right.properties["text"]))
                assert left.vectors["clip"][0] == int(str(left.properties["text"]))
                assert right.vectors["clip"][0] == -left.vectors["clip"][0]
        fresh.close()


def _account(number: int, amount: int, dims: int) -> Record:
    vector = np.full(dims, number + 1, np.float32)
    vector[0] = amount
    return Record(id=uid(number), properties={"text": str(amount)}, vectors={"clip": vector})


def cut_manifest(backup: Path) -> None:
    data = (backup / "manifest.json").read_bytes()
    (backup / "manifest.json").write_bytes(data[: len(data) // 2])


def lie_in_the_manifest(backup: Path) -> None:
    path = backup / "manifest.json"
    path.write_text(path.read_text().replace("Photo", "Phono"))


def lead_outside(backup: Path) -> None:
    path = backup / "manifest.json"
    path.write_text(path.read_text().replace("c000001/shard.db", "c000001/../../shard.db"))


def flip(name: str) -> Callable[[Path], None]:
    def damage(backup: Path) -> None:
        path = backup / "c000002" / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda backup: (backup / "manifest.json").unlink(),
        cut_manifest,
        lie_in_the_manifest,
        lead_outside,
        flip("shard.db"),
        flip("vector-000.slots"),
        lambda backup: (backup / "c000002" / "shard.db").unlink(),
        lambda backup: (backup / "c000002" / "vector-000.slots").write_bytes(b""),
    ],
    ids=["incomplete", "cut", "lie", "outside", "database", "vectors", "missing", "empty"],
)
def test_a_damaged_snapshot_is_refused_and_leaves_nothing(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """Half a restore looks like a whole one until somebody misses an object."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    engine.snapshot(tmp_path / "backup")
    engine.close()
    damage(tmp_path / "backup")
    fresh = EmbeddedEngine(tmp_path / "fresh")

    with pytest.raises(SnapshotUnusable):
        fresh.restore(tmp_path / "backup")

    assert fresh.collections() == ()
    assert list((tmp_path / "fresh" / "collections").iterdir()) == []
    fresh.close()


def test_a_snapshot_of_a_newer_version_is_refused_by_number(tmp_path: Path) -> None:
    """The message says which version can read it."""
    (tmp_path / "manifest.json").write_text(json.dumps({"format": MANIFEST_FORMAT + 1}))
    engine = EmbeddedEngine(tmp_path / "data")
    with pytest.raises(FormatTooNew) as caught:
        engine.restore(tmp_path)
    assert caught.value.detail["found"] == MANIFEST_FORMAT + 1
    with pytest.raises(SnapshotUnusable, match="not there"):
        engine.restore(tmp_path / "nowhere")
    engine.close()


def test_a_snapshot_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A folder that looks like a backup is taken for one."""
    engine = EmbeddedEngine(tmp_path / "data")
    fill(engine)
    engine.close()
    (tmp_path / "data" / "collections" / "c000001" / "vector-000.slots").unlink()
    engine = EmbeddedEngine(tmp_path / "data")
    (tmp_path / "there").mkdir()
    for into in (tmp_path / "new", tmp_path / "there"):
        with pytest.raises(Corrupt):
            engine.snapshot(into)
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "there").iterdir()) == []
    (tmp_path / "there" / "mine").write_text("x")
    with pytest.raises(FolderUnusable, match="not empty"):
        engine.snapshot(tmp_path / "there")
    assert (tmp_path / "there" / "mine").read_text() == "x"
    engine.close()


def test_tenants_dropped_during_a_snapshot_are_left_out(tmp_path: Path) -> None:
    """The rest of the backup must not be lost for it; reading what is being removed must not either."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(SHARED)
    names = [f"t{number}" for number in range(60)]
    engine.create_tenants("Shared", dict.fromkeys(names, ACTIVE))
    for name in names:
        engine.shard("Shared", name).put([photo(1, [1, 0])])

    def drop() -> None:
        for name in reversed(names[10:]):
            engine.drop_tenants("Shared", [name])

    thread = threading.Thread(target=drop)
    thread.start()
    engine.snapshot(tmp_path / "backup")
    thread.join()
    engine.close()
    fresh = EmbeddedEngine(tmp_path / "fresh")
    fresh.restore(tmp_path / "backup")
    kept = list(fresh.tenants("Shared"))
    assert set(names[:10]) <= set(kept) <= set(names)
    assert {fresh.shard("Shared", name).count() for name in kept} == {1}
    fresh.close()


def test_a_copy_of_what_a_power_cut_left_is_whole(tmp_path: Path) -> None:
    """A small write's vector is in the database until the next checkpoint; its place in the file may be lost, and the shard need not have been opened since."""
    engine = EmbeddedEngine(tmp_path / "data")
    engine.create_collection(PHOTOS)
    engine.shard("Photo").put([photo(1, [1, 2])])
    engine.shard("Photo").put([photo(2, [3, 4])])
    shutil.copytree(tmp_path / "data", tmp_path / "cut")
    engine.close()
    (slots,) = (tmp_path / "cut").rglob("*.slots")
    os.truncate(slots, HEADER_BYTES + 1 * 2 * 4)

    crashed = EmbeddedEngine(tmp_path / "cut")
    crashed.snapshot(tmp_path / "backup")
    crashed.close()
    restored = EmbeddedEngine(tmp_path / "restored")
    restored.restore(tmp_path / "backup")
    found = restored.shard("Photo").get([uid(1), uid(2)], EVERYTHING)
    assert [found[uid(number)].vectors["clip"].tolist() for number in (1, 2)] == [[1, 2], [3, 4]]
    restored.close()
