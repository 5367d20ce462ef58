"""`nearimage check DIR`: is everything that was stored still readable?

The options and the table; the engine examines. May import click and what `cli` may.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from nearimage.cli.copy_progress import copy_progress
from nearimage.domain.checks import CheckReport, Severity

_STYLES = {Severity.DAMAGED: "bold red", Severity.REBUILT: "yellow", Severity.LEFTOVER: "dim"}


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of a table")
def check(*, folder: Path, as_json: bool) -> None:
    """Examine the data folder DIR, or a backup, without changing it.

    Every page, object, vector and picture is compared with its checksum. Exit code 0: everything that was stored can be read; 1: something is damaged,
    or DIR cannot be examined, for instance because a server has it open.
    """
    from nearimage.app import check_data

    with copy_progress("checking") as progress:
        report = check_data(folder, progress)
    if as_json:
        click.echo(orjson.dumps(asdict(report) | {"sound": report.is_sound}).decode())
    else:
        _print(report)
    sys.exit(0 if report.is_sound else 1)


def _print(report: CheckReport) -> None:
    console = Console()
    if report.findings:
        console.print(_table(report))
    read = f"{report.collections} collections, {report.shards} shards, {report.objects} objects, {report.vectors} vectors, {report.pictures} pictures"
    damaged = sum(finding.severity is Severity.DAMAGED for finding in report.findings)
    click.echo(f"{report.folder}: {read}; " + (f"{damaged} damaged" if damaged else "all of it sound"))


def _table(report: CheckReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "where", "file", "what is wrong", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in report.findings:
        path = Path(finding.path)
        shown = path.relative_to(report.folder) if path.is_relative_to(report.folder) else path
        table.add_row(f"[{_STYLES[finding.severity]}]{finding.severity}", finding.place, str(shown), finding.what, finding.advice)
    return table
