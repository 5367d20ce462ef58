"""Put the parts together. The only module that knows which implementation stands behind each port.

    Settings -> engine, media, modules, clock -> services -> doors

Two ways in: `open_database` for the same process, `run_server` for everybody else.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from nearimage.config.settings import Settings
from nearimage.engines.embedded import EmbeddedEngine
from nearimage.media import PictureReader
from nearimage.media.formats import recognise
from nearimage.service.services import Parts, Services, build_services
from nearimage.vectorizers import STARTER_LIMITS, Modules, modules

_log = logging.getLogger(__name__)

MIB = 1024 * 1024
WIRE_VERSION = "1.35.0"
"""The version of Weaviate that /v1/meta reports. The official clients switch features on by it: from 1.36 on they count on streaming imports, which
this version does not have; below 1.27 they refuse to connect."""


class SystemClock:
    """The machine's clock; implements `nearimage.ports.clock.Clock`."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Database:
    """An open data folder with its use cases; a context manager that closes it.

    Attributes:
        services: what can be done with it.
    """

    services: Services
    engine: EmbeddedEngine
    media: PictureReader
    modules: Modules

    def close(self) -> None:
        """Let go of the folder and the threads. Closing twice is fine."""
        self.engine.close()
        self.media.close()
        self.modules.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_database(settings: Settings) -> Database:
    """Open a data folder in this process; it is made if it is not there.

    Raises:
        FolderInUse: another process has it open.
        FolderUnusable, FormatTooNew: it cannot be used.
    """
    folder = Path(settings.data).expanduser()
    engine = EmbeddedEngine(folder)
    media = PictureReader(max_bytes=settings.max_picture_mib * MIB, max_pixels=settings.max_picture_mpx * 1_000_000)
    vectorizers = modules(folder / "models", settings.clip_model or None)
    parts = Parts(engine=engine, media=media, modules=vectorizers.all, clock=SystemClock())
    services = build_services(parts, default_limit=settings.query_defaults_limit, maximum_results=settings.query_maximum_results)
    return Database(services, engine, media, vectorizers)


def picture_format(head: bytes) -> str | None:
    """The format of a picture, such as "JPEG", by its first 256 bytes; None where they begin no picture that can be read."""
    return recognise(head)


def run_server(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve a data folder until SIGINT or SIGTERM.

    Args:
        on_ready: told in one line where the server answers.

    Raises:
        PortTaken: another program listens on one of the ports.
        FolderInUse, FolderUnusable, FormatTooNew: as `open_database`.
    """
    import uvloop

    from nearimage.doors.rest.call import About
    from nearimage.doors.server import Address, serve
    from nearimage.doors.web.routes import web_routes

    with open_database(settings) as database:
        _warn_about_modules(settings, database)
        warming = threading.Thread(target=database.services.warm_up, name="warm-up")
        warming.start()

        def ready(address: Address) -> None:
            database.engine.announce(http_port=address.http_port, grpc_port=address.grpc_port)
            on_ready(f"http://{address.host}:{address.http_port} (gRPC {address.grpc_port}), data in {settings.data}")

        about = About(
            version=WIRE_VERSION, hostname=settings.hostname, max_message_bytes=settings.max_message_bytes, default_module=settings.default_vectorizer
        )
        address = Address(host=settings.host, http_port=settings.port, grpc_port=settings.grpc_port)
        uvloop.run(serve(database.services, about, address, threads=settings.threads, on_ready=ready, extra_routes=web_routes()))


def _warn_about_modules(settings: Settings, database: Database) -> None:
    for name in filter(None, (part.strip() for part in settings.enable_modules.split(","))):
        if name not in database.services.modules:
            _log.warning("module %r is not part of this server; collections that name it are refused", name)
    if settings.clip_model == "starter":
        _log.warning("multi2vec-clip uses the starter model. %s", STARTER_LIMITS)
