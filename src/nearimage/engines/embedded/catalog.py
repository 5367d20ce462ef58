"""Which collections exist: `meta.db` alone decides.

A collection is made in the order folder, then row; it is dropped in the order row, then folder. A crash in between leaves in both cases a folder
without a row, which nothing refers to; opening removes it.

May import apsw, msgspec, `domain` and this package.
"""

import shutil
from pathlib import Path

import msgspec

from nearimage.domain.errors import Corrupt
from nearimage.domain.schema import Collection
from nearimage.engines.embedded.database import connect
from nearimage.engines.embedded.disk import storage_faults
from nearimage.engines.embedded.layout import COLLECTIONS_FOLDER, META_FILE, META_FORMAT, META_SCHEMA
from nearimage.engines.embedded.recovery import make_shard


class Catalog:
    """The collections of a data folder and where each one lies. For one thread at a time.

    Attributes:
        collections: by name.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / META_FILE
        self._parent = folder / COLLECTIONS_FOLDER
        self._folders: dict[str, Path] = {}
        self.collections: dict[str, Collection] = {}
        with storage_faults(self._path):
            self._parent.mkdir(exist_ok=True)
            self._connection = connect(self._path, version=META_FORMAT, schema=META_SCHEMA)
            try:
                self._load()
            except BaseException:
                self._connection.close()
                raise

    def folder(self, name: str) -> Path:
        """Where a collection's shard lies."""
        return self._folders[name]

    def add(self, collection: Collection) -> None:
        """Make a collection; on an error nothing is left of it."""
        with storage_faults(self._path):
            definition = msgspec.json.encode(collection).decode()
            self._connection.execute("BEGIN IMMEDIATE")
            folder = None
            try:
                self._connection.execute("INSERT INTO collections (name, folder, definition) VALUES (?, '', ?)", (collection.name, definition))
                folder = self._parent / f"c{self._connection.last_insert_rowid():06}"
                shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
                make_shard(folder)
                self._connection.execute("UPDATE collections SET folder = ? WHERE name = ?", (folder.name, collection.name))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if folder:
                    shutil.rmtree(folder, ignore_errors=True)
                raise
        self.collections[collection.name], self._folders[collection.name] = collection, folder

    def remove(self, name: str) -> Path:
        """Forget a collection, durably; the caller removes the folder returned when nobody uses it any more."""
        with storage_faults(self._path):
            self._connection.execute("DELETE FROM collections WHERE name = ?", (name,))
        del self.collections[name]
        return self._folders.pop(name)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _load(self) -> None:
        for name, folder, definition in self._connection.execute("SELECT name, folder, definition FROM collections ORDER BY name"):
            try:
                self.collections[str(name)] = msgspec.json.decode(str(definition), type=Collection)
            except msgspec.DecodeError as damaged:
                message = f"the definition of collection {name!r} in {self._path} is damaged ({damaged}); restore it from a backup"
                raise Corrupt(message, path=str(self._path)) from damaged
            self._folders[str(name)] = self._parent / str(folder)
        known = set(self._folders.values())
        for folder_found in self._parent.iterdir():
            if folder_found not in known:
                shutil.rmtree(folder_found, ignore_errors=True)
