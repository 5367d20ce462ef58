"""The methods that can be called, as the transport sees them: what takes one message is a `Handler`, what holds a conversation a `Conversational`."""

from collections.abc import Mapping
from dataclasses import dataclass

from nearimage.doors.grpc.handlers import Handler, OpenSession


@dataclass(frozen=True, slots=True)
class Conversational:
    """A method over which messages go both ways.

    Attributes:
        open_session: begins a conversation.
    """

    open_session: OpenSession


Method = Handler | Conversational


def methods_by_path(unary: Mapping[str, Handler], streams: Mapping[str, OpenSession]) -> Mapping[bytes, Method]:
    """All methods, by what a request has in `:path`."""
    methods: dict[bytes, Method] = {path.encode(): handler for path, handler in unary.items()}
    return methods | {path.encode(): Conversational(opening) for path, opening in streams.items()}
