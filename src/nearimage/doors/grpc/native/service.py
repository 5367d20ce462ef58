"""What all connections of a server share: methods, limits, memory, the pool, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nearimage.doors.access import Access
from nearimage.doors.grpc.http2.limits import Limits
from nearimage.doors.grpc.native.methods import Method
from nearimage.doors.grpc.native.work import Work
from nearimage.doors.memory import Memory


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """It will not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """See the module.

    Attributes:
        methods: by path.
        access: who may call.
        max_message_bytes: of requests and replies, unfolded.
        max_unread_bytes: of replies of one connection that its client has not made room for; then nothing more of it is begun.
        stall_s: how long a message may not go on.
        call_later: calls something on the event loop after so many seconds.
        clock: seconds from any beginning.
    """

    methods: Mapping[bytes, Method]
    access: Access
    limits: Limits
    max_message_bytes: int
    max_unread_bytes: int
    stall_s: int
    memory: Memory
    work: Work
    call_later: Callable[[float, Callable[[], None]], Any]
    clock: Callable[[], float]
