"""Small stand-ins for what lies behind the ports: a picture is "RGB" and three bytes; its vector is its colour."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import FetchFailed, InvalidBase64, InvalidInput, InvalidSchema, NearimageError, UnreadablePicture
from nearimage.domain.long_text import LongText
from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Collection, DataType, Property, Tokenization, VectorConfig
from nearimage.domain.vectorizing import Modality, ModuleSettings
from nearimage.engines.memory import MemoryEngine
from nearimage.ports.media import Pixels
from nearimage.ports.vectorizer import Bundle, Input, VectorizerModule
from nearimage.service.auto_schema import AutoSettings
from nearimage.service.services import Parts, Services, build_services

WORDS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def picture(red: int, green: int, blue: int) -> str:
    """A picture of one colour, as a request carries it."""
    return b64encode(b"RGB" + bytes((red, green, blue))).decode()


RED, GREEN, BLUE, ORANGE = picture(255, 0, 0), picture(0, 255, 0), picture(0, 0, 255), picture(255, 60, 0)
BROKEN = b64encode(b"these bytes are no picture").decode()


class FakeMedia:
    """Reads pictures of one pixel; counts what it decodes and remembers what it fetched; `web:red` is a picture that has to be fetched."""

    def __init__(self) -> None:
        self.decoded = 0
        self.fetched: list[str] = []

    def waits(self, reference: str) -> bool:
        return reference.startswith("web:")

    def read_many(self, references: Sequence[str]) -> list[bytes | InvalidInput]:
        outcomes: list[bytes | InvalidInput] = []
        for reference in references:
            try:
                outcomes.append(self.read(reference))
            except InvalidInput as wrong:
                outcomes.append(wrong)
        return outcomes

    def read(self, reference: str | LongText, *, broken: bool = False) -> bytes:
        reference = str(reference)
        if self.waits(reference):
            self.fetched.append(reference)
            if reference.removeprefix("web:") not in WORDS:
                raise FetchFailed("nobody answers", url=reference)
            return b"RGB" + bytes(WORDS[reference.removeprefix("web:")])
        try:
            return b64decode(reference, validate=not broken)
        except ValueError as wrong:
            raise InvalidBase64("that is no base64", position=None) from wrong

    def decode(self, pictures: Sequence[bytes], *, short_side: int, exact: bool = False) -> list[Pixels | InvalidInput]:
        self.decoded += len(pictures)
        return [
            np.frombuffer(data[3:6], np.uint8).reshape(1, 1, 3)
            if data.startswith(b"RGB")
            else UnreadablePicture("that is no picture", format=None, size=len(data))
            for data in pictures
        ]

    def media_type(self, picture: bytes) -> str:
        return "image/rgb" if picture.startswith(b"RGB") else "application/octet-stream"

    def thumbnail(self, picture: bytes, *, short_side: int) -> bytes:
        return b"small " + picture


class ColourVectorizer:
    """A picture's vector is its colour, a word's the colour it names; 3-d."""

    modalities = frozenset(Modality)
    short_side = 1

    def embed(self, bundles: Sequence[Bundle]) -> list[Matrix | NearimageError]:
        return [np.array([colour_of(entry) for entry in bundle], np.float32) for bundle in bundles]


def colour_of(entry: Input) -> npt.NDArray[np.float64]:
    """What the vectorizer sees in a picture or a text."""
    if isinstance(entry.content, str):
        words = [WORDS.get(word, (1, 1, 1)) for word in entry.content.split()]
        return np.asarray(np.sum(words or [(0, 0, 0)], axis=0), np.float64)
    if isinstance(entry.content, bytes):  # of a sound, a film ...: the bytes behind "RGB", as in a picture
        return np.frombuffer(entry.content[3:6], np.uint8).astype(np.float64)
    return np.asarray(entry.content.mean(axis=(0, 1)), np.float64)


@dataclass(frozen=True)
class ColourModule:
    """Makes `ColourVectorizer`s; its settings are Weaviate's."""

    name: str = "img2vec-neural"
    modalities: frozenset[Modality] = frozenset({Modality.IMAGE})

    def check(self, settings: Mapping[str, object]) -> ModuleSettings:
        fields: dict[Modality, tuple[str, ...]] = {}
        for modality in Modality:
            names = settings.get(f"{modality}Fields")
            if isinstance(names, list):
                fields[modality] = tuple(names)
        if not fields:
            raise InvalidSchema("imageFields is missing", setting="imageFields")
        weights = settings.get("weights") or {}
        assert isinstance(weights, dict)
        given = {modality: tuple(weights[f"{modality}Fields"]) for modality in fields if f"{modality}Fields" in weights}
        return ModuleSettings(fields=fields, weights=given, model="colour")

    def unconfigured(self, model: str = "") -> ModuleSettings:
        return ModuleSettings(fields={}, model="colour")

    def about(self) -> Mapping[str, object]:
        return {}

    def open(self, settings: ModuleSettings) -> ColourVectorizer:
        return ColourVectorizer()


CLIP = ColourModule("multi2vec-clip", frozenset({Modality.TEXT, Modality.IMAGE}))
BIND = ColourModule("multi2vec-bind", frozenset(Modality))


@dataclass
class FakeClock:
    """Tells the time it is told, a second later each time."""

    now: int = 1_000_000

    def now_ms(self) -> int:
        self.now += 1000
        return self.now


@dataclass
class World:
    """A whole database in memory, with its fakes at hand."""

    media: FakeMedia = field(default_factory=FakeMedia)
    engine: MemoryEngine = field(default_factory=MemoryEngine)
    clock: FakeClock = field(default_factory=FakeClock)
    modules: Sequence[VectorizerModule] = (ColourModule(), CLIP)

    def parts(self) -> Parts:
        return Parts(engine=self.engine, media=self.media, modules=self.modules, clock=self.clock)

    def services(self, *, maximum_results: int = 10_000, auto_schema: bool = False) -> Services:
        return build_services(self.parts(), maximum_results=maximum_results, auto=AutoSettings(enabled=auto_schema))


def text(name: str, tokenization: Tokenization = Tokenization.WORD) -> Property:
    """A text property."""
    return Property(name=name, data_type=DataType.TEXT, tokenization=tokenization, searchable=True)


def image_vector(name: str = "default", module: str = "img2vec-neural", **settings: object) -> VectorConfig:
    """A vector made from the property `image`."""
    return VectorConfig(name=name, module=module, module_settings={"imageFields": ["image"], **settings})


def dogs(*vectors: VectorConfig, name: str = "Dog") -> Collection:
    """The collection of Weaviate's page: a breed, a picture, a weight."""
    properties = (text("breed"), Property(name="image", data_type=DataType.BLOB), Property(name="weight", data_type=DataType.INT))
    return Collection(name=name, properties=properties, vectors=vectors or (image_vector(),), legacy_vector=not vectors)


class Counting(ThreadPoolExecutor):
    """A pool that says how many pieces of work it was given."""

    given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See `Executor`."""
        self.given += 1
        return super().submit(fn, *args, **kwargs)
