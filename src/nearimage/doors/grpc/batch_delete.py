"""BatchDelete: delete every object that passes a filter, or only say which would be. May import `domain`, `service` and `doors` only."""

import time

from nearimage.domain.errors import InvalidFilter
from nearimage.doors.grpc.filters import read_filter
from nearimage.doors.grpc.parsing import parse
from nearimage.doors.wire.messages import BatchDeleteReply, BatchDeleteRequest
from nearimage.service.services import Services


def batch_delete(services: Services, request: bytes) -> bytes:
    """Answer a BatchDeleteRequest; verbose ones name each object.

    Raises:
        InvalidInput: the bytes are no such message, or it has no filter: deleting everything by accident is too easy.
    """
    started = time.perf_counter()
    message = parse(BatchDeleteRequest, request)
    if not message.HasField("filters"):
        raise InvalidFilter("a batch delete needs a filter that says which objects to delete", property=None)
    where = read_filter(message.filters)
    ids = services.deletions.delete(message.collection, where, tenant=message.tenant, dry_run=message.dry_run)
    reply = BatchDeleteReply(matches=len(ids), successful=len(ids))  # of a dry run: what would succeed
    if message.verbose:
        for one in ids:
            reply.objects.add(uuid=one.bytes, successful=True, error="")  # there, and empty: so clients know it
    reply.took = time.perf_counter() - started
    return bytes(reply.SerializeToString())
