"""The module `multi2vec-bind`: text, pictures, sound, film, thermal pictures, depth maps and motion to vectors in one space.

    {"imageFields": ["photo"], "audioFields": ["sound"], "weights": {"imageFields": [0.9], "audioFields": [0.1]}}

No model comes with nearimage: ImageBind's weights may not be used commercially (CC BY-NC-SA 4.0), so they are never a default.

May import `domain` and `vectorizers`.
"""

from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.module import ModuleKind
from nearimage.vectorizers.remote.contracts import BIND

MULTI2VEC_BIND = ModuleKind(
    name=BIND.module,
    fields={
        Modality.TEXT: "textFields",
        Modality.IMAGE: "imageFields",
        Modality.AUDIO: "audioFields",
        Modality.VIDEO: "videoFields",
        Modality.IMU: "imuFields",
        Modality.THERMAL: "thermalFields",
        Modality.DEPTH: "depthFields",
    },
    choices={},
    without_model=(
        "no model is named; bring ONNX files of your own (`nearimage models add`) and name them as model here or as the server's NEARIMAGE_BIND_MODEL, "
        "or give the address of an inference container, as inferenceUrl here or as the server's BIND_INFERENCE_API. "
        "ImageBind's weights may not be used commercially, so none come with nearimage"
    ),
    variable="BIND_INFERENCE_API",
    contract=BIND,
)
