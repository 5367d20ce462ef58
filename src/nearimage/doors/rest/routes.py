"""Every route of the REST door. May import `doors` only."""

from nearimage.doors.http1.exchange import Response
from nearimage.doors.rest import (
    access_routes,
    alias_routes,
    backup_routes,
    batch_routes,
    classification_routes,
    cluster_routes,
    object_routes,
    reference_routes,
    schema_routes,
    search,
    tenant_routes,
    tokenize_routes,
)
from nearimage.doors.rest.call import Call, Route
from nearimage.doors.rest.json_body import json_response
from nearimage.doors.rest.openapi import document


def describe(call: Call) -> Response:
    """This document."""
    return json_response(document(ROUTES, version=call.about.version))


ROUTES: tuple[Route, ...] = (
    *cluster_routes.ROUTES,
    *schema_routes.ROUTES,
    *alias_routes.ROUTES,
    *tenant_routes.ROUTES,
    *object_routes.ROUTES,
    *reference_routes.ROUTES,
    *batch_routes.ROUTES,
    *tokenize_routes.ROUTES,
    *backup_routes.ROUTES,
    *classification_routes.ROUTES,
    *search.ROUTES,
    *access_routes.ROUTES,
    Route(method="GET", path="/v1/schema.openapi.json", endpoint=describe),
)
