"""Who may have a data folder, and which folders are refused, with what words."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from nearimage.domain.errors import Corrupt, FolderInUse, FolderUnusable, FormatTooNew
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.engines.embedded.layout import META_FORMAT, SHARD_FORMAT

PHOTOS = Collection(name="Photo", vectors=(VectorConfig(name="v"),))


def test_a_second_engine_is_told_who_has_the_folder(tmp_path: Path) -> None:
    """The commonest mistake of a first day: starting it twice. The message must name the first one."""
    engine = EmbeddedEngine(tmp_path)
    engine.announce(http_port=8080, grpc_port=50051)
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}, which answers on port 8080") as caught:
        EmbeddedEngine(tmp_path)
    assert caught.value.detail == {"path": str(tmp_path), "pid": os.getpid(), "http_port": 8080, "grpc_port": 50051}
    engine.close()
    EmbeddedEngine(tmp_path).close()


def test_another_process_holds_it_only_while_it_lives(tmp_path: Path) -> None:
    """A lock that outlives its holder would need people to remove files by hand after each crash."""
    code = (
        "import sys, pathlib; from nearimage.engines.embedded import EmbeddedEngine\n"
        "engine = EmbeddedEngine(pathlib.Path(sys.argv[1])); print('open', flush=True); input()"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        assert child.stdout.readline() == "open\n"
        with pytest.raises(FolderInUse) as caught:
            EmbeddedEngine(tmp_path)
        assert caught.value.detail["pid"] == child.pid
        child.kill()
    EmbeddedEngine(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    """The message has to say which folder, for it often comes from a setting."""
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nearimage")):
        with pytest.raises(FolderUnusable) as caught:
            EmbeddedEngine(folder)
        assert caught.value.detail == {"path": str(folder)}


def test_a_refused_folder_is_let_go_of(tmp_path: Path) -> None:
    """The caller repairs it and tries again in the same process."""
    (tmp_path / "meta.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Corrupt):
        EmbeddedEngine(tmp_path)
    (tmp_path / "meta.db").unlink()
    EmbeddedEngine(tmp_path).close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """Its tables are not ours to fill."""
    with sqlite3.connect(tmp_path / "meta.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(FolderUnusable, match="not made by nearimage"):
        EmbeddedEngine(tmp_path)


@pytest.mark.parametrize(("name", "known"), [("meta.db", META_FORMAT), ("collections/c000001/shard.db", SHARD_FORMAT)])
def test_a_newer_format_is_refused_before_anything_is_touched(tmp_path: Path, name: str, known: int) -> None:
    """An older program that writes into a newer folder destroys it."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    engine.close()
    newer = sqlite3.connect(tmp_path / name)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(FormatTooNew) as caught:
        EmbeddedEngine(tmp_path).shard("Photo")
    assert caught.value.detail == {"path": str(tmp_path / name), "found": 99, "known": known}


def test_a_dropped_collections_files_are_gone(tmp_path: Path) -> None:
    """Dropping is how people get their disk back."""
    engine = EmbeddedEngine(tmp_path)
    engine.create_collection(PHOTOS)
    engine.shard("Photo")
    engine.drop_collection("Photo")
    assert list((tmp_path / "collections").iterdir()) == []
    engine.close()
