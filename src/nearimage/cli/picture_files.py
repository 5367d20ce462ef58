"""Find the pictures in a folder: every file that is one by its extension or by its first bytes.

Folders below are walked, through links too but each only once, so that a link to a folder above ends nowhere. What begins with a dot is left out, and so is
a camera's raw file beside a picture of the same name: it is the same picture once more.
May import `app` and the standard library only.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

RAW_EXTENSIONS = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".kdc", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".sr2", ".srw", ".x3f"}
)
"""Those of cameras' raw files."""

EXTENSIONS = RAW_EXTENSIONS | {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpx",
}  # fmt: skip
"""A file with one of these is taken; if it is no picture after all, the import says so."""

BY_CONTENT = frozenset({"JPEG", "PNG", "WebP", "GIF", "HEIC", "AVIF"})
"""Formats that are taken whatever the file is called. Not BMP, since "BM" begins many a text; not TIFF, which is a container for much else."""

_HEAD_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """A picture on disk.

    Attributes:
        path: absolute.
        modified: RFC 3339, UTC, to the microsecond.
    """

    path: Path
    size: int
    modified: str

    @property
    def id(self) -> UUID:
        """The object's id: the same for the same path, so that a second import replaces the first."""
        return uuid5(NAMESPACE_URL, self.path.as_uri())


def picture_files(folder: Path) -> Iterator[PictureFile]:
    """The pictures below a folder: in each folder first its files, then its folders, in natural order (2 before 10).

    Cost:
        One stat a file; files without a known extension are opened for their first bytes.
    """
    return _below(folder.resolve(), set())


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key under which "2.jpg" comes before "10.jpg", and upper and lower case count the same."""
    parts = (part for part in re.split(r"([0-9]+)", name.casefold()) if part)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _below(folder: Path, seen: set[tuple[int, int]]) -> Iterator[PictureFile]:
    try:
        here = folder.stat()
        entries = sorted((entry for entry in os.scandir(folder) if not entry.name.startswith(".")), key=lambda entry: natural_order(entry.name))
    except OSError:  # gone meanwhile, or not ours to read: as an empty folder
        return
    if (here.st_dev, here.st_ino) in seen:
        return
    seen.add((here.st_dev, here.st_ino))
    paths = {Path(entry.path): entry for entry in entries if entry.is_file()}
    others = {path.stem.casefold() for path in paths if path.suffix.lower() in EXTENSIONS - RAW_EXTENSIONS}
    for path, entry in paths.items():
        if _is_picture(path) and not (path.suffix.lower() in RAW_EXTENSIONS and path.stem.casefold() in others):
            yield _described(entry)
    for entry in entries:
        if entry.is_dir():
            yield from _below(Path(entry.path), seen)


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() in EXTENSIONS:
        return True
    from nearimage.app import picture_format

    try:
        with path.open("rb") as file:
            return picture_format(file.read(_HEAD_BYTES)) in BY_CONTENT
    except OSError:
        return False


def _described(entry: "os.DirEntry[str]") -> PictureFile:
    about = entry.stat()
    modified = datetime.fromtimestamp(about.st_mtime_ns // 1000 / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return PictureFile(path=Path(entry.path), size=about.st_size, modified=modified)
