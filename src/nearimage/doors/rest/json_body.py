"""Read JSON requests and write JSON replies.

Requests are read into typed structures, so that a wrong type is refused with the name of the field; `sent` says which names are known. Replies keep float32
numbers as short as they are.

May import msgspec, orjson, pybase64, `domain`, `service` and `doors` only.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar, get_origin

import msgspec
import orjson
from pybase64 import b64encode_as_string

from nearimage.domain.errors import InvalidParameter, MalformedJson, Unauthenticated, UnsupportedMediaType
from nearimage.domain.values import GeoCoordinates, PhoneNumber, Reference
from nearimage.doors.faults import Fault
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.broken_texts import mended
from nearimage.doors.rest.call import MISSING
from nearimage.doors.rest.sent import read_value
from nearimage.doors.whole_numbers import with_whole_numbers
from nearimage.service.beacons import beacon_of

Json = dict[str, Any]
T = TypeVar("T")

_SHORT = 16
"""A body of blanks is none; longer ones nobody sends."""

_LONG_NUMBER = re.compile(rb"\d{19}")
"""2^63 has 19 digits."""


def read_body(body: bytes, kind: type[T]) -> T:
    """The JSON of a request; null is an object or a list with nothing in it, and what is no Unicode in its texts is mended.

    Raises:
        InvalidParameter: there is no body.
        MalformedJson: it is no JSON, nested deeper than the reader goes, or of another shape; the message names the field.
    """
    if len(body) < _SHORT:
        body = body.strip()
    if not body:
        raise InvalidParameter("the request has no body; send JSON", rule=MISSING)
    if body == b"null":
        body = b"[]" if get_origin(kind) is list else b"{}"
    try:
        return _mended(body, kind)
    except msgspec.ValidationError as wrong:
        raise MalformedJson(f"the request body does not fit: {wrong}", reason=str(wrong)) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise MalformedJson(f"the request body is no JSON: {wrong}", reason=str(wrong)) from wrong
    except RecursionError as wrong:
        raise MalformedJson("the request body is nested too deeply; flatten it", reason="nesting") from wrong


def _mended(body: bytes, kind: type[T]) -> T:
    try:
        return _decoded(body, kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        if (whole := mended(body)) == body:
            raise
    return _decoded(whole, kind)


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:  # a name in another case, one that nobody knows, or a mistake
        return read_value(msgspec.json.decode(body), kind)


def read_settings(body: bytes, kind: type[T]) -> T:
    """The JSON of a request that carries settings of any shape, or a filter, which are shown as they came.

    A whole number beyond 64 bits becomes a float, as it is to every other server: no JSON writer for clients takes it.

    Raises:
        InvalidParameter, MalformedJson: as for `read_body`.
    """
    if _LONG_NUMBER.search(body):
        with suppress(orjson.JSONDecodeError):  # `read_body` says what is wrong
            body = orjson.dumps(orjson.loads(body))
    return read_body(body, kind)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply; bytes are written as base64, numpy arrays as lists, values of properties as clients know them."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS
    return Response(status, orjson.dumps(content, default=_plain, option=options), "application/json", headers or {})


def is_writable(content: Any) -> bool:
    """Whether a JSON reply can hold something that came in a JSON request: not whole numbers beyond 64 bits, nor what is nested 254 levels deep."""
    try:
        orjson.dumps(content)
    except orjson.JSONEncodeError:
        return False
    return True


def fault_response(error: BaseException, fault: Fault, path: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error, in the form that the clients read."""
    if isinstance(error, InvalidParameter):
        return json_response({"code": error.detail["rule"], "message": fault.message}, fault.http_status)
    if isinstance(error, MalformedJson | UnsupportedMediaType | Unauthenticated):
        return json_response({"code": fault.http_status, "message": fault.message}, fault.http_status, headers)
    told: dict[str, Any] = {"error": [{"message": fault.message, "code": fault.code}]}
    if fault.http_status == 422 and path.startswith("/v1/schema") and "/tenants" not in path:
        told = {"allowed": None} | told  # a field that clients of the schema expect, and nobody fills
    return json_response(told, fault.http_status)


def not_allowed_response(method: str, allowed: Sequence[str]) -> Response:
    """A method that a path does not have."""
    listed = ", ".join(allowed)
    return json_response({"code": 405, "message": f"method {method} is not allowed here, but {listed}"}, 405, {"Allow": listed})


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode_as_string(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, GeoCoordinates):
        return {"latitude": with_whole_numbers(value.latitude), "longitude": with_whole_numbers(value.longitude)}
    if isinstance(value, PhoneNumber):
        return _phone_number(value)
    if isinstance(value, Reference):
        return {"beacon": beacon_of(value), "href": f"/v1/objects/{value.collection}/{value.id}"}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _phone_number(value: PhoneNumber) -> Mapping[str, object]:
    """What is empty, zero or false of it is not told."""
    told = {
        "input": value.input,
        "internationalFormatted": value.international,
        "nationalFormatted": value.national,
        "national": value.national_number,
        "countryCode": value.country_code,
        "defaultCountry": value.default_country,
        "valid": value.valid,
    }
    return {name: part for name, part in told.items() if part}
