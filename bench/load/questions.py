"""The requests that bench/wire.py replays, as bytes, against a collection of its own making."""

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from nearimage.domain.objects import Matrix, Vector
from nearimage.doors.wire.messages import AggregateRequest, BatchObjectsRequest, Filters, HybridMessage, SearchRequest, VectorsMessage

SERVICE = "/weaviate.v1.Weaviate/"
SEARCH, BATCH, AGGREGATE = f"{SERVICE}Search", f"{SERVICE}BatchObjects", f"{SERVICE}Aggregate"
COLLECTION = "Ann"
SCHEMA: dict[str, Any] = {
    "class": COLLECTION,
    "vectorizer": "none",
    "properties": [{"name": "title", "dataType": ["text"]}, {"name": "rank", "dataType": ["int"]}, {"name": "price", "dataType": ["number"]}],
}


class Recorded(NamedTuple):
    """One request as the load generator sends it."""

    method: str
    path: str
    body: bytes = b""


def write(path: Path, requests: Iterable[Recorded]) -> Path:
    """A file as the load generator reads it."""
    with path.open("wb") as file:
        for one in requests:
            parts = (one.method.encode(), one.path.encode(), one.body)
            file.write(struct.pack("<3I", *map(len, parts)) + b"".join(parts))
    return path


def id_of(number: int) -> UUID:
    """The id of an object."""
    return UUID(int=(1 << 127) | (4 << 76) | (2 << 62) | number)


def call(path: str, message: Any) -> Recorded:
    """A gRPC call."""
    return Recorded("POST", path, message.SerializeToString())


def batches(vectors: Matrix, size: int, first: int = 0) -> Iterator[Recorded]:
    """Imports of so many objects at a time."""
    rank = np.random.default_rng(1).permutation(len(vectors))
    for start in range(0, len(vectors), size):
        request = BatchObjectsRequest()
        for number in range(start, min(start + size, len(vectors))):
            entry = request.objects.add(uuid=str(id_of(first + number)), collection=COLLECTION, vector_bytes=vectors[number].tobytes())
            fields = entry.properties.non_ref_properties
            fields["title"] = f"picture number {number} of the set"
            fields["rank"] = int(rank[number])
            fields["price"] = float(number % 997) / 7
        yield call(BATCH, request)


def searching(limit: int = 10) -> Any:
    """A search that returns ids and two properties."""
    request = SearchRequest(collection=COLLECTION, limit=limit, uses_123_api=True, uses_125_api=True, uses_127_api=True)
    request.properties.non_ref_properties.extend(["title", "rank"])
    request.metadata.uuid = True
    return request


