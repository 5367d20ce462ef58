"""Models for people: what there is, getting, adding, removing and checking them; what the command `nearimage models` does.

Requests come as plain words and paths and become the store's values here, with messages that name what is wrong. May import msgspec, `domain`,
`ports` and `vectorizers`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nearimage.domain.errors import Corrupt, InvalidInput, ModelMissing, NearimageError
from nearimage.domain.models import ModelReport, ModelState
from nearimage.domain.vectorizing import Modality
from nearimage.ports.media import Pixels
from nearimage.vectorizers.efficientnet_lite.int8 import read_int8
from nearimage.vectorizers.efficientnet_lite.model import VARIANTS, converted_file, int8_of
from nearimage.vectorizers.starter import minilm
from nearimage.vectorizers.starter import vectorizer as starter
from nearimage.vectorizers.store.adding import CLIP_MERGES, NewModel, add
from nearimage.vectorizers.store.download import Progress
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Pictures, Words, convert
from nearimage.vectorizers.store.presets import ModelPreset, preset, presets
from nearimage.vectorizers.store.pulling import Source, pull
from nearimage.vectorizers.store.quantizing import int8_files
from nearimage.vectorizers.store.trial import try_out

Kind = TypeVar("Kind", Pictures, Words)

MIB = 1024 * 1024
LITES = {variant.name: variant for variant in VARIANTS}
BUILT_IN = {**{name: (variant.weights,) for name, variant in LITES.items()}, starter.NAME: (minilm.MODEL, minilm.TOKENIZER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a user says about a model of their own.

    Attributes:
        towers: by modality, the ONNX file.
        preset: a known model whose description it takes; what is said besides wins.
        pictures, words: keys of `Pictures` and `Words`.
        outputs: by modality, the output that holds the vectors.
    """

    towers: Mapping[str, Path]
    preset: str = ""
    pictures: Mapping[str, object] | None = None
    words: Mapping[str, object] | None = None
    tokenizer: Path | None = None
    outputs: Mapping[str, str] | None = None
    dimensions: int = 0
    normalise: bool | None = None
    licence: str = ""


@dataclass(frozen=True, slots=True)
class ModelShelf:
    """The models of a machine.

    Attributes:
        hub: the URL below which models are pulled.
    """

    store: ModelStore
    hub: str

    def list(self) -> tuple[ModelReport, ...]:
        """Every model: those that are there first, then those that could be; nothing is read but manifests."""
        found = [*self._stored(), *self._built_in(), *self._known()]
        return tuple(sorted(found, key=lambda report: (report.state not in {ModelState.STORED, ModelState.DAMAGED, ModelState.INSTALLED}, report.name)))

    def pull(self, name: str, source: Mapping[str, Any], progress: Progress | None = None) -> ModelReport:
        """Download a model; `source` has the keys of `Source` but its hub.

        Raises:
            NearimageError: see `store.pulling.pull`.
        """
        return _report(pull(self.store, name, Source(hub=self.hub, **source), progress=progress))

    def add(self, name: str, described: Described, *, replace_old: bool = False) -> ModelReport:
        """Take files into the store.

        Raises:
            NearimageError: see `store.adding.add`; InvalidInput for a description that cannot be.
        """
        return _report(add(self.store, _new_model(name, described), replace=replace_old))

    def remove(self, name: str) -> None:
        """Delete a model.

        Raises:
            ModelMissing: it is not in the store.
        """
        self.store.remove(name)

    def check(self, names: Sequence[str] = ()) -> tuple[ModelReport, ...]:
        """Compare every file with its checksum and run the towers of stored models; all models that are there, or those named.

        Raises:
            ModelMissing: one that was named is not there.
        """
        there = [report for report in self.list() if report.state in {ModelState.STORED, ModelState.DAMAGED, ModelState.INSTALLED}]
        for name in names:
            if name not in {report.name for report in there}:
                self.store.find(name)  # says how to get it
        return tuple(self._checked(report) for report in there if not names or report.name in names)

    def quantize(self, name: str, pictures: Sequence[Pixels] | None) -> ModelReport:
        """Make the 8-bit version of a model, with these pictures or with generated ones.

        Raises:
            InvalidInput: fewer than 11 pictures, or a model that has no such version.
            ModelMissing, Corrupt, FolderUnusable, DiskFull: it was not made.
        """
        if pictures is not None and len(pictures) <= 10:
            raise InvalidInput(f"{len(pictures)} pictures that can be read are too few to compare neighbours; give a folder with at least 11, better 100")
        if name in LITES:
            int8_of(self.store.folder, LITES[name], pictures)
            return next(report for report in self._built_in() if report.name == name)
        if name == starter.NAME:
            raise InvalidInput(f"the model {name!r} computes in fp32 only", model=name)
        model = self.store.find(name)
        model.verify()
        int8_files(self.store, model, pictures if pictures is not None else None)
        return _report(self.store.find(name))

    def _stored(self) -> Iterator[ModelReport]:
        for name in self.store.names():
            try:
                yield _report(self.store.find(name))
            except Corrupt as wrong:
                yield ModelReport(name=name, state=ModelState.DAMAGED, note=wrong.message)

    def _built_in(self) -> Iterator[ModelReport]:
        for name, weights in BUILT_IN.items():
            known = presets().get(name)
            report = replace(_of_preset(name, known), modalities=("image",)) if known else _STARTER
            try:
                paths = [found.find() for found in weights]
            except ModelMissing as missing:
                yield replace(report, state=ModelState.PACKAGE, note=f"install it with: {missing.detail['how']}")
                continue
            made = read_int8(converted_file(self.store.folder, LITES[name])) if name in LITES else None
            overlaps = {"image": made.overlap_at_10} if made else {}
            yield replace(report, state=ModelState.INSTALLED, size_bytes=sum(path.stat().st_size for path in paths), int8_overlap=overlaps, note="")

    def _known(self) -> Iterator[ModelReport]:
        there = {*self.store.names(), *BUILT_IN}
        for name, known in presets().items():
            if name not in there:
                yield _of_preset(name, known)

    def _checked(self, report: ModelReport) -> ModelReport:
        try:
            if report.name in BUILT_IN:
                for weights in BUILT_IN[report.name]:
                    weights.verified()
            else:
                model = self.store.find(report.name)
                model.verify()
                try_out(model)
        except NearimageError as wrong:
            return replace(report, state=ModelState.DAMAGED, note=wrong.message)
        return report


