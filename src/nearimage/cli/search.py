"""`nearimage search IMAGE_OR_TEXT`: what is in a collection that looks like this picture, or that these words describe.

The options and nothing else: `asking` asks, `hits` prints. May import click and what `cli` may.
"""

import click

from nearimage.cli.connecting import Where, connect, where_options


@click.command()
@click.argument("wanted", metavar="IMAGE_OR_TEXT", nargs=-1, required=True)
@click.option("--collection", default="Pictures", show_default=True, help="The collection to search")
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="The most hits")
@click.option("--distance", type=float, help="Only hits at most so far away")
@click.option("--target", help="The named vector to search by [default: by what is asked]")
@click.option("--thumbnails/--no-thumbnails", default=None, help="Show small pictures [default: where the terminal can]")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text")
@where_options
def search(
    *,
    wanted: tuple[str, ...],
    collection: str,
    limit: int,
    distance: float | None,
    target: str | None,
    thumbnails: bool | None,
    as_json: bool,
    url: str | None,
    data: str | None,
) -> None:
    """Find what looks like a picture, or what words describe.

    IMAGE_OR_TEXT is a picture if it is the path of a file, and words otherwise.
    """
    from nearimage.cli import asking, hits

    with connect(Where(url=url, data=data), make=False) as connection:
        question = asking.Question(wanted=" ".join(wanted), target=target, limit=limit, distance=distance)
        answer = asking.ask(connection, collection, question)
        if as_json:
            click.echo(hits.as_json(answer))
        else:
            hits.show(answer, lambda: asking.thumbnails(connection, answer), thumbnails)
