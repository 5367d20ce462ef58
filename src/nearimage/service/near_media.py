"""nearImage, nearAudio and their kin: a picture, a sound ... in, its vector out, for each of the vectors to be searched.

    base64 --media--> bytes --decoded once--> each target vector's own model --> (dims,) a target

May import `domain` and `ports` only.
"""

from collections.abc import Sequence

from nearimage.domain.objects import Vector
from nearimage.domain.query import NearMedia
from nearimage.domain.schema import Collection, VectorConfig
from nearimage.service.embedding import Value, embed, succeeded
from nearimage.service.vectorize import ObjectVectorizer


def near_media(query: NearMedia, collection: Collection, targets: Sequence[VectorConfig], vectorizer: ObjectVectorizer) -> list[Vector]:
    """The vectors of the query's picture (or sound ...), one for each target.

    Args:
        targets: vectors of the collection.

    Raises:
        NoVectorizer: no module makes a target vector from such input.
        InvalidBase64, UnreadablePicture, PictureTooLarge: the picture cannot be read.
        Busy: a model's queue is full, or its container does not answer.
    """
    recipes = [vectorizer.asked(collection, target, query.modality) for target in targets]  # before decoding: a wrong target costs nothing
    value = Value(query.modality, vectorizer.media.read(query.data, broken=True))
    outcomes = embed(vectorizer.media, [recipe.order([[value]]) for recipe in recipes])
    return [recipe.checked(succeeded(made)[0]) for recipe, (made,) in zip(recipes, outcomes, strict=True)]
