"""Bring picture files into a collection, batch by batch.

    PictureFile --same size and time as stored?--> skipped
                --read, of a raw file the camera's own picture, base64--> Draft --batch--> stored, or failed with a reason

One bad file fails alone. Batches are small, so that a stop asked for comes within a second, and bounded in bytes, so that large pictures fit a request.
May import pybase64, `app`, `domain` and `cli`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

import pybase64

from nearimage.cli.connection import Connection
from nearimage.cli.picture_collection import PictureCollection
from nearimage.cli.picture_files import RAW_EXTENSIONS, PictureFile
from nearimage.domain.dates import instant_ns
from nearimage.domain.drafts import Draft
from nearimage.domain.query import Search

BATCH_PICTURES = 32  # both cores are busy from 16 on, and 32 pictures take less than a second
BATCH_BYTES = 24 * 1024 * 1024  # of pictures; as base64 a third of what a request may have
_MAX_RAW_BYTES = 1 << 30  # of a camera's raw file, of which only the camera's own picture is kept: some megabytes of it
PAGE = 1_000  # objects listed at once; 200 KB


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not stored, and why."""

    path: Path
    reason: str


@dataclass(slots=True, kw_only=True)
class Report:
    """How an import went so far."""

    found: int
    stored: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0


class Progress(Protocol):
    """Is told after every batch."""

    def show(self, report: Report) -> None:
        """Show how far the import is."""
        ...


@dataclass(slots=True)
class _Batch:
    files: list[PictureFile] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    size: int = 0

    def add(self, file: PictureFile, draft: Draft) -> None:
        self.files.append(file)
        self.drafts.append(draft)
        self.size += file.size

    def has_room(self, file: PictureFile) -> bool:
        return not self.files or (len(self.files) < BATCH_PICTURES and self.size + file.size <= BATCH_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureImport:
    """Brings files into one collection.

    Attributes:
        stop: asked between batches whether to end early.
    """

    connection: Connection
    collection: PictureCollection
    progress: Progress
    stop: Callable[[], bool]

    def run(self, files: Sequence[PictureFile]) -> Report:
        """Store what is new or changed.

        Raises:
            NearimageError: the database cannot go on; what was stored stays.
        """
        started, report = time.monotonic(), Report(found=len(files))
        known = {} if self.collection.made else self._known()
        changed = [file for file in files if known.get(file.id) != (file.size, instant_ns(file.modified))]
        report.skipped = len(files) - len(changed)
        self.progress.show(report)
        for batch in self._batches(changed, report):
            self._store(batch, report)
            report.seconds = time.monotonic() - started
            self.progress.show(report)
            if self.stop():
                report.interrupted = report.stored + report.skipped + len(report.failures) < report.found
                break
        return report

    def _known(self) -> dict[UUID, tuple[object, object]]:
        """Size and instant of what is stored, however its date is written; nothing where the collection does not keep them."""
        if not {"size", "modified"} <= self.collection.others:
            return {}
        known: dict[UUID, tuple[object, object]] = {}
        after: UUID | None = None
        while page := self.connection.list_objects(Search(collection=self.collection.name, after=after, limit=PAGE)):
            known.update((record.id, (record.properties.get("size"), _instant(record.properties.get("modified")))) for record in page)
            after = page[-1].id
        return known

    def _batches(self, files: Sequence[PictureFile], report: Report) -> Iterator[_Batch]:
        batch = _Batch()
        for file in files:
            if not batch.has_room(file):
                yield batch
                batch = _Batch()
            draft = self._draft(file)
            if isinstance(draft, Failure):
                report.failures.append(draft)
            else:
                batch.add(file, draft)
        yield batch  # also an empty one: the failures before it want to be shown

    def _draft(self, file: PictureFile) -> Draft | Failure:
        path, is_raw = file.path, file.path.suffix.lower() in RAW_EXTENSIONS
        if file.size > (_MAX_RAW_BYTES if is_raw else self.connection.max_picture_bytes):
            return self._too_large(path, file.size)
        try:
            data = path.read_bytes()
        except OSError as failed:
            return Failure(path, f"The file cannot be read: {failed.strerror}.")
        if not data:
            return Failure(path, "The file is empty.")
        from nearimage.app import camera_picture

        if is_raw and len(data := camera_picture(data)) > self.connection.max_picture_bytes:
            return self._too_large(path, len(data))
        described = {"path": as_utf8(path), "folder": as_utf8(path.parent), "name": as_utf8(path.name), "size": file.size, "modified": file.modified}
        kept: dict[str, object] = {name: value for name, value in described.items() if name in self.collection.others}
        return Draft(id=file.id, properties=kept | {self.collection.picture: pybase64.b64encode(data).decode("ascii")})

    def _too_large(self, path: Path, size: int) -> Failure:
        return Failure(path, f"The file has {size:,} bytes; {self.connection.place} takes {self.connection.max_picture_bytes:,} at most.")

    def _store(self, batch: _Batch, report: Report) -> None:
        if not batch.drafts:
            return
        for file, reason in zip(batch.files, self.connection.put(self.collection.name, batch.drafts), strict=True):
            if reason is None:
                report.stored += 1
            else:
                report.failures.append(Failure(file.path, reason))


def as_utf8(path: Path | str) -> str:
    """A path as text that any wire carries; bytes in it that are no UTF-8 become question marks."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _instant(date: object) -> int | None:
    return instant_ns(date) if isinstance(date, str) else None
