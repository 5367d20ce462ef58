"""Backups by request, as the official clients ask for them, over the engine that can make them."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from nearimage.domain.schema import Collection
from nearimage.doors.rest.call import About
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.ports.engine import Progress
from nearimage.service.backups import Backups, BackupState
from nearimage.service.services import Parts, build_services
from tests.fakes import FakeClock, FakeMedia
from tests.http_doors import asked, rest_site
from tests.waiting import eventually

URL = "/v1/backups/filesystem"


@pytest.fixture
def backed(tmp_path: Path) -> Iterator[httpx.Client]:
    """Two collections with an object each."""
    engine = EmbeddedEngine(tmp_path / "data")
    services = build_services(Parts(engine=engine, media=FakeMedia(), modules=(), clock=FakeClock(), backups=tmp_path / "backups"))
    about = About(version="1.39.2", hostname="here", max_message_bytes=100_000)
    with ThreadPoolExecutor(2) as executor, asked(rest_site(services, about), executor) as client:
        for name in ("Cat", "Dog"):
            assert client.post("/v1/schema", json={"class": name}).status_code == 200
            assert client.post("/v1/objects", json={"class": name, "vector": [1, 2]}).status_code == 200
        yield client
    services.backups.close()
    engine.close()


def test_the_server_says_that_it_keeps_backups(backed: httpx.Client, tmp_path: Path) -> None:
    """Clients look for the module before they ask for one."""
    assert backed.get("/v1/meta").json()["modules"] == {"backup-filesystem": {"backupsPath": str(tmp_path / "backups")}}


def ended(http: httpx.Client, path: str) -> Any:
    """The state once it is no longer STARTED."""
    eventually(f"{path} ends", lambda: http.get(path).json()["status"] != "STARTED")
    return http.get(path).json()


def count(http: httpx.Client, name: str) -> int:
    found = http.get(f"/v1/objects?class={name}")
    return found.json()["totalResults"] if found.status_code == 200 else -1


def test_what_was_dropped_comes_back(backed: httpx.Client, tmp_path: Path) -> None:
    """Begun at once, ended in the background, told by its state: what clients wait for."""
    begun = backed.post(URL, json={"id": "first", "config": {"CPUPercentage": 60}}).json()
    assert begun | {"startedAt": "", "size": 0} == {
        "id": "first", "backend": "filesystem", "path": str(tmp_path / "backups" / "first"), "classes": ["Cat", "Dog"],
        "status": "STARTED", "startedAt": "", "size": 0,
    }  # fmt: skip
    told = ended(backed, f"{URL}/first")
    assert (told["status"], told["classes"]) == ("SUCCESS", ["Cat", "Dog"])
    assert told["size"] > 0
    for name in ("Cat", "Dog"):
        backed.delete(f"/v1/schema/{name}")
    again = backed.post(f"{URL}/first/restore", json={"include": ["Dog"]}).json()
    assert (again["status"], again["classes"]) == ("STARTED", ["Dog"])
    assert ended(backed, f"{URL}/first/restore")["status"] == "SUCCESS"
    assert (count(backed, "Dog"), count(backed, "Cat")) == (1, -1)


def test_what_is_there_is_not_overwritten(backed: httpx.Client) -> None:
    """A restore that replaced a collection would lose what was written since."""
    backed.post(URL, json={"id": "one", "exclude": ["Cat"]})
    assert ended(backed, f"{URL}/one")["classes"] == ["Dog"]
    backed.post(f"{URL}/one/restore", json={})
    told = ended(backed, f"{URL}/one/restore")
    assert told["status"] == "FAILED"
    assert "already exists" in told["error"]
    assert backed.post(URL, json={"id": "one"}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "body", "status"),
    [
        (f"POST {URL}", {"id": "x", "include": ["Nobody"]}, 422),
        (f"POST {URL}", {"id": "x", "exclude": ["Cat", "Dog"]}, 422),
        (f"POST {URL}", {"id": "x", "include": ["Cat"], "exclude": ["Dog"]}, 422),
        (f"POST {URL}", {"id": ""}, 422),
        (f"POST {URL}", {"id": "../x"}, 422),
        (f"POST {URL}", {"id": "Upper"}, 422),
        (f"POST {URL}", {"id": "x", "config": {"path": "/etc"}}, 422),
        ("POST /v1/backups/s3", {"id": "x"}, 422),
        (f"POST {URL}", {"id": 1}, 400),
        (f"POST {URL}", {"id": "x", "config": {"CPUPercentage": 81}}, 422),
        (f"POST {URL}", {"id": "x", "config": {"CPUPercentage": -1}}, 422),
        (f"POST {URL}", {"id": "x", "config": {"ChunkSize": 1}}, 422),
        (f"POST {URL}", {"id": "x", "config": {"ChunkSize": "many"}}, 422),
        (f"POST {URL}", {"id": "x", "config": {"CompressionLevel": "Squeezed"}}, 422),
        (f"POST {URL}/nothing/restore", {"config": {"CPUPercentage": 81}}, 422),
        (f"POST {URL}", {"id": "x", "incremental_base_backup_id": "never-made"}, 422),
        (f"GET {URL}/nothing", None, 404),
        (f"GET {URL}/nothing/restore", None, 404),
        (f"GET {URL}?order=down", None, 422),
        (f"DELETE {URL}/nothing/restore", None, 404),
        (f"POST {URL}/nothing/restore", {}, 404),
    ],
)
def test_what_cannot_be_is_refused(backed: httpx.Client, tmp_path: Path, asked: str, body: Any, status: int) -> None:
    """Before anything is begun, and nothing is written anywhere else than in the folder for it."""
    method, path = asked.split()
    assert backed.request(method, path, json=body).status_code == status
    assert not (tmp_path / "backups").exists()


def test_one_that_builds_upon_another_is_whole(backed: httpx.Client, tmp_path: Path) -> None:
    """Who deletes old backups must still have what the newer one promised."""
    for body in ({"id": "base"}, {"id": "later", "incremental_base_backup_id": "base"}):
        assert backed.post(URL, json=body).status_code == 200
        assert ended(backed, f"{URL}/{body['id']}")["status"] == "SUCCESS"
    shutil.rmtree(tmp_path / "backups" / "base")
    assert backed.delete("/v1/schema/Dog").status_code == 200

    assert backed.post(f"{URL}/later/restore", json={"include": ["Dog"]}).status_code == 200
    assert ended(backed, f"{URL}/later/restore")["status"] == "SUCCESS"
    assert count(backed, "Dog") == 1


@pytest.mark.parametrize(("overwrite", "meant"), [(True, "Dog"), (False, "Cat")])
def test_an_alias_keeps_what_it_stands_for_unless_told_otherwise(backed: httpx.Client, overwrite: bool, meant: str) -> None:
    """Who restores beside what is in use must not change what others reach; who goes back wants the old names too."""
    assert backed.post("/v1/aliases", json={"alias": "Pet", "class": "Dog"}).status_code == 200
    assert backed.post(URL, json={"id": "old", "include": ["Dog"], "config": {"CPUPercentage": 0, "ChunkSize": 0, "CompressionLevel": ""}}).status_code == 200
    assert ended(backed, f"{URL}/old")["status"] == "SUCCESS"
    assert backed.delete("/v1/schema/Dog").status_code == 200
    assert backed.get("/v1/objects?class=Pet").status_code == 404
    assert backed.put("/v1/aliases/Pet", json={"class": "Cat"}).status_code == 200

    assert backed.post(f"{URL}/old/restore", json={"overwriteAlias": overwrite}).status_code == 200
    assert ended(backed, f"{URL}/old/restore")["status"] == "SUCCESS"
    assert backed.get("/v1/aliases/Pet").json()["class"] == meant


def test_they_are_listed_also_after_a_restart_and_what_was_broken_off_has_failed(backed: httpx.Client, tmp_path: Path) -> None:
    """An operator looks for the last one that is whole."""
    for name in ("b", "a"):
        backed.post(URL, json={"id": name})
        ended(backed, f"{URL}/{name}")
    (tmp_path / "backups" / "broken" / "data").mkdir(parents=True)
    assert [one["id"] for one in backed.get(f"{URL}?order=asc").json()] == ["broken", "b", "a"]
    engine = EmbeddedEngine(tmp_path / "other")
    found = Backups(engine, FakeClock(), tmp_path / "backups").all()
    engine.close()
    assert [(one.id, one.state.value, one.collections) for one in found] == [
        ("broken", "FAILED", ()), ("b", "SUCCESS", ("Cat", "Dog")), ("a", "SUCCESS", ("Cat", "Dog"))
    ]  # fmt: skip


def test_one_that_runs_can_be_cancelled_and_leaves_nothing(backed: httpx.Client, tmp_path: Path) -> None:
    """Who cancels wants the room back; one that has ended by then stays, and whoever cancels it is told."""
    backed.post(URL, json={"id": "x"})
    answered = backed.delete(f"{URL}/x").status_code
    told = ended(backed, f"{URL}/x")
    assert (answered, told["status"]) in ((204, "CANCELED"), (422, "SUCCESS"))
    assert (tmp_path / "backups" / "x").exists() is (told["status"] == "SUCCESS")


class LingeringEngine(EmbeddedEngine):
    """Has copied everything, and does not say so yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.copied, self.go_on = Event(), Event()

    def snapshot(self, into: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> None:
        super().snapshot(into, collections=collections)
        self.copied.set()
        assert self.go_on.wait(10)


def test_a_cancellation_that_was_accepted_is_obeyed_to_the_last(tmp_path: Path) -> None:
    """Between the last file and the end nobody asks for the progress."""
    engine = LingeringEngine(tmp_path / "data")
    engine.create_collection(Collection(name="Dog"))
    backups = Backups(engine, FakeClock(), tmp_path / "backups")
    backups.create("x")
    assert engine.copied.wait(10)
    backups.cancel("x")
    engine.go_on.set()
    backups.close()
    engine.close()
    assert backups.status("x").state is BackupState.CANCELED
    assert not (tmp_path / "backups" / "x").exists()


def test_one_that_has_succeeded_cannot_be_cancelled(backed: httpx.Client) -> None:
    """Who is told that it was cancelled would count on its room, or believe that the collections were not restored."""
    backed.post(URL, json={"id": "x"})
    ended(backed, f"{URL}/x")
    backed.delete("/v1/schema/Cat")
    backed.post(f"{URL}/x/restore", json={"include": ["Cat"]})
    ended(backed, f"{URL}/x/restore")
    for path in (f"{URL}/x", f"{URL}/x/restore"):
        refused = backed.delete(path)
        assert refused.status_code == 422
        assert "already succeeded" in refused.text
        assert backed.get(path).json()["status"] == "SUCCESS"


def test_cancelling_one_that_is_not_there_is_no_mistake(backed: httpx.Client) -> None:
    """As in Weaviate: whoever wants it gone has what they want. An id that none can have is refused, and so is stopping a restoring that was never begun."""
    assert backed.delete(f"{URL}/nobody").status_code == 204
    assert backed.get(f"{URL}/nobody").status_code == 404
    assert backed.delete(f"{URL}/No-Body").status_code == 422
    assert backed.delete(f"{URL}/nobody/restore").status_code == 404


def test_without_a_folder_for_them_they_are_refused_with_what_to_do(http: httpx.Client) -> None:
    """Where they would go nobody could know."""
    refused = http.post(URL, json={"id": "x"})
    assert refused.status_code == 422
    assert "BACKUP_FILESYSTEM_PATH" in refused.text
