"""Read JSON requests and write JSON replies.

Requests are read into typed structures, so that a wrong type is refused with the name of the field; keys that are not known are ignored, because clients
send some that no server reads. Replies keep float32 numbers as short as they are.

May import msgspec, orjson, starlette, `domain` and `service` only.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import orjson
from starlette.responses import Response

from nearimage.domain.errors import InvalidInput, MalformedJson
from nearimage.domain.values import GeoCoordinates, PhoneNumber, Reference
from nearimage.doors.faults import Fault
from nearimage.service.beacons import beacon_of

T = TypeVar("T")


def read_body(body: bytes, kind: type[T]) -> T:
    """The JSON of a request.

    Raises:
        MalformedJson: it is no JSON, or nested deeper than the reader goes.
        InvalidInput: it is JSON of another shape; the message names the field.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as wrong:
        raise InvalidInput(f"the request body does not fit: {wrong}") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise MalformedJson(f"the request body is no JSON: {wrong}", reason=str(wrong)) from wrong
    except RecursionError as wrong:
        raise MalformedJson("the request body is nested too deeply; flatten it", reason="nesting") from wrong


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON reply; bytes are written as base64, numpy arrays as lists, values of properties as clients know them."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_PASSTHROUGH_DATACLASS
    return Response(orjson.dumps(content, default=_plain, option=options), status, media_type="application/json")


def fault_response(fault: Fault) -> Response:
    """An error, in the form that the clients read."""
    return json_response({"error": [{"message": fault.message, "code": fault.code}]}, fault.http_status)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, GeoCoordinates):
        return {"latitude": value.latitude, "longitude": value.longitude}
    if isinstance(value, PhoneNumber):
        return _phone_number(value)
    if isinstance(value, Reference):
        return {"beacon": beacon_of(value), "href": f"/v1/objects/{value.collection}/{value.id}"}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _phone_number(value: PhoneNumber) -> Mapping[str, object]:
    return {
        "input": value.input,
        "internationalFormatted": value.international,
        "nationalFormatted": value.national,
        "national": value.national_number,
        "countryCode": value.country_code,
        "defaultCountry": value.default_country,
        "valid": value.valid,
    }
