"""The methods that can be called, as the transport sees them: what takes one message, and what holds a conversation."""

from collections.abc import Mapping
from dataclasses import dataclass

from nearimage.doors.grpc.handlers import HEALTH_CHECK, Handler, OpenSession


@dataclass(frozen=True, slots=True)
class UnaryMethod:
    """One message, one reply.

    Attributes:
        answer: makes the reply.
        is_quick: it may be answered on the event loop.
    """

    answer: Handler
    is_quick: bool


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """Messages both ways.

    Attributes:
        open_session: begins a conversation.
    """

    open_session: OpenSession


Method = UnaryMethod | StreamMethod


def methods_by_path(unary: Mapping[str, Handler], streams: Mapping[str, OpenSession]) -> Mapping[bytes, Method]:
    """All methods, by what a request has in `:path`."""
    methods: dict[bytes, Method] = {path.encode(): UnaryMethod(answer, path == HEALTH_CHECK) for path, answer in unary.items()}
    return methods | {path.encode(): StreamMethod(opening) for path, opening in streams.items()}
