"""The list of what a snapshot holds: `manifest.json`, written last.

    TARGET/manifest.json            {"checksum", "format", "version", "created", "collections": [...], "files": [{"path", "size", "sha256"}, ...]}
    TARGET/c000001/                 a collection: the shard's files, or
    TARGET/c000002/t000001/         those of each tenant that was ever opened

A folder without a manifest is a snapshot that was broken off. The checksum is the SHA-256 of the same JSON with an empty checksum.

May import msgspec and `domain`.
"""

import hashlib
import re
from pathlib import Path

import msgspec

from nearimage.domain.errors import FormatTooNew, SnapshotUnusable
from nearimage.domain.schema import Collection, TenantState

MANIFEST_FILE = "manifest.json"
MANIFEST_FORMAT = 2
"""1 had no aliases, and is read as well: what is not there is left out of the JSON, so that its checksum is the same as ever."""

_COLLECTION_FOLDER = re.compile(r"c\d+")
_TENANT_FOLDER = re.compile(r"(t\d+)?")
_PATH = re.compile(r"c\d+(/t\d+)?/(shard\.db|vector-\d+\.slots)")
"""Files are copied to where the manifest says; a path that leads anywhere else is no path of ours."""


class CopiedFile(msgspec.Struct, frozen=True):
    """One file; the path is relative to the snapshot."""

    path: str
    size: int
    sha256: str


class CopiedTenant(msgspec.Struct, frozen=True):
    """One tenant; the folder is empty where it has no shard."""

    name: str
    state: TenantState
    folder: str


class CopiedCollection(msgspec.Struct, frozen=True, omit_defaults=True):
    """One collection; the definition is JSON in JSON, so that it is taken over to the letter."""

    definition: str
    folder: str
    tenants: tuple[CopiedTenant, ...]
    aliases: tuple[str, ...] = ()

    def collection(self) -> Collection:
        """The definition."""
        return msgspec.json.decode(self.definition, type=Collection)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot holds."""

    checksum: str = ""
    format: int
    version: str
    created: str
    collections: tuple[CopiedCollection, ...]
    files: tuple[CopiedFile, ...]

    def sealed(self) -> bytes:
        """As it is written."""
        return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(self, checksum=_checksum(self))), indent=1)


class _Format(msgspec.Struct):
    format: int


def read_manifest(source: Path) -> Manifest:
    """The manifest of a snapshot, checked; the files are not looked at.

    Raises:
        SnapshotUnusable: there is none, or it is damaged.
        FormatTooNew: a newer version wrote it.
    """
    path = source / MANIFEST_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError as missing:
        what = "is incomplete: it has no manifest.json, so copying was broken off" if source.is_dir() else "is not there"
        raise SnapshotUnusable(f"the snapshot {source} {what}; use another one", path=str(source)) from missing
    except OSError as failed:
        raise SnapshotUnusable(f"{path} cannot be read ({failed.strerror})", path=str(path)) from failed
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found > MANIFEST_FORMAT:
            message = f"{path} has format {found}, this version reads up to {MANIFEST_FORMAT}; use the version that wrote it, or a newer one"
            raise FormatTooNew(message, path=str(path), found=found, known=MANIFEST_FORMAT)
        manifest = msgspec.json.decode(data, type=Manifest)
        for copied in manifest.collections:
            copied.collection()
    except msgspec.DecodeError as damaged:
        raise _damaged(path) from damaged
    if manifest.checksum != _checksum(manifest) or not _stays_inside(manifest):
        raise _damaged(path)
    return manifest


def _stays_inside(manifest: Manifest) -> bool:
    tenants = (tenant for copied in manifest.collections for tenant in copied.tenants)
    return (
        all(_PATH.fullmatch(file.path) for file in manifest.files)
        and all(_COLLECTION_FOLDER.fullmatch(copied.folder) for copied in manifest.collections)
        and all(_TENANT_FOLDER.fullmatch(tenant.folder) for tenant in tenants)
    )


def _checksum(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(manifest, checksum=""))).hexdigest()


def _damaged(path: Path) -> SnapshotUnusable:
    return SnapshotUnusable(f"{path} is damaged, so nothing in the snapshot can be trusted; use another one", path=str(path))
