"""A small database for the tests of the GraphQL door: dogs with pictures, their owners, a kennel with everything a property can be."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.doors.graphql.answering import GraphQl, graphql
from nearimage.doors.graphql.requests import Limits, Request
from nearimage.doors.rest.json_body import json_response
from nearimage.service.services import Services
from tests.fakes import BLUE, GREEN, ORANGE, RED, World, dogs, image_vector, text

Ask = Callable[..., Any]


def uid(number: int) -> str:
    """The id of the object with this number."""
    return str(UUID(int=number))


def beacon(collection: str, number: int) -> dict[str, str]:
    """A reference, as requests carry it."""
    return {"beacon": f"weaviate://localhost/{collection}/{uid(number)}"}


def of_type(name: str, data_type: DataType, **more: Any) -> Property:
    """A property of some type."""
    return Property(name=name, data_type=data_type, **more)


OWNER = Collection(name="Owner", properties=(text("name"), of_type("dogs", DataType.REFERENCE, targets=("Dog",))))
KENNEL = Collection(
    name="Kennel",
    properties=(
        text("name"),
        of_type("place", DataType.GEO_COORDINATES),
        of_type("phone", DataType.PHONE_NUMBER),
        of_type("open", DataType.BOOLEAN),
        of_type("founded", DataType.DATE),
        of_type("key", DataType.UUID),
        of_type("sizes", DataType.INT_ARRAY),
        of_type("score", DataType.NUMBER),
        of_type("picture", DataType.BLOB),
        of_type("address", DataType.OBJECT, nested=(text("street"), of_type("rooms", DataType.OBJECT_ARRAY, nested=(of_type("beds", DataType.INT),)))),
        of_type("chief", DataType.REFERENCE, targets=("Owner", "Dog")),
    ),
    vectors=(
        VectorConfig(name="plan", metric=Metric.L2_SQUARED),
        VectorConfig(name="front", metric=Metric.L2_SQUARED),
        image_vector("both", "multi2vec-clip", imageFields=["picture"], textFields=["name"]),
    ),
)
KENNELS: list[dict[str, Any]] = [
    {
        "name": "red house",
        "place": {"latitude": 52.5, "longitude": 13.4},
        "phone": {"input": "030 1234567", "defaultCountry": "DE"},
        "open": True,
        "founded": "2020-01-31T12:00:00Z",
        "key": uid(77),
        "sizes": [1, 2],
        "score": 0.5,
        "picture": RED,
        "address": {"street": "Main", "rooms": [{"beds": 2}, {"beds": 3}]},
        "chief": [beacon("Owner", 21), beacon("Dog", 2)],
    },
    {"name": "green house", "open": False, "score": 1.5, "sizes": [2], "picture": GREEN},
    {"name": "lost", "score": 0.25},
]


def services() -> Services:
    """The database, filled."""
    made = World().services()
    made.collections.create(dogs())
    dogs_known = [("Corgi", RED, 10), ("Husky", GREEN, 20), ("Beagle", BLUE, 30), ("Corgi", ORANGE, 12)]
    made.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"breed": b, "image": i, "weight": w}) for n, (b, i, w) in enumerate(dogs_known, 1)])
    made.objects.put_many("Dog", [Draft(id=UUID(int=9), properties={"breed": "Ghost"})])
    made.collections.create(OWNER)
    people = [("Ann", [beacon("Dog", 1), beacon("Dog", 2)]), ("Bob", [beacon("Dog", 99)]), ("Eve", [])]
    made.objects.put_many("Owner", [Draft(id=UUID(int=n), properties={"name": name, "dogs": links}) for n, (name, links) in enumerate(people, 21)])
    made.collections.create(KENNEL)
    vectors = [([0, 0], [1, 0]), ([1, 0], [0, 0]), ([3, 0], [9, 0])]
    drafts = [
        Draft(id=UUID(int=n), properties=properties, vectors={"plan": np.array(plan, np.float32), "front": np.array(front, np.float32)})
        for n, (properties, (plan, front)) in enumerate(zip(KENNELS, vectors, strict=True), 41)
    ]
    assert [str(one) for one in made.objects.put_many("Kennel", drafts) if isinstance(one, Exception)] == []
    return made


def asking(asked: GraphQl) -> Ask:
    """Asks a question and reads the answer as a client does."""

    def ask(query: str, **more: Any) -> Any:
        return orjson.loads(json_response(asked.answer(Request(query=query, **more))).body)

    return ask


def asking_of(made: Services, **limits: int) -> Ask:
    """The same, of a database."""
    return asking(graphql(made, limits=Limits(**limits)))
