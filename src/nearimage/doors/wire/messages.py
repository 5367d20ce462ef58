"""The message classes of the gRPC door, from `weaviate.proto`.

They live in a descriptor pool of their own: the official client, imported into the same process, registers messages of the same names in the
default pool, and two definitions of one name cannot share a pool.

May import protobuf only. Messages are built at run time, so they are `Any` to the type checker; the tests of the door are their check.
"""

from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_POOL = descriptor_pool.DescriptorPool()
for _file in descriptor_pb2.FileDescriptorSet.FromString(files(__package__).joinpath("weaviate.binpb").read_bytes()).file:
    _POOL.Add(_file)


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"weaviate.v1.{name}"))


BatchObjectsReply = _message("BatchObjectsReply")
BatchObjectsRequest = _message("BatchObjectsRequest")
Filters = _message("Filters")
HealthCheckResponse = _message("HealthCheckResponse")
SearchReply = _message("SearchReply")
SearchRequest = _message("SearchRequest")
