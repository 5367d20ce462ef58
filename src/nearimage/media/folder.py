"""Read files that clients name by `file:` URLs: only below one folder, only plain files.

    file:///pictures/dogs/corgi.jpg --resolved, symbolic links too--> still below the folder? --opened step by step--> plain file? small enough? --> bytes

The path is resolved first, so that a link leads where it leads and is judged there. Then it is opened one folder at a time without following links
(O_NOFOLLOW): whoever swaps a folder for a link meanwhile gets an error, not another file. May import `domain` and the standard library only.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from nearimage.domain.errors import FetchFailed, InvalidUrl, PictureTooLarge, UrlRefused
from nearimage.media.allowance import Allowance
from nearimage.media.urls import shown

_FILE_URL = re.compile(r"file:(?://(?:localhost)?)?(/[^?#]*)", re.IGNORECASE)  # RFC 8089: a path from the root, on this machine


class PictureFolder:
    """The folder below which files may be read.

    Args:
        root: an absolute path.
        max_bytes: the largest file.
    """

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self._root = root.resolve()
        self._max_bytes = max_bytes

    def read(self, url: str, allowance: Allowance) -> bytes:
        """The bytes of a file.

        Raises:
            InvalidUrl: no path that begins at the root of this machine.
            UrlRefused: the path leads out of the folder, whether there is something or not.
            FetchFailed: there is no such file, or it is a folder, a device, a pipe, or may not be read.
            PictureTooLarge: more bytes than the limit.
        """
        path = self._resolved(url)
        try:
            with self._opened(path) as descriptor:
                state = os.fstat(descriptor)
                if not stat.S_ISREG(state.st_mode):
                    raise FetchFailed(f"{shown(url)} is no plain file", url=shown(url))
                self._check_size(state.st_size, url)
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    content = file.read(self._max_bytes + 1)  # it may grow meanwhile
        except OSError as error:
            raise FetchFailed(f"{shown(url)} cannot be read: {error.strerror or error}", url=shown(url)) from error
        self._check_size(len(content), url)
        allowance.take(len(content), shown(url))
        return content

    def _resolved(self, url: str) -> Path:
        match = _FILE_URL.fullmatch(url)
        text = unquote(match[1], errors="surrogateescape") if match else ""
        if not text or "\0" in text:
            raise InvalidUrl(f"{shown(url)} names no file on this machine; write file:///folder/picture.jpg", url=shown(url))
        try:
            path = Path(text).resolve()
        except (OSError, RuntimeError) as error:  # links that lead in a circle, a name that is too long
            raise FetchFailed(f"{shown(url)} cannot be read: it leads nowhere", url=shown(url)) from error
        if not path.is_relative_to(self._root) or path == self._root:
            raise UrlRefused(f"{shown(url)} is not read: it does not lie below the folder that this server reads files from", url=shown(url))
        return path

    @contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        *folders, name = path.relative_to(self._root).parts
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                descriptor = _step(descriptor, folder, os.O_DIRECTORY)
            descriptor = _step(descriptor, name, os.O_NONBLOCK)  # opening a pipe would wait for its writer
            yield descriptor
        finally:
            os.close(descriptor)

    def _check_size(self, size: int, url: str) -> None:
        if size > self._max_bytes:
            raise PictureTooLarge(
                f"{shown(url)} has {size:,} bytes; the limit is {self._max_bytes:,}; use a smaller one, or raise the limit", limit=self._max_bytes, got=size
            )


def _step(descriptor: int, name: str, flag: int) -> int:
    """Open what lies in an open folder, and close that; what cannot be opened leaves the folder open."""
    inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flag, dir_fd=descriptor)
    os.close(descriptor)
    return inner
