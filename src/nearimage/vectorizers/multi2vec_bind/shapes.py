"""What the towers of this module take: the shape of one clip, behind the side that says how many.

May import `domain` only: the model store looks here before it takes a tower.
"""

from collections.abc import Mapping

from nearimage.domain.vectorizing import Modality

CLIP_SHAPES: Mapping[Modality, tuple[int, ...]] = {
    Modality.AUDIO: (1, 128, 204),
    Modality.VIDEO: (3, 2, 224, 224),
    Modality.IMU: (6, 2_000),
    Modality.THERMAL: (1, 224, 224),
    Modality.DEPTH: (1, 224, 224),
}
