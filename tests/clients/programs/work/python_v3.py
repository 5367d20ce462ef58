"""What programs of the older Python client (v3) do all day: schema, objects, batches with threads, tenants, searches; prints what came of it, by part.

    python python_v3.py PORT GRPC_PORT

It speaks REST and GraphQL only. May import the client and the standard library only.
"""

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import weaviate
from weaviate.exceptions import WeaviateBaseError

PEOPLE, CARS, MANY, TEXTS = "PersonV3", "CarV3", "ManyV3", "TextV3"


def uid(number: int) -> str:
    return str(UUID(int=number))


def prop(name: str, data_type: str) -> dict[str, Any]:
    return {"name": name, "dataType": [data_type]}


def prepare(client: Any) -> None:
    """People who own cars; tenants; texts that a model reads."""
    client.schema.create_class({"class": PEOPLE, "properties": [prop("name", "text")], "vectorizer": "none"})
    cars = [prop("name", "text"), prop("seats", "int"), prop("price", "number"), prop("fast", "boolean"), prop("built", "date"), prop("owner", PEOPLE)]
    client.schema.create_class({"class": CARS, "properties": cars, "vectorizer": "none"})
    client.schema.create_class({"class": MANY, "properties": [prop("name", "text")], "multiTenancyConfig": {"enabled": True}, "vectorizer": "none"})
    clip = {"vectorizer": "multi2vec-clip", "moduleConfig": {"multi2vec-clip": {"textFields": ["title"]}}}
    client.schema.create_class({"class": TEXTS, "properties": [prop("title", "text")], **clip})
    for title in ("sweet wine", "sheepdog"):
        client.data_object.create({"title": title}, TEXTS)


def schema(client: Any) -> list[Any]:
    client.schema.property.create(PEOPLE, prop("age", "int"))
    told = client.schema.get(PEOPLE)
    return [
        client.schema.exists(PEOPLE),
        [one["name"] for one in told["properties"]],
        client.schema.contains({"class": PEOPLE, "properties": [prop("age", "int")]}),
    ]


def objects(client: Any) -> list[Any]:
    """Made, changed, replaced, checked, deleted."""
    data, mine = client.data_object, {"class_name": PEOPLE, "uuid": uid(1)}
    data.create({"name": "Ann"}, PEOPLE, uuid=uid(1), vector=[1, 0])
    data.update({"age": 40}, **mine)
    merged = data.get_by_id(uid(1), class_name=PEOPLE, with_vector=True)
    data.replace({"name": "Anna"}, **mine, vector=[0, 1])
    replaced = data.get_by_id(uid(1), class_name=PEOPLE)
    checked = data.validate({"name": 7}, class_name=PEOPLE)
    existed = data.exists(uid(1), class_name=PEOPLE)
    data.delete(uid(1), class_name=PEOPLE)
    return [merged["properties"], merged["vector"], replaced["properties"], checked["valid"], existed, data.get_by_id(uid(1), class_name=PEOPLE)]


def batches(client: Any) -> list[Any]:
    """Sent by several threads at once, objects before the references between them."""
    failed: list[Any] = []
    client.batch.configure(batch_size=20, num_workers=3, dynamic=True, callback=lambda found: failed.extend(filter(broken, found or [])))
    with client.batch as batch:
        for number in range(1, 101):
            batch.add_data_object({"name": f"person {number}"}, PEOPLE, uuid=uid(number), vector=[number, 1])
        for number in range(1, 101):
            said = {
                "name": f"car {number}",
                "seats": number % 4,
                "price": number / 4,
                "fast": number % 2 == 0,
                "built": f"20{number % 90 + 10}-01-01T00:00:00Z",
            }
            batch.add_data_object(said, CARS, uuid=uid(1000 + number), vector=[1, number])
            batch.add_reference(uid(1000 + number), CARS, "owner", uid(number), PEOPLE)
        batch.add_data_object({"name": 5}, PEOPLE)
    listed = client.data_object.get(class_name=CARS, limit=2, offset=98)["objects"]
    return [len(failed), len(listed), client.query.aggregate(CARS).with_meta_count().do()["data"]["Aggregate"][CARS][0]["meta"]["count"]]


def broken(one: Any) -> bool:
    return bool(one.get("result", {}).get("errors"))


def references(client: Any) -> list[Any]:
    """Changed one by one, and followed."""
    reference, query = client.data_object.reference, "owner { ... on " + PEOPLE + " { name _additional { id } } }"
    first = client.query.get(CARS, ["name", query]).with_where(equal(["name"], "valueText", "1")).do()["data"]["Get"][CARS][0]
    reference.add(uid(1001), "owner", uid(2), from_class_name=CARS, to_class_name=PEOPLE)
    reference.delete(uid(1001), "owner", uid(1), from_class_name=CARS, to_class_name=PEOPLE)
    changed = client.data_object.get_by_id(uid(1001), class_name=CARS)["properties"]["owner"]
    through = client.query.get(CARS, ["name"]).with_where(equal(["owner", PEOPLE, "name"], "valueText", "77")).do()["data"]["Get"][CARS]
    return [first["owner"], [one["beacon"].rsplit("/", 1)[1] for one in changed], through]


def equal(path: list[str], kind: str, value: Any, operator: str = "Equal") -> dict[str, Any]:
    return {"path": path, "operator": operator, kind: value}


