"""One question, every door, the same hits."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearimage.domain.drafts import Draft
from nearimage.doors.graphql.answering import graphql
from nearimage.doors.graphql.requests import Request
from nearimage.doors.grpc.handlers import SERVICE, handlers
from nearimage.doors.rest.call import About
from tests.fakes import World, dogs, picture
from tests.http_doors import asked as answering
from tests.http_doors import rest_site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import base_search_pb2, search_get_pb2

colours = st.tuples(st.integers(1, 255), st.integers(0, 255), st.integers(0, 255))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stored=st.lists(colours, min_size=1, max_size=12), asked=colours, limit=st.integers(1, 12), distance=st.floats(0, 2))
def test_every_door_gives_the_same_hits(stored: list[tuple[int, int, int]], asked: tuple[int, int, int], limit: int, distance: float) -> None:
    """A door translates; what is near is decided once."""
    services = World().services()
    services.collections.create(dogs())
    services.objects.put_many("Dog", [Draft(id=UUID(int=n), properties={"image": picture(*colour)}) for n, colour in enumerate(stored)])
    image = picture(*asked)

    def grpc() -> list[tuple[UUID, float]]:
        near = base_search_pb2.NearImageSearch(image=image, distance=distance)
        request = search_get_pb2.SearchRequest(
            collection="Dog", limit=limit, near_image=near, metadata=search_get_pb2.MetadataRequest(uuid=True, distance=True)
        )
        reply = search_get_pb2.SearchReply.FromString(handlers(services)[f"{SERVICE}Search"](request.SerializeToString()))
        return [(UUID(bytes=result.metadata.id_as_bytes), result.metadata.distance) for result in reply.results]

    def rest() -> list[tuple[UUID, float]]:
        about = About(version="1.35.0", hostname="here", max_message_bytes=1_000_000)
        with ThreadPoolExecutor(1) as executor, answering(rest_site(services, about), executor) as http:
            body = {"image": image, "limit": limit, "distance": distance}
            return [(UUID(hit["id"]), hit["distance"]) for hit in http.post("/v1/search/Dog/near-image", json=body).json()["hits"]]

    def by_graphql() -> list[tuple[UUID, float]]:
        query = f'{{ Get {{ Dog(nearImage: {{image: "{image}", distance: {distance!r}}}, limit: {limit}) {{ _additional {{ id distance }} }} }} }}'
        hits = graphql(services).answer(Request(query=query))["data"]["Get"]["Dog"]
        return [(UUID(hit["_additional"]["id"]), float(hit["_additional"]["distance"])) for hit in hits]

    assert grpc() == rest() == by_graphql()
