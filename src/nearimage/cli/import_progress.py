"""The progress bar of an import, on stderr; nothing where stderr is no terminal. May import rich and `cli` only."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from nearimage.cli.importing import Report


class _Speed(ProgressColumn):
    """Pictures stored a second, over the whole run."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['rate']:.0f} pictures/s", style="progress.data.speed")


class ImportProgress:
    """Shows an import; a context manager."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(), TextColumn("{task.fields[failed]}"), TimeRemainingColumn()]
        self._bar = RichProgress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("reading", total=None, rate=0.0, failed="")

    def show(self, report: Report) -> None:
        """See `importing.Progress`."""
        failed = len(report.failures)
        rate = report.stored / report.seconds if report.seconds else 0.0
        self._bar.update(
            self._task,
            description="importing",
            total=report.found,
            completed=report.stored + report.skipped + failed,
            rate=rate,
            failed=f"[red]{failed} failed" if failed else "",
        )

    def stopping(self) -> None:
        """Say that the current batch is the last one."""
        self._bar.update(self._task, description="stopping")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
