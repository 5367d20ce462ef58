"""The door describes itself."""

import re
from typing import Any

import httpx
import pytest

from nearimage.doors.rest.routes import ROUTES

REFERENCE = re.compile(r'"\$ref": ?"#/components/schemas/(\w+)"')


@pytest.fixture
def described(http: httpx.Client) -> Any:
    return http.get("/v1/schema.openapi.json").json()


def test_every_route_is_described_and_nothing_else(described: Any) -> None:
    """The document is written from the table that the door answers by."""
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}

    assert told == {(route.method, route.path) for route in ROUTES}


def test_names_lead_somewhere_and_each_stands_for_one_operation(http: httpx.Client, described: Any) -> None:
    """Programs that write clients from the document stumble over both."""
    names = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]

    assert len(set(names)) == len(names)
    assert set(REFERENCE.findall(http.get("/v1/schema.openapi.json").text)) <= described["components"]["schemas"].keys()
    assert all(operation["summary"] for methods in described["paths"].values() for operation in methods.values())


def test_a_path_says_which_parts_it_takes(described: Any) -> None:
    """Each name in braces is a parameter, and required."""
    for path, methods in described["paths"].items():
        for operation in methods.values():
            required = {p["name"] for p in operation["parameters"] if p["in"] == "path" and p["required"]}
            assert required == set(re.findall(r"{(\w+)}", path)), path


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body is not None], ids=lambda route: f"{route.method} {route.path}")
def test_a_body_that_the_document_does_not_allow_is_refused(http: httpx.Client, route: Any) -> None:
    """Whatever the route: text is the body of none of them, and never a failure of the server."""
    path = re.sub(r"{(\w+)}", lambda part: "00000000-0000-0000-0000-000000000001" if part[1] == "id" else "Dog", route.path)

    assert http.request(route.method, path, json="text").status_code in (400, 404, 422)
    assert http.request(route.method, path, content=b"{").status_code in (400, 404, 422)
    assert http.request(route.method, path, content=b"x=1", headers={"content-type": "text/plain"}).status_code == 415
