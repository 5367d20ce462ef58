"""What an examination of stored data found.

May import the standard library only.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    DAMAGED = "damaged"
    """Something that was stored cannot be read as it was stored."""

    REBUILT = "rebuilt"
    """Something that was made from stored data is wrong; it is made anew by itself."""

    LEFTOVER = "leftover"
    """Something that a crash left lying; it is removed by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        place: the collection, with a tenant `collection/tenant`; empty for the database itself.
        path: the file or folder.
        what: what is wrong, in words for people.
        advice: what to do.
    """

    severity: Severity
    place: str
    path: str
    what: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was examined, and what was found.

    Attributes:
        shards, objects, vectors, pictures: how many were read.
    """

    folder: str
    collections: int = 0
    shards: int = 0
    objects: int = 0
    vectors: int = 0
    pictures: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether everything that was stored can be read."""
        return all(finding.severity is not Severity.DAMAGED for finding in self.findings)
