"""The vectorizer port: modules, under Weaviate's names, and the models behind them, in this process or in a container.

A vectorizer embeds bundles: what belongs together, such as the fields of one object or the concepts of one query.

    [Input(TEXT, "a cat"), Input(IMAGE, pixels)]   one object   ->  (2, dims)
    [Input(IMAGE, pixels)]                         another      ->  (1, dims), or why it has none

A model in this process takes the bundles apart and runs all inputs of a kind together; a container is sent one request a bundle. Either way one bad
input fails its own bundle only. How the rows of a bundle become one vector is the service's business. May import `domain` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nearimage.domain.errors import NearimageError
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.ports.media import Pixels


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to embed.

    Attributes:
        content: text as str; a picture (of heat and of depth, too) as pixels where the vectorizer has a `short_side`, else as the bytes of its
            file; anything else as the bytes of its file.
    """

    modality: Modality
    content: str | bytes | Pixels


Bundle = Sequence[Input]
"""Inputs that belong together, at least one."""


class Vectorizer(Protocol):
    """One model, ready to be asked."""

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it understands; perhaps less than its module does."""
        ...

    @property
    def short_side(self) -> int | None:
        """To how many pixels on the shorter side it shrinks a picture, which is what `Media.decode` is told; None where it takes pictures as files."""
        ...

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        """Embed bundles, in order.

        Args:
            bundles: n of them; n may be 0. Text longer than the model can read is cut; pictures of any size are fine, also 1 x 1.

        Returns:
            For each bundle (inputs, dims) float32, row i for input i, dims the same for all; or why it has none: an InvalidInput where an input cannot be
            used, NotSupported for a modality that it does not understand, Busy where the container did not answer.

        Raises:
            Busy: the queue is full; nothing was embedded.

        Cost:
            In this process a model run per micro-batch, on all cores; with a container an HTTP request a bundle, several at a time. Blocks.
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

    def unconfigured(self, model: str = "") -> ModuleSettings:
        """What stands for the settings where a schema names the module and has none: no fields, and this model.

        Args:
            model: empty for the default.

        Raises:
            InvalidSchema: there is no default model; detail has "setting".
            ModelMissing: as for `check`.
        """
        ...

    def open(self, settings: ModuleSettings) -> Vectorizer:
        """The vectorizer for these settings; the same one for the same model or container.

        Raises:
            ModelMissing: the weights are not installed.
            Corrupt: the weights' checksum is wrong.

        Cost:
            The first call for a model loads it (a second or two, the first time ever: it is converted). Blocks. A container is not asked for anything.
        """
        ...

    def about(self) -> Mapping[str, object]:
        """What `/v1/meta` says about the module: its container's own description, or facts about its model.

        Cost:
            May ask the container, for up to a second. Blocks.
        """
        ...
