"""All settings, each with its name, its environment variable, its default and its reason.

    flag > environment > file > default

Environment variables are Weaviate's where it has one, so that its deployment files move over. `nearimage config` prints every setting as a commented file.

May import the standard library and `domain` only.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nearimage.config.durations import seconds
from nearimage.domain.errors import InvalidInput
from nearimage.domain.query import DEFAULT_LIMIT, MAXIMUM_RESULTS


class InvalidSetting(InvalidInput):
    """A setting that cannot be; detail has "setting" and "source"."""

    code = "invalid-setting"


def _setting(default: Any, env: str, why: str) -> Any:
    return field(default=default, metadata={"env": env, "why": why})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told."""

    data: str = _setting("data", "PERSISTENCE_DATA_PATH", "the folder that holds everything; made if it is not there")
    host: str = _setting(
        "127.0.0.1", "NEARIMAGE_HOST", "the address to listen on; 0.0.0.0 lets other machines in, which are asked for a key only if there are keys"
    )
    port: int = _setting(8080, "PORT", "REST and the search page")
    grpc_port: int = _setting(50051, "GRPC_PORT", "gRPC")
    query_defaults_limit: int = _setting(DEFAULT_LIMIT, "QUERY_DEFAULTS_LIMIT", "hits where a query names no limit")
    query_defaults_limit_graphql: int = _setting(100, "QUERY_DEFAULTS_LIMIT_GRAPHQL", "hits where a GraphQL query names neither limit nor offset nor autocut")
    query_maximum_results: int = _setting(MAXIMUM_RESULTS, "QUERY_MAXIMUM_RESULTS", "the largest offset + limit")
    maximum_collections: int = _setting(-1, "MAXIMUM_ALLOWED_COLLECTIONS_COUNT", "how many collections there may be; -1 for any number")
    max_message_bytes: int = _setting(104_858_000, "GRPC_MAX_MESSAGE_SIZE", "the largest request and reply; clients read it from /v1/meta")
    grpc_transport: str = _setting("native", "NEARIMAGE_GRPC_TRANSPORT", "what carries gRPC: native (this program's own HTTP/2) or grpcio")
    grpc_certificate: str = _setting("", "GRPC_CERT_FILE", "a PEM file: the certificate that makes the gRPC port speak TLS")
    grpc_key: str = _setting("", "GRPC_KEY_FILE", "a PEM file: the key of that certificate, without a passphrase")
    grpc_connections: int = _setting(10_000, "NEARIMAGE_GRPC_CONNECTIONS", "connections at once (this and the next ones: native only); each takes a file")
    grpc_streams: int = _setting(
        128, "NEARIMAGE_GRPC_STREAMS", "requests at once on a connection, the others wait in the client; bounds what one connection holds"
    )
    grpc_header_bytes: int = _setting(16_384, "NEARIMAGE_GRPC_HEADER_BYTES", "header fields of a request, decoded; as much as grpcio takes")
    grpc_header_table_bytes: int = _setting(4_096, "NEARIMAGE_GRPC_HEADER_TABLE_BYTES", "header compression's memory of a connection; the protocol's default")
    grpc_frame_bytes: int = _setting(
        16_384, "NEARIMAGE_GRPC_FRAME_BYTES", "the largest frame; larger ones make the streams of a connection wait for each other"
    )
    grpc_window_bytes: int = _setting(65_535, "NEARIMAGE_GRPC_WINDOW_BYTES", "what a client may send of a request before room was made; the protocol's default")
    grpc_upload_mib: int = _setting(
        512, "NEARIMAGE_GRPC_UPLOAD_MIB", "memory for requests larger than that, all together; further ones wait before they are sent"
    )
    grpc_unread_mib: int = _setting(64, "NEARIMAGE_GRPC_UNREAD_MIB", "replies of a connection that its client does not read; then nothing more of it is begun")
    grpc_control_burst: int = _setting(
        2_000, "NEARIMAGE_GRPC_CONTROL_BURST", "frames without use at once (pings, settings); clients send a few with each request"
    )
    grpc_controls_per_s: int = _setting(200, "NEARIMAGE_GRPC_CONTROLS_PER_S", "such frames a second after that, beside four for each answered request")
    grpc_reset_burst: int = _setting(1_000, "NEARIMAGE_GRPC_RESET_BURST", "requests given up at once; nghttp2's default")
    grpc_resets_per_s: int = _setting(100, "NEARIMAGE_GRPC_RESETS_PER_S", "requests given up a second after that, beside one for each answered request")
    grpc_continuations: int = _setting(
        8, "NEARIMAGE_GRPC_CONTINUATIONS", "frames that one request's header fields may need beside the first; clients need none"
    )
    grpc_handshake_s: int = _setting(10, "NEARIMAGE_GRPC_HANDSHAKE_S", "for a client that has connected to say something; silent ones take files")
    grpc_stall_s: int = _setting(60, "NEARIMAGE_GRPC_STALL_S", "for a request that does not go on, and replies that are not read; they take memory")
    grpc_keepalive_s: int = _setting(
        300, "NEARIMAGE_GRPC_KEEPALIVE_S", "of silence before a client is asked whether it is there; machines vanish without a word"
    )
    grpc_answer_s: int = _setting(20, "NEARIMAGE_GRPC_ANSWER_S", "for the answer to that")
    grpc_idle_s: int = _setting(3_600, "NEARIMAGE_GRPC_IDLE_S", "without a request before a connection is given up; clients connect again by themselves")
    http_connections: int = _setting(10_000, "NEARIMAGE_HTTP_CONNECTIONS", "connections at once to REST, GraphQL and the page; each takes a file")
    http_upload_mib: int = _setting(512, "NEARIMAGE_HTTP_UPLOAD_MIB", "memory for bodies of more than 64 KiB, all together; further ones wait to be read")
    http_head_bytes: int = _setting(65_536, "NEARIMAGE_HTTP_HEAD_BYTES", "the path and the header fields of a request; they are kept until it is complete")
    http_head_s: int = _setting(10, "NEARIMAGE_HTTP_HEAD_S", "for these to be complete; a client sends them at once, or holds a file and memory")
    http_stall_s: int = _setting(60, "NEARIMAGE_HTTP_STALL_S", "for a body that does not go on, and answers that are not read; they take memory")
    http_idle_s: int = _setting(120, "NEARIMAGE_HTTP_IDLE_S", "without a request before a connection is closed; more than clients keep one they do not use")
    disable_graphql: bool = _setting(False, "DISABLE_GRAPHQL", "true answers /v1/graphql with 422")
    graphql_max_depth: int = _setting(60, "NEARIMAGE_GRAPHQL_MAX_DEPTH", "levels of braces, brackets and parentheses of a GraphQL document")
    graphql_max_fields: int = _setting(5_000, "NEARIMAGE_GRAPHQL_MAX_FIELDS", "fields and aliases that a GraphQL document may ask for")
    graphql_max_searches: int = _setting(
        100, "NEARIMAGE_GRAPHQL_MAX_SEARCHES", "collections that a GraphQL document may ask, one counted as often as it is asked"
    )
    graphql_max_values: int = _setting(2_000_000, "NEARIMAGE_GRAPHQL_MAX_VALUES", "values in the answer to a GraphQL document, references written out")
    graphql_max_characters: int = _setting(100_000, "NEARIMAGE_GRAPHQL_MAX_CHARACTERS", "the longest GraphQL document, beside its strings and numbers")
    max_picture_mib: int = _setting(64, "NEARIMAGE_MAX_PICTURE_MIB", "the largest picture in bytes, refused before it is decoded")
    max_picture_mpx: int = _setting(200, "NEARIMAGE_MAX_PICTURE_MPX", "the largest picture in megapixels, refused before it is decoded")
    fetch: str = _setting("public", "NEARIMAGE_FETCH", "http(s) URLs for pictures: public fetches from public addresses, listed from listed ones only, or off")
    fetch_allow: str = _setting("", "NEARIMAGE_FETCH_ALLOW", "hosts, *.names, addresses, networks (with commas) that may be fetched from, private ones too")
    fetch_deny: str = _setting("", "NEARIMAGE_FETCH_DENY", "the same for those never fetched from; wins over the list above")
    fetch_timeout_s: int = _setting(20, "NEARIMAGE_FETCH_TIMEOUT_S", "seconds for one URL, from its name to its last byte")
    fetch_connect_timeout_s: int = _setting(5, "NEARIMAGE_FETCH_CONNECT_TIMEOUT_S", "seconds to reach one address")
    fetch_redirects: int = _setting(5, "NEARIMAGE_FETCH_REDIRECTS", "redirects followed, each checked like the first URL")
    fetch_parallel: int = _setting(16, "NEARIMAGE_FETCH_PARALLEL", "URLs of batches fetched at once, of all requests together")
    fetch_requests: int = _setting(4, "NEARIMAGE_FETCH_REQUESTS", "requests that may wait for URLs at once: half of the threads, so that the rest goes on")
    fetch_request_mib: int = _setting(256, "NEARIMAGE_FETCH_REQUEST_MIB", "what the URLs of one request may bring together; bounds the memory of a batch")
    fetch_request_timeout_s: int = _setting(60, "NEARIMAGE_FETCH_REQUEST_TIMEOUT_S", "seconds for all URLs of one request; clients wait 90 for an insert")
    file_root: str = _setting("", "NEARIMAGE_FILE_ROOT", "the folder below which file:///... may be read; empty refuses all")
    clip_model: str = _setting("", "NEARIMAGE_CLIP_MODEL", "the model of multi2vec-clip where a schema names none; 'starter' needs no download, knows little")
    img2vec_model: str = _setting("efficientnet-lite0", "NEARIMAGE_IMG2VEC_MODEL", "the model of img2vec-neural where a schema names none")
    models: str = _setting("", "NEARIMAGE_MODELS", "the folder of models; where it is empty, the folder models inside of the data folder")
    model_hub: str = _setting("https://huggingface.co", "NEARIMAGE_MODEL_HUB", "where `nearimage models pull` looks for the files of models known by name")
    model_provider: str = _setting("cpu", "NEARIMAGE_MODEL_PROVIDER", "what models run on: cpu, openvino or cuda; the latter two need another ONNX Runtime")
    bind_model: str = _setting("", "NEARIMAGE_BIND_MODEL", "the model of multi2vec-bind where a schema names none: one of your own, see nearimage models add")
    image_inference_api: str = _setting("", "IMAGE_INFERENCE_API", "the inference container of img2vec-neural; without one the model runs in this process")
    clip_inference_api: str = _setting("", "CLIP_INFERENCE_API", "the inference container of multi2vec-clip")
    bind_inference_api: str = _setting("", "BIND_INFERENCE_API", "the inference container of multi2vec-bind")
    inference_urls: bool = _setting(True, "NEARIMAGE_INFERENCE_URLS", "whether a schema may name a container of its own (inferenceUrl), anywhere; false: no")
    clip_wait_for_startup: bool = _setting(True, "CLIP_WAIT_FOR_STARTUP", "log when the container of multi2vec-clip is ready; false says nothing about it")
    modules_client_timeout: str = _setting("50s", "MODULES_CLIENT_TIMEOUT", "how long a request to an inference container may take, such as 50s or 1m30s")
    default_vectorizer: str = _setting("none", "DEFAULT_VECTORIZER_MODULE", "the vectorizer of collections that name none")
    default_vector_index: str = _setting("hnsw", "DEFAULT_VECTOR_INDEX", "the index of vectors whose schema names none: hnsw, flat, dynamic or hfresh")
    expiry_sweep_s: int = _setting(60, "NEARIMAGE_EXPIRY_SWEEP_S", "seconds between two looks for objects whose time to live is over")
    autoschema_enabled: bool = _setting(True, "AUTOSCHEMA_ENABLED", "make unknown collections and properties from the first object that has them")
    autoschema_default_string: str = _setting("text", "AUTOSCHEMA_DEFAULT_STRING", "what the auto-schema takes text for: text or blob")
    autoschema_default_number: str = _setting("number", "AUTOSCHEMA_DEFAULT_NUMBER", "what the auto-schema takes numbers for: number or int")
    autoschema_default_date: str = _setting("date", "AUTOSCHEMA_DEFAULT_DATE", "what the auto-schema takes dates for: date or text")
    anonymous_access: str = _setting("", "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "whether callers without a key may come in; empty: unless there are keys")
    api_keys_enabled: bool = _setting(False, "AUTHENTICATION_APIKEY_ENABLED", "true lets in whoever has one of the keys")
    api_keys: str = _setting("", "AUTHENTICATION_APIKEY_ALLOWED_KEYS", "the keys, separated by commas")
    api_key_users: str = _setting("", "AUTHENTICATION_APIKEY_USERS", "whose key each is, separated by commas; or one name for all of them")
    admin_list: bool = _setting(False, "AUTHORIZATION_ADMINLIST_ENABLED", "true lets only the users on the next two lists do something; 'anonymous' has no key")
    admin_users: str = _setting("", "AUTHORIZATION_ADMINLIST_USERS", "users who may do everything, separated by commas")
    read_only_users: str = _setting("", "AUTHORIZATION_ADMINLIST_READONLY_USERS", "users who may read and change nothing")
    rbac: bool = _setting(False, "AUTHORIZATION_RBAC_ENABLED", "not here: true is warned about, for nobody's roles are looked at")
    oidc: bool = _setting(False, "AUTHENTICATION_OIDC_ENABLED", "not here: true is warned about, for nobody's token is looked at")
    db_users: bool = _setting(False, "AUTHENTICATION_DB_USERS_ENABLED", "not here: true is warned about; users are those of the keys above")
    cors_allow_origin: str = _setting(
        "", "CORS_ALLOW_ORIGIN", "whose web pages may ask, separated by commas, * for any; empty: any where everybody needs a key, else this machine's"
    )
    cors_allow_methods: str = _setting("*", "CORS_ALLOW_METHODS", "by which methods they may")
    cors_allow_headers: str = _setting("*, Authorization", "CORS_ALLOW_HEADERS", "with which headers they may; * is all but Authorization")
    backup_path: str = _setting("", "BACKUP_FILESYSTEM_PATH", "the folder for backups that clients ask for; without it they are refused")
    enable_modules: str = _setting("", "ENABLE_MODULES", "accepted for Weaviate's sake: every module this server has is on; others are warned about")
    hostname: str = _setting("nearimage", "CLUSTER_HOSTNAME", "how the server calls itself in /v1/meta")
    metrics: bool = _setting(False, "PROMETHEUS_MONITORING_ENABLED", "true answers /metrics on a port of its own too; it is always there beside REST")
    metrics_port: int = _setting(2112, "PROMETHEUS_MONITORING_PORT", "the port of its own")
    log_level: str = _setting("info", "LOG_LEVEL", "debug, info, warning or error")
    open_shards: int = _setting(1024, "NEARIMAGE_OPEN_SHARDS", "collections and tenants kept open at once; the others open when they are asked for")
    threads: int = _setting(8, "NEARIMAGE_THREADS", "requests worked on at once; models have threads of their own")

    @property
    def model_folder(self) -> Path:
        """Where models lie, stored and converted ones."""
        return Path(self.models or Path(self.data) / "models").expanduser()


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """The settings in force.

    Args:
        flags: by field name; None means "not given".

    Raises:
        InvalidSetting: a value of the wrong kind, an unknown name in the file, or a file that cannot be read.
    """
    values: dict[str, Any] = {}
    known = {f.name: f for f in fields(Settings)}
    for name, value in (_read_file(file) if file else {}).items():
        if name not in known:
            raise InvalidSetting(f"{file}: there is no setting {name!r}; `nearimage config` lists them all", setting=name, source=str(file))
        values[name] = _convert(known[name], value, str(file))
    for name, known_field in known.items():
        variable = known_field.metadata["env"]
        if environment.get(variable):
            values[name] = _convert(known_field, environment[variable], f"environment variable {variable}")
        if flags.get(name) is not None:
            values[name] = _convert(known_field, flags[name], f"--{name.replace('_', '-')}")
    return _checked(Settings(**values))


def _read_file(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise InvalidSetting(f"the settings file {file} cannot be read: {wrong}", setting=None, source=str(file)) from wrong


def _convert(known: "Field[Any]", value: Any, source: str) -> Any:
    wanted: type[Any] = type(known.default)
    try:
        if wanted is bool:
            return _convert_bool(value)
        if isinstance(value, bool) or (wanted is str and not isinstance(value, str)):
            raise TypeError
        return wanted(value)
    except (TypeError, ValueError) as wrong:
        kind = {int: "a whole number", str: "text", bool: "true or false"}[wanted]
        raise InvalidSetting(f"{source}: {known.name} must be {kind}, got {value!r}", setting=known.name, source=source) from wrong


_TRANSPORTS = ("native", "grpcio")
_WITHIN = {
    "port": (0, 65_535),
    "grpc_port": (0, 65_535),
    "grpc_header_table_bytes": (0, 65_536),
    "grpc_frame_bytes": (16_384, 1_048_576),
    "grpc_window_bytes": (65_535, 16_777_216),
}
"""The least and the most; those of HTTP/2 are the protocol's, where it has some."""

_AT_LEAST_ONE = (
    "query_defaults_limit",
    "query_defaults_limit_graphql",
    "query_maximum_results",
    "max_message_bytes",
    "graphql_max_depth",
    "graphql_max_fields",
    "graphql_max_searches",
    "graphql_max_values",
    "graphql_max_characters",
    "max_picture_mib",
    "max_picture_mpx",
    "fetch_timeout_s",
    "fetch_connect_timeout_s",
    "fetch_parallel",
    "fetch_requests",
    "fetch_request_mib",
    "fetch_request_timeout_s",
    "threads",
    "expiry_sweep_s",
    "grpc_connections",
    "grpc_streams",
    "grpc_header_bytes",
    "grpc_upload_mib",
    "grpc_unread_mib",
    "grpc_control_burst",
    "grpc_controls_per_s",
    "grpc_reset_burst",
    "grpc_resets_per_s",
    "grpc_continuations",
    "grpc_handshake_s",
    "grpc_stall_s",
    "grpc_keepalive_s",
    "grpc_answer_s",
    "grpc_idle_s",
    "http_connections",
    "http_head_bytes",
    "http_upload_mib",
    "http_head_s",
    "http_stall_s",
    "http_idle_s",
)
_URLS = ("model_hub", "image_inference_api", "clip_inference_api", "bind_inference_api")
_ONE_OF = {"log_level": ("debug", "info", "warning", "error"), "fetch": ("public", "listed", "off"), "model_provider": ("cpu", "openvino", "cuda")}
_YES_OR_NO = {"true": True, "on": True, "1": True, "enabled": True, "false": False, "off": False, "0": False, "disabled": False}


def _convert_bool(value: Any) -> bool:
    """Also the words that Weaviate takes for true and false."""
    text = str(value).strip().lower()
    if text not in _YES_OR_NO:
        raise ValueError(text)
    return _YES_OR_NO[text]


def as_yes_or_no(text: str, name: str) -> bool:
    """What a setting says that may also be left open.

    Raises:
        InvalidSetting: neither true nor false.
    """
    try:
        return _convert_bool(text)
    except ValueError as wrong:
        raise InvalidSetting(f"{name} must be true or false, got {text!r}", setting=name, source=None) from wrong


def _checked(settings: Settings) -> Settings:
    for name, (least, most) in _WITHIN.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise InvalidSetting(f"{name} must be between {least} and {most}, got {value}", setting=name, source=None)
    for name in _AT_LEAST_ONE:
        value = getattr(settings, name)
        if value < 1:
            raise InvalidSetting(f"{name} must be at least 1, got {value}", setting=name, source=None)
    for name in _URLS:
        if (value := getattr(settings, name)) and not _is_url(value):
            raise InvalidSetting(f"{name} must be an address such as http://localhost:8000, got {value!r}", setting=name, source=None)
    _check_duration("modules_client_timeout", settings.modules_client_timeout)
    if settings.fetch_redirects < 0:
        raise InvalidSetting(f"fetch_redirects must be at least 0, got {settings.fetch_redirects}", setting="fetch_redirects", source=None)
    for name, words in _ONE_OF.items():
        value = getattr(settings, name)
        if value.lower() not in words:
            raise InvalidSetting(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, got {value!r}", setting=name, source=None)
    return settings


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _check_duration(name: str, value: str) -> None:
    try:
        seconds(value)
    except ValueError as wrong:
        raise InvalidSetting(f"{name} must be a length of time such as 50s, 1m30s or 500ms, got {value!r}", setting=name, source=None) from wrong


def commented_file() -> str:
    """Every setting with its default, as a TOML file of comments: the reference page."""
    lines = ["# nearimage settings. A flag wins over the environment, the environment over this file.", ""]
    for f in fields(Settings):
        assert f.default is not MISSING  # noqa: S101 - every setting has one
        shown = f'"{f.default}"' if isinstance(f.default, str) else str(f.default).lower()
        lines += [f"# {f.metadata['why']} ({f.metadata['env']})", f"# {f.name} = {shown}", ""]
    return "\n".join(lines)
