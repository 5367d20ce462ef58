"""`nearimage backup DIR TARGET` and `nearimage restore TARGET DIR`.

The options and nothing else; the engine copies. May import click and what `cli` may.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from nearimage.cli.copy_progress import copy_progress

_COLLECTIONS = click.option("--collection", "collections", multiple=True, help="Only this collection; may be given several times [default: all]")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@_COLLECTIONS
@_JSON
def backup(*, folder: Path, target: Path, collections: Sequence[str], as_json: bool) -> None:
    """Copy the data folder DIR into the new folder TARGET.

    The copy is whole when the command returns without an error; a copy that was broken off is refused by `restore`. Stop a server first that has DIR open.
    """
    from nearimage.app import back_up

    with copy_progress("copying") as progress:
        names = back_up(folder, target, collections=collections or None, progress=progress)
    _tell(names, "copied to", target, as_json=as_json)


@click.command()
@click.argument("source", metavar="TARGET", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_COLLECTIONS
@_JSON
def restore(*, source: Path, folder: Path, collections: Sequence[str], as_json: bool) -> None:
    """Bring the backup TARGET back into the data folder DIR, which may be new, or lack these collections.

    Every file is compared with its checksum first. If anything is wrong, DIR stays as it was.
    """
    from nearimage.app import restore_backup

    with copy_progress("restoring") as progress:
        names = restore_backup(source, folder, collections=collections or None, progress=progress)
    _tell(names, "restored to", folder, as_json=as_json)


def _tell(names: Sequence[str], done: str, where: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"collections": names, "folder": str(where)}).decode())
    else:
        click.echo(f"{len(names)} collection{'' if len(names) == 1 else 's'} {done} {where}: {', '.join(names)}" if names else f"Nothing to copy: {where}")
