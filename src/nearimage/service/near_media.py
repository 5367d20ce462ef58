"""nearImage, nearAudio and their kin: a picture, a sound ... in, its vector out.

    base64 --media--> bytes --media--> pixels --the target vector's own model--> (dims,)

May import `domain` and `ports` only.
"""

from nearimage.domain.errors import InvalidInput, NoVectorizer
from nearimage.domain.objects import Vector
from nearimage.domain.query import NearMedia
from nearimage.domain.schema import VectorConfig
from nearimage.service.vectorize import ObjectVectorizer


def near_media(query: NearMedia, target: VectorConfig, vectorizer: ObjectVectorizer) -> Vector:
    """The vector of the query's picture (or sound ...).

    Raises:
        NoVectorizer: no module makes the target vector from such input.
        InvalidBase64, UnreadablePicture, PictureTooLarge: the picture cannot be read.
    """
    found = vectorizer.module(target)  # before decoding: a wrong target costs nothing
    if found is None or query.modality not in found[0].modalities:
        raise NoVectorizer(
            f"vector {target.name!r} (vectorizer {target.module!r}) cannot be searched by {query.modality}; "
            f"use nearVector, or a collection with a vectorizer for {query.modality}",
            vector=target.name,
            module=target.module,
        )
    module, settings = found
    content = vectorizer.media.read(query.data)
    vector = vectorizer.embed(module.open(settings), query.modality, [content])[0]
    if isinstance(vector, InvalidInput):
        raise vector
    return vector
