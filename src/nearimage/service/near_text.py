"""nearText: words in, the mean of their vectors out, moved towards or away from others.

May import numpy, `domain` and `ports` only.
"""

from collections.abc import Sequence

import numpy as np

from nearimage.domain.errors import InvalidInput, NoVectorizer, ObjectNotFound
from nearimage.domain.objects import Projection, Vector
from nearimage.domain.query import Move, NearText
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.ports.engine import Shard
from nearimage.ports.vectorizer import Vectorizer
from nearimage.service.movement import move_away, move_to
from nearimage.service.vectorize import ObjectVectorizer


def near_text(query: NearText, target: VectorConfig, vectorizer: ObjectVectorizer, shard: Shard) -> Vector:
    """The mean of the concepts' vectors, moved as the query says.

    Args:
        shard: where the objects are that the query moves to or away from.

    Raises:
        NoVectorizer: no module makes the target vector from words.
        InvalidInput: no concepts, a force out of range, a force without anything to move to.
        ObjectNotFound: an object to move to is not there, or has no such vector.
    """
    found = vectorizer.module(target)
    if found is None or Modality.TEXT not in found[0].modalities:
        raise NoVectorizer(
            f"vector {target.name!r} (vectorizer {target.module!r}) cannot be searched by words; use a vector made by multi2vec-clip",
            vector=target.name,
            module=target.module,
        )
    if not query.concepts:
        raise InvalidInput("nearText needs at least one concept; got none")
    module, settings = found
    model = module.open(settings)
    vector = _mean(model, query.concepts)
    if query.move_to:
        vector = move_to(vector, _destination("moveTo", query.move_to, model, target, shard), query.move_to.force)
    if query.move_away:
        vector = move_away(vector, _destination("moveAwayFrom", query.move_away, model, target, shard), query.move_away.force)
    return vector


def _mean(model: Vectorizer, concepts: Sequence[str]) -> Vector:
    return np.asarray(model.embed_texts(concepts).mean(axis=0), np.float32)


def _destination(name: str, move: Move, model: Vectorizer, target: VectorConfig, shard: Shard) -> list[Vector]:
    if not move.concepts and not move.ids:
        raise InvalidInput(f"{name} has a force but nothing to move by; give it concepts or objects", setting=name)
    vectors = [_mean(model, move.concepts)] if move.concepts else []
    stored = shard.get(move.ids, Projection(properties=(), vectors=(target.name,)))
    for one in move.ids:
        if one not in stored or target.name not in stored[one].vectors:
            raise ObjectNotFound(f"{name}: there is no object {one} with a vector {target.name!r} in this collection", id=str(one))
        vectors.append(stored[one].vectors[target.name])
    return vectors
