"""Weaviate's page "Image search", tab "py": each section's question through the Python client of today; prints what it finds, by section.

    python python_v4.py PORT GRPC_PORT FOLDER ONLINE        FOLDER holds red.png, crimson.png, green.png, blue.png; ONLINE is the address of blue.png

May import the client and the standard library only.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import weaviate
from weaviate.classes.config import Configure, DataType, Property
from weaviate.classes.query import Filter, GroupBy, MetadataQuery, Metrics
from weaviate.exceptions import WeaviateQueryError

PORT, GRPC_PORT, FOLDER, ONLINE = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
COLOURS = {"red": "warm", "crimson": "warm", "green": "cold", "blue": "cold"}
WINES = {"sweet wine": "France", "sheepdog": "Wales", "volcano": "Iceland"}


def path(colour: str) -> Path:
    return FOLDER / f"{colour}.png"


def base64_of(colour: str) -> str:
    return base64.b64encode(path(colour).read_bytes()).decode()


def prepare(client: Any) -> tuple[Any, Any, Any]:
    """Dogs with a picture, pairs of pictures under a vector each, and texts under named vectors."""
    texts = [Property(name=name, data_type=DataType.TEXT) for name in ("breed", "kind")]
    dogs = client.collections.create(
        "DogPy",
        properties=[*texts, Property(name="weight", data_type=DataType.INT), Property(name="image", data_type=DataType.BLOB)],
        vector_config=Configure.Vectors.img2vec_neural(image_fields=["image"]),
    )
    pairs = client.collections.create(
        "PairPy",
        properties=[texts[0], *(Property(name=name, data_type=DataType.BLOB) for name in ("front", "back"))],
        vector_config=[Configure.Vectors.img2vec_neural(name=name, image_fields=[name]) for name in ("front", "back")],
    )
    wines = client.collections.create(
        "WinePy",
        properties=[Property(name=name, data_type=DataType.TEXT) for name in ("title", "country")],
        vector_config=[Configure.Vectors.multi2vec_clip(name=name, text_fields=[name]) for name in ("title", "country")],
    )
    with dogs.batch.dynamic() as batch:
        for weight, (colour, kind) in enumerate(COLOURS.items(), 1):
            batch.add_object({"breed": colour, "kind": kind, "weight": weight, "image": base64_of(colour)})
    pairs.data.insert_many(
        [{"breed": "red", "front": base64_of("red"), "back": base64_of("blue")}, {"breed": "blue", "front": base64_of("blue"), "back": base64_of("red")}]
    )
    wines.data.insert_many([{"title": title, "country": country} for title, country in WINES.items()])
    return dogs, pairs, wines


def names(found: Any, name: str = "breed") -> list[str]:
    return [one.properties[name] for one in found.objects]


def failure(dogs: Any) -> str:
    """What the page's placeholder is answered."""
    try:
        dogs.query.near_image("SOME_BASE_64_REPRESENTATION", limit=1)
    except WeaviateQueryError as error:
        return str(error)
    return ""


def ask(dogs: Any, pairs: Any, wines: Any) -> dict[str, Any]:
    """Each section's question."""
    red, query = path("red"), dogs.query
    with urlopen(ONLINE, timeout=10) as reply:  # noqa: S310 - an address of the loopback
        online = base64.b64encode(reply.read()).decode("utf-8")
    near = query.near_image(near_image=red, distance=0.000001, return_metadata=MetadataQuery(distance=True))
    grouped = query.near_image(red, limit=9, group_by=GroupBy(prop="kind", number_of_groups=2, objects_per_group=2))
    stored = query.fetch_objects(filters=Filter.by_property("breed").equal("red"), include_vector=True).objects[0].vector["default"]
    figures = dogs.aggregate.near_vector(stored, object_limit=2, return_metrics=Metrics("weight").integer(sum_=True))  # near_image fails in the client
    return {
        "named vectors": names(
            wines.query.near_text(query="a sweet German white wine", limit=1, target_vector="title", return_metadata=MetadataQuery(distance=True)), "title"
        ),
        "by local image path": names(query.near_image(near_image=red, return_properties=["breed"], limit=1)),
        "by the base64 representation": names(query.near_image(near_image=base64_of("green"), return_properties=["breed"], limit=1)),
        "an online image as base64": names(query.near_image(near_image=online, limit=1)),
        "distance": [[one.properties["breed"], one.metadata.distance] for one in near.objects],
        "target vector": names(pairs.query.near_image(red, target_vector="back", limit=1)),
        "filter": names(query.near_image(red, filters=Filter.by_property("weight").greater_than(2))),
        "limit and offset": names(query.near_image(red, limit=1, offset=1)),
        "group by": {name: group.number_of_objects for name, group in grouped.groups.items()},
        "autocut": names(query.near_image(red, auto_limit=1)),
        "aggregate": [figures.total_count, figures.properties["weight"].sum_],
        "no picture": failure(dogs),
    }


def main() -> None:
    """Prepare, ask, tidy up."""
    with weaviate.connect_to_local("127.0.0.1", PORT, GRPC_PORT) as client:
        try:
            sys.stdout.write(json.dumps(ask(*prepare(client))))
        finally:
            client.collections.delete(["DogPy", "PairPy", "WinePy"])


main()