_STARTER = ModelReport(
    name=starter.NAME,
    state=ModelState.PACKAGE,
    module="multi2vec-clip",
    about="pictures and words by ImageNet's thousand classes; for first steps, not a substitute for a real CLIP model",
    licence="Apache-2.0",
    modalities=("image", "text"),
    dimensions=minilm.DIMENSIONS,
)


def _report(model: StoredModel) -> ModelReport:
    manifest = model.manifest
    return ModelReport(
        name=manifest.name,
        state=ModelState.STORED,
        about=presets()[manifest.name].about if manifest.name in presets() else "",
        licence=manifest.licence,
        modalities=tuple(sorted(manifest.towers)),
        dimensions=manifest.dimensions,
        size_bytes=sum(pinned.bytes for pinned in manifest.files.values()),
        int8_overlap={modality.value: made.overlap_at_10 for modality, made in manifest.int8.items()},
    )


def _of_preset(name: str, known: ModelPreset) -> ModelReport:
    can_be_pulled = bool(known.repository)
    return ModelReport(
        name=name,
        state=ModelState.PULLABLE if can_be_pulled else ModelState.OWN,
        module=known.module,
        about=known.about,
        licence=known.licence,
        modalities=tuple(sorted(known.towers)),
        dimensions=known.dimensions,
        size_bytes=known.mib * MIB,
        note=f"nearimage models {'pull' if can_be_pulled else 'add'} {name}",
    )


def _new_model(name: str, described: Described) -> NewModel:
    """The store's values for what the user said.

    Raises:
        InvalidInput: a value that cannot be; the message names it.
        ModelMissing: there is no such preset.
    """
    known = preset(described.preset) if described.preset else None
    towers = {_modality(kind): path for kind, path in described.towers.items()}
    looks, reads = (known.towers.get(modality) if known else None for modality in (Modality.IMAGE, Modality.TEXT))
    words = dict(described.words or {})
    if described.tokenizer:
        words |= {"file": described.tokenizer.name, "kind": "hf" if described.tokenizer.suffix == ".json" else "clip-bpe"}
    elif words and reads is None:
        words |= {"file": CLIP_MERGES}
    if described.tokenizer is None and reads and reads.words and reads.words.file != CLIP_MERGES and Modality.TEXT in towers:
        raise InvalidInput(f"the model {described.preset!r} has a tokenizer of its own; give its {reads.words.file} with --tokenizer", preset=described.preset)
    return NewModel(
        name=name,
        towers=towers,
        pictures=_merged(Pictures, looks.pictures if looks else None, described.pictures or {}),
        words=_merged(Words, reads.words if reads else None, words),
        tokenizer=described.tokenizer,
        outputs={_modality(kind): output for kind, output in (described.outputs or {}).items()},
        dimensions=described.dimensions or (known.dimensions if known else 0),
        normalise=(known.normalise if known else True) if described.normalise is None else described.normalise,
        licence=described.licence or (known.licence if known else "unknown"),
        source=known.source if known else "",
    )


def _modality(kind: str) -> Modality:
    try:
        return Modality(kind)
    except ValueError:
        raise InvalidInput(f"{kind!r} is no kind of tower; there are {', '.join(Modality)}", kind=kind) from None


def _merged(kind: type[Kind], known: Kind | None, given: Mapping[str, object]) -> Kind | None:
    """A description with what was said besides in place of what is known; None where there is neither."""
    if known is None and not given:
        return None
    try:
        return convert({**(msgspec.to_builtins(known) if known is not None else {}), **given}, kind)
    except ValueError as wrong:
        raise InvalidInput(f"the description of the model cannot be: {wrong}", given=dict(given)) from wrong
