"""What GraphQL costs at the door, beside graphql-core doing the same.

    python bench/graphql_door.py

Prints tables, as markdown. CPU time of the process, the least of many rounds, for a machine has other work; one thread. The same 2,000 objects with a vector of
512 numbers and five properties are asked by both; what the search itself takes is in the last column, and in both of the others. Fixed seed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import io
import json
import logging
import sys
import tempfile
import time
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Sequence
from multiprocessing import Event, Process
from multiprocessing.synchronize import Event as Stop
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from graphql import build_client_schema, get_introspection_query, graphql_sync, parse
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nearimage.app import open_database
from nearimage.config.settings import Settings
from nearimage.domain.drafts import Draft
from nearimage.domain.objects import Projection
from nearimage.domain.query import NearVector, Search
from nearimage.domain.schema import Collection, DataType, Property, Tokenization, VectorConfig
from nearimage.doors.graphql.answering import GraphQl, graphql
from nearimage.doors.graphql.lifting import Lifted, lift
from nearimage.doors.graphql.long_literals import Body
from nearimage.doors.graphql.ranking import vector_of
from nearimage.doors.graphql.requests import Limits, Request
from nearimage.doors.graphql.types import schema_of
from nearimage.doors.rest.json_body import json_response, read_body
from nearimage.media.references import read_reference
from nearimage.service.services import Services
from tests.servers import start_server

OBJECTS, DIMS, SHAPES = 2_000, 512, 20
ROUNDS, CALLS = 30, 10
MEGABYTE = 1_000_000
SIDE = 2_530

PIECE_BYTES = 128 << 10
"""In which a body comes from the network, more or less."""

TEXTS = tuple(Property(name=name, data_type=DataType.TEXT, tokenization=Tokenization.WORD, searchable=True) for name in "ab")
OTHERS = tuple(Property(name=name, data_type=kind) for name, kind in (("c", DataType.INT), ("d", DataType.NUMBER), ("e", DataType.BOOLEAN)))
PHOTO = Collection(name="Photo", properties=(*TEXTS, *OTHERS), vectors=(VectorConfig(name="default"),), legacy_vector=True)

PHOTOS = {
    "class": "Photo",
    "vectorizer": "img2vec-neural",
    "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
    "properties": [{"name": "a", "dataType": ["text"]}, {"name": "image", "dataType": ["blob"]}],
}

Vectors = np.random.Generator


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    random = np.random.default_rng(1)
    literals(random)
    with tempfile.TemporaryDirectory() as folder, open_database(Settings(data=folder)) as database:
        fill(database.services, random)
        questions(database.services, random)
        schemas(database.services)
    beside()


def cpu_ms(work: Callable[[], object], rounds: int = ROUNDS, calls: int = CALLS) -> float:
    """The CPU time of one call: the least of many rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, (time.process_time() - started) / calls)
    return best * 1000