def searches(client: Any) -> dict[str, Any]:
    """Every way, and every kind of filter."""

    def ask(**more: Any) -> Any:
        return client.query.get(CARS, ["name"]).with_limit(more.get("limit", 2))

    def names(query: Any) -> list[str]:
        return [one["name"] for one in query.do()["data"]["Get"][CARS]]

    def passing(where: Any, limit: int) -> list[str]:
        """In an order of our own: batches of several threads are stored in any."""
        return names(ask(limit=limit).with_where(where).with_sort([{"path": ["price"], "order": "asc"}]))

    both = {"operator": "And", "operands": [equal(["seats"], "valueInt", 3), equal(["price"], "valueNumber", 23, "GreaterThan")]}
    texts = (
        client.query.get(TEXTS, ["title"]).with_near_text({"concepts": ["a glass of white wine"]}).with_additional(["distance", "certainty"]).with_limit(1).do()
    )
    return {
        "near text": [one["title"] for one in texts["data"]["Get"][TEXTS]],
        "near vector": names(ask().with_near_vector({"vector": [0.0, 1.0]})),
        "near object": names(ask(limit=1).with_near_object({"id": uid(1005)})),
        "keywords": names(ask().with_bm25("17", properties=["name"])),
        "hybrid": names(ask(limit=1).with_hybrid("17", alpha=0.5, vector=[1, 17])),
        "sorted": names(ask().with_sort([{"path": ["seats"], "order": "desc"}, {"path": ["price"], "order": "asc"}])),
        "after": names(ask().with_after(uid(1098))),
        "and": passing(both, 9),
        "date": passing(equal(["built"], "valueDate", "2011-01-01T00:00:00Z"), 1),
        "boolean": passing(equal(["fast"], "valueBoolean", True), 1),
        "id": names(ask().with_where(equal(["id"], "valueText", uid(1050)))),
        "any": passing(equal(["name"], "valueTextArray", ["7", "8"], "ContainsAny"), 9),
        "alias": client.query.multi_get([ask(limit=1).with_alias("one"), ask(limit=1).with_offset(1).with_alias("two")]).do()["data"]["Get"],
    }


def aggregates(client: Any) -> dict[str, Any]:
    """Figures of every type, and by group."""
    fields = "name { count } seats { minimum maximum mean median mode sum } fast { totalTrue percentageFalse } built { minimum } owner { pointingTo }"
    whole = client.query.aggregate(CARS).with_meta_count().with_fields(fields).do()["data"]["Aggregate"][CARS]
    grouped = client.query.aggregate(CARS).with_group_by_filter(["fast"]).with_fields("meta { count } groupedBy { path value }").do()
    near = client.query.aggregate(CARS).with_near_vector({"vector": [1, 1]}).with_object_limit(3).with_meta_count().do()
    return {"whole": whole, "groups": grouped["data"]["Aggregate"][CARS], "near": near["data"]["Aggregate"][CARS]}


def tenants(client: Any) -> list[Any]:
    """Each sees its own."""
    client.schema.add_class_tenants(MANY, [weaviate.Tenant(name="ann"), weaviate.Tenant(name="bob")])
    client.data_object.create({"name": "hers"}, MANY, uuid=uid(1), tenant="ann")
    with client.batch(batch_size=2) as batch:
        batch.add_data_object({"name": "his"}, MANY, uuid=uid(1), tenant="bob")
    got = [client.query.get(MANY, ["name"]).with_tenant(name).do()["data"]["Get"][MANY] for name in ("ann", "bob")]
    counted = client.query.aggregate(MANY).with_tenant("bob").with_meta_count().do()["data"]["Aggregate"][MANY]
    client.schema.remove_class_tenants(MANY, ["bob"])
    without = client.query.get(MANY, ["name"]).do()
    return [got, counted, [one.name for one in client.schema.get_class_tenants(MANY)], "tenan" in without["errors"][0]["message"]]


def deletion(client: Any) -> list[Any]:
    """By what is stored, first to see what would go."""
    where = equal(["seats"], "valueInt", 3)
    would = client.batch.delete_objects(CARS, where=where, dry_run=True)["results"]
    done = client.batch.delete_objects(CARS, where=where)["results"]
    return [would["matches"], done["successful"], done["failed"]]


def backups(client: Any) -> list[str]:
    """Not there yet, or not configured; what is said about it."""
    calls: tuple[Callable[[], Any], ...] = (
        lambda: client.backup.create("mine", "filesystem", wait_for_completion=True),
        lambda: client.backup.get_create_status("mine", "filesystem"),
        lambda: client.backup.restore("mine", "filesystem"),
    )
    said = []
    for call in calls:
        try:
            call()
        except WeaviateBaseError as error:
            said.append(str(error))
    return said


PARTS: tuple[Callable[[Any], Any], ...] = (schema, objects, batches, references, searches, aggregates, tenants, deletion, backups)


def main() -> None:
    """Prepare, work, tidy up."""
    client = weaviate.Client(f"http://127.0.0.1:{sys.argv[1]}")
    try:
        prepare(client)
        sys.stdout.write(json.dumps({part.__name__: part(client) for part in PARTS}))
    finally:
        for name in (CARS, PEOPLE, MANY, TEXTS):
            client.schema.delete_class(name)


main()
