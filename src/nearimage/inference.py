"""Put the parts of an inference server together: one vectorizer, media, a door; no engine.

As `app` does for databases, this module knows which implementation stands behind each port.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import uvloop

from nearimage.config.settings import Settings
from nearimage.domain.errors import InvalidInput
from nearimage.doors.inference.door import InferenceDoor
from nearimage.doors.server import allowances_of, serve_http
from nearimage.doors.site import Site
from nearimage.media import PictureReader
from nearimage.vectorizers import Choices, Provider, modules

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What an inference server serves.

    Attributes:
        module: the vectorizer, by Weaviate's name.
        model: of its models; empty for the default.
        exact: whether pictures are decoded at their full size.
    """

    module: str
    model: str = ""
    exact: bool = False


def run_inference_server(settings: Settings, served: Served, on_ready: Callable[[str], None]) -> None:
    """Serve one vectorizer of this process as an inference container until SIGINT or SIGTERM. Requests carry their pictures; no URL is fetched.

    Args:
        on_ready: told where it answers.

    Raises:
        InvalidInput: there is no such module, or no such model.
        ModelMissing: the model is not installed; detail has "how".
        PortTaken: another program listens on the port.
    """
    choices = Choices(
        clip_model=settings.clip_model, bind_model=settings.bind_model, img2vec_model=settings.img2vec_model, provider=Provider(settings.model_provider.lower())
    )
    found = modules(settings.model_folder, choices)
    by_name = {module.name: module for module in found.all}
    if served.module not in by_name:
        raise InvalidInput(f"there is no module {served.module!r}; serve one of {', '.join(by_name)}", module=served.module)
    module = by_name[served.module]
    chosen = module.unconfigured(served.model)
    media = PictureReader(max_bytes=settings.max_picture_mib * MIB, max_pixels=settings.max_picture_mpx * 1_000_000)
    with found, closing(media), ThreadPoolExecutor(settings.threads, thread_name_prefix="request") as executor:
        vectorizer = module.open(chosen)
        about = {"module": module.name, "model": chosen.model, "modalities": sorted(vectorizer.modalities)}
        door = InferenceDoor(vectorizer=vectorizer, media=media, about=about, exact=served.exact, max_bytes=settings.max_message_bytes)
        address, allowances = (settings.host, settings.port), allowances_of(settings)
        uvloop.run(serve_http(Site(door.endpoints()), address, executor, allowances, on_ready=lambda port: on_ready(f"http://{settings.host}:{port}")))
