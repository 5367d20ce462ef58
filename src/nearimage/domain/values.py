"""The values that properties have.

    text, uuid, date     str       uuid in canonical form, date as RFC 3339 text, as given
    int, number, boolean int, float, bool
    blob                 bytes
    blobHash             str       the SHA-256 of what was sent, in hexadecimal digits
    geoCoordinates       GeoCoordinates
    phoneNumber          PhoneNumber
    object               dict      names to values of any of these types, references apart
    references           tuple of Reference
    arrays               tuple

A missing value is an absent key, never None. May import the standard library only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

Scalar = str | int | float | bool

INT64 = range(-(2**63), 2**63)
"""What an int may be."""

CANONICAL_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""What a uuid looks like once it is read."""


@dataclass(frozen=True, slots=True)
class GeoCoordinates:
    """A place on the globe, in degrees: latitude -90 to 90, longitude -180 to 180."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A telephone number, as it was typed and as it was understood.

    Attributes:
        default_country: ISO 3166-1 alpha-2, upper case, or empty; where the input names no country.
        international: with its country code, grouped as is usual; empty if it could not be read.
        national: the same without the country code.
        national_number: the digits of `national` as a number.
        country_code: such as 49; 0 if it could not be read.
        valid: whether such a number may exist, by length and prefix.
    """

    input: str
    default_country: str = ""
    international: str = ""
    national: str = ""
    national_number: int = 0
    country_code: int = 0
    valid: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Leads to an object; nobody checks that it is there."""

    collection: str
    id: UUID

    def __str__(self) -> str:
        """As a text, such as a group has: `Person/36ddd591-...`."""
        return f"{self.collection}/{self.id}"


class BlobToHash(bytes):
    """What was sent for a blobHash, until its vectors are made; then its hash is stored in its place.

    Attributes:
        digest: that hash, in hexadecimal digits.
    """

    digest: str

    def __new__(cls, data: bytes, digest: str) -> Self:
        """The bytes of the blob, with its hash."""
        made = super().__new__(cls, data)
        made.digest = digest
        return made


Nested = Mapping[str, "PropertyValue"]
"""The value of a nested object."""

Element = Scalar | bytes | GeoCoordinates | PhoneNumber | Reference | Nested
PropertyValue = Element | tuple[Element, ...]


_IN_JSON = {code: f"\\u{code:04x}" for code in (*range(0x20), *b"&<>", 0x2028, 0x2029)} | str.maketrans(
    {'"': r"\"", "\\": r"\\", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
)
"""How Go writes these characters within a text (encoding/json, which escapes what HTML would read as well)."""

_ESCAPED = re.compile(f"[{re.escape(''.join(map(chr, _IN_JSON)))}]")
"""Looked for first: it takes a tenth of the time that `str.translate` takes."""


def sorted_as(value: Any) -> Any:
    """What stands in the place of a value, or of what `order_of` makes of it, in the order of a sort.

    Capitals do not count there, and a text stands where Weaviate has it, which compares texts as they are written in JSON.
    """
    if isinstance(value, tuple):
        return tuple(map(sorted_as, value))
    if not isinstance(value, str):
        return value
    return (value.translate(_IN_JSON) if _ESCAPED.search(value) else value).lower()


def order_of(value: PropertyValue) -> PropertyValue | tuple[float, ...]:
    """What a value is ordered by: places from west to east, then from south to north; telephone numbers by country, then by number; the rest as it is."""
    if isinstance(value, GeoCoordinates):
        return (value.longitude, value.latitude)
    if isinstance(value, PhoneNumber):
        return (value.country_code, value.national_number)
    return value
