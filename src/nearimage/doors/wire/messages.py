"""The message classes of the gRPC door, from `weaviate.proto`.

They live in a descriptor pool of their own: the official client, imported into the same process, registers messages of the same names in the
default pool, and two definitions of one name cannot share a pool.

May import protobuf only. Messages are built at run time, so they are `Any` to the type checker; the tests of the door are their check.
"""

from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

_POOL = descriptor_pool.DescriptorPool()
for _file in descriptor_pb2.FileDescriptorSet.FromString(files(__package__).joinpath("weaviate.binpb").read_bytes()).file:
    _POOL.Add(_file)


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"weaviate.v1.{name}"))


def _enum(name: str) -> Any:
    return enum_type_wrapper.EnumTypeWrapper(_POOL.FindEnumTypeByName(f"weaviate.v1.{name}"))


AggregateReply = _message("AggregateReply")
AggregateRequest = _message("AggregateRequest")
BatchDeleteReply = _message("BatchDeleteReply")
BatchDeleteRequest = _message("BatchDeleteRequest")
BatchObjectsReply = _message("BatchObjectsReply")
BatchObjectsRequest = _message("BatchObjectsRequest")
BatchReferencesReply = _message("BatchReferencesReply")
BatchReferencesRequest = _message("BatchReferencesRequest")
BatchStreamReply = _message("BatchStreamReply")
BatchStreamRequest = _message("BatchStreamRequest")
BoostMessage = _message("Boost")
CombinationMethod = _enum("CombinationMethod")
Filters = _message("Filters")
HealthCheckResponse = _message("HealthCheckResponse")
HybridMessage = _message("Hybrid")
SearchOperatorOptions = _message("SearchOperatorOptions")
SearchReply = _message("SearchReply")
SearchRequest = _message("SearchRequest")
TenantActivityStatus = _enum("TenantActivityStatus")
TenantsGetReply = _message("TenantsGetReply")
TenantsGetRequest = _message("TenantsGetRequest")
VectorsMessage = _message("Vectors")
