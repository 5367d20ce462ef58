"""Take ONNX files that the user has into the store.

    files --copy, hash--> incoming folder --look, try--> manifest --rename--> a model

Nothing appears under the model's name before it ran. May import onnx (inside a function), `domain` and `vectorizers`.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nearimage.domain.errors import Conflict, InvalidInput
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.onnx_towers.texts import bundled_merges
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.store.folder import ModelStore, StoredModel, write_synced, writing
from nearimage.vectorizers.store.manifest import Manifest, Pictures, Pinned, Tower, Words, check_name
from nearimage.vectorizers.store.trial import UnusableModel, look, try_out

BLOCK_BYTES = 1024 * 1024
CLIP_MERGES = "clip_bpe.txt.gz"
"""The name under which CLIP's merges lie in a model's folder, copied from nearimage unless others are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """What a model is to be made of.

    Attributes:
        towers: the ONNX file of each modality.
        pictures: how the image tower's pictures are prepared.
        words: how the text tower's texts are prepared; its `file` is the name that the tokenizer gets.
        tokenizer: the tokenizer's file; CLIP's merges where it is None.
        outputs: the output that holds the vectors, where it must be said.
        dimensions: 0 where nobody knows.
    """

    name: str
    towers: Mapping[Modality, Path]
    pictures: Pictures | None = None
    words: Words | None = None
    tokenizer: Path | None = None
    outputs: Mapping[Modality, str] = field(default_factory=dict)
    dimensions: int = 0
    normalise: bool = True
    licence: str = "unknown"
    source: str = ""


def add(store: ModelStore, new: NewModel, *, replace: bool = False) -> StoredModel:
    """Copy, try and keep a model.

    Args:
        replace: a model of that name may be there.

    Raises:
        InvalidInput: the name or a file's path is no good, or something is missing; detail says what.
        Conflict: a model of that name is there.
        ModelArriving: somebody else is pulling or adding it.
        UnusableModel, Corrupt: a file is no tower of such a model; nothing was kept.
        FolderUnusable, DiskFull: nothing was kept.
    """
    _check_request(store, new, replace=replace)
    with store.incoming(new.name) as incoming:
        try:
            files = dict(_copied(new, incoming))
            return finish(store, incoming, new, files)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise


def finish(store: ModelStore, incoming: Path, new: NewModel, files: Mapping[str, Pinned]) -> StoredModel:
    """Look at and try what lies in the incoming folder, and let it appear.

    Args:
        incoming: the store's folder for this model.
        new: its towers' paths are those in that folder.

    Raises:
        UnusableModel, Corrupt, FolderUnusable, DiskFull: it stays where it is.
    """
    towers = {modality: _tower(new, modality, incoming / stored_name(modality, path)) for modality, path in new.towers.items()}
    dimensions = new.dimensions or _dimensions(incoming, towers)
    manifest = Manifest(name=new.name, dimensions=dimensions, towers=towers, files=files, licence=new.licence, source=new.source, normalise=new.normalise)
    try_out(StoredModel(incoming, manifest))
    return store.install(manifest)


def _check_request(store: ModelStore, new: NewModel, *, replace: bool) -> None:
    try:
        check_name(new.name)
    except ValueError as wrong:
        raise InvalidInput(str(wrong), name=new.name) from wrong
    if not new.towers:
        raise InvalidInput("a model needs at least one tower: give the ONNX file of its image tower, its text tower or both", name=new.name)
    if Modality.IMAGE in new.towers and new.pictures is None:
        raise InvalidInput("say how the image tower's pictures are prepared: --preset takes it from a known model, --size begins a description", name=new.name)
    if Modality.TEXT in new.towers and new.words is None:
        raise InvalidInput("say how the text tower's texts are prepared: --preset takes it from a known model, --tokenizer names its file", name=new.name)
    for path in (*new.towers.values(), *([new.tokenizer] if new.tokenizer else [])):
        if not path.is_file():
            raise InvalidInput(f"there is no file {path}", file=str(path))
    if not replace and new.name in store.names():
        raise Conflict(f"there is a model {new.name!r} already; choose another name, or replace it with --replace", model=new.name)


def stored_name(modality: Modality, path: Path) -> str:
    """Where a tower's file lies: a folder for each tower: the files in which two towers keep their weights may have the same name."""
    return f"{modality.value}/{path.name}"


def _copied(new: NewModel, incoming: Path) -> Iterator[tuple[str, Pinned]]:
    for modality, path in new.towers.items():
        for part in (path, *_weights_beside(path)):
            name = f"{modality.value}/{part.relative_to(path.parent).as_posix()}"
            yield name, copy_hashed(part, incoming / name)
    if new.words and Modality.TEXT in new.towers:
        name = new.words.file
        yield name, copy_hashed(new.tokenizer, incoming / name) if new.tokenizer else place_merges(incoming / name)


def _weights_beside(path: Path) -> tuple[Path, ...]:
    """The files in which an ONNX file keeps weights of its own; large exports have one.

    Raises:
        UnusableModel: it names one that is missing, or one outside of its folder.
    """
    import onnx  # noqa: PLC0415 - heavy, and only models that come in need it

    try:
        tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    except Exception as error:  # protobuf's own
        raise UnusableModel(f"{path} is no ONNX file ({error})", file=str(path)) from error
    places = dict.fromkeys(entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location")
    found = tuple(path.parent / place for place in places)
    for part in found:
        if not part.is_file() or not part.resolve().is_relative_to(path.parent.resolve()):
            raise UnusableModel(f"{path} keeps weights in {part}, which is not there; put it beside the ONNX file", file=str(path))
    return found


def copy_hashed(source: Path, target: Path) -> Pinned:
    """Copy a file and say what was copied.

    Raises:
        FolderUnusable, DiskFull: it was not.
    """
    digest, size = hashlib.sha256(), 0
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reader, target.open("wb") as writer:
            while block := reader.read(BLOCK_BYTES):
                digest.update(block)
                size += writer.write(block)
            writer.flush()
            os.fsync(writer.fileno())
    return Pinned(sha256=digest.hexdigest(), bytes=size)


def place_merges(target: Path) -> Pinned:
    """Put CLIP's merges into a model's folder.

    Raises:
        FolderUnusable, DiskFull: they were not.
    """
    content = bundled_merges()
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_synced(target, content)
    return Pinned(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _tower(new: NewModel, modality: Modality, path: Path) -> Tower:
    inputs, output = look(path, modality, output=new.outputs.get(modality, ""), dimensions=new.dimensions)
    return Tower(
        file=stored_name(modality, path),
        inputs=inputs,
        output=output,
        pictures=new.pictures if modality is Modality.IMAGE else None,
        words=new.words if modality is Modality.TEXT else None,
    )


def _dimensions(incoming: Path, towers: Mapping[Modality, Tower]) -> int:
    """The length of the vectors, as the graphs say."""
    for tower in towers.values():
        (shape,) = (edge.shape for edge in Session(incoming / tower.file).outputs if edge.name == tower.output)
        if shape[1]:
            return shape[1]
    raise InvalidInput("the graphs do not say how long their vectors are; say it with --dimensions")