class Questions:
    """Every kind of request, over and over with other values.

    Args:
        queries: (n, dims).
        rows: how many objects there are.
    """

    def __init__(self, queries: Matrix, rows: int) -> None:
        self._queries = queries
        self._rows = rows
        self._random = np.random.default_rng(3)

    def health(self) -> Iterator[Recorded]:
        """Nothing but a call and its answer."""
        yield Recorded("POST", "/grpc.health.v1.Health/Check")

    def live(self) -> Iterator[Recorded]:
        """REST: a request that is answered without looking anywhere."""
        yield Recorded("GET", "/v1/.well-known/live")

    def near(self, share: float = 1, *, limit: int = 10, vectors: bool = False) -> Iterator[Recorded]:
        """near_vector, perhaps among a share of the objects."""
        for query in self._queries:
            request = searching(limit)
            request.metadata.distance, request.metadata.vector = True, vectors
            self._put(request.near_vector, query)
            if share < 1:
                self._below(request.filters, share)
            yield call(SEARCH, request)

    def words(self) -> Iterator[Recorded]:
        """bm25: a frequent word and a rare one."""
        for number in self._random.integers(self._rows, size=500):
            request = searching()
            request.bm25_search.query = f"picture {number}"
            request.bm25_search.properties.append("title")
            yield call(SEARCH, request)

    def hybrid(self) -> Iterator[Recorded]:
        """Half words, half vector."""
        for query in self._queries:
            request = searching()
            part = request.hybrid_search
            part.query, part.alpha, part.fusion_type = f"number {self._random.integers(self._rows)}", 0.5, HybridMessage.FUSION_TYPE_RELATIVE_SCORE
            self._put(part, query)
            yield call(SEARCH, request)

    def grouped(self) -> Iterator[Recorded]:
        """near_vector in groups."""
        for query in self._queries:
            request = searching(50)
            self._put(request.near_vector, query)
            request.group_by.path.append("price")
            request.group_by.number_of_groups, request.group_by.objects_per_group = 5, 3
            yield call(SEARCH, request)

    def filtered(self) -> Iterator[Recorded]:
        """What passes a filter, in no order of the caller's."""
        request = searching()
        self._below(request.filters, 500 / self._rows)
        yield call(SEARCH, request)

    def sorted(self) -> Iterator[Recorded]:
        """Ten of all by a number."""
        request = searching()
        request.sort_by.add(ascending=False).path.append("price")
        yield call(SEARCH, request)

    def pages(self) -> Iterator[Recorded]:
        """Pages of a thousand by cursor."""
        for first in range(0, self._rows - 1000, 1000):
            request = searching(1000)
            if first:
                request.after = str(id_of(first))
            yield call(SEARCH, request)

    def summaries(self) -> Iterator[Recorded]:
        """Mean, maximum and median over half."""
        request = AggregateRequest(collection=COLLECTION, objects_count=True)
        asked = request.aggregations.add(property="price").number
        asked.mean = asked.maximum = asked.median = True
        self._below(request.filters, 0.5)
        yield call(AGGREGATE, request)

    def gets(self) -> Iterator[Recorded]:
        """REST: an object with its vector."""
        return (Recorded("GET", f"/v1/objects/{COLLECTION}/{id_of(int(n))}?include=vector") for n in self._random.integers(self._rows, size=500))

    def patches(self, count: int) -> Iterator[Recorded]:
        """REST: one property of another object each time."""
        for number in range(count):
            body = {"class": COLLECTION, "properties": {"title": f"changed {number}"}}
            yield Recorded("PATCH", f"/v1/objects/{COLLECTION}/{id_of(number)}", json.dumps(body).encode())

    def deletes(self, count: int) -> Iterator[Recorded]:
        """REST: another object each time."""
        return (Recorded("DELETE", f"/v1/objects/{COLLECTION}/{id_of(self._rows - 1 - number)}") for number in range(count))

    def inserts(self, count: int, first: int) -> Iterator[Recorded]:
        """One object a request, over gRPC."""
        return batches(np.resize(self._queries, (count, self._queries.shape[1])), 1, first)

    def graphql(self) -> Iterator[Recorded]:
        """nearVector, as the older clients write it."""
        for query in self._queries:
            numbers = ", ".join(f"{number:.5f}" for number in query.tolist())
            text = f"{{Get{{{COLLECTION}(limit:10 nearVector:{{vector:[{numbers}]}}){{title rank _additional{{id distance}}}}}}}}"
            yield Recorded("POST", "/v1/graphql", json.dumps({"query": text}).encode())

    def _below(self, filters: Any, share: float) -> None:
        filters.operator = Filters.OPERATOR_LESS_THAN
        filters.target.property = "rank"
        filters.value_int = int(share * self._rows)

    def _put(self, part: Any, query: Vector) -> None:
        part.vectors.add(vector_bytes=query.tobytes(), type=VectorsMessage.VECTOR_TYPE_SINGLE_FP32)


def near_images(pictures: Iterable[str], collection: str) -> Iterator[Recorded]:
    """near_image: base64 over gRPC."""
    for picture in pictures:
        request = SearchRequest(collection=collection, limit=10, uses_123_api=True, uses_125_api=True, uses_127_api=True)
        request.metadata.uuid = request.metadata.distance = True
        request.near_image.image = picture
        yield call(SEARCH, request)


Ask = Callable[[], Iterator[Recorded]]
