"""How an import went, for people, for programs and for the shell. May import orjson and `cli`."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from nearimage.cli.importing import Report, as_utf8

SHOWN_FAILURES = 10
"""Reasons printed at the end; the first ones tell what is wrong, `--json` has them all."""

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended: 128 + SIGINT, as shells count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A finished import and what it was about."""

    report: Report
    folder: Path
    collection: str
    place: str

    def exit_code(self) -> int:
        """0 unless Ctrl-C ended it, or nothing could be stored."""
        if self.report.interrupted:
            return INTERRUPTED
        return 0 if self.report.stored or self.report.skipped else 1

    def as_json(self) -> str:
        """One line for programs."""
        report = self.report
        about = {"folder": as_utf8(self.folder.resolve()), "collection": self.collection, "place": self.place}
        counts = {"found": report.found, "stored": report.stored, "skipped": report.skipped, "failed": len(report.failures)}
        failures = [{"path": as_utf8(failure.path), "reason": failure.reason} for failure in report.failures]
        ending = {"failures": failures, "interrupted": report.interrupted, "seconds": round(report.seconds, 3)}
        return orjson.dumps(about | counts | ending).decode()

    def as_text(self) -> str:
        """Some lines for people."""
        report = self.report
        if not report.found:
            return f"There are no pictures in {as_utf8(self.folder)}."
        rate = f" ({report.stored / report.seconds:.0f} a second)" if report.stored and report.seconds else ""
        counts = f"skipped {report.skipped} unchanged; failed {len(report.failures)}."
        lines = [f"Stored {_pictures(report.stored)}{rate} in {self.collection}, {self.place}; {counts}"]
        lines += [f"  {as_utf8(failure.path)}: {failure.reason}" for failure in report.failures[:SHOWN_FAILURES]]
        if len(report.failures) > SHOWN_FAILURES:
            lines.append(f"  and {len(report.failures) - SHOWN_FAILURES} more; --json lists them all")
        if report.interrupted:
            left = report.found - report.stored - report.skipped - len(report.failures)
            lines.append(f"Stopped: {_pictures(left)} left out. The same command goes on from here.")
        return "\n".join(lines)


def _pictures(count: int) -> str:
    return f"{count} picture" if count == 1 else f"{count} pictures"
