"""Routes of backups. The base of all paths is /v1; the one backend is `filesystem`.

May import msgspec, `domain`, `service` and `doors` only.
"""

from collections.abc import Mapping
from typing import Any

from nearimage.domain.errors import InvalidInput
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import Json, json_response, read_body
from nearimage.doors.rest.sent import Sent
from nearimage.service.backups import Backup, Backups

FILESYSTEM = "filesystem"
_GIB = 1 << 30
_PLACES = ("path", "bucket", "endpoint")
_RANGES = {"CPUPercentage": range(1, 81), "ChunkSize": range(2, 513)}
_COMPRESSIONS = ("DefaultCompression", "BestSpeed", "BestCompression", "ZstdDefaultCompression", "ZstdBestSpeed", "ZstdBestCompression", "NoCompression")


class _Body(Sent):
    """Which collections, as clients send it.

    Attributes:
        config: how much of a processor to take and how to compress; checked as Weaviate does, and then looked at by nobody.
    """

    include: list[str] | None = None
    exclude: list[str] | None = None
    config: dict[str, Any] | None = None


class RestoreBody(_Body):
    """Which collections of a backup to bring back."""

    overwriteAlias: bool = False  # noqa: N815 the wire's name


class BackupBody(_Body):
    """Which collections to copy.

    Attributes:
        incremental_base_backup_id: the backup that this one is to build upon; nothing is left out for its sake.
    """

    id: str = ""
    incremental_base_backup_id: str | None = None


def create_backup(call: Call) -> Response:
    """Begin a backup; it goes on in the background, and its state is asked for."""
    body = read_body(call.body, BackupBody)
    backups = _backups(call, body)
    return json_response(_render(backups.create(body.id, body.include or (), body.exclude or (), base=body.incremental_base_backup_id or "")))


def list_backups(call: Call) -> Response:
    """Every backup, the last one begun first; with ?order=asc the other way round."""
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidInput(f"order is 'asc' or 'desc', got {order!r}")
    found = _backups(call).all()
    return json_response([_render(one) for one in (found if order == "asc" else reversed(found))])


def backup_status(call: Call) -> Response:
    """How far a backup has come."""
    return json_response(_render(_backups(call).status(call.path["id"])))


def cancel_backup(call: Call) -> Response:
    """Stop making a backup."""
    _backups(call).cancel(call.path["id"])
    return Response(204)


def restore_backup(call: Call) -> Response:
    """Begin to bring collections of a backup back."""
    body = read_body(call.body, RestoreBody)
    backups = _backups(call, body)
    return json_response(_render(backups.restore(call.path["id"], body.include or (), body.exclude or (), overwrite_aliases=body.overwriteAlias)))


def restore_status(call: Call) -> Response:
    """How far the restoring of a backup has come."""
    return json_response(_render(_backups(call).restore_status(call.path["id"])))


def cancel_restore(call: Call) -> Response:
    """Stop restoring a backup."""
    _backups(call).cancel(call.path["id"], restoring=True)
    return Response(204)


def _backups(call: Call, body: _Body | None = None) -> Backups:
    if call.path["backend"] != FILESYSTEM:
        raise InvalidInput(f"there is no backup backend {call.path['backend']!r}; this server has {FILESYSTEM!r}")
    config = (body and body.config) or {}
    _check_config(config)
    asked = {**call.query, **config}
    if elsewhere := [key for key in asked if key.lower() in _PLACES and asked[key]]:
        raise InvalidInput(f"{elsewhere[0]} cannot be chosen by a request; backups are kept where BACKUP_FILESYSTEM_PATH says")
    return call.services.backups


def _check_config(config: Mapping[str, Any]) -> None:
    """Refuse settings that cannot be; 0 and an empty text are how some clients say nothing."""
    for name, allowed in _RANGES.items():
        value = config.get(name) or allowed[0]
        if not isinstance(value, int) or value not in allowed:
            raise InvalidInput(f"config: {name} is a whole number from {allowed[0]} to {allowed[-1]}, got {value!r}", setting=name)
    level = config.get("CompressionLevel") or _COMPRESSIONS[0]
    if level not in _COMPRESSIONS:
        raise InvalidInput(f"config: CompressionLevel is one of {list(_COMPRESSIONS)}, got {level!r}", setting="CompressionLevel")


def _render(backup: Backup) -> Json:
    told: Json = {"id": backup.id, "backend": FILESYSTEM, "path": backup.path, "classes": backup.collections, "status": backup.state}
    times = {"startedAt": backup.started, "completedAt": backup.completed, "error": backup.error}
    return told | {"size": backup.bytes / _GIB} | {key: value for key, value in times.items() if value}


_ALL, _ONE, _RESTORE = "/v1/backups/{backend}", "/v1/backups/{backend}/{id}", "/v1/backups/{backend}/{id}/restore"
_WHERE = ("bucket", "path")
ROUTES = (
    Route(method="GET", path=_ALL, endpoint=list_backups, query=("order",)),
    Route(method="POST", path=_ALL, endpoint=create_backup, body=BackupBody),
    Route(method="GET", path=_ONE, endpoint=backup_status, query=_WHERE),
    Route(method="DELETE", path=_ONE, endpoint=cancel_backup, query=_WHERE, status=204),
    Route(method="POST", path=_RESTORE, endpoint=restore_backup, body=RestoreBody),
    Route(method="GET", path=_RESTORE, endpoint=restore_status, query=_WHERE),
    Route(method="DELETE", path=_RESTORE, endpoint=cancel_restore, query=_WHERE, status=204),
)
