"""Weaviate's page "Image search", tab "py3": each section's question through the older Python client; prints the answers, by section.

    python python_v3.py PORT GRPC_PORT FOLDER ONLINE        FOLDER holds red.png, crimson.png, green.png, blue.png; ONLINE is the address of blue.png

It speaks REST and GraphQL only. May import the client and the standard library only.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import weaviate

PORT, FOLDER, ONLINE = sys.argv[1], Path(sys.argv[3]), sys.argv[4]
COLOURS = {"red": "warm", "crimson": "warm", "green": "cold", "blue": "cold"}
WINES = {"sweet wine": "France", "sheepdog": "Wales", "volcano": "Iceland"}
PICTURES = {colour: base64.b64encode((FOLDER / f"{colour}.png").read_bytes()).decode() for colour in COLOURS}


def prop(name: str, data_type: str = "text") -> dict[str, Any]:
    return {"name": name, "dataType": [data_type]}


def named(module: str, kind: str, *names: str) -> dict[str, Any]:
    return {name: {"vectorizer": {module: {kind: [name]}}, "vectorIndexType": "hnsw"} for name in names}


def create(collection: dict[str, Any]) -> None:
    """Without the client, which leaves `vectorConfig` out: named vectors came after it, as the page says."""
    headers = {"Content-Type": "application/json"}
    urlopen(Request(f"http://127.0.0.1:{PORT}/v1/schema", json.dumps(collection).encode(), headers), timeout=30).close()


def prepare(client: Any) -> None:
    """A collection in the form of its time, filled in a batch; the others are of today, for raw questions."""
    img2vec = {"vectorizer": "img2vec-neural", "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}}}
    dog = [prop("breed"), prop("kind"), prop("weight", "int"), prop("image", "blob")]
    client.schema.create_class({"class": "DogV3", "properties": dog, **img2vec})
    pair = [prop("breed"), prop("front", "blob"), prop("back", "blob")]
    create({"class": "PairV3", "properties": pair, "vectorConfig": named("img2vec-neural", "imageFields", "front", "back")})
    wine = [prop("title"), prop("country")]
    create({"class": "WineV3", "properties": wine, "vectorConfig": named("multi2vec-clip", "textFields", "title", "country")})
    client.batch.configure(batch_size=2, num_workers=2, dynamic=False)
    with client.batch as batch:
        for weight, (colour, kind) in enumerate(COLOURS.items(), 1):
            batch.add_data_object({"breed": colour, "kind": kind, "weight": weight, "image": PICTURES[colour]}, "DogV3")
        for front, back in (("red", "blue"), ("blue", "red")):
            batch.add_data_object({"breed": front, "front": PICTURES[front], "back": PICTURES[back]}, "PairV3")
        for title, country in WINES.items():
            batch.add_data_object({"title": title, "country": country}, "WineV3")


def ask(client: Any) -> dict[str, Any]:
    """Each section's question."""

    def near(**more: Any) -> Any:  # the client writes into what it is given
        return client.query.get("DogV3", ["breed"]).with_near_image({"image": str(FOLDER / "red.png"), **more})

    def by_base64(picture: str) -> Any:
        return client.query.get("DogV3", ["breed"]).with_near_image({"image": picture}, encode=False).with_limit(1)

    with urlopen(ONLINE, timeout=10) as reply:  # noqa: S310 - an address of the loopback
        online = base64.b64encode(reply.read()).decode("utf-8")
    words = '{ Get { WineV3(limit: 1 nearText: {targetVectors: ["title"] concepts: ["a sweet German white wine"]}) { title country } } }'
    back = '{ Get { PairV3(limit: 1 nearImage: {targetVectors: ["back"] image: "' + PICTURES["red"] + '"}) { breed } } }'
    group = "group { count groupedBy { path value } hits { breed _additional { distance } } }"
    figures = client.query.aggregate("DogV3").with_near_image({"image": str(FOLDER / "red.png")}).with_object_limit(2)
    return {
        "named vectors": client.query.raw(words),
        "by local image path": near().with_limit(1).do(),
        "by the base64 representation": by_base64(PICTURES["green"]).do(),
        "an online image as base64": by_base64(online).do(),
        "distance": near(distance=0.000001).with_additional(["distance"]).do(),
        "target vector": client.query.raw(back),
        "filter": near().with_where({"path": ["weight"], "operator": "GreaterThan", "valueInt": 2}).do(),
        "limit and offset": near().with_limit(1).with_offset(1).do(),
        "group by": near().with_group_by(properties=["kind"], groups=2, objects_per_group=2).with_additional(group).with_limit(9).do(),
        "autocut": near().with_autocut(1).do(),
        "aggregate": figures.with_meta_count().with_fields("weight { sum }").do(),
        "no picture": by_base64("SOME_BASE_64_REPRESENTATION").do(),
    }


def main() -> None:
    """Prepare, ask, tidy up."""
    client = weaviate.Client(f"http://127.0.0.1:{PORT}")
    try:
        prepare(client)
        sys.stdout.write(json.dumps(ask(client)))
    finally:
        for name in ("DogV3", "PairV3", "WineV3"):
            client.schema.delete_class(name)


main()
