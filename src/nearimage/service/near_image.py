"""nearImage: a picture in, its vector out.

    base64 --media--> bytes --media--> pixels --the target vector's own model--> (dims,)

May import `domain` and `ports` only.
"""

from nearimage.domain.errors import InvalidInput, NoVectorizer
from nearimage.domain.objects import Vector
from nearimage.domain.query import NearImage
from nearimage.domain.schema import VectorConfig
from nearimage.domain.vectorizing import Modality
from nearimage.service.vectorize import ObjectVectorizer


def near_image(query: NearImage, target: VectorConfig, vectorizer: ObjectVectorizer) -> Vector:
    """The vector of the query's picture.

    Raises:
        NoVectorizer: no module makes the target vector from pictures.
        InvalidBase64, UnreadablePicture, PictureTooLarge: the picture cannot be read.
    """
    found = vectorizer.module(target)  # before decoding: a wrong target costs nothing
    if found is None or Modality.IMAGE not in found[0].modalities:
        raise NoVectorizer(
            f"vector {target.name!r} (vectorizer {target.module!r}) cannot be searched by a picture; use nearVector, or a collection with an image vectorizer",
            vector=target.name,
            module=target.module,
        )
    module, settings = found
    picture = vectorizer.media.read(query.image)
    vector = vectorizer.embed(module.open(settings), Modality.IMAGE, [picture])[0]
    if isinstance(vector, InvalidInput):
        raise vector
    return vector
