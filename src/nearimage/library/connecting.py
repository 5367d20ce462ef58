"""A data folder, opened in the caller's own process.

    connect(folder) -> Library --collection(name)--> Pictures --add, search, get, delete--> what is stored

The same folder, the same use cases and the same answers as behind the server; one process at a time has a folder open. Modules that load models or
numpy are imported when a folder is opened, so that `import nearimage` costs nothing. May import `app`, `config`, `domain`, `service` and `library`.
"""

import os
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from nearimage.app import Database
    from nearimage.library.pictures import Pictures


def connect(folder: str | PathLike[str], **settings: object) -> "Library":
    """Open a data folder in this process; it is made if it is not there.

    Args:
        folder: what `nearimage serve --data` is told.
        settings: any other setting, under the names that `nearimage config` prints, such as `clip_model="starter"`; environment variables count as well.

    Raises:
        FolderInUse: another process has it open; where that is a server, ask it with a client.
        FolderUnusable, FormatTooNew: it cannot be used.
        InvalidSetting: there is no such setting, or its value cannot be.
    """
    from nearimage.app import open_database
    from nearimage.config.settings import load_settings

    return Library(open_database(load_settings({"data": os.fspath(folder), **settings}, os.environ)))


class Library:
    """An open database; a context manager that closes it. For any thread."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    def collection(self, name: str, *, model: str | None = None, clip_model: str | None = None) -> "Pictures":
        """The collection of that name; it is made if it is not there: a property `image`, and the vector `picture` of `img2vec-neural`.

        Args:
            model: of a new collection's `img2vec-neural`.
            clip_model: gives a new collection a vector `words` of `multi2vec-clip` too, with this model: it can be searched by words.

        Raises:
            InvalidSchema, ModelMissing: it cannot be made so.
        """
        from nearimage.library.pictures import Pictures, find_or_make

        return Pictures(self._database.services, find_or_make(self._database.services, name, model=model, clip_model=clip_model))

    def collections(self) -> tuple[str, ...]:
        """The names of all collections."""
        return tuple(collection.name for collection in self._database.services.collections.all())

    def drop(self, name: str) -> bool:
        """Delete a collection with all its pictures, for good; whether there was one."""
        return self._database.services.collections.drop(name)

    def close(self) -> None:
        """Let go of the folder. Closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
