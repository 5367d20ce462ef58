"""Who is let in."""

import pytest

from nearimage.config.keys import allows_anonymous, lists_of_users, users_of_keys, warnings_about_rights
from nearimage.config.settings import InvalidSetting, load_settings
from nearimage.domain.errors import Denied, Unauthenticated
from nearimage.doors.access import OPEN, Access, Lists, digest_of
from nearimage.doors.grpc.handlers import READS
from nearimage.doors.rest.routes import ROUTES

LOCKED = Access(users={digest_of("s3cret"): "ann", digest_of("ø-key"): "bob"}, anonymous=False)


def test_a_known_key_says_whose_request_it_is() -> None:
    """Clients ask who they are, and the scheme's name has no case."""
    assert LOCKED.user("Bearer s3cret") == "ann"
    assert LOCKED.user("bearer  s3cret ") == "ann"


@pytest.mark.parametrize("sent", [None, "", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret", "Bearer ann", "Bearer \udcff"])
def test_anything_else_is_refused(sent: str | None) -> None:
    """A key that is nearly right opens nothing, and the refusal repeats nothing of it."""
    with pytest.raises(Unauthenticated) as caught:
        LOCKED.user(sent)
    assert "s3cre" not in caught.value.message


def test_a_wrong_key_is_refused_also_where_anybody_may_come_in() -> None:
    """Its sender believes that it counts."""
    both = Access(users={digest_of("s3cret"): "ann"}, anonymous=True)
    assert both.user(None) == ""
    with pytest.raises(Unauthenticated):
        both.user("Bearer other")


def test_where_there_are_no_keys_a_key_is_not_looked_at() -> None:
    """Programs that send one everywhere work against a server for one's own machine too."""
    assert OPEN.user("Bearer whatever") == ""


def test_weaviates_variables_say_who_has_a_key() -> None:
    """Deployment files move over; without anonymous access said, keys switch it off."""
    environment = {"AUTHENTICATION_APIKEY_ENABLED": "true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "one, two", "AUTHENTICATION_APIKEY_USERS": "ann,bob"}
    settings = load_settings({}, environment)
    assert users_of_keys(settings) == {"one": "ann", "two": "bob"}
    assert not allows_anonymous(settings)
    assert allows_anonymous(load_settings({}, environment | {"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true"}))
    assert allows_anonymous(load_settings({}, {}))
    assert users_of_keys(load_settings({}, environment | {"AUTHENTICATION_APIKEY_USERS": "ann"})) == {"one": "ann", "two": "ann"}


@pytest.mark.parametrize(
    "environment",
    [
        {"AUTHENTICATION_APIKEY_ENABLED": "true"},
        {"AUTHENTICATION_APIKEY_ENABLED": "true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "one"},
        {"AUTHENTICATION_APIKEY_ENABLED": "true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "one,,two", "AUTHENTICATION_APIKEY_USERS": "ann"},
        {"AUTHENTICATION_APIKEY_ENABLED": "true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "one,one", "AUTHENTICATION_APIKEY_USERS": "ann,bob"},
        {"AUTHENTICATION_APIKEY_ENABLED": "true", "AUTHENTICATION_APIKEY_ALLOWED_KEYS": "1,2,3", "AUTHENTICATION_APIKEY_USERS": "ann,bob"},
        {"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false"},
        {"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "perhaps"},
    ],
)
def test_settings_that_would_lock_out_or_let_in_by_mistake_stop_the_start(environment: dict[str, str]) -> None:
    """An empty key would be everybody's."""
    settings = load_settings({}, environment)
    with pytest.raises(InvalidSetting):
        _ = users_of_keys(settings), allows_anonymous(settings)


@pytest.mark.parametrize(
    ("user", "reads", "allowed"),
    [
        ("ann", True, True),
        ("ann", False, True),
        ("bob", True, True),
        ("bob", False, False),
        ("eve", True, False),
        ("", True, False),
        ("anonymous", True, False),
    ],
)
def test_lists_say_who_may_read_and_who_may_change(user: str, reads: bool, allowed: bool) -> None:
    """Whoever is on none may nothing, also without a key."""
    access = Access(lists=Lists(admins=frozenset({"ann"}), readers=frozenset({"bob"})))
    if allowed:
        access.check(user, reads=reads)
        return
    with pytest.raises(Denied) as caught:
        access.check(user, reads=reads)
    assert caught.value.detail == {"user": user or "anonymous"}


@pytest.mark.parametrize("name", ["AUTHORIZATION_RBAC_ENABLED", "AUTHENTICATION_OIDC_ENABLED", "AUTHENTICATION_DB_USERS_ENABLED"])
def test_what_is_not_there_to_tell_callers_apart_is_warned_about(name: str) -> None:
    """Whoever moves over would else believe in a lock that is open."""
    (warning,) = warnings_about_rights(load_settings({}, {name: "true"}))
    assert (warning.split()[0], "AUTHORIZATION_ADMINLIST_ENABLED" in warning) == (name, True)
    assert warnings_about_rights(load_settings({}, {name: "false"})) == []


def test_what_only_asks_is_known_by_name() -> None:
    """A route that changes something and is taken for a question would be open to everybody who may read."""
    asking = {route.path for route in ROUTES if route.asks}
    assert asking == {
        "/v1/objects/validate",
        "/v1/search/{collection}/{kind}",
        "/v1/tokenize",
        "/v1/authz/roles/{role}/has-permission",
        "/v1/schema/{collection}/properties/{property}/tokenize",
    }
    assert {name.rpartition("/")[2] for name in READS} == {"Search", "Aggregate", "TenantsGet"}


def test_who_has_no_key_may_be_on_a_list() -> None:
    """A public catalogue: everybody reads."""
    access = Access(lists=Lists(readers=frozenset({"anonymous"})))
    access.check("", reads=True)
    with pytest.raises(Denied, match="change nothing"):
        access.check("", reads=False)
    OPEN.check("", reads=False)


def test_weaviates_variables_say_who_is_on_a_list() -> None:
    """Deployment files move over; lists that are switched off say nothing, one name on both says two things."""
    lists = {"AUTHORIZATION_ADMINLIST_USERS": "ann, eve", "AUTHORIZATION_ADMINLIST_READONLY_USERS": "bob,"}
    on = lists | {"AUTHORIZATION_ADMINLIST_ENABLED": "true"}
    assert lists_of_users(load_settings({}, on)) == (frozenset({"ann", "eve"}), frozenset({"bob"}))
    assert lists_of_users(load_settings({}, lists)) is None
    with pytest.raises(InvalidSetting, match="bob"):
        lists_of_users(load_settings({}, on | {"AUTHORIZATION_ADMINLIST_USERS": "bob"}))
