"""Ask questions through `gql`, a client that knows GraphQL and nothing of databases; prints the answers, by name.

    python graphql_gql.py PORT < questions.json        {"by local image path": ["{ Get { ... } }", {"image": "..."}], ...}

It reads the schema by introspection first and holds each question against it, as typed clients and editors do. May import the client and the standard
library only.
"""

import json
import sys
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport


def answer(session: Any, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """As a server sends it."""
    try:
        return {"data": session.execute(GraphQLRequest(gql(query), variable_values=variables))}
    except TransportQueryError as error:
        return {"data": error.data, "errors": error.errors}


def main() -> None:
    """Ask, print."""
    transport = HTTPXTransport(url=f"http://127.0.0.1:{sys.argv[1]}/v1/graphql", timeout=30)
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        answers = {name: answer(session, query, variables) for name, (query, variables) in json.load(sys.stdin).items()}
    sys.stdout.write(json.dumps(answers))


main()
