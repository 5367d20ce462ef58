"""All containers of a server: each address is spoken to by one client, whichever schemas name it.

May import `domain`, `ports` and `vectorizers.remote`.
"""

import logging
import os
import threading
from collections.abc import Mapping, Sequence

from nearimage.domain.errors import Busy
from nearimage.vectorizers.remote.container import Container
from nearimage.vectorizers.remote.contracts import Contract
from nearimage.vectorizers.remote.vectorizer import RemoteVectorizer

_log = logging.getLogger(__name__)

TIMEOUT_S = 50.0
"""Weaviate's MODULES_CLIENT_TIMEOUT."""

REQUESTS_AT_ONCE = 2 * (os.cpu_count() or 1)
"""Of imports, to one container (Weaviate's: twice the cores)."""

SINGLES_AT_ONCE = 64
"""Connections that queries may open on top; as many as requests are worked on at once, at most (`NEARIMAGE_THREADS`)."""

LOOK_EVERY_S = 1.0
"""How often a container that is not ready yet is looked for (Weaviate's)."""


class Containers:
    """Speaks to containers.

    Args:
        timeout_s: for one request.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._known: dict[tuple[str, str], tuple[Container, RemoteVectorizer]] = {}
        self._watches: list[threading.Thread] = []

    def vectorizer(self, contract: Contract, url: str) -> RemoteVectorizer:
        """The vectorizer of the container there, the same one each time.

        Raises:
            Busy: `close` was called.
        """
        return self._at(contract, url)[1]

    def about(self, contract: Contract, url: str) -> Mapping[str, object]:
        """What the container says about itself; nothing where the contract has no such question."""
        return self._at(contract, url)[0].about() if contract.describes_itself else {}

    def watch(self, contract: Contract, url: str) -> None:
        """Look for a container until it is ready, and log when it is not and when it is; in a thread of its own."""
        container = self._at(contract, url)[0]
        thread = threading.Thread(target=self._watch, args=(container, contract.module, url), name=f"wait-{contract.module}")
        self._watches.append(thread)
        thread.start()

    def close(self) -> None:
        """End all threads and connections; calls after this are `Busy`."""
        self._stop.set()
        for thread in self._watches:
            thread.join()
        with self._lock:
            known: Sequence[tuple[Container, RemoteVectorizer]] = list(self._known.values())
            self._known.clear()
        for _, vectorizer in known:
            vectorizer.close()

    def _at(self, contract: Contract, url: str) -> tuple[Container, RemoteVectorizer]:
        with self._lock:
            if self._stop.is_set():
                raise Busy("the server is stopping; send the request again later")
            key = (contract.module, url)
            if key not in self._known:
                container = Container(contract.module, url, timeout_s=self._timeout_s, connections=REQUESTS_AT_ONCE + SINGLES_AT_ONCE)
                self._known[key] = container, RemoteVectorizer(contract, container, requests_at_once=REQUESTS_AT_ONCE)
            return self._known[key]

    def _watch(self, container: Container, module: str, url: str) -> None:
        if container.is_ready():
            _log.info("the inference container of %s at %s is ready", module, url)
            return
        _log.warning("the inference container of %s at %s is not ready; what needs it is refused as busy until it is", module, url)
        while not self._stop.wait(LOOK_EVERY_S):
            if container.is_ready():
                _log.info("the inference container of %s at %s is ready now", module, url)
                return
