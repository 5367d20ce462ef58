"""Roles and users over REST: there are none to list, and none can be made."""

import httpx
import pytest


@pytest.mark.parametrize(
    "path",
    ["users/db", "authz/roles", "authz/roles/viewer/user-assignments", "authz/users/ann/roles/db", "authz/groups/oidc", "authz/groups/all/roles/oidc"],
)
def test_lists_of_roles_and_users_are_empty(http: httpx.Client, path: str) -> None:
    """Programs that show all that a server has ask for these too, and Weaviate answers them so where roles are not switched on."""
    told = http.get(f"/v1/{path}")

    assert (told.status_code, told.json()) == (200, [])


def test_a_role_that_is_not_there_permits_nothing(http: httpx.Client) -> None:
    """The client takes anything but true or false for a failure."""
    assert http.get("/v1/authz/roles/viewer").status_code == 404
    assert http.post("/v1/authz/roles/viewer/has-permission", json={"action": "read_collections"}).json() is False


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "authz/roles"), ("POST", "users/db/ann"), ("GET", "users/db/ann"), ("DELETE", "users/db/ann"), ("POST", "users/db/ann/rotate-key")],
)
def test_roles_and_users_are_not_made_by_request(http: httpx.Client, method: str, path: str) -> None:
    """Who believes that a key was made would lock nobody out with it."""
    assert http.request(method, f"/v1/{path}", json={"name": "r"}).status_code == 422
