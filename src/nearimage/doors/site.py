"""All doors that speak HTTP, behind one port: who asks, who answers.

    head --Authorization--> user --path, method--> endpoint --may the user?--> --open--> exchange

What anybody must be able to ask needs no key: whether it is alive, the page itself, which shows nothing that it has not asked for, and OPTIONS,
by which browsers ask whether a page may ask.

May import `domain` and `doors` only.
"""

from collections.abc import Iterable

from nearimage.domain.errors import Denied, Unauthenticated
from nearimage.doors.access import OPEN, Access
from nearimage.doors.faults import fault_of
from nearimage.doors.http1.exchange import Endpoint, Exchange, Head, Response
from nearimage.doors.paths import Paths
from nearimage.doors.rest.json_body import fault_response, json_response, not_allowed_response
from nearimage.doors.web_pages import Permitted, permitted


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
        origin = head.header(b"origin")
        if head.method == "OPTIONS":
            return Response(headers=self._access.pages.permission(origin))
        opened = self._open(head)
        if origin is None:  # it comes from no web page
            return opened
        permission = self._access.pages.permission(origin)
        return permitted(opened, permission) if isinstance(opened, Response) else Permitted(opened, permission)

    def _open(self, head: Head) -> Exchange | Response:
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
