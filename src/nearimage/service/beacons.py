"""Beacons: how references are written on the wire.

    weaviate://localhost/Person/36ddd591-2dee-4e7e-a3cc-eb86d30a4303      collection and id
    weaviate://localhost/36ddd591-2dee-4e7e-a3cc-eb86d30a4303             the older form; where several collections are possible, `whereabouts` says which

The scheme is not looked at, the host is: no object is anywhere else. May import `domain` only.
"""

import re
from uuid import UUID

from nearimage.domain.values import Reference
from nearimage.service.names import collection_name

_BEACON = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//localhost/(?:(?P<collection>[^/]+)/)?(?P<id>[0-9a-fA-F-]+)")


def read_beacon(beacon: object, targets: tuple[str, ...]) -> Reference:
    """The reference that a beacon writes.

    Args:
        targets: the collections that it may lead to.

    Raises:
        ValueError: it is no beacon, or leads elsewhere; the text says what was expected.
    """
    found = _BEACON.fullmatch(beacon) if isinstance(beacon, str) else None
    try:
        target = UUID(found["id"]) if found else None
    except ValueError:
        target = None
    if found is None or target is None:
        raise ValueError("a beacon such as weaviate://localhost/Collection/36ddd591-2dee-4e7e-a3cc-eb86d30a4303")
    if found["collection"] is None:
        if len(targets) != 1:
            raise ValueError(f"a beacon that names one of the collections {list(targets)}")
        return Reference(targets[0], target)
    collection = collection_name(found["collection"])
    if collection not in targets:
        raise ValueError(f"a beacon that leads to one of the collections {list(targets)}")
    return Reference(collection, target)


def read_any_beacon(beacon: object) -> Reference | None:
    """The reference that a beacon writes, wherever it leads; None where it names no collection or is no beacon."""
    found = _BEACON.fullmatch(beacon) if isinstance(beacon, str) else None
    try:
        return Reference(collection_name(found["collection"]), UUID(found["id"])) if found and found["collection"] else None
    except ValueError:
        return None


def beacon_target(beacon: object) -> str | None:
    """The collection that a beacon leads to; None where it names none or is no beacon."""
    found = _BEACON.fullmatch(beacon) if isinstance(beacon, str) else None
    return collection_name(found["collection"]) if found and found["collection"] else None


def id_alone(beacon: object) -> UUID | None:
    """The id that a beacon of the older form leads to; None where it names its collection or is no beacon."""
    found = _BEACON.fullmatch(beacon) if isinstance(beacon, str) else None
    try:
        return UUID(found["id"]) if found and not found["collection"] else None
    except ValueError:
        return None


def beacon_of(reference: Reference) -> str:
    """The inverse of `read_beacon`."""
    return beacon_to(str(reference))


def beacon_to(place: str) -> str:
    """The beacon of a reference that is given as a text."""
    return f"weaviate://localhost/{place}"
