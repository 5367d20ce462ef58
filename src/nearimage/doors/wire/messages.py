"""The message classes of the gRPC door, from `weaviate.proto`.

They live in a descriptor pool of their own: the official client, imported into the same process, registers messages of the same names in the
default pool, and two definitions of one name cannot share a pool.

May import protobuf and `encoding` only. Messages are built at run time, so they are `Any` to the type checker; the tests of the door are their check.
"""

from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.internal import enum_type_wrapper

from nearimage.doors.wire.encoding import FIXED32, FIXED64, SIZED, VARINT, key

_POOL = descriptor_pool.DescriptorPool()
for _file in descriptor_pb2.FileDescriptorSet.FromString(files(__package__).joinpath("weaviate.binpb").read_bytes()).file:
    _POOL.Add(_file)


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"weaviate.v1.{name}"))


def _enum(name: str) -> Any:
    return enum_type_wrapper.EnumTypeWrapper(_POOL.FindEnumTypeByName(f"weaviate.v1.{name}"))


_KINDS = {
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FLOAT: FIXED32,
    FieldDescriptor.TYPE_INT64: VARINT,
    FieldDescriptor.TYPE_BOOL: VARINT,
    FieldDescriptor.TYPE_ENUM: VARINT,
}


def key_of(message: Any, field: str) -> bytes:
    """What stands before a field's value in the bytes of a message, for whoever writes them by hand.

    Args:
        message: a class of this module.
        field: one number, or anything that has a length: text, bytes, a message; several numbers are packed and have a length too.
    """
    described = descriptor_pb2.DescriptorProto()
    message.DESCRIPTOR.CopyToProto(described)  # `FieldDescriptor.label` went with protobuf 7, what took its place came with 6
    found = next(one for one in described.field if one.name == field)
    return key(found.number, SIZED if found.label == found.LABEL_REPEATED else _KINDS.get(found.type, SIZED))


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
GroupByResult = _message("GroupByResult")
HybridMessage = _message("Hybrid")
MetadataResult = _message("MetadataResult")
PropertiesMessage = _message("Properties")
PropertiesResult = _message("PropertiesResult")
QueryProfile = _message("QueryProfile")
RefPropertiesResult = _message("RefPropertiesResult")
SearchOperatorOptions = _message("SearchOperatorOptions")
SearchReply = _message("SearchReply")
SearchRequest = _message("SearchRequest")
SearchResult = _message("SearchResult")
TenantActivityStatus = _enum("TenantActivityStatus")
TenantsGetReply = _message("TenantsGetReply")
TenantsGetRequest = _message("TenantsGetRequest")
VectorsMessage = _message("Vectors")