def literals(random: Vectors) -> None:
    """Documents that are mostly one literal: reading the request and lifting, against parsing."""
    print("| a document with | bytes to values, ms | graphql-core's parse, ms | peak memory until it is decoded, of the literal |")
    print("|---|---|---|---|")
    for size in (MEGABYTE, 10 * MEGABYTE):
        picture = (b"/9j/4AAQSkZJRgABAQAAAQAB" * (size // 24 + 1))[:size].decode()
        text = '{Get{Photo(limit: 1 nearImage: {image: "' + picture + '"} ){a}}}'
        body, rounds = json.dumps({"query": text}).encode(), 8 if size > MEGABYTE else 20
        ours = cpu_ms(lambda body=body: parse(lifted(body).text), rounds, 1)  # type: ignore[misc] # bound for this round
        theirs = cpu_ms(lambda text=text: parse(text), 2, 1)  # type: ignore[misc] # bound for this round
        print(f"| {size // MEGABYTE} MB of base64 | {ours:.1f} | {theirs:.0f} | {peak(body) / size:.2f} |")
    vector = ", ".join(str(number) for number in random.normal(size=DIMS).astype(np.float32).tolist())
    text = "{Get{Photo(nearVector: {vector: [" + vector + "]}){a}}}"
    print(f"| {DIMS} numbers | {cpu_ms(lambda: parse(lift(text, Limits().characters).text)):.2f} | {cpu_ms(lambda: parse(text), 5):.2f} | |")
    print()


def lifted(body: bytes) -> Lifted:
    """As the door does it, of the pieces in which it comes."""
    apart = Body()
    for start in range(0, len(body), PIECE_BYTES):
        apart.add(body[start : start + PIECE_BYTES])
    return apart.request(Limits().characters)[1] or Lifted("", {}, (), ())


def peak(body: bytes) -> int:
    """Memory while a request is read and its picture decoded, the body included."""
    tracemalloc.start()
    found = lifted(body)
    assert found.aside
    picture = found.aside.put_back({"image": next(value for value in found.values.values() if isinstance(value, str))}, long="image")["image"]
    assert read_reference(picture, max_bytes=len(body))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def fill(services: Services, random: Vectors) -> None:
    """The objects."""
    services.collections.create(PHOTO)
    matrix = random.normal(size=(OBJECTS, DIMS)).astype(np.float32)
    drafts = [
        Draft(id=UUID(int=n + 1), properties={"a": f"text {n}", "b": "a few more words", "c": n, "d": n / 7, "e": n % 2 == 0}, vectors={"": vector})
        for n, vector in enumerate(matrix)
    ]
    services.objects.put_many("Photo", drafts)


def questions(services: Services, random: Vectors) -> None:
    """Whole requests: bytes in, bytes out."""
    asked, page = graphql(services), Projection(properties=tuple("abcde"))
    listing = Search(collection="Photo", limit=100, projection=page)
    vectors = [random.normal(size=DIMS).astype(np.float32) for _ in range(SHAPES)]
    near = Search(collection="Photo", by=NearVector(vectors=(vectors[0],)), limit=10, projection=Projection(properties=("a", "c")))
    rows: list[tuple[str, Sequence[str], Search]] = [
        ("nearVector, 512 numbers, limit 10, id and distance", [near_query(vector) for vector in vectors], near),
        ("Get of 100 objects x 5 properties", [f"{{Get{{Photo(limit: 100 offset: {n}){{a b c d e}}}}}}" for n in range(SHAPES)], listing),
    ]
    print("| a request, ms of CPU | nearimage | graphql-core | of both, the search |")
    print("|---|---|---|---|")
    for name, queries, search in rows:
        ours, theirs = repeated(queries, lambda query: whole(asked, query)), repeated(queries, lambda query: by_graphql_core(services, query))
        print(f"| {name} | {ours:.2f} | {theirs:.2f} | {cpu_ms(lambda search=search: services.searches.run(search)):.2f} |")  # type: ignore[misc] # bound
    print()


def near_query(vector: Any) -> str:
    """As the clients write it."""
    return "{Get{Photo(limit: 10 nearVector: {vector: [" + ", ".join(map(str, vector.tolist())) + "]} ){a c _additional{id distance}}}}"


def repeated(queries: Sequence[str], work: Callable[[bytes], object]) -> float:
    """The time of one call, the queries in turn."""
    bodies = [json.dumps({"query": query}).encode() for query in queries]
    count = 0

    def one() -> None:
        nonlocal count
        count += 1
        work(bodies[count % len(bodies)])

    return cpu_ms(one)


def whole(asked: GraphQl, body: bytes) -> bytes:
    """What the door does between socket and socket."""
    return bytes(json_response(asked.answer(read_body(body, Request))).body)


def by_graphql_core(services: Services, body: bytes) -> bytes:
    """The same question, parsed, validated and executed by graphql-core, the search by the same service."""
    if not _SCHEMA:
        _SCHEMA.append(schema_of([PHOTO], lambda _: frozenset(), frozenset()))

    def photos(_: object, limit: int, offset: int = 0, **more: Any) -> list[dict[str, Any]]:
        by = NearVector(vectors=(vector_of(more["nearVector"]["vector"]),)) if more else None
        search = Search(collection="Photo", by=by, limit=limit, offset=offset, projection=Projection(properties=tuple("abcde")))
        hits = services.searches.run(search).hits
        return [{**hit.record.properties, "_additional": {"id": str(hit.record.id), "distance": hit.distance}} for hit in hits]

    result = graphql_sync(_SCHEMA[0], read_body(body, Request).query, {"Get": {"Photo": photos}})
    assert result.errors is None
    return bytes(json_response({"data": result.data}).body)


_SCHEMA: list[Any] = []


def schemas(services: Services) -> None:
    """What is done once: for a shape, for a database."""
    query = Request(query="{Get{Photo(limit: 100){a b c d e}}}")
    print("| done once, ms of CPU | |")
    print("|---|---|")
    print(f"| first question of a shape, of a collection | {cpu_ms(lambda: graphql(services).answer(query), 10, 1):.1f} |")
    asked = graphql(services)
    asked.answer(query)
    numbers = iter(range(100_000))
    shaped = cpu_ms(lambda: asked.answer(Request(query=f"{{Get{{a{next(numbers)}: Photo(limit: 1){{a}}}}}}")), 10, 1)
    print(f"| first question of a shape, collection known | {shaped:.1f} |")
    for n in range(99):
        services.collections.create(Collection(name=f"Other{n}", properties=PHOTO.properties, vectors=PHOTO.vectors, legacy_vector=True))
    print(f"| the same in a database of 100 collections | {cpu_ms(lambda: graphql(services).answer(query), 10, 1):.1f} |")
    told = json.loads(whole(graphql(services), json.dumps({"query": get_introspection_query()}).encode()))["data"]
    print(f"| introspection of 100 collections | {cpu_ms(lambda: graphql(services).answer(Request(query=get_introspection_query())), 2, 1):.0f} |")
    assert build_client_schema(told).query_type is not None


def beside() -> None:
    """Another client's small queries, in turns: alone, and while nearImage documents with a photograph of 10 MB come one after another.

    They are sent here, or to another program, which takes as much of the machine. The p99 is the median of those of the rounds.
    """
    small, large = "{Get{Photo(limit: 1){a}}}", '{Get{Photo(limit: 1 nearImage: {image: "' + photograph() + '"}){a}}}'
    times: dict[str, list[list[float]]] = {"alone": [], "beside documents of 10 MB": [], "beside such documents sent to another program": []}
    with tempfile.TemporaryDirectory() as folder:
        asked, other = (start_server(Path(folder) / name) for name in ("data", "other"))
        with httpx.Client(base_url=asked.url, timeout=60) as client:
            for server in (asked, other):
                httpx.post(f"{server.url}/v1/schema", json=PHOTOS, timeout=60).raise_for_status()
                httpx.post(f"{server.url}/v1/graphql", json={"query": large}, timeout=60).raise_for_status()  # loads the model
            for name, url in tuple(zip(times, ("", asked.url, other.url), strict=True)) * 5:
                stop = Event()
                busy = Process(target=again_and_again, args=(url, large, stop), daemon=True)
                busy.start()
                time.sleep(1)
                times[name].append(asked_for(2, client, small))
                stop.set()
                busy.join()
        for server in (asked, other):
            server.stop()
    print()
    print("| small queries of one client, ms | p50 | p99 |")
    print("|---|---|---|")
    for name, rounds in times.items():
        p50, p99 = (np.median([np.percentile(taken, share) for taken in rounds]) for share in (50, 99))
        print(f"| {name} | {p50:.1f} | {p99:.1f} |")


def photograph() -> str:
    """The base64, some 10 MB, of a JPEG."""
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(data, "JPEG", quality=95)
    return b64encode(data.getvalue()).decode()


def asked_for(seconds: float, client: httpx.Client, query: str) -> list[float]:
    """How long each question took, in ms."""
    taken, ends = list[float](), time.monotonic() + seconds
    while time.monotonic() < ends:
        started = time.perf_counter()
        client.post("/v1/graphql", json={"query": query}).raise_for_status()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def again_and_again(url: str, query: str, stop: Stop) -> None:
    """One document until told to stop; nothing, but running, for no address."""
    body = json.dumps({"query": query}).encode()
    with httpx.Client(base_url=url or "http://127.0.0.1", timeout=60) as client:
        while not stop.is_set():
            if url:
                client.post("/v1/graphql", content=body, headers={"Content-Type": "application/json"})
            else:
                time.sleep(0.01)


if __name__ == "__main__":
    main()
