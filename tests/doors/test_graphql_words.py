"""Keyword searches over GraphQL: which of the words an object must have."""

from uuid import UUID

from nearimage.domain.drafts import Draft
from nearimage.domain.schema import Collection
from tests.doors.graphql_world import asking_of
from tests.fakes import World, text


def test_every_word_can_be_asked_of_all_properties_together() -> None:
    """As over gRPC, for keyword searches and for the keyword leg of hybrid ones: one word may stand in the title, the other in the text."""
    made = World().services()
    made.collections.create(Collection(name="Page", properties=(text("title"), text("body"))))
    pages = (("banana", "bread"), ("banana split", "ice"), ("cherry", "split"), ("split", "a banana"))
    made.objects.put_many("Page", [Draft(id=UUID(int=n), properties={"title": title, "body": body}) for n, (title, body) in enumerate(pages, 1)])
    ask_pages = asking_of(made)

    def found(search: str, operator: str) -> set[str]:
        answer = ask_pages("{ Get { Page(%s) { title } } }" % (search % operator))
        return {page["title"] for page in answer["data"]["Get"]["Page"]}

    for search in (
        'bm25: {query: "banana split", searchOperator: {operator: %s}}',
        'hybrid: {query: "banana split", alpha: 0, bm25SearchOperator: {operator: %s}}',
    ):
        assert found(search, "And") == {"banana split"}
        assert found(search, "AndCross") == {"banana split", "split"}
