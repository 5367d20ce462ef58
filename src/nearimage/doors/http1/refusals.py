"""What is said to who does not speak HTTP/1.1 as it is meant, in the form in which the REST door tells errors.

May import the standard library, `doors.faults` and this package only.
"""

import json

from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Response


def refusal(status: int, code: str, message: str) -> Response:
    """An error that no door has seen."""
    return Response(status, json.dumps({"error": [{"message": message, "code": code}]}).encode(), "application/json")


def internal(error: BaseException) -> Response:
    """A mistake of this program: a door that raised."""
    fault = fault_of(error)
    return refusal(fault.http_status, fault.code, fault.message)
