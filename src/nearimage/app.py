"""Put the parts together. The only module that knows which implementation stands behind each port.

    Settings -> engine, media, modules, clock -> services -> doors

Two ways in: `open_database` for the same process, `run_server` for everybody else.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from nearimage.config.durations import seconds
from nearimage.config.keys import allows_anonymous, lists_of_users, pages_that_may_ask, users_of_keys, warnings_about_rights
from nearimage.config.process import allow_many_files, collect_rarely
from nearimage.config.settings import InvalidSetting, Settings
from nearimage.domain.checks import CheckReport
from nearimage.domain.errors import FolderUnusable, InvalidInput, NearimageError, PortTaken
from nearimage.domain.schema import DataType
from nearimage.doors.grpc.rows import WireRows
from nearimage.engines.embedded import OPEN_SHARDS, EmbeddedEngine, JsonRows, check_folder, check_snapshot, is_snapshot
from nearimage.media import Destinations, Fetcher, FetchLimits, PictureFolder, PictureReader, Places, RequestLimits, Sources, read_places
from nearimage.media.formats import recognise
from nearimage.media.raw import jpeg_of
from nearimage.ports.engine import Progress
from nearimage.service.auto_schema import AutoSettings, data_type_setting
from nearimage.service.index_settings import index_type_setting
from nearimage.service.services import Parts, Services, build_services
from nearimage.vectorizers import STARTER_LIMITS, Choices, Modules, Provider, modules

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from nearimage.doors.access import Access
    from nearimage.doors.graphql.answering import GraphQl

_log = logging.getLogger(__name__)

MIB = 1024 * 1024
WIRE_VERSION = "1.39.2"
"""The version of Weaviate that /v1/meta reports. The official clients switch features on by it: aggregates over gRPC from 1.29, streaming imports from 1.36,
selection by diversity from 1.37, boosts from 1.38; below 1.27 they refuse to connect."""


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
        self.services.backups.close()
        self.services.classifications.close()
        self.engine.close()
        self.media.close()
        self.modules.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_engine(folder: Path, *, open_shards: int = OPEN_SHARDS) -> EmbeddedEngine:
    """The engine over a data folder, with the rows that gRPC replies are joined from.

    Raises:
        FolderInUse, FolderUnusable, FormatTooNew: as `EmbeddedEngine`.
    """
    return EmbeddedEngine(folder, codec=WireRows(JsonRows()), open_shards=open_shards)


def open_database(settings: Settings) -> Database:
    """Open a data folder in this process; it is made if it is not there.

    Raises:
        FolderInUse: another process has it open.
        FolderUnusable, FormatTooNew: it cannot be used.
    """
    folder = Path(settings.data).expanduser()
    engine = open_engine(folder, open_shards=settings.open_shards)
    media = picture_reader(settings)
    vectorizers = modules(settings.model_folder, _module_choices(settings))
    backups = Path(settings.backup_path).expanduser().absolute() if settings.backup_path else None
    parts = Parts(engine=engine, media=media, modules=vectorizers.all, clock=SystemClock(), backups=backups)
    auto = _auto_schema(settings)
    services = build_services(
        parts,
        default_limit=settings.query_defaults_limit,
        maximum_results=settings.query_maximum_results,
        maximum_collections=None if settings.maximum_collections < 0 else settings.maximum_collections,
        auto=auto,
    )
    return Database(services, engine, media, vectorizers)


def _module_choices(settings: Settings) -> Choices:
    urls = {
        "img2vec-neural": settings.image_inference_api,
        "multi2vec-clip": settings.clip_inference_api,
        "multi2vec-bind": settings.bind_inference_api,
    }
    return Choices(
        clip_model=settings.clip_model,
        bind_model=settings.bind_model,
        img2vec_model=settings.img2vec_model,
        provider=Provider(settings.model_provider.lower()),
        urls=urls,
        schema_urls=settings.inference_urls,
        timeout_s=seconds(settings.modules_client_timeout),
    )


def picture_reader(settings: Settings) -> PictureReader:
    """What reads pictures, from where the settings allow.

    Raises:
        InvalidSetting: a list of hosts that cannot be read, or a folder that is not there.
    """
    max_bytes = settings.max_picture_mib * MIB
    limits = RequestLimits(
        size=settings.fetch_request_mib * MIB,
        timeout_s=settings.fetch_request_timeout_s,
        parallel=settings.fetch_parallel,
        requests=settings.fetch_requests,
    )
    sources = Sources(max_bytes=max_bytes, web=_fetcher(settings, max_bytes), folder=_folder(settings, max_bytes), limits=limits)
    return PictureReader(max_bytes=max_bytes, max_pixels=settings.max_picture_mpx * 1_000_000, sources=sources)


def _fetcher(settings: Settings, max_bytes: int) -> Fetcher | None:
    if settings.fetch.lower() == "off":
        return None
    rules = Destinations(
        allow=_places("fetch_allow", settings.fetch_allow),
        deny=_places("fetch_deny", settings.fetch_deny),
        only_listed=settings.fetch.lower() == "listed",
    )
    limits = FetchLimits(
        max_bytes=max_bytes,
        timeout_s=settings.fetch_timeout_s,
        connect_timeout_s=settings.fetch_connect_timeout_s,
        redirects=settings.fetch_redirects,
    )
    return Fetcher(rules, limits, resolvers=settings.fetch_parallel)


def _folder(settings: Settings, max_bytes: int) -> PictureFolder | None:
    if not settings.file_root:
        return None
    root = Path(settings.file_root).expanduser()
    if not root.is_dir():
        raise InvalidSetting(f"file_root: there is no folder {root}", setting="file_root", source=None)
    return PictureFolder(root, max_bytes=max_bytes)


def _places(name: str, text: str) -> Places:
    try:
        return read_places(text)
    except InvalidInput as wrong:
        raise InvalidSetting(f"{name}: {wrong.message}", setting=name, source=None) from wrong


def _auto_schema(settings: Settings) -> AutoSettings:
    return AutoSettings(
        enabled=settings.autoschema_enabled,
        text=data_type_setting(settings.autoschema_default_string, (DataType.TEXT, DataType.BLOB), "autoschema_default_string"),
        number=data_type_setting(settings.autoschema_default_number, (DataType.NUMBER, DataType.INT), "autoschema_default_number"),
        date=data_type_setting(settings.autoschema_default_date, (DataType.DATE, DataType.TEXT), "autoschema_default_date"),
        vectorizer=settings.default_vectorizer,
        index=index_type_setting(settings.default_vector_index, "default_vector_index"),
    )


def picture_format(head: bytes) -> str | None:
    """The format of a picture, such as "JPEG", by its first 256 bytes; None where they begin no picture that can be read."""
    return recognise(head)


def camera_picture(data: bytes) -> bytes:
    """The picture that a camera put into its raw file, as a JPEG; other bytes as they are."""
    return jpeg_of(data, recognise(data)) or data


def check_data(folder: Path, progress: Progress | None = None) -> CheckReport:
    """Examine a data folder, or a backup, without changing it.

    Raises:
        FolderUnusable: there is neither.
        FolderInUse: another process has it open.
        SnapshotUnusable: a backup that was broken off, or whose list of files is damaged.
    """
    return check_snapshot(folder, progress) if is_snapshot(folder) else check_folder(folder, progress)


def back_up(folder: Path, target: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> tuple[str, ...]:
    """Copy collections of a data folder into a new folder; returns their names.

    Raises:
        FolderUnusable: there is no database to copy, or the target is not empty.
        FolderInUse: another process has it open.
        CollectionNotFound: there is none of one of the names.
        DiskFull, Corrupt: nothing was left in the target.
    """
    if not (folder / "meta.db").is_file():
        raise FolderUnusable(f"there is no database in {folder}", path=str(folder))
    engine = open_engine(folder)
    try:
        engine.snapshot(target, collections=collections, progress=progress)
        have = tuple(collection.name for collection in engine.collections())
        return have if collections is None else tuple(dict.fromkeys(collections))
    finally:
        engine.close()


def restore_backup(source: Path, folder: Path, *, collections: Sequence[str] | None = None, progress: Progress | None = None) -> tuple[str, ...]:
    """Add the collections of a backup to a data folder, which is made if it is not there; returns their names.

    Raises:
        SnapshotUnusable, FormatTooNew: the backup is incomplete, damaged or newer than this version.
        CollectionNotFound: it has none of one of the names.
        CollectionExists: the folder has one of that name already.
        FolderInUse, FolderUnusable, DiskFull: nothing was added.
    """
    is_new = not folder.exists()
    engine = open_engine(folder)
    try:
        before = {collection.name for collection in engine.collections()}
        engine.restore(source, collections=collections, progress=progress)
        return tuple(collection.name for collection in engine.collections() if collection.name not in before)
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        engine.close()


def run_server(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve a data folder until SIGINT or SIGTERM.

    Args:
        on_ready: told in one line where the server answers.

    Raises:
        PortTaken: another program listens on one of the ports.
        FolderInUse, FolderUnusable, FormatTooNew: as `open_database`.
    """
    import uvloop

    from nearimage.doors.grpc.transport import transport_of
    from nearimage.doors.metrics import metrics_endpoints, registry_of
    from nearimage.doors.rest.call import About
    from nearimage.doors.server import Address, allowances_of, serve
    from nearimage.doors.web.routes import web_endpoints

    access = _access(settings)
    allow_many_files()
    with open_database(settings) as database:
        _warn_about_modules(settings, database)
        database.modules.watch(frozenset(database.services.modules) - (frozenset() if settings.clip_wait_for_startup else {"multi2vec-clip"}))
        warming = threading.Thread(target=database.services.warm_up, name="warm-up")
        warming.start()

        def ready(address: Address) -> None:
            collect_rarely()
            database.engine.announce(http_port=address.http_port, grpc_port=address.grpc_port)
            on_ready(f"http://{address.host}:{address.http_port} (gRPC {address.grpc_port}), data in {settings.data}")

        defaults = {"default_module": settings.default_vectorizer, "default_index": settings.default_vector_index}
        about = About(version=WIRE_VERSION, hostname=settings.hostname, max_message_bytes=settings.max_message_bytes, **defaults)
        address = Address(host=settings.host, http_port=settings.port, grpc_port=settings.grpc_port)
        asking = _graphql(settings, database)
        registry = registry_of(database.services)
        more = (*web_endpoints(), *metrics_endpoints(registry))
        transport, http = transport_of(settings, access), allowances_of(settings)
        answering = partial(serve, database.services, about, address, transport, http=http, graphql=asking, more=more)
        with _sweeping(database.services, settings.expiry_sweep_s), _measured(settings, registry):
            uvloop.run(answering(on_ready=ready))


