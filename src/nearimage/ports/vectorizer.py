"""The vectorizer port: modules, under Weaviate's names, and the models behind them.

May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.ports.media import Pixels


class Vectorizer(Protocol):
    """One model, ready to run."""

    @property
    def dimensions(self) -> int:
        """The length of its vectors."""
        ...

    @property
    def short_side(self) -> int:
        """To how many pixels on the shorter side it shrinks a picture; what `Media.decode` is told."""
        ...

    def embed_images(self, images: Sequence[Pixels]) -> Matrix:
        """Embed a batch of pictures, in order.

        Args:
            images: n pictures, each (height, width, 3) uint8 RGB. Sizes may differ; 1 x 1 is fine. n may be 0.

        Returns:
            (n, dimensions) float32. Row i belongs to images[i]. For n == 0: (0, dimensions).

        Raises:
            Busy: the queue is full; nothing was embedded.
            NotSupported: the model does not understand pictures.

        Cost:
            One model run per micro-batch, on all cores. Blocks.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> Matrix:
        """Embed a batch of texts, in order; what is longer than the model can read is cut.

        Returns:
            (n, dimensions) float32. For n == 0: (0, dimensions).

        Raises:
            Busy: the queue is full; nothing was embedded.
            NotSupported: the model does not understand text.
        """
        ...


class VectorizerModule(Protocol):
    """A kind of vectorizer that a schema can name, such as `img2vec-neural`."""

    @property
    def name(self) -> str:
        """Its name in schemas."""
        ...

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it can be asked about."""
        ...

    def check(self, settings: Mapping[str, object]) -> ModuleSettings:
        """Read a schema's settings for this module; keys it does not know are ignored.

        Raises:
            InvalidSchema: detail has "setting". Also where the model it names is not one of this module's.
            ModelMissing: the model's weights are not installed; detail has "how".
        """
        ...

    def unconfigured(self) -> ModuleSettings:
        """What stands for the settings where a schema names the module and has none: no fields, the default model.

        Raises:
            InvalidSchema: there is no default model; detail has "setting".
            ModelMissing: as for `check`.
        """
        ...

    def open(self, settings: ModuleSettings) -> Vectorizer:
        """The vectorizer for these settings; the same one for the same model.

        Raises:
            ModelMissing: the weights are not installed.
            Corrupt: the weights' checksum is wrong.

        Cost:
            The first call for a model loads it (a second or two, the first time ever: it is converted). Blocks.
        """
        ...
