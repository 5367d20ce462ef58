"""What all URLs and files of one request may take together: bytes, and time.

A request of a hundred kilobytes can name a thousand large pictures. May import `domain` and the standard library only.
"""

from threading import Lock

from nearimage.domain.errors import FetchFailed


class Allowance:
    """Counts for one request; its fetches run side by side.

    Args:
        size: bytes of everything together.
        ends_at: by `time.monotonic`.
    """

    def __init__(self, size: int, ends_at: float) -> None:
        self.ends_at = ends_at
        self._size = size
        self._left = size
        self._lock = Lock()

    def take(self, count: int, shown: str) -> None:
        """Count bytes that have come.

        Args:
            shown: the URL that they come from, as a message may say it.

        Raises:
            FetchFailed: they are more than the request may have.
        """
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise FetchFailed(f"{shown} was not read: the URLs of one request may bring {self._size:,} bytes together; send fewer at a time", url=shown)
