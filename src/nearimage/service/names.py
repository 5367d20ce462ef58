"""Which names collections, properties and vectors may have.

The rules are Weaviate's, so that a schema moves both ways. May import `domain` only.
"""

import re
from collections.abc import Container

from nearimage.domain.errors import InvalidSchema, InvalidTenant

COLLECTION = re.compile(r"[A-Z][_0-9A-Za-z]{0,254}")
PROPERTY = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,230}")
VECTOR = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,229}")
ADDED_VECTOR = re.compile(r"[_A-Za-z][-_0-9A-Za-z]{0,229}")
TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED = {"_additional", "_id", "id"}


def collection_name(name: str) -> str:
    """The name under which a collection is known: its first letter is upper-cased."""
    return name[:1].upper() + name[1:]


def property_name(name: str) -> str:
    """The name under which a property is known to clients of Weaviate: its first letter is lower-cased."""
    return name[:1].lower() + name[1:]


def known_name(given: str, known: Container[str]) -> str:
    """The name that a property is known under where objects call it so: the one given, if there is one, else with its first letter lower-cased."""
    return given if given in known else property_name(given)


def check_collection_name(name: str, what: str = "a collection") -> None:
    """Refuse what cannot name a collection.

    Args:
        what: would have the name; for the message.

    Raises:
        InvalidSchema: detail has "setting".
    """
    if not COLLECTION.fullmatch(name):
        raise InvalidSchema(f"{name!r} cannot name {what}: a letter, then letters, digits and _, 255 at most", setting="class")


def check_property_name(name: str, *, nested: bool = False) -> None:
    """Refuse what cannot name a property.

    Args:
        nested: whether it is one of a nested object, which may have an `id` of its own.

    Raises:
        InvalidSchema: detail has "setting".
    """
    if not PROPERTY.fullmatch(name) or (name in RESERVED and not nested):
        taken = "" if nested else f"; {sorted(RESERVED)} are taken"
        raise InvalidSchema(f"{name!r} cannot name a property: a letter or _, then letters, digits and _, 231 at most{taken}", setting="properties.name")


def check_vector_name(name: str, *, added: bool = False) -> None:
    """Refuse what cannot name a vector.

    Args:
        added: to a collection that is there: the name may then have hyphens too, though GraphQL has no way to ask for such a vector.

    Raises:
        InvalidSchema: detail has "setting".
    """
    if not (ADDED_VECTOR if added else VECTOR).fullmatch(name):
        raise InvalidSchema(f"{name!r} cannot name a vector: a letter or _, then letters, digits and _, 230 at most", setting="vectorConfig")


def check_tenant_name(name: str, position: int = 0) -> None:
    """Refuse what cannot name a tenant.

    Args:
        position: of the name in the request, for the message.

    Raises:
        InvalidTenant: detail has "tenant".
    """
    if not TENANT.fullmatch(name):
        raise InvalidTenant(f"tenant name at index {position}: {name!r} cannot name a tenant: letters, digits, _ and -, 1 to 64 of them", tenant=name)
