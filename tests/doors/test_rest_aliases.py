"""Aliases over REST."""

import httpx


def test_an_alias_lives_its_life(http: httpx.Client) -> None:
    """Made, read, listed, moved, dropped: each with the status that the client accepts."""
    for name in ("One", "Two"):
        http.post("/v1/schema", json={"class": name})

    assert http.post("/v1/aliases", json={"alias": "Both", "class": "One"}).json() == {"alias": "Both", "class": "One"}
    assert http.get("/v1/schema/Both").json()["class"] == "One"
    assert http.get("/v1/aliases/both").json() == {"alias": "Both", "class": "One"}
    assert http.put("/v1/aliases/Both", json={"class": "Two"}).json() == {"alias": "Both", "class": "Two"}
    assert http.get("/v1/aliases").json() == {"aliases": [{"alias": "Both", "class": "Two"}]}
    assert http.get("/v1/aliases?class=One").json() == {"aliases": []}
    assert [http.delete("/v1/aliases/Both").status_code for _ in range(2)] == [204, 404]
    assert http.get("/v1/aliases/Both").status_code == 404


def test_who_deletes_by_an_alias_is_told_the_collection(http: httpx.Client) -> None:
    """Where an alias leads may change between two requests."""
    http.post("/v1/schema", json={"class": "One"})
    http.post("/v1/aliases", json={"alias": "Both", "class": "One"})
    http.post("/v1/objects", json={"class": "Both"})
    everything = {"path": ["id"], "operator": "Like", "valueText": "*"}

    told = http.request("DELETE", "/v1/batch/objects", json={"match": {"class": "both", "where": everything}}).json()

    assert (told["match"]["class"], told["results"]["successful"]) == ("One", 1)


def test_an_alias_that_cannot_be_is_refused(http: httpx.Client) -> None:
    """422 for what is wrong in the body, 404 for an alias in the path that is not there."""
    http.post("/v1/schema", json={"class": "One"})

    http.post("/v1/aliases", json={"alias": "Uno", "class": "One"})

    for body in (
        {"alias": "One", "class": "One"},
        {"alias": "Both", "class": "Three"},
        {"alias": "a b", "class": "One"},
        {"alias": "Both", "class": "Uno"},
        {},
    ):
        assert http.post("/v1/aliases", json=body).status_code == 422, body
    assert http.put("/v1/aliases/Both", json={"class": "One"}).status_code == 404


def test_what_is_about_a_collection_itself_is_not_done_by_an_alias(http: httpx.Client) -> None:
    """Where an alias leads may change between two requests; a property cannot be taken back."""
    http.post("/v1/schema", json={"class": "One"})
    http.post("/v1/aliases", json={"alias": "Uno", "class": "One"})

    assert http.post("/v1/schema/Uno/properties", json={"name": "p", "dataType": ["text"]}).status_code == 422
    assert http.get("/v1/nodes/Uno").status_code == 404
