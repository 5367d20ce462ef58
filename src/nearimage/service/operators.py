"""What is said where a named vector cannot be searched by what a query brings.

    "vector 'photo' of collection 'Dog', made by img2vec-neural, cannot be searched by nearText, but by nearImage, nearVector and nearObject; ..."

Kinds of search are called as Weaviate's clients call them. May import `domain` and `ports` only.
"""

from collections.abc import Iterable, Mapping

from nearimage.domain.errors import NoVectorizer
from nearimage.domain.schema import NO_MODULE, Collection, VectorConfig
from nearimage.domain.vectorizing import OPERATORS, Modality
from nearimage.ports.vectorizer import VectorizerModule

_ALWAYS = ("nearVector", "nearObject")
"""What every vector can be searched by, whoever made it."""


def cannot_be_searched(collection: Collection, target: VectorConfig, modality: Modality, modules: Mapping[str, VectorizerModule]) -> NoVectorizer:
    """The error for a query by a kind of input that a vector's module does not understand.

    Args:
        modules: those of this server, by name.
    """
    operator = OPERATORS[modality]
    understood = _understood(target, modules)
    ways = [OPERATORS[one] for one in Modality if one in understood]
    made = f"made by {target.module}" if target.module != NO_MODULE else "which comes with the objects"
    vector = f"vector {target.name!r} of collection {collection.name!r}, {made}"
    message = f"{vector}, cannot be searched by {operator}, but by {_listed([*ways, *_ALWAYS])}; {_instead(collection, modality, modules)}"
    return NoVectorizer(message, collection=collection.name, vector=target.name, module=target.module, operator=operator)


def _instead(collection: Collection, modality: Modality, modules: Mapping[str, VectorizerModule]) -> str:
    """Where such a query can go."""
    operator = OPERATORS[modality]
    if others := [repr(vector.name) for vector in collection.vectors if modality in _understood(vector, modules)]:
        return f"for {operator} name as target vector {_listed(others, last='or')}"
    makers = sorted(module.name for module in modules.values() if modality in module.modalities)
    return f"{operator} needs a vector made by {_listed(makers, last='or')}" if makers else f"no module of this server understands {operator}"


def _understood(vector: VectorConfig, modules: Mapping[str, VectorizerModule]) -> frozenset[Modality]:
    module = modules.get(vector.module)
    return module.modalities if module else frozenset()


def _listed(words: Iterable[str], *, last: str = "and") -> str:
    *before, end = words
    return f"{', '.join(before)} {last} {end}" if before else end
