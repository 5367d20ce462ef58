"""nearText: words in, the mean of their vectors out. May import `domain` and `ports` only."""

import numpy as np

from nearimage.domain.errors import InvalidInput, NoVectorizer
from nearimage.domain.objects import Vector
from nearimage.domain.query import NearText
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.service.vectorize import ObjectVectorizer


def near_text(query: NearText, target: VectorConfig, vectorizer: ObjectVectorizer) -> Vector:
    """The mean of the concepts' vectors.

    Raises:
        NoVectorizer: no module makes the target vector from words.
        InvalidInput: no concepts.
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
    return np.asarray(module.open(settings).embed_texts(query.concepts).mean(axis=0), np.float32)
