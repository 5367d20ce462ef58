"""What a program of the older Python client (v3) does with pictures; run with that client, it prints the answers as JSON, by section of Weaviate's page.

    python python_v3.py URL FOLDER        FOLDER holds red.png, green.png, blue.png

It speaks REST and GraphQL only. May import the client and the standard library only.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import weaviate

NAME = "DogV3"
URL, FOLDER = sys.argv[1], Path(sys.argv[2])
PICTURES = {colour: base64.b64encode((FOLDER / f"{colour}.png").read_bytes()).decode() for colour in ("red", "green", "blue")}


def prepare(client: Any) -> None:
    """A collection in the form of its time, filled in a batch."""
    client.schema.create_class(
        {
            "class": NAME,
            "vectorizer": "img2vec-neural",
            "moduleConfig": {"img2vec-neural": {"imageFields": ["image"]}},
            "properties": [
                {"name": "breed", "dataType": ["text"]},
                {"name": "image", "dataType": ["blob"]},
                {"name": "weight", "dataType": ["int"]},
            ],
        }
    )
    with client.batch(batch_size=10) as batch:
        for weight, (colour, picture) in enumerate(PICTURES.items(), 1):
            batch.add_data_object({"breed": colour, "image": picture, "weight": weight}, NAME, uuid=f"00000000-0000-0000-0000-00000000000{weight}")


def ask(client: Any) -> dict[str, Any]:
    """Each section's question."""

    def near(**more: Any) -> dict[str, Any]:  # made anew each time: the client writes into it
        return {"image": str(FOLDER / "red.png"), **more}

    return {
        "by local image path": client.query.get(NAME, ["breed"]).with_near_image(near()).with_limit(1).do(),
        "by the base64 representation": client.query.get(NAME, ["breed"]).with_near_image({"image": PICTURES["green"]}, encode=False).with_limit(1).do(),
        "distance": client.query.get(NAME, "breed").with_near_image(near(distance=0.000001)).with_additional("distance").do(),
        "filter": client.query.get(NAME, ["breed"])
        .with_near_image(near())
        .with_where({"path": ["weight"], "operator": "GreaterThan", "valueInt": 1})
        .with_additional(["id", "certainty"])
        .do(),
        "limit and offset": client.query.get(NAME, ["breed"]).with_near_image(near()).with_limit(1).with_offset(1).do(),
        "group": client.query.get(NAME, ["breed"])
        .with_near_image(near())
        .with_group_by(properties=["breed"], groups=1, objects_per_group=1)
        .with_additional("group { id count groupedBy { path value } hits { breed _additional { distance } } }")
        .do(),
        "near object": client.query.get(NAME, ["breed"]).with_near_object({"id": "00000000-0000-0000-0000-000000000003"}).with_limit(1).do(),
        "keywords": client.query.get(NAME, ["breed"]).with_bm25("green", properties=["breed"]).with_additional("score").do(),
        "hybrid": client.query.get(NAME, ["breed"]).with_hybrid("blue", alpha=0).with_additional(["score", "explainScore"]).do(),
        "sorted": client.query.get(NAME, ["weight"]).with_sort({"path": ["weight"], "order": "desc"}).do(),
        "after": client.query.get(NAME, ["weight"]).with_limit(1).with_after("00000000-0000-0000-0000-000000000001").do(),
        "alike": client.query.get(NAME, ["breed"]).with_near_image(near()).with_limit(3).do(),
        "aggregate": client.query.aggregate(NAME).with_meta_count().with_fields("weight { sum type }").do(),
        "aggregate near": client.query.aggregate(NAME).with_near_image(near()).with_object_limit(1).with_meta_count().do(),
        "raw": client.query.raw("{ Get { " + NAME + "(limit: 1) { breed # the colour\n } } }"),
        "no picture": client.query.get(NAME, ["breed"]).with_near_image({"image": "SOME_BASE_64_REPRESENTATION"}, encode=False).do(),
    }


def main() -> None:
    """Prepare, ask, tidy up."""
    client = weaviate.Client(URL)
    try:
        prepare(client)
        sys.stdout.write(json.dumps(ask(client)))
    finally:
        client.schema.delete_class(NAME)


main()
