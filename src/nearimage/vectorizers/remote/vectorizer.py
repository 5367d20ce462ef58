"""A container as a vectorizer: a request a bundle, several at a time.

A single bundle is a query or a single insert: it is sent from the thread of its request and waits behind no import. Many are an import: they share
a few threads. Once the container does not answer at all, the rest of an import is given up with the same error, or it would wait out the time-out for
each of its objects; so is the next part of it, which follows at once. What is left of a request that was cancelled is not
sent. May import numpy, `domain`, `ports` and `vectorizers.remote`.
"""

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from nearimage.domain.cancellation import Cancellation, current_cancellation
from nearimage.domain.errors import Busy, ContainerSilent, InputRefused, NearimageError, NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.vectorizer import Bundle
from nearimage.vectorizers.remote.container import Container
from nearimage.vectorizers.remote.contracts import Contract

GIVEN_UP_S = 2.0
"""For so long after an import was given up, others are given up too: the parts of a batch follow each other within milliseconds, while whoever tries again
waits longer than this."""


@dataclass(slots=True)
class _Call:
    """What the requests of one call know of each other."""

    gave_up: ContainerSilent | None = None


class RemoteVectorizer:
    """The vectorizer; see the port.

    Args:
        requests_at_once: of imports; single bundles come on top.
    """

    short_side = None

    def __init__(self, contract: Contract, container: Container, *, requests_at_once: int) -> None:
        self._contract = contract
        self._container = container
        self._pool = ThreadPoolExecutor(requests_at_once, thread_name_prefix=contract.module)
        self._last_import = _Call()
        self._resumes = 0.0

    @property
    def modalities(self) -> frozenset[Modality]:
        """See the port."""
        return self._contract.modalities

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        """See the port."""
        if len(bundles) == 1:
            return [self._embed(bundles[0], _Call(), None)]
        token = current_cancellation()
        call = self._last_import if time.monotonic() < self._resumes else _Call()
        try:
            return list(self._pool.map(lambda bundle: self._embed(bundle, call, token), bundles))
        except (RuntimeError, CancelledError) as error:  # what a pool raises once it is shut down
            raise Busy("the server is stopping; send the request again later") from error
        finally:
            if call.gave_up and call is not self._last_import:
                self._last_import, self._resumes = call, time.monotonic() + GIVEN_UP_S

    def close(self) -> None:
        """Finish what runs and let the threads and connections go."""
        self._pool.shutdown(cancel_futures=True)
        self._container.close()

    def _embed(self, bundle: Bundle, call: _Call, token: Cancellation | None) -> Matrix | NearimageError:
        if strange := {entry.modality for entry in bundle} - self.modalities:
            return NotSupported(f"{self._contract.module} does not understand {', '.join(sorted(strange))}", feature=min(strange))
        try:
            if token:
                token.check()
            return np.concatenate([self._asked(inputs, call) for inputs in self._contract.requests(bundle)])
        except ValueError as error:  # vectors of different lengths
            return self._container.unusable(error)
        except ContainerSilent as error:
            call.gave_up = error
            return error
        except (InputRefused, Busy) as error:
            return error

    def _asked(self, inputs: Bundle, call: _Call) -> Matrix:
        if call.gave_up:
            raise call.gave_up
        answer = self._container.ask(self._contract.path, self._contract.body(inputs))
        try:
            return self._contract.rows(inputs, answer)
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.unusable(error) from error
