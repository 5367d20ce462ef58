"""The command `nearimage inference-server`: our vectorizers in the place of Weaviate's inference containers."""

import os
from pathlib import Path
from typing import Any

import click


@click.command("inference-server")
@click.argument("module")
@click.option("--model", default="", help="The model, as a schema's `model` names it [default: the module's]")
@click.option("--exact", is_flag=True, help="Decode pictures at their full size before the model shrinks them")
@click.option("--data", help="The data folder, for its models (PERSISTENCE_DATA_PATH) [default: data]")
@click.option("--host", help="The address to listen on (NEARIMAGE_HOST) [default: 127.0.0.1]")
@click.option("--port", type=int, default=8000, show_default=True, help="The port to listen on; 0 takes a free one")
@click.option("--log-level", help="debug, info, warning or error (LOG_LEVEL) [default: info]")
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file of settings; see `nearimage config`")
def inference_server(module: str, model: str, exact: bool, file: Path | None, **flags: Any) -> None:
    """Serve img2vec-neural, multi2vec-clip or multi2vec-bind under the HTTP contract of Weaviate's inference containers.

    A Weaviate, or another nearimage, uses it by IMAGE_INFERENCE_API, CLIP_INFERENCE_API or BIND_INFERENCE_API.
    """
    from nearimage.config.settings import load_settings
    from nearimage.inference import Served, run_inference_server
    from nearimage.observe.logs import set_up_logs

    settings = load_settings(flags, os.environ, file)
    set_up_logs(settings.log_level)
    served = Served(module=module, model=model, exact=exact)
    run_inference_server(settings, served, lambda where: click.echo(f"{module} answers at {where}; Ctrl-C stops it", err=True))
