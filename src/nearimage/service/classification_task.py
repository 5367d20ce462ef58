"""What is to be labelled, and whether that makes sense. May import `domain` only."""

from dataclasses import dataclass
from enum import StrEnum

from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import Filter
from nearimage.domain.schema import Collection, DataType, Property

DEFAULT_K = 3
"""How many neighbours vote, as in Weaviate."""
MOST_K = 10_000
"""Weaviate's QUERY_MAXIMUM_RESULTS: who asks more of them asks everybody."""


class Method(StrEnum):
    """How labels are found, under the names that clients know."""

    NEIGHBOURS = "knn"
    ZERO_SHOT = "zeroshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be labelled, and how.

    Attributes:
        properties: references that are to be filled; objects that have none of them are labelled.
        based_on: the property whose meaning the vectors hold; the vectors alone are compared.
        k: how many neighbours vote.
        source: which objects are labelled.
        training: which objects are examples.
        target: which objects may be labels.
    """

    collection: str
    properties: tuple[str, ...]
    based_on: tuple[str, ...]
    method: Method = Method.NEIGHBOURS
    k: int = DEFAULT_K
    source: Filter | None = None
    training: Filter | None = None
    target: Filter | None = None


def check_task(task: Task, collection: Collection) -> None:
    """Refuse a task that makes no sense.

    Raises:
        InvalidInput: properties that cannot be labelled or gone by, a filter that the method does not have, or tenants.
    """
    if collection.tenancy.enabled:
        raise InvalidInput(f"collection {collection.name!r} has tenants, and a classification names none; label objects within one by references")
    if not task.properties:
        raise InvalidInput("classifyProperties has to name at least one property")
    for name in task.properties:
        if property_of(collection, name).data_type is not DataType.REFERENCE:
            raise InvalidInput(f"classifyProperties: property {name!r} is no reference; labels are objects that it leads to", property=name)
    if len(task.based_on) != 1:
        raise InvalidInput(f"basedOnProperties has to name one property, got {list(task.based_on)}")
    if (based_on := property_of(collection, task.based_on[0])).data_type not in (DataType.TEXT, DataType.BLOB):
        raise InvalidInput(f"basedOnProperties: property {based_on.name!r} is {based_on.data_type}, expected text or blob", property=based_on.name)
    if task.method is Method.NEIGHBOURS and task.target is not None:
        raise InvalidInput("knn has no targetWhere: labels are those that the examples have; choose the examples with trainingSetWhere")
    if not 1 <= task.k <= MOST_K:
        raise InvalidInput(f"settings.k is how many neighbours vote, from 1 to {MOST_K}, got {task.k}")


def property_of(collection: Collection, name: str) -> Property:
    """A property that a task names.

    Raises:
        InvalidInput: the collection has none of that name.
    """
    found = collection.property(name)
    if found is None:
        known = [prop.name for prop in collection.properties]
        raise InvalidInput(f"collection {collection.name!r} has no property {name!r}; it has {known}", property=name)
    return found