@contextmanager
def _measured(settings: Settings, registry: "CollectorRegistry") -> Iterator[None]:
    """Answer Prometheus on a port of its own, if that is wanted."""
    from prometheus_client import start_http_server

    if not settings.metrics:
        yield
        return
    try:
        server, thread = start_http_server(settings.metrics_port, addr=settings.host, registry=registry)
    except OSError as wrong:
        message = f"port {settings.metrics_port} on {settings.host} (metrics): {wrong.strerror}; choose another with PROMETHEUS_MONITORING_PORT"
        raise PortTaken(message, host=settings.host, port=settings.metrics_port) from wrong
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _sweeping(services: Services, every_s: int) -> Iterator[None]:
    """Look for objects whose time to live is over now and then, in a thread of its own."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.wait(every_s):
            try:
                services.expiries.sweep()
            except NearimageError as failed:
                _log.warning("looking for expired objects failed, and goes on later: %s", failed.message)

    thread = threading.Thread(target=sweep, name="expiry")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _access(settings: Settings) -> "Access":
    """Who may call, as the settings say."""
    from nearimage.doors.access import Access, Lists, digest_of
    from nearimage.doors.web_pages import WebPages

    for warning in warnings_about_rights(settings):
        _log.warning(warning)
    users = {digest_of(key): user for key, user in users_of_keys(settings).items()}
    lists = lists_of_users(settings)
    pages = WebPages(origins=pages_that_may_ask(settings), methods=settings.cors_allow_methods, headers=settings.cors_allow_headers)
    return Access(users=users, anonymous=allows_anonymous(settings), lists=lists and Lists(admins=lists[0], readers=lists[1]), pages=pages)


def _graphql(settings: Settings, database: Database) -> "GraphQl | None":
    """What answers GraphQL, or None where it is switched off."""
    from nearimage.doors.graphql.answering import graphql
    from nearimage.doors.graphql.requests import Limits

    if settings.disable_graphql:
        return None
    limits = Limits(
        depth=settings.graphql_max_depth,
        fields=settings.graphql_max_fields,
        characters=settings.graphql_max_characters,
        searches=settings.graphql_max_searches,
        values=settings.graphql_max_values,
    )
    return graphql(database.services, limits=limits, default_limit=settings.query_defaults_limit_graphql)


def _warn_about_modules(settings: Settings, database: Database) -> None:
    for name in filter(None, (part.strip() for part in settings.enable_modules.split(","))):
        if name not in database.services.modules and not (name == "backup-filesystem" and settings.backup_path):
            _log.warning("module %r is not part of this server; collections that name it are refused", name)
    if settings.clip_model == "starter" and not settings.clip_inference_api:
        _log.warning("multi2vec-clip uses the starter model. %s", STARTER_LIMITS)
