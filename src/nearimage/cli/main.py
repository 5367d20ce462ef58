"""The command `nearimage`.

Modules that load numpy or a model are imported inside the commands: `nearimage --help` answers at once, and the number of threads of the linear algebra
library is set before numpy reads it. May import everything below `cli`.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from nearimage.cli.backup import backup, restore
from nearimage.cli.check import check
from nearimage.cli.index import index
from nearimage.cli.inference_server import inference_server
from nearimage.cli.models import models
from nearimage.cli.search import search
from nearimage.domain.errors import NearimageError

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # before numpy loads; one search a core beats one search on all cores
    os.environ.setdefault(_variable, "1")


class _Commands(click.Group):
    """Turns our errors into one line and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except NearimageError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nearimage")
def main() -> None:
    """Put pictures in, find them again: by picture, by words, under filters."""


@main.command()
@click.option("--data", help="The data folder (PERSISTENCE_DATA_PATH) [default: data]")
@click.option("--host", help="The address to listen on (NEARIMAGE_HOST) [default: 127.0.0.1]")
@click.option("--port", type=int, help="REST and the search page (PORT) [default: 8080]")
@click.option("--grpc-port", type=int, help="gRPC (GRPC_PORT) [default: 50051]")
@click.option("--clip-model", help="The model of multi2vec-clip where a schema names none (NEARIMAGE_CLIP_MODEL)")
@click.option("--log-level", help="debug, info, warning or error (LOG_LEVEL) [default: info]")
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file of settings; see `nearimage config`")
def serve(file: Path | None, **flags: Any) -> None:
    """Serve a data folder to Weaviate's clients and to browsers."""
    from nearimage.app import run_server
    from nearimage.config.settings import load_settings
    from nearimage.observe.logs import set_up_logs

    settings = load_settings(flags, os.environ, file)
    set_up_logs(settings.log_level)
    run_server(settings, lambda where: click.echo(f"nearimage answers at {where}; Ctrl-C stops it", err=True))


@main.command()
def config() -> None:
    """Print every setting, as a commented file."""
    from nearimage.config.settings import commented_file

    click.echo(commented_file())


for _command in (backup, check, inference_server, models, restore):
    main.add_command(_command)
main.add_command(index)
main.add_command(search)

if __name__ == "__main__":
    sys.exit(main())
