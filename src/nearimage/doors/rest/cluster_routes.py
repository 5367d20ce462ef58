"""What a client asks about the server: is it there, what can it do, how full is it. The base of all paths is /v1.

May import `domain`, `service` and `doors` only.
"""

from collections.abc import Hashable

from nearimage.domain.errors import InvalidInput
from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import Json, json_response
from nearimage.doors.rest.shard_figures import of_node

_OUTPUTS = ("minimal", "verbose")
_HEALTHY, _LEADER = "HEALTHY", "Leader"

_ALWAYS = ("open", "ready", "dbLoaded", "isVoter", "bootstrapped")
"""What is so of a node that answers."""

_OF_A_LOG = (
    "appliedIndex", "commitIndex", "fsmPending", "lastContact", "lastLogIndex", "lastLogTerm", "lastSnapshotIndex", "lastSnapshotTerm",
    "latestConfigurationIndex", "numPeers", "protocolVersion", "protocolVersionMax", "protocolVersionMin", "snapshotVersionMax", "snapshotVersionMin", "term",
)  # fmt: skip
"""Counters that pages of figures show, and typed clients expect, of a log that several nodes share."""


def well_known(_: Call) -> Response:
    """Live and ready: it answers, so it is."""
    return Response(200)


def openid(_: Call) -> Response:
    """There is no OpenID provider: an empty 404 tells clients so."""
    return Response(404)


def _well_known(_: Call) -> Hashable:
    """A busy pool of threads must not make the server look dead."""
    return well_known


def links(_: Call) -> Response:
    """Where to find what."""
    known = (("/v1/meta", "about this server"), ("/v1/schema", "collections"), ("/v1/objects", "objects"), ("/v1/schema.openapi.json", "every route"))
    return json_response({"links": [{"href": href, "name": name} for href, name in known]})


def own_info(call: Call) -> Response:
    """Who the caller is; where no key was sent, nobody knows."""
    if call.user:
        return json_response({"username": call.user, "roles": [], "groups": []})
    return Response(401)


def meta(call: Call) -> Response:
    """Who this is and what clients may count on."""
    about = call.about
    modules: Json = {name: dict(module.about()) for name, module in call.services.modules.items()}
    if call.services.backups.root:  # to clients, where backups are kept is a module too
        modules["backup-filesystem"] = {"backupsPath": str(call.services.backups.root)}
    return json_response({"hostname": about.hostname, "version": about.version, "modules": modules, "grpcMaxMessageSize": about.max_message_bytes})


def modules(call: Call) -> Response:
    """What each module can be asked about; `/v1/meta` has no room for it, its modules describe themselves in words of their own."""
    return json_response({name: {"modalities": sorted(understood)} for name, understood in call.services.modalities.items()})


def nodes(call: Call) -> Response:
    """The one node there is; the batching of clients asks how busy it is."""
    collection = call.services.collections.by_own_name(call.collection).name if "collection" in call.path else None
    output = call.query.get("output") or "minimal"
    if output not in _OUTPUTS:
        raise InvalidInput(f"output is 'minimal' or 'verbose', got {output!r}")
    about = call.about
    node: Json = {"name": about.hostname, "status": _HEALTHY, "version": about.version, "operationalMode": "ReadWrite", "shards": None}
    node["batchStats"] = {"queueLength": 0, "ratePerSecond": 0}
    if output == "verbose":
        figures = [one for one in call.services.cluster.figures(collection) if call.query.get("shardName") in (None, "", one.name)]
        node["shards"] = [of_node(one) for one in figures] or None
        node["stats"] = {"objectCount": sum(one.objects for one in figures), "shardCount": len(figures)}
    return json_response({"nodes": [node]})


def statistics(call: Call) -> Response:
    """How the nodes agree: one node agrees with itself, so nothing is to be told to others, and no log of it is kept."""
    name = call.about.hostname
    raft: Json = {"state": _LEADER, "latestConfiguration": [{"id": name, "address": "", "suffrage": 0}], **dict.fromkeys(_OF_A_LOG, "0")}
    node: Json = {"name": name, "leaderId": name, "leaderAddress": "", "status": _HEALTHY, **dict.fromkeys(_ALWAYS, True)}
    return json_response({"statistics": [node | {"raft": raft, "candidates": {}, "initialLastAppliedIndex": 0}], "synchronized": True})


ROUTES = (
    Route(method="GET", path="/v1", endpoint=links),
    *(
        Route(method=method, path=f"/v1/.well-known/{name}", endpoint=well_known, kind=_well_known)
        for name in ("live", "ready")
        for method in ("GET", "HEAD", "POST")
    ),
    Route(method="GET", path="/v1/.well-known/openid-configuration", endpoint=openid, status=404, bare={404: "there is no OpenID provider"}),
    Route(method="GET", path="/v1/meta", endpoint=meta),
    Route(method="GET", path="/v1/modules", endpoint=modules),
    Route(method="GET", path="/v1/nodes", endpoint=nodes, query=("output", "shardName")),
    Route(method="GET", path="/v1/nodes/{collection}", endpoint=nodes, query=("output", "shardName")),
    Route(method="GET", path="/v1/cluster/statistics", endpoint=statistics),
    Route(method="GET", path="/v1/users/own-info", endpoint=own_info, bare={401: "no key was sent, so nobody knows who it is"}),
)
