"""Embed values with several models at once, each picture decoded once.

    values --pictures--> decoded once, large enough for every model that wants pixels --.
           --pictures--> as files, for those that want files                            +--> each model --> rows
           --anything else---------------------------------------------------------------'

May import `domain` and `ports` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nearimage.domain.cancellation import check_somebody_waits
from nearimage.domain.errors import InvalidInput, NearimageError
from nearimage.domain.objects import Matrix
from nearimage.domain.vectorizing import PICTURES, Modality
from nearimage.ports.media import Media, Pixels
from nearimage.ports.vectorizer import Bundle, Input, Vectorizer


@dataclass(frozen=True, slots=True)
class Value:
    """Something to embed, as it is stored: text, or the bytes of a file."""

    modality: Modality
    content: str | bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What one model is to embed.

    Attributes:
        exact: whether its pictures are decoded at their full size.
        bundles: each at least one value.
    """

    vectorizer: Vectorizer
    exact: bool
    bundles: Sequence[Sequence[Value]]


Decoded = dict[int, Pixels | InvalidInput]
"""What pictures look like, by the identity of their bytes: comparing the bytes themselves would read megabytes again."""


def embed(media: Media, orders: Sequence[Order]) -> list[list[Matrix | NearimageError]]:
    """Embed what was ordered.

    Returns:
        For each order, for each of its bundles: (values, dims) float32, or why there is nothing: one bad value fails its own bundle only.

    Raises:
        Busy: a model's queue is full.
        Cancelled: nobody waits for the answer any more.
    """
    check_somebody_waits()  # an import comes here with one slice of its pictures after the other
    decoded = _decode(media, [order for order in orders if order.vectorizer.short_side is not None])
    return [_embed(order, decoded) for order in orders]


def succeeded(outcome: Matrix | NearimageError) -> Matrix:
    """The rows of a bundle.

    Raises:
        NearimageError: why there are none.
    """
    if isinstance(outcome, NearimageError):
        raise outcome
    return outcome


def _decode(media: Media, orders: Sequence[Order]) -> Decoded:
    """All pictures of these orders, in one go so that every core decodes."""
    pictures = {id(value.content): value.content for order in orders for bundle in order.bundles for value in bundle if _is_picture(value)}
    if not pictures:
        return {}
    short_side = max(order.vectorizer.short_side or 0 for order in orders)
    files = [content for content in pictures.values() if isinstance(content, bytes)]
    return dict(zip(pictures, media.decode(files, short_side=short_side, exact=any(order.exact for order in orders)), strict=True))


def _is_picture(value: Value) -> bool:
    return value.modality in PICTURES and isinstance(value.content, bytes)


def _embed(order: Order, decoded: Decoded) -> list[Matrix | NearimageError]:
    prepared = [_prepare(bundle, decoded if order.vectorizer.short_side is not None else {}) for bundle in order.bundles]
    made = iter(order.vectorizer.embed([bundle for bundle in prepared if not isinstance(bundle, InvalidInput)]))
    return [bundle if isinstance(bundle, InvalidInput) else next(made) for bundle in prepared]


def _prepare(bundle: Sequence[Value], decoded: Decoded) -> Bundle | InvalidInput:
    inputs = []
    for value in bundle:
        content = decoded.get(id(value.content), value.content) if _is_picture(value) else value.content
        if isinstance(content, InvalidInput):
            return content
        inputs.append(Input(value.modality, content))
    return inputs
