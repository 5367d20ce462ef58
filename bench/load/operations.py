"""Requests of every kind, for bench/slow_paths.py, to the collections of bench/load/everyday.py: each a name, and some requests to be sent over and over."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bench.load.everyday import OWNER, PLAIN, TENANTS, batches, both, filters, several, thing, where
from bench.load.questions import AGGREGATE, SEARCH, SERVICE, Recorded, call, id_of
from nearimage.domain.objects import Matrix, Vector
from nearimage.doors.wire.messages import (
    AggregateRequest,
    BatchDeleteRequest,
    BatchReferencesRequest,
    CombinationMethod,
    HybridMessage,
    SearchOperatorOptions,
    SearchRequest,
    TenantsGetRequest,
    VectorsMessage,
)


class Operation(NamedTuple):
    """What is asked, and requests that ask it, over and over."""

    name: str
    requests: Sequence[Recorded]


def search(collection: str = "Thing", limit: int = 10, **asked: Any) -> Recorded:
    """A search that returns ids and a property."""
    shown = {"properties": {"non_ref_properties": ["name" if collection != "Thing" else "title"]}, "metadata": {"uuid": True}}
    return call(SEARCH, SearchRequest(collection=collection, limit=limit, uses_123_api=True, uses_125_api=True, uses_127_api=True, **(shown | asked)))


def _vector(query: Vector) -> list[dict[str, Any]]:
    return [{"vector_bytes": query.tobytes(), "type": VectorsMessage.VECTOR_TYPE_SINGLE_FP32}]


def near(query: Vector, **more: Any) -> dict[str, Any]:
    """Near a vector."""
    return {"near_vector": {"vectors": _vector(query), **more}}


def words(query: str, *properties: str, **operator: Any) -> dict[str, Any]:
    """By words."""
    found: dict[str, Any] = {"query": query, "properties": properties or ["title"]}
    return {"bm25_search": found | ({"search_operator": operator} if operator else {})}


def hybrid(query: Vector, text: str, alpha: float = 0.5, **more: Any) -> dict[str, Any]:
    """By both."""
    fusion = more.pop("fusion", HybridMessage.FUSION_TYPE_RELATIVE_SCORE)
    part = {"query": text, "properties": ["title"], "alpha": alpha, "alpha_param": alpha, "use_alpha_param": True, "fusion_type": fusion}
    return {"hybrid_search": part | {"vectors": _vector(query)} | more}


def reading(queries: Matrix, rows: int) -> Iterator[Operation]:
    """All that changes nothing."""
    known = filters(rows)
    for name, condition in known.items():
        yield Operation(f"list, {name}", [search(filters=condition)])
    for name, condition in known.items():
        yield Operation(f"near, {name}", [search(filters=condition, **near(query)) for query in queries[:8]])
    for name, condition in known.items():
        yield Operation(f"words, {name}", [search(filters=condition, **words(text)) for text in ("w1 w300", "w20 w4000")])
    for name in ("int < 10 %", "category = 25 %", "title like infix", "and: int, word, boolean", "reference's int < 50 %", "geo 3,000 km"):
        yield Operation(f"hybrid, {name}", [search(filters=known[name], **hybrid(query, "w1 w300")) for query in queries[:8]])
    for part in (_by_words, _near, _sorted, _views, _summaries, _others):
        yield from part(queries, rows)


def _by_words(queries: Matrix, _rows: int) -> Iterator[Operation]:
    either, every = SearchOperatorOptions.OPERATOR_OR, SearchOperatorOptions.OPERATOR_AND
    texts = {"1 frequent": "w0", "1 rare": "w9000", "3 frequent": "w0 w1 w2", "3 mixed": "w0 w40 w3000", "8 mixed": "w0 w3 w9 w30 w90 w300 w900 w3000"}
    texts |= {"8 frequent": "w0 w1 w2 w3 w4 w5 w6 w7", "none known": "nothing of this", "30 of them": " ".join(f"w{n * n}" for n in range(30))}
    for name, text in texts.items():
        yield Operation(f"words, {name}", [search(**words(text))])
        yield Operation(f"words, {name}, all", [search(**words(text, operator=every))])
        yield Operation(f"words, {name}, at least 2", [search(**words(text, operator=either, minimum_or_tokens_match=2))])
        yield Operation(f"words, {name}, 3 properties", [search(**words(text, "title^3", "note", "category"))])
        yield Operation(f"hybrid, {name}", [search(**hybrid(query, text)) for query in queries[:8]])
    mixed = texts["3 mixed"]
    yield Operation("words, explained", [search(metadata={"uuid": True, "score": True, "explain_score": True}, **words(mixed))])
    yield Operation("words, limit 1,000", [search(limit=1000, **words(mixed))])
    yield Operation("words, offset 9,000", [search(offset=9000, **words(mixed))])
    yield Operation("words, autocut", [search(autocut=1, **words(mixed))])
    yield Operation("words, groups", [search(group_by={"path": ["category"], "number_of_groups": 5, "objects_per_group": 3}, **words(mixed))])
    for alpha in (0, 0.2, 0.8, 1):
        yield Operation(f"hybrid, alpha {alpha}", [search(**hybrid(query, mixed, alpha)) for query in queries[:8]])
    yield Operation("hybrid, ranked", [search(**hybrid(query, mixed, fusion=HybridMessage.FUSION_TYPE_RANKED)) for query in queries[:8]])
    yield Operation("hybrid, limit 1,000", [search(limit=1000, **hybrid(query, mixed)) for query in queries[:8]])
    yield Operation("hybrid, at most so far", [search(**hybrid(query, mixed, vector_distance=0.6)) for query in queries[:8]])
    yield Operation("hybrid, autocut", [search(autocut=1, **hybrid(query, mixed)) for query in queries[:8]])


def _near(queries: Matrix, rows: int) -> Iterator[Operation]:
    group = {"path": ["category"], "number_of_groups": 5, "objects_per_group": 3}
    some, everything = queries[:8], {"uuid": True, "vector": True, "distance": True, "creation_time_unix": True, "last_update_time_unix": True}
    asked: dict[str, Callable[[Vector], Recorded]] = {
        "near": lambda query: search(**near(query)),
        "near, limit 1,000": lambda query: search(limit=1000, **near(query)),
        "near, offset 9,000": lambda query: search(offset=9000, **near(query)),
        "near, at most so far": lambda query: search(**near(query, distance=0.4)),
        "near, autocut": lambda query: search(autocut=1, **near(query)),
        "near, groups": lambda query: search(group_by=group, **near(query)),
        "near, groups by reference": lambda query: search(group_by=group | {"path": ["maker"]}, **near(query)),
        "near, groups of 100": lambda query: search(limit=100, group_by=group, **near(query)),
        "near, diverse": lambda query: search(**near(query, selection={"mmr": {"limit": 10, "balance": 0.5}})),
        "near, everything of it": lambda query: search(metadata=everything, properties={"return_all_nonref_properties": True}, **near(query)),
    }
    for name, make in asked.items():
        yield Operation(name, [make(query) for query in some])
    yield Operation("near object", [search(near_object={"id": str(id_of(n * rows // 9))}) for n in range(8)])
    shown = {"ref_properties": [{"reference_property": "maker", "properties": {"non_ref_properties": ["name"]}, "metadata": {"uuid": True}}]}
    yield Operation("near, with references", [search(properties=shown, **near(query)) for query in some])
    boosts = {
        "filter": {"filter": where("EQUAL", "category", value_text="c0")},
        "number": {"numeric_decay": {"property": "price", "origin": 50, "scale": 20}},
        "date": {"time_decay": {"property": "made", "origin": "now", "scale": "90d"}},
    }
    for name, condition in boosts.items():
        boost = {"conditions": [condition], "weight": 0.5}
        yield Operation(f"near, boosted by {name}", [search(boost=boost, **near(query)) for query in some])
        yield Operation(f"words, boosted by {name}", [search(boost=boost, **words("w0 w40 w3000"))])


def _sorted(_queries: Matrix, rows: int) -> Iterator[Operation]:
    known = filters(rows)
    keys = ("category", "title", "note", "tags", "rank", "price", "sold", "made", "sizes", "place", "_id", "_creationTimeUnix")
    for key in keys:
        yield Operation(f"sort by {key}", [search(sort_by=[{"path": [key]}])])
    for name in ("int < 1 %", "int < 50 %", "title = word 10"):
        for key in ("category", "title", "price"):
            yield Operation(f"sort by {key}, {name}", [search(filters=known[name], sort_by=[{"path": [key], "ascending": True}])])
    yield Operation("sort by two", [search(sort_by=[{"path": ["category"], "ascending": True}, {"path": ["price"]}])])
    yield Operation("sort by two texts", [search(sort_by=[{"path": ["category"], "ascending": True}, {"path": ["title"]}])])
    for key in ("rank", "title"):
        yield Operation(f"sort by {key}, offset 9,000", [search(offset=9000, sort_by=[{"path": [key]}])])
    yield Operation("list", [search()])
    yield Operation("list, offset 9,000", [search(offset=9000)])
    yield Operation("list, int < 50 %, offset 9,000", [search(offset=9000, filters=known["int < 50 %"])])
    yield Operation("page after", [search(limit=100, after=str(id_of(n * rows // 9))) for n in range(8)])


def _views(queries: Matrix, _rows: int) -> Iterator[Operation]:
    for method in ("SUM", "MIN", "AVERAGE", "RELATIVE_SCORE", "MANUAL"):
        weights = [{"target": "left", "weight": 0.3}, {"target": "right", "weight": 0.7}] if method in ("MANUAL", "RELATIVE_SCORE") else []
        combination = CombinationMethod.Value(f"COMBINATION_METHOD_TYPE_{method}")
        targets = {"target_vectors": ["left", "right"], "combination": combination, "weights_for_targets": weights}
        requests = [
            search("Views", near_vector={"targets": targets, "vector_for_targets": [{"name": one, "vectors": _vector(query)} for one in ("left", "right")]})
            for query in queries[:8]
        ]
        yield Operation(f"several targets, {method.lower()}", requests)
    yield Operation(
        "one target of several", [search("Views", near_vector={"targets": {"target_vectors": ["left"]}, "vectors": _vector(q)}) for q in queries[:8]]
    )
    multi = [{"vector_bytes": several(queries[n : n + 3]), "type": VectorsMessage.VECTOR_TYPE_MULTI_FP32} for n in range(8)]
    yield Operation("multi-vector", [search("Views", near_vector={"targets": {"target_vectors": ["many"]}, "vectors": [one]}) for one in multi])


def _summaries(queries: Matrix, rows: int) -> Iterator[Operation]:
    known = filters(rows)
    numbers = dict.fromkeys(("count", "sum", "mean", "mode", "median", "maximum", "minimum"), True)
    truths = dict.fromkeys(("count", "total_true", "percentage_true"), True)
    dates = dict.fromkeys(("count", "median", "mode", "maximum", "minimum"), True)
    tops = {"count": True, "top_occurences": True, "top_occurences_limit": 5}
    kinds: dict[str, dict[str, Any]] = {
        "rank": {"int": numbers},
        "price": {"number": numbers},
        "sizes": {"int": numbers},
        "sold": {"boolean": truths},
        "made": {"date": dates},
    }
    kinds |= {name: {"text": tops} for name in ("category", "title", "tags", "note")} | {"maker": {"reference": {"pointing_to": True}}}
    ask = partial(AggregateRequest, collection="Thing", objects_count=True)
    yield Operation("count all", [call(AGGREGATE, ask())])
    for name in ("int < 1 %", "int < 50 %", "title = word 0", "title like infix", "reference's int < 50 %", "int != one"):
        yield Operation(f"count, {name}", [call(AGGREGATE, ask(filters=known[name]))])
    for name, what in kinds.items():
        asked = [{"property": name, **what}]
        yield Operation(f"aggregate {name}", [call(AGGREGATE, ask(aggregations=asked))])
        yield Operation(f"aggregate {name}, int < 50 %", [call(AGGREGATE, ask(aggregations=asked, filters=known["int < 50 %"]))])
        yield Operation(f"aggregate {name}, int < 1 %", [call(AGGREGATE, ask(aggregations=asked, filters=known["int < 1 %"]))])
    price = [{"property": "price", "number": numbers}]
    for key in ("category", "sold", "tags", "rank", "maker", "title", "note"):
        by = {"collection": "Thing", "property": key}
        yield Operation(f"count by {key}", [call(AGGREGATE, ask(group_by=by))])
        if key not in ("rank", "title"):
            yield Operation(f"aggregate price by {key}", [call(AGGREGATE, ask(group_by=by, aggregations=price))])
            yield Operation(f"count by {key}, int < 1 %", [call(AGGREGATE, ask(group_by=by, filters=known["int < 1 %"]))])
    yield Operation("aggregate price, near", [call(AGGREGATE, ask(aggregations=price, object_limit=100, **near(query))) for query in queries[:8]])
    requests = [call(AGGREGATE, ask(aggregations=price, object_limit=100, **hybrid_part(query))) for query in queries[:8]]
    yield Operation("aggregate price, hybrid", requests)


def hybrid_part(query: Vector) -> dict[str, Any]:
    """A hybrid search, as an aggregation takes it."""
    return {"hybrid": hybrid(query, "w0 w40 w3000")["hybrid_search"]}


def _others(queries: Matrix, rows: int) -> Iterator[Operation]:
    one, get = id_of(rows // 3), partial(Recorded, "GET")
    yield Operation("get", [get(f"/v1/objects/Thing/{one}")])
    yield Operation("get missing", [get(f"/v1/objects/Thing/{id_of(rows * 3)}")])
    yield Operation("exists", [Recorded("HEAD", f"/v1/objects/Thing/{one}")])
    yield Operation("get, whatever its collection", [get(f"/v1/objects/{one}")])
    yield Operation("REST list", [get("/v1/objects?class=Thing&limit=25")])
    yield Operation("REST list of all", [get("/v1/objects?limit=25")])
    yield Operation("REST list, offset", [get("/v1/objects?class=Thing&limit=25&offset=9000")])
    yield Operation("REST list, sorted", [get("/v1/objects?class=Thing&limit=25&sort=price,title&order=asc,desc")])
    yield Operation("REST list, after", [get(f"/v1/objects?class=Thing&limit=25&after={one}")])
    yield Operation("schema", [get("/v1/schema")])
    yield Operation("schema of one", [get("/v1/schema/Thing")])
    yield Operation("nodes", [get("/v1/nodes")])
    yield Operation("nodes, verbose", [get("/v1/nodes?output=verbose")])
    yield Operation("nodes, of one", [get("/v1/nodes/Thing?output=verbose")])
    yield Operation("shards", [get("/v1/schema/Thing/shards")])
    yield Operation("tenants", [get("/v1/schema/Parted/tenants")])
    yield Operation("tenants over gRPC", [call(f"{SERVICE}TenantsGet", TenantsGetRequest(collection="Parted"))])
    yield Operation("one tenant", [get("/v1/schema/Parted/tenants/t77")])
    yield Operation("tenant exists", [Recorded("HEAD", "/v1/schema/Parted/tenants/t77")])
    for name, count in (("the same tenant", 1), ("any tenant", TENANTS)):
        tenants = [f"t{n * 377 % TENANTS}" for n in range(count)]
        yield Operation(f"near in {name}", [search("Parted", tenant=t, **near(queries[n % 8])) for n, t in enumerate(tenants)])
        yield Operation(f"list in {name}", [search("Parted", tenant=t) for t in tenants])
    dry = [BatchDeleteRequest(collection="Thing", dry_run=True, verbose=v, filters=filters(rows)["int < 1 %"]) for v in (False, True)]
    for name, request in zip(("delete 1 %, tried", "delete 1 %, tried, verbose"), dry, strict=True):
        yield Operation(name, [call(f"{SERVICE}BatchDelete", request)])
    below = 'where:{path:["rank"] operator:LessThan valueInt:50000}'
    texts = {
        "GraphQL list": "{Get{Thing(limit:10){title _additional{id}}}}",
        "GraphQL list, filtered": f"{{Get{{Thing(limit:10 {below}){{title rank _additional{{id}}}}}}}}",
        "GraphQL words": '{Get{Thing(limit:10 bm25:{query:"w0 w40 w3000" properties:["title"]}){title _additional{id score}}}}',
        "GraphQL references": "{Get{Thing(limit:10){title maker{... on Maker{name}}}}}",
        "GraphQL count": "{Aggregate{Thing{meta{count}}}}",
        "GraphQL aggregate": f"{{Aggregate{{Thing({below}){{meta{{count}} price{{mean maximum}} category{{topOccurrences{{value occurs}}}}}}}}}}",
        "GraphQL grouped": '{Aggregate{Thing(groupBy:["category"]){groupedBy{value} meta{count} price{mean}}}}',
    }
    for name, text in texts.items():
        yield Operation(name, [Recorded("POST", "/v1/graphql", json.dumps({"query": text}).encode())])


def changing(vectors: Matrix, rows: int, count: int = 60) -> Iterator[Operation]:
    """All that writes; every request once."""
    draw, numbers = np.random.default_rng(8), range(count)
    fresh = iter(range(10 * rows, 11 * rows))

    def body(number: int) -> dict[str, Any]:
        """As REST takes it."""
        values = {name.lstrip("+"): value for name, value in thing(number, rows, draw).items() if name != "+maker"}
        return {"class": "Thing", "id": str(id_of(number)), "properties": values, "vector": vectors[number % rows].tolist()}

    def rest(method: str, path: str, content: Any) -> Recorded:
        return Recorded(method, path, json.dumps(content).encode())

    yield Operation(
        "insert, gRPC", [next(batches("Thing", iter([(id_of(n), thing(n, rows, draw), vectors[0])]))) for _, n in zip(numbers, fresh, strict=False)]
    )
    yield Operation("insert, REST", [rest("POST", "/v1/objects", body(n)) for _, n in zip(numbers, fresh, strict=False)])
    yield Operation("replace, REST", [rest("PUT", f"/v1/objects/Thing/{id_of(n)}", body(n)) for n in numbers])
    yield Operation("update, REST", [rest("PATCH", f"/v1/objects/Thing/{id_of(n)}", {"class": "Thing", "properties": {"rank": n}}) for n in numbers])
    many = [
        batches("Thing", ((id_of(n), thing(n, rows, draw), vectors[n % rows]) for n in range(12 * rows + 100 * k, 12 * rows + 100 * k + 100))) for k in numbers
    ]
    yield Operation("insert 100, gRPC", [next(one) for one in many])
    refs = [{"name": "maker", "from_collection": "Thing", "from_uuid": str(id_of(5000 + n)), "to_uuid": str(id_of(OWNER + n))} for n in range(count * 10)]
    added = [BatchReferencesRequest(references=refs[10 * n : 10 * n + 10]) for n in numbers]
    yield Operation("10 references, gRPC", [call(f"{SERVICE}BatchReferences", one) for one in added])
    beacons = [{"beacon": f"weaviate://localhost/Maker/{id_of(OWNER + n)}"} for n in numbers]
    yield Operation("reference, REST", [rest("POST", f"/v1/objects/Thing/{id_of(6000 + n)}/references/maker", beacons[n]) for n in numbers])
    yield Operation("delete, REST", [Recorded("DELETE", f"/v1/objects/Thing/{id_of(rows - 1 - n)}") for n in numbers])
    ranges = [both(where("GREATER_THAN_EQUAL", "rank", value_int=10 * n + 999), where("LESS_THAN", "rank", value_int=10 * n + 1009)) for n in numbers]
    yield Operation("delete 10 by filter", [call(f"{SERVICE}BatchDelete", BatchDeleteRequest(collection="Thing", filters=one)) for one in ranges])
    new = [id_of(rows * 20 + n) for n in numbers]
    for name, step in (("insert in the same tenant", 0), ("insert in any tenant", 377)):
        made = (batches("Parted", iter([(uuid, {"name": "w1"}, vectors[0])]), _tenant(step)) for uuid in new)
        yield Operation(name, [next(one) for one in made])
    tenants = "/v1/schema/Parted/tenants"
    yield Operation("create a tenant", [rest("POST", tenants, [{"name": f"new{n}"}]) for n in numbers])
    yield Operation("deactivate a tenant", [rest("PUT", tenants, [{"name": f"t{n}", "activityStatus": "COLD"}]) for n in numbers])
    yield Operation("activate a tenant", [rest("PUT", tenants, [{"name": f"t{n}", "activityStatus": "HOT"}]) for n in numbers])
    yield Operation("delete a tenant", [rest("DELETE", tenants, [f"new{n}"]) for n in numbers])
    yield Operation("create a collection", [rest("POST", "/v1/schema", {"class": f"Small{n}", **PLAIN}) for n in numbers])
    yield Operation("schema, many collections", [Recorded("GET", "/v1/schema")] * count)
    yield Operation("nodes, many collections", [Recorded("GET", "/v1/nodes?output=verbose")] * count)
    yield Operation("delete a collection", [Recorded("DELETE", f"/v1/schema/Small{n}") for n in numbers])


def _tenant(step: int) -> Callable[[int], str]:
    """One for each number of an object."""
    return lambda number: f"t{number * step % TENANTS}"
