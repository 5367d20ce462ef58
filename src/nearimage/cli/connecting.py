"""Where a command's database is, from its options to an open `Connection`.

    --url                      that server
    --data, or the settings'   that folder, in this process; where a running server holds it, that server

May import click, `config` and `domain`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nearimage.domain.errors import FolderInUse, NotFound

if TYPE_CHECKING:  # it knows numpy arrays, which `--help` has no use for
    from nearimage.cli.connection import Connection


class NoDataFolder(NotFound):
    """A folder to be searched is not there; detail has "path"."""

    code = "no-data-folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the user said about the place of the database.

    Attributes:
        url: of a running server.
        data: a data folder.
        clip_model: the model of multi2vec-clip; concerns a folder only, a server has its own.
    """

    url: str | None = None
    data: str | None = None
    clip_model: str | None = None


def where_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options --url and --data of a command."""
    url = click.option("--url", metavar="URL", help="A running server, such as http://127.0.0.1:8080; without it, a data folder is used")
    data = click.option("--data", metavar="DIR", help="The data folder (PERSISTENCE_DATA_PATH) [default: data]")
    return url(data(command))


def connect(where: Where, *, make: bool) -> "Connection":
    """Open the database that the user means.

    Args:
        make: whether a folder that is not there is to be made.

    Raises:
        NoDataFolder: it is not there and must not be made.
        FolderInUse: another command works on it; a server would have been asked.
    """
    if where.url and where.data:
        raise click.UsageError("--url and --data exclude each other: a server knows its own folder")
    if where.url:
        return _server(where.url)
    from nearimage.config.settings import load_settings

    settings = load_settings({"data": where.data, "clip_model": where.clip_model}, os.environ)
    if not make and not Path(settings.data).expanduser().is_dir():
        message = f"there is no data folder {settings.data!r}; name another with --data, a server with --url, or make one with `nearimage index`"
        raise NoDataFolder(message, path=settings.data)
    from nearimage.cli.folder import FolderConnection

    try:
        return FolderConnection(settings)
    except FolderInUse as held:
        port = held.detail.get("http_port")
        if port is None:
            raise
        url = f"http://127.0.0.1:{port}"
        click.echo(f"A server holds the data folder {settings.data}: asking it, at {url}", err=True)
        return _server(url)


def _server(url: str) -> "Connection":
    from nearimage.cli.server import ServerConnection

    return ServerConnection(url)
