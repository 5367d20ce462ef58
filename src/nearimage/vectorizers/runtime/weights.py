"""Files of weights that come inside Python packages, read as data.

Such a package is found on the import path but never imported: its code would want torch. What is found must have the checksum that was pinned
when the converter was written; anything else is not the model it claims to be.

May import the standard library and `domain` only.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nearimage.domain.errors import Corrupt, ModelMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One pinned file inside an installable package.

    Attributes:
        model: what users call it.
        package: its import name.
        file: below the package's folder.
        sha256: of the file, in hex.
        how: the command that installs it.
    """

    model: str
    package: str
    file: str
    sha256: str
    how: str

    def find(self) -> Path:
        """Where the file lies.

        Raises:
            ModelMissing: the package is not installed, or without this file; detail has "model" and "how".
        """
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            path = Path(folder) / self.file
            if path.is_file():
                return path
        raise ModelMissing(f"the weights of {self.model} are not installed; install them with: {self.how}", model=self.model, how=self.how)

    def verified(self) -> Path:
        """Where the file lies, its checksum compared.

        Raises:
            ModelMissing: see `find`.
            Corrupt: another checksum; detail has "path".

        Cost:
            Reads the whole file: about 1 ms a megabyte.
        """
        path = self.find()
        got = sha256(path)
        if got != self.sha256:
            raise Corrupt(f"{path} is damaged: its SHA-256 is {got}, not {self.sha256}; reinstall it with: {self.how} --force-reinstall", path=str(path))
        return path


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
