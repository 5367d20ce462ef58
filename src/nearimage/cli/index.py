"""`nearimage index FOLDER`: bring the pictures of a folder into a collection.

The options and nothing else: `picture_files` finds, `importing` brings in, `import_report` tells. May import click and what `cli` may.
"""

import sys
from pathlib import Path

import click

from nearimage.cli.connecting import Where, connect, where_options


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--collection", default="Pictures", show_default=True, help="The collection; made if it is not there")
@click.option("--model", help="The model of img2vec-neural, for a new collection [default: the module's]")
@click.option("--clip-model", envvar="NEARIMAGE_CLIP_MODEL", help="The model of multi2vec-clip, for a new collection that is to be searched by words: starter")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text")
@where_options
def index(*, folder: Path, collection: str, model: str | None, clip_model: str | None, as_json: bool, url: str | None, data: str | None) -> None:
    """Bring the pictures in FOLDER, and in the folders below it, into a collection.

    A file that was indexed before and has not changed is skipped; a changed one replaces what was stored. Ctrl-C stops after the current batch.
    """
    from nearimage.cli.import_progress import ImportProgress
    from nearimage.cli.import_report import Summary
    from nearimage.cli.importing import PictureImport
    from nearimage.cli.interrupt import stop_on_interrupt
    from nearimage.cli.picture_collection import open_collection
    from nearimage.cli.picture_files import picture_files

    files = list(picture_files(folder))
    with connect(Where(url=url, data=data, clip_model=clip_model), make=True) as connection:
        pictures = open_collection(connection, collection, model=model, clip_model=clip_model)
        for notice in pictures.not_done(model=model, clip_model=clip_model):
            click.echo(notice, err=True)
        with ImportProgress() as progress, stop_on_interrupt(progress.stopping) as stop:
            report = PictureImport(connection=connection, collection=pictures, progress=progress, stop=stop).run(files)
        summary = Summary(report=report, folder=folder, collection=pictures.name, place=connection.place)
    click.echo(summary.as_json() if as_json else summary.as_text())
    sys.exit(summary.exit_code())
