"""A container as a vectorizer: a request a bundle, several at a time.

A single bundle is a query or a single insert: it is sent from the thread of its request and waits behind no import. Many are an import: they share
a few threads. Once the container does not answer at all, the rest of a call is given up with the same error, or an import would wait out the
time-out for each of its objects. May import numpy, `domain`, `ports` and `vectorizers.remote`.
"""

from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from nearimage.domain.errors import Busy, InputRefused, NearimageError, NotSupported
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality
from nearimage.ports.vectorizer import Bundle
from nearimage.vectorizers.remote.container import Container
from nearimage.vectorizers.remote.contracts import Contract


@dataclass(slots=True)
class _Call:
    """What the requests of one call know of each other."""

    gave_up: Busy | None = None


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

    @property
    def modalities(self) -> frozenset[Modality]:
        """See the port."""
        return self._contract.modalities

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        """See the port."""
        call = _Call()
        if len(bundles) == 1:
            return [self._embed(bundles[0], call)]
        try:
            return list(self._pool.map(lambda bundle: self._embed(bundle, call), bundles))
        except (RuntimeError, CancelledError) as error:  # what a pool raises once it is shut down
            raise Busy("the server is stopping; send the request again later") from error

    def close(self) -> None:
        """Finish what runs and let the threads and connections go."""
        self._pool.shutdown(cancel_futures=True)
        self._container.close()

    def _embed(self, bundle: Bundle, call: _Call) -> Matrix | NearimageError:
        if strange := {entry.modality for entry in bundle} - self.modalities:
            return NotSupported(f"{self._contract.module} does not understand {', '.join(sorted(strange))}", feature=min(strange))
        try:
            return np.concatenate([self._asked(inputs, call) for inputs in self._contract.requests(bundle)])
        except ValueError as error:  # vectors of different lengths
            return self._container.unusable(error)
        except InputRefused as error:
            return error
        except Busy as error:
            call.gave_up = error
            return error

    def _asked(self, inputs: Bundle, call: _Call) -> Matrix:
        if call.gave_up:
            raise call.gave_up
        answer = self._container.ask(self._contract.path, self._contract.body(inputs))
        try:
            return self._contract.rows(inputs, answer)
        except (ValueError, KeyError, TypeError) as error:
            raise self._container.unusable(error) from error
