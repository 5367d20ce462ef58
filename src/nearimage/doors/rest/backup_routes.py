"""Backups by request, as Weaviate's clients ask for them: not in this version, and said so, with what does it instead. The base of all paths is /v1.

May import starlette, `domain` and `doors` only.
"""

from starlette.responses import Response

from nearimage.domain.errors import InvalidInput
from nearimage.doors.rest.call import Call, Route


def create_backup(_: Call) -> Response:
    """Refuse to begin a backup."""
    raise _elsewhere()


def backup_status(_: Call) -> Response:
    """There is no backup whose state could be told."""
    raise _elsewhere()


def restore_backup(_: Call) -> Response:
    """Refuse to restore one."""
    raise _elsewhere()


def restore_status(_: Call) -> Response:
    """Nothing is being restored."""
    raise _elsewhere()


def _elsewhere() -> InvalidInput:
    return InvalidInput("backups by request are not supported; run `nearimage backup` and `nearimage restore` where the server runs")


ROUTES = (
    Route(method="POST", path="/v1/backups/{backend}", endpoint=create_backup),
    Route(method="GET", path="/v1/backups/{backend}/{id}", endpoint=backup_status),
    Route(method="POST", path="/v1/backups/{backend}/{id}/restore", endpoint=restore_backup),
    Route(method="GET", path="/v1/backups/{backend}/{id}/restore", endpoint=restore_status),
)
