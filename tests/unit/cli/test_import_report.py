"""How an import is told."""

from pathlib import Path

import orjson
import pytest

from nearimage.cli.import_report import SHOWN_FAILURES, Summary
from nearimage.cli.importing import Failure, Report


def summary(report: Report) -> Summary:
    return Summary(report=report, folder=Path("pictures"), collection="Pictures", place="the fake")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report(found=1, stored=1), 0),
        (Report(found=2, stored=1, failures=[Failure(Path("a"), "bad")]), 0),
        (Report(found=1, skipped=1), 0),
        (Report(found=1, failures=[Failure(Path("a"), "bad")]), 1),
        (Report(found=0), 1),
        (Report(found=9, stored=1, interrupted=True), 130),
    ],
)
def test_the_exit_code_tells_whether_anything_is_there(report: Report, code: int) -> None:
    """Scripts go by it: a nightly run with one damaged file is a success, a run that stored nothing is not."""
    assert summary(report).exit_code() == code


def test_people_see_the_first_reasons_and_programs_all() -> None:
    """A thousand lines of failures hide the summary; a program wants each."""
    failures = [Failure(Path(f"{n}.jpg"), f"reason {n}") for n in range(SHOWN_FAILURES + 2)]
    told = summary(Report(found=12, failures=failures))

    assert told.as_text().splitlines()[-2:] == ["  9.jpg: reason 9", "  and 2 more; --json lists them all"]
    assert len(orjson.loads(told.as_json())["failures"]) == SHOWN_FAILURES + 2


def test_an_interruption_says_what_is_left() -> None:
    """Who pressed Ctrl-C wants to know whether it may be started again."""
    told = summary(Report(found=9, stored=1, skipped=2, interrupted=True, seconds=0.5)).as_text()

    assert told == (
        "Stored 1 picture (2 a second) in Pictures, the fake; skipped 2 unchanged; failed 0.\nStopped: 6 pictures left out. The same command goes on from here."
    )
