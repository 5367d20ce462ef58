"""The REST door, asked whatever its own description allows, and more: Schemathesis makes requests of it and breaks some on purpose.

from tests.http_doors import asked
from tests.http_doors import rest_site
from tests.http_doors import served
from nearimage.doors.http1.server import Allowances
from nearimage.doors.http1.reading import Limits
`NEARIMAGE_FUZZ_EXAMPLES=1000 pytest tests/doors/test_rest_fuzz.py` looks longer.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from nearimage.doors.http1.reading import Limits
from nearimage.doors.http1.server import Allowances
from nearimage.doors.rest.call import About, Route
from nearimage.doors.rest.routes import ROUTES
from tests.doors.graphql_world import uid
from tests.doors.test_grpc_fuzz import world
from tests.http_doors import rest_site, served

EXAMPLES = int(os.environ.get("NEARIMAGE_FUZZ_EXAMPLES", "8"))
SAME = "NEARIMAGE_FUZZ_EXAMPLES" not in os.environ
"""The same inputs in every run of all tests: what fails then is what was changed. A longer look takes new ones."""
KNOWN = {"collection": "Kennel", "id": uid(41), "property": "picture", "tenant": "ann", "shard": "Kennel", "kind": "near-text"}


@pytest.fixture(scope="module")
def api() -> Iterator[schemathesis.BaseSchema]:
    about = About(version="1.39.2", hostname="here", max_message_bytes=100_000)
    allowances = Allowances(limits=Limits(body_bytes=about.max_message_bytes))
    with ThreadPoolExecutor(2) as executor, served(rest_site(world(), about).open, executor, allowances) as running:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{running.port}/v1/schema.openapi.json")


@pytest.mark.timeout(0 if EXAMPLES > 8 else 60)
@pytest.mark.parametrize(
    ("route", "mode"),
    [(route, mode) for route in ROUTES for mode in GenerationMode if route.body or mode is GenerationMode.POSITIVE],  # a text in a path cannot be wrong
    ids=lambda one: f"{one.method} {one.path}" if isinstance(one, Route) else str(one),
)
def test_any_request_is_answered_or_refused_as_a_mistake(api: schemathesis.BaseSchema, route: Route, mode: GenerationMode) -> None:
    """Whatever is sent, the server is not to blame, and what it answers has the form that its description promises."""

    @settings(max_examples=EXAMPLES, derandomize=SAME, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=api[route.path][route.method].as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        for name, value in list((case.path_parameters or {}).items()):
            if name in KNOWN and len(str(value)) % 2:  # half of the requests mean something that is there
                case.path_parameters[name] = KNOWN[name]
        case.call_and_validate(checks=[not_a_server_error, response_schema_conformance])

    check()
