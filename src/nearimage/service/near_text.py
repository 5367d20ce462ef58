"""nearText: words in, the mean of their vectors out, moved towards or away from others.

May import numpy, `domain` and `ports` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nearimage.domain.errors import InvalidInput, ObjectNotFound
from nearimage.domain.objects import Projection, Vector
from nearimage.domain.query import Move, NearText
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.ports.engine import Shard
from nearimage.service.embedding import Value, embed, succeeded
from nearimage.service.movement import move_away, move_to
from nearimage.service.question import Question
from nearimage.service.vectorize import ObjectVectorizer, Recipe


@dataclass(frozen=True, slots=True)
class _Space:
    """Where a query's words and objects become vectors."""

    recipe: Recipe
    vectorizer: ObjectVectorizer
    shard: Shard

    def mean(self, concepts: Sequence[str]) -> Vector:
        """The mean of the vectors of some words, at least one."""
        ((made,),) = embed(self.vectorizer.media, [self.recipe.order([[Value(Modality.TEXT, concept) for concept in concepts]])])
        return np.asarray(succeeded(made).mean(axis=0), np.float32)

    def destination(self, name: str, move: Move) -> list[Vector]:
        """The vectors that a query moves to or away from, at least one."""
        if not move.concepts and not move.ids:
            raise InvalidInput(f"{name} has a force but nothing to move by; give it concepts or objects", setting=name)
        vectors = [self.mean(move.concepts)] if move.concepts else []
        target = self.recipe.name
        stored = self.shard.get(move.ids, Projection(properties=(), vectors=(target,)))
        for one in move.ids:
            if one not in stored or target not in stored[one].vectors:
                raise ObjectNotFound(f"{name}: there is no object {one} with a vector {target!r} in this collection", id=str(one))
            vectors.append(stored[one].vectors[target])
        return vectors


def near_text(query: NearText, target: VectorConfig, vectorizer: ObjectVectorizer, question: Question) -> Vector:
    """The mean of the concepts' vectors, moved as the query says.

    Args:
        question: to the shard where the objects are that the query moves to or away from.

    Raises:
        NoVectorizer: no module makes the target vector from words.
        InvalidInput: no concepts, a force out of range, a force without anything to move to.
        ObjectNotFound: an object to move to is not there, or has no such vector.
        Busy: the model's queue is full, or its container does not answer.
    """
    space = _Space(vectorizer.asked(question.collection, target, Modality.TEXT), vectorizer, question.shard)
    if not query.concepts:
        raise InvalidInput("nearText needs at least one concept; got none")
    vector = space.mean(query.concepts)
    if query.move_to:
        vector = move_to(vector, space.destination("moveTo", query.move_to), query.move_to.force)
    if query.move_away:
        vector = move_away(vector, space.destination("moveAwayFrom", query.move_away), query.move_away.force)
    return space.recipe.checked(vector)
