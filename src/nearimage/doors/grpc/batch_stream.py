"""BatchStream: one long call over which a client imports, told at once what was stored.

    client                          server
    start                     -->   started
    data (objects, references) -->  acks (their ids), results (which were stored, which not, and why); once, backoff (how many objects to send at a time)
    stop, or half-close       -->   the stream ends

A message is answered when its objects are durably stored: what was acknowledged survives kill -9, and since a client keeps only so much unacknowledged, a
slow disk slows the client down by itself. References come after the objects of their message, so that they may point from them.

The session knows nothing of the transport: a message in, the replies out. May import `domain`, `service` and `doors` only.
"""

from collections.abc import Sequence
from typing import Any

from nearimage.domain.errors import InvalidInput
from nearimage.doors.faults import fault_of
from nearimage.doors.grpc.batch import store_objects
from nearimage.doors.grpc.batch_references import beacon_of, store_references
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.wire.messages import BatchStreamReply, BatchStreamRequest
from nearimage.service.services import Services

OBJECTS_AT_A_TIME = 500
"""What clients are told to send in one message: one durable commit for 500 objects costs little more than one for 10 (docs/design/engine.md)."""


class BatchStreamSession:
    """One stream. For one message at a time.

    Attributes:
        is_over: whether the client has said that it stops.
    """

    def __init__(self, services: Services) -> None:
        self.is_over = False
        self._services = services
        self._started = False
        self._advised = False

    def answer(self, request: bytes) -> Sequence[bytes]:
        """The replies to one message; blocks while its objects are stored.

        Raises:
            InvalidInput: it is no such message, or the first one is no start.
        """
        message = parse(BatchStreamRequest, request, what="message")
        kind = message.WhichOneof("message")
        if not self._started and kind != "start":
            raise InvalidInput(f"the first message of a batch stream must be a start message, got {kind or 'an empty one'}")
        if kind == "start":
            return self._start()
        if kind == "data":
            return self._store(message.data)
        self.is_over = kind == "stop"
        return ()

    def _start(self) -> Sequence[bytes]:
        if self._started:
            raise InvalidInput("a batch stream is started once; got a second start message")
        self._started = True
        return (_bytes(BatchStreamReply(started=BatchStreamReply.Started())),)

    def _advice(self) -> Sequence[bytes]:
        """Behind the first results, because there are clients that read acks and results as the next two messages after the start."""
        if self._advised:
            return ()
        self._advised = True
        return (_bytes(BatchStreamReply(backoff=BatchStreamReply.Backoff(batch_size=OBJECTS_AT_A_TIME))),)

    def _store(self, data: Any) -> Sequence[bytes]:
        objects, references = list(data.objects.values), list(data.references.values)
        failed, wrong = store_objects(self._services, objects), store_references(self._services, references)
        uuids, beacons = [entry.uuid for entry in objects], [beacon_of(entry) for entry in references]
        reply = BatchStreamReply()
        reply.results.SetInParent()
        for key, ids, errors in (("uuid", uuids, failed), ("beacon", beacons, wrong)):
            for position, one in enumerate(ids):
                if position in errors:
                    reply.results.errors.add(error=fault_of(errors[position]).message, **{key: one})
                else:
                    reply.results.successes.add(**{key: one})
        acks = BatchStreamReply.Acks(uuids=uuids, beacons=beacons)
        return _bytes(BatchStreamReply(acks=acks)), _bytes(reply), *self._advice()


def _bytes(message: Any) -> bytes:
    return bytes(message.SerializeToString())
