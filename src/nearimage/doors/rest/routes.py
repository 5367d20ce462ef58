"""Every route of the REST door. May import `doors` only."""

from nearimage.doors.rest import (
    alias_routes,
    batch_routes,
    cluster_routes,
    object_routes,
    reference_routes,
    schema_routes,
    search,
    tenant_routes,
    tokenize_routes,
)
from nearimage.doors.rest.call import Route

ROUTES: tuple[Route, ...] = (
    *cluster_routes.ROUTES,
    *schema_routes.ROUTES,
    *alias_routes.ROUTES,
    *tenant_routes.ROUTES,
    *object_routes.ROUTES,
    *reference_routes.ROUTES,
    *batch_routes.ROUTES,
    *tokenize_routes.ROUTES,
    *search.ROUTES,
)
