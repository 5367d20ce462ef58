"""All doors that speak HTTP, behind one port: who asks, who answers.

    head --Authorization--> user --path, method--> endpoint --may the user?--> --open--> exchange

What anybody must be able to ask needs no key: whether it is alive, and the page itself, which shows nothing that it has not asked for.

May import `domain` and `doors` only.
"""

from collections.abc import Iterable

from nearimage.domain.errors import Denied, Unauthenticated
from nearimage.doors.access import OPEN, Access
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Endpoint, Exchange, Head, Response
from nearimage.doors.paths import Paths
from nearimage.doors.rest.json_body import fault_response, json_response, not_allowed_response


class Site:
    """Opens exchanges.

    Args:
        access: who may call.
    """

    def __init__(self, endpoints: Iterable[Endpoint], access: Access = OPEN) -> None:
        methods: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            methods.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._paths = Paths(methods)
        self._access = access

    def open(self, head: Head) -> Exchange | Response:
        """Begin to answer a request."""
        path, public = head.path, _is_public(head.path)
        try:
            user = "" if public else self._access.user(head.header(b"authorization"))
        except Unauthenticated as refused:
            return fault_response(refused, fault_of(refused), path, headers={"WWW-Authenticate": "Bearer"})
        found = self._paths.find(path)
        if found is None:
            return json_response({"code": 404, "message": f"there is nothing at {path}"}, 404)
        methods, names = found
        endpoint = methods.get(head.method)
        if endpoint is None:
            return not_allowed_response(head.method, list(methods))
        try:
            if not public:
                self._access.check(user, reads=endpoint.reads)
        except Denied as refused:
            return fault_response(refused, fault_of(refused), path)
        return endpoint.open(head, names, user)


def _is_public(path: str) -> bool:
    return path == "/" or path.startswith(("/v1/.well-known/", "/page/"))
