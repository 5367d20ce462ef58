"""A vectorizer in this process: a tower for each kind of input, all into one space.

    bundles --taken apart by modality--> tower(texts), tower(pictures), tower(files) ... --put together--> rows of each bundle

A tower gets every input of its kind at once, whatever bundles they come from, so that it can run them in batches on all cores.
May import numpy, `domain` and `ports`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nearimage.domain.errors import NearimageError, NotSupported
from nearimage.domain.objects import Matrix, Vector
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Bundle

Rows = Iterable[Vector | NearimageError]
"""A row for each input, in order, such as a matrix; or why an input has none."""

_Place = tuple[int, int]  # bundle, input


@dataclass(frozen=True, slots=True, kw_only=True)
class Towers:
    """The vectorizer; see the port.

    Attributes:
        name: of the model, for messages.
        dimensions: of every row.
        short_side: what the tower for pictures shrinks them to.
        pictures, texts: the towers for pixels and for text, if there are any.
        pixels: the towers for pictures of other kinds, such as of heat.
        files: the towers for what comes as the bytes of a file.
    """

    name: str
    dimensions: int
    short_side: int
    pictures: Callable[[Sequence[Pixels]], Rows] | None = None
    texts: Callable[[Sequence[str]], Rows] | None = None
    pixels: Mapping[Modality, Callable[[Sequence[Pixels]], Rows]] = field(default_factory=dict)
    files: Mapping[Modality, Callable[[Sequence[bytes]], Rows]] = field(default_factory=dict)

    @property
    def modalities(self) -> frozenset[Modality]:
        """See the port."""
        own = {Modality.IMAGE: self.pictures, Modality.TEXT: self.texts}
        return frozenset(self.files) | frozenset(self.pixels) | {modality for modality, tower in own.items() if tower}

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        """See the port."""
        made = [np.empty((len(bundle), self.dimensions), np.float32) for bundle in bundles]
        failed: dict[int, NearimageError] = {}
        for modality, places in _by_modality(bundles).items():
            contents = [bundles[bundle][position].content for bundle, position in places]
            for (bundle, position), row in zip(places, self._rows(modality, contents), strict=True):
                if isinstance(row, NearimageError):
                    failed[bundle] = row
                else:
                    made[bundle][position] = row
        return [failed.get(number) or rows for number, rows in enumerate(made)]

    def _rows(self, modality: Modality, contents: Sequence[str | bytes | Pixels]) -> Iterable[Vector | NearimageError]:
        if modality is Modality.TEXT and self.texts:
            return self.texts([text for text in contents if isinstance(text, str)])
        if modality is Modality.IMAGE and self.pictures:
            return self.pictures([pixels for pixels in contents if isinstance(pixels, np.ndarray)])
        if modality in self.pixels:
            return self.pixels[modality]([pixels for pixels in contents if isinstance(pixels, np.ndarray)])
        if modality in self.files:
            return self.files[modality]([data for data in contents if isinstance(data, bytes)])
        known = ", ".join(sorted(self.modalities))
        return [NotSupported(f"model {self.name!r} understands {known}, not {modality}; choose another model or leave it out", feature=modality)] * len(
            contents
        )


def _by_modality(bundles: Sequence[Bundle]) -> dict[Modality, list[_Place]]:
    places: dict[Modality, list[_Place]] = {}
    for number, bundle in enumerate(bundles):
        for position, entry in enumerate(bundle):
            places.setdefault(entry.modality, []).append((number, position))
    return places
