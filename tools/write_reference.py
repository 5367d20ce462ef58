"""Write the reference pages that follow from the code: docs/reference/settings.toml and docs/reference/errors.md.

python tools/write_reference.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from nearimage.config.settings import commented_file
from nearimage.domain.errors import NearimageError
from nearimage.doors.faults import fault_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"

_ERRORS_HEAD = """# Errors

What a client sees: over REST `{"error": [{"message": ..., "code": ...}]}` with the HTTP status, over gRPC the status with the message.
What is 503 and UNAVAILABLE may be tried again unchanged; the rest stays wrong until the request or the data changes.
An `internal` error (500, INTERNAL) carries a number under which the server's log has the details.

| code | HTTP | gRPC | means |
|---|---|---|---|
"""


def reference_pages() -> Mapping[str, str]:
    """The text of each page by its file name."""
    rows = sorted(_row(kind) for kind in _subclasses(NearimageError))
    return {"settings.toml": commented_file(), "errors.md": _ERRORS_HEAD + "".join(rows)}


def _subclasses(kind: type[NearimageError]) -> Iterator[type[NearimageError]]:
    for child in kind.__subclasses__():
        if child.__module__ == NearimageError.__module__:  # others are those of the command line, the settings and the tests: no client sees them
            yield child
        yield from _subclasses(child)


def _row(kind: type[NearimageError]) -> str:
    fault = fault_of(kind("example"))
    meaning = (kind.__doc__ or "").split("; detail has")[0].strip().rstrip(".")
    return f"| `{fault.code}` | {fault.http_status} | {fault.grpc_code} | {meaning} |\n"


if __name__ == "__main__":
    for name, text in reference_pages().items():
        (FOLDER / name).write_text(text, "utf-8")
