"""Get one file over HTTP, whole and unchanged, whatever the connection does.

    GET              -> 200, `<file>.part` grows; its ETag lies beside it in `<file>.part.tag`
    (cut)
    GET Range: bytes=N-, If-Range: <tag> -> 206 from byte N: gone on with   | 200: the file has changed, from the start
    size, SHA-256 as pinned -> fsync, rename to `<file>`                    | other: deleted, refused

A server that gives no tag is asked for the whole file each time. Broken connections and replies 429 and 5xx are tried again with growing pauses, until
nothing arrived several times in a row; refusals (404 ...) are final. May import httpx (inside functions), the standard library, `domain`,
`runtime.weights` and `store`.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nearimage.domain.errors import Busy, DiskFull, InvalidInput
from nearimage.vectorizers.runtime.weights import sha256
from nearimage.vectorizers.store.folder import writing
from nearimage.vectorizers.store.manifest import Pinned

if TYPE_CHECKING:
    import httpx

Progress = Callable[[str, int, int | None], None]
"""Told a file's name, how many of its bytes are there, and of how many; None where the server does not say."""

TIMEOUT_S = 30
"""How long a server may be silent; hubs answer in a second or not at all."""

ATTEMPTS = 5
"""How often in a row nothing may arrive: with the pauses below that is half a minute without a network."""


class DownloadFailed(Busy):
    """A file did not arrive; what arrived of it is kept; detail has "url"."""

    code = "download-failed"


class WrongFile(InvalidInput):
    """A file that arrived is not the one that was pinned; nothing of it was kept; detail has "url", "want" and "got"."""

    code = "wrong-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file to get.

    Attributes:
        size: in bytes, or None where only the checksum is known.
    """

    name: str
    url: str
    sha256: str
    size: int | None = None


class Downloader:
    """Gets files into a folder.

    Args:
        progress: told about every block.
        pause_s: before the second attempt; doubled for each one after.
    """

    def __init__(self, *, progress: Progress | None = None, pause_s: float = 1.0) -> None:
        self._progress = progress
        self._pause_s = pause_s

    def get(self, wanted: Wanted, target: Path) -> Pinned:
        """Get a file; one that is there and whole is left as it is.

        Raises:
            DownloadFailed: it did not arrive.
            WrongFile: another one did.
            DiskFull, FolderUnusable: there was no place for it; what arrived is kept.
        """
        if target.is_file() and sha256(target) == wanted.sha256:
            return Pinned(sha256=wanted.sha256, bytes=target.stat().st_size)
        part = target.with_name(target.name + ".part")
        with writing(part):
            part.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._fetch(wanted, part)
        except WrongFile:
            _forget(part)
            raise
        got = sha256(part)
        if got != wanted.sha256:
            _forget(part)
            message = f"{wanted.url} is not the file that was pinned: its SHA-256 is {got}, not {wanted.sha256}; nothing was kept. Compare with the publisher's"
            raise WrongFile(message, url=wanted.url, want=wanted.sha256, got=got)
        with writing(target):
            part.replace(target)
        _forget(part)
        return Pinned(sha256=got, bytes=target.stat().st_size)

    def _fetch(self, wanted: Wanted, part: Path) -> None:
        """Go on until the file is whole or nothing arrives any more."""
        import httpx  # noqa: PLC0415 - only downloads need it

        fruitless = 0
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True, headers={"Accept-Encoding": "identity"}) as client:
            while True:
                before = _size(part)
                try:
                    self._ask(client, wanted, part)
                    return
                except (httpx.TransportError, _TryAgain) as failed:
                    fruitless = 0 if _size(part) > before else fruitless + 1
                    if fruitless >= ATTEMPTS:
                        message = (
                            f"{wanted.url} did not arrive ({failed or type(failed).__name__}); what arrived is kept: do it again and it goes on from there"
                        )
                        raise DownloadFailed(message, url=wanted.url) from failed
                    time.sleep(self._pause_s * 2 ** max(0, fruitless - 1))
                except httpx.InvalidURL as wrong:
                    raise InvalidInput(f"{wanted.url!r} is no URL ({wrong})", url=wanted.url) from wrong

    def _ask(self, client: "httpx.Client", wanted: Wanted, part: Path) -> None:
        tag_file = part.with_name(part.name + ".tag")
        tag = tag_file.read_text("utf-8") if tag_file.is_file() and _size(part) else ""
        headers = {"Range": f"bytes={_size(part)}-", "If-Range": tag} if tag else {}
        with client.stream("GET", wanted.url, headers=headers) as reply:
            if reply.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                if wanted.size is not None and _size(part) == wanted.size:
                    return  # it was whole already
                _forget(part)
                raise _TryAgain("the server has less of it than before")
            _check_status(reply, wanted.url)
            start = _start(reply, part)
            total = _total(reply, start)
            if wanted.size is not None and total is not None and total != wanted.size:
                message = f"{wanted.url} has {total:,} bytes, but the file that was pinned has {wanted.size:,}; nothing was kept"
                raise WrongFile(message, url=wanted.url, want=wanted.size, got=total)
            _check_room(part, start, total)
            with writing(tag_file):
                tag_file.write_text(_tag(reply), "utf-8")
            self._write(reply, wanted, part, start=start, total=total)

    def _write(self, reply: "httpx.Response", wanted: Wanted, part: Path, *, start: int, total: int | None) -> None:
        done = start
        with writing(part), part.open("ab" if start else "wb") as file:
            for block in reply.iter_raw():
                done += len(block)
                if wanted.size is not None and done > wanted.size:
                    raise WrongFile(f"{wanted.url} is longer than the {wanted.size:,} bytes that were pinned", url=wanted.url, want=wanted.size, got=done)
                file.write(block)
                if self._progress:
                    self._progress(wanted.name, done, total or wanted.size)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and done < total:
            raise _TryAgain(f"the connection ended after {done:,} of {total:,} bytes")


class _TryAgain(Exception):
    """What a second request may mend."""


def _check_status(reply: "httpx.Response", url: str) -> None:
    status = reply.status_code
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _TryAgain(f"the server answers with status {status}")
    raise DownloadFailed(
        f"{url} cannot be had: the server answers with status {status}; is the address right, and may anybody read it?", url=url, status=status
    )


def _start(reply: "httpx.Response", part: Path) -> int:
    """From which byte on the server sends."""
    if reply.status_code == HTTPStatus.OK:
        return 0
    start = _size(part)
    if not reply.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        _forget(part)
        raise _TryAgain("the server sends another part than the one that was asked for")
    return start


def _total(reply: "httpx.Response", start: int) -> int | None:
    """How large the whole file is, if the server says."""
    length: Any = reply.headers.get("Content-Length")
    return start + int(length) if length and length.isdigit() else None


def _tag(reply: "httpx.Response") -> str:
    """What names this very content: a strong ETag, or the date it was last changed; nothing where the server gives neither."""
    tag = str(reply.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(reply.headers.get("Last-Modified", ""))


def _check_room(part: Path, start: int, total: int | None) -> None:
    """Refuse at once what cannot fit: half an hour of loading is lost otherwise."""
    missing = (total or 0) - start
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise DiskFull(f"{missing:,} bytes are still to come, and {part.parent} has room for {free:,}; free some space and do it again", path=str(part))


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _forget(part: Path) -> None:
    for path in (part, part.with_name(part.name + ".tag")):
        path.unlink(missing_ok=True)
