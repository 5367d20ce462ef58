"""Read what a request's text stands for, wherever the bytes are.

    base64, data:...   in the text itself        `references`
    http:, https:      on another machine        `fetching`
    file:              below one folder          `folder`

The first is work, the others are waiting. So many references of one request are fetched side by side, in threads that all requests share, within an
allowance of bytes and seconds for the request; and only some requests may wait at a time, or a few slow servers would hold all of this one's threads.

May import `domain` and the standard library only.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore

from nearimage.domain.errors import Busy, FetchFailed, InvalidInput, InvalidUrl, UrlRefused
from nearimage.domain.long_text import LongText
from nearimage.media.allowance import Allowance
from nearimage.media.fetching import Fetcher
from nearimage.media.folder import PictureFolder
from nearimage.media.references import read_reference
from nearimage.media.urls import LONGEST_SCHEME, scheme_of, shown

WEB = frozenset({"http", "https"})

CLOSING = "the server is stopping; send the request again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """What fetching for one request may take.

    Attributes:
        size: bytes of all that its URLs bring.
        timeout_s: for all of them together.
        parallel: fetches under way at a time, of all requests together.
        requests: requests that may wait for URLs at a time.
    """

    size: int = 256 * 1024 * 1024
    timeout_s: float = 60
    parallel: int = 16
    requests: int = 4


class Sources:
    """Reads references of every kind that is switched on.

    Args:
        max_bytes: the most bytes that a reference may stand for.
        web: fetches URLs; None refuses them.
        folder: reads files; None refuses them.
    """

    def __init__(self, *, max_bytes: int, web: Fetcher | None = None, folder: PictureFolder | None = None, limits: RequestLimits | None = None) -> None:
        self._max_bytes = max_bytes
        self._web = web
        self._folder = folder
        self._limits = limits or RequestLimits()
        self._requests = BoundedSemaphore(self._limits.requests)
        self._pool = ThreadPoolExecutor(self._limits.parallel, thread_name_prefix="fetch")
        self._closed = False

    def waits(self, reference: str) -> bool:
        """Whether the bytes are somewhere else than in the text."""
        return scheme_of(reference) not in {None, "data"}

    def read(self, reference: str | LongText, *, broken: bool = False) -> bytes:
        """The bytes that a text stands for; see the media port."""
        beginning = reference.beginning(LONGEST_SCHEME) if isinstance(reference, LongText) else reference
        if not self.waits(beginning):
            return read_reference(reference, max_bytes=self._max_bytes, broken=broken)
        with self._admitted() as allowance:  # on the caller's own thread it waits behind no import
            return self._fetch(str(reference), allowance)

    def read_many(self, references: Sequence[str]) -> list[bytes | InvalidInput]:
        """The bytes that several texts stand for, fetched side by side; see the media port."""
        if not any(self.waits(reference) for reference in references):
            return [self._outcome(reference, None) for reference in references]
        with self._admitted() as allowance:
            if len(references) == 1:
                return [self._outcome(references[0], allowance)]
            try:
                futures = [self._pool.submit(self._outcome, reference, allowance) for reference in references]
                return [future.result() for future in futures]
            except (CancelledError, RuntimeError) as error:  # what a pool raises once it is shut down
                raise Busy(CLOSING) from error

    def close(self) -> None:
        """Refuse what comes, and let the threads go when what they fetch is there."""
        self._closed = True
        self._pool.shutdown(cancel_futures=True)
        if self._web:
            self._web.close()

    @contextmanager
    def _admitted(self) -> Iterator[Allowance]:
        if self._closed:
            raise Busy(CLOSING)
        if not self._requests.acquire(blocking=False):
            raise Busy(f"{self._limits.requests} requests are waiting for URLs already, no more may; try again later", waiting=self._limits.requests)
        try:
            yield Allowance(self._limits.size, time.monotonic() + self._limits.timeout_s)
        finally:
            self._requests.release()

    def _outcome(self, reference: str, allowance: Allowance | None) -> bytes | InvalidInput:
        """One reference's bytes, or why it has none, so that one bad reference fails alone."""
        try:
            if allowance is None or not self.waits(reference):
                return read_reference(reference, max_bytes=self._max_bytes)
            if time.monotonic() > allowance.ends_at:
                raise FetchFailed(
                    f"{shown(reference)} was not fetched: the URLs of one request have {self._limits.timeout_s:g} s together; send fewer at a time",
                    url=shown(reference),
                )
            return self._fetch(reference, allowance)
        except InvalidInput as error:
            return error

    def _fetch(self, reference: str, allowance: Allowance) -> bytes:
        scheme = scheme_of(reference)
        if scheme in WEB:
            if self._web is None:
                raise _switched_off(reference, "URLs are not fetched", "NEARIMAGE_FETCH")
            return self._web.fetch(reference, allowance)
        if scheme == "file":
            if self._folder is None:
                raise _switched_off(reference, "files are not read", "NEARIMAGE_FILE_ROOT")
            return self._folder.read(reference, allowance)
        raise InvalidUrl(f"{shown(reference)} cannot be read: use http, https or data, or send the base64 of the bytes", url=shown(reference))


def _switched_off(reference: str, what: str, variable: str) -> UrlRefused:
    return UrlRefused(f"{what} by this server ({variable}); send the base64 of the bytes instead of {shown(reference)}", url=shown(reference))
