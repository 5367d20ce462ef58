"""A collection with a property for every kind of media, all in one vector of `multi2vec-bind`; through the official Python client."""

import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from nearimage.domain.vectorizing import Modality
from tests.servers import LiveServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import weaviate
    from weaviate.classes.config import Configure, DataType, Property

SENSES = tuple(str(modality) for modality in Modality if modality is not Modality.TEXT)


@contextmanager
def connected(server: LiveServer) -> Iterator[Any]:
    """The official client, connected to a server of this machine."""
    with weaviate.connect_to_local(port=server.http_port, grpc_port=server.grpc_port) as client:
        yield client


@contextmanager
def things_of_all_senses(client: Any) -> Iterator[Any]:
    """The collection: a `title` of words and a file for each sense, each named after it."""
    name = f"Thing_{uuid4().hex}"
    properties = [Property(name="title", data_type=DataType.TEXT), *(Property(name=sense, data_type=DataType.BLOB) for sense in SENSES)]
    fields: dict[str, Any] = {f"{sense}_fields": [sense] for sense in SENSES}
    yield client.collections.create(name, properties=properties, vector_config=Configure.Vectors.multi2vec_bind(text_fields=["title"], **fields))
    client.collections.delete(name)


def encoded(data: bytes) -> str:
    """A file as an object or a query carries it."""
    return b64encode(data).decode()
