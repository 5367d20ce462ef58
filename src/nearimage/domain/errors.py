"""What can go wrong, named by what the caller must do about it.

    InvalidInput   change the request
    NotFound       name something that exists
    Conflict       look at what is there first
    Unauthenticated  say who you are, with a key
    Denied         ask for the right
    Busy           try again, unchanged
    NotSupported   do it another way: this version cannot
    Corrupt        restore or rebuild: stored data is damaged (never hidden)

Each class has a stable kebab-case `code`; a message says what was wrong, what was expected and what to do. The doors turn a family into
a status in one place, `nearimage.doors.faults`. May import the standard library only.
"""

from typing import ClassVar


class NearimageError(Exception):
    """The root of everything nearimage raises on purpose.

    Args:
        message: one or two sentences for the person who made the request.
        **detail: the values a program would want, JSON-compatible.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidInput(NearimageError):
    """The request is wrong; the same request will be wrong again."""

    code = "invalid-input"


class NotFound(NearimageError):
    """What the request names is not there."""

    code = "not-found"


class Conflict(NearimageError):
    """The request contradicts what is stored."""

    code = "conflict"


class Denied(NearimageError):
    """The caller may not do this."""

    code = "denied"


class Unauthenticated(NearimageError):
    """The caller does not say who he is, or with a key that nobody has."""

    code = "unauthenticated"


class Busy(NearimageError):
    """Nothing was done; the same request may succeed later."""

    code = "busy"


class ContainerSilent(Busy):
    """The inference container that makes the vectors is not there, or does not answer in time; detail has "module"."""

    code = "container-silent"


class NotSupported(NearimageError):
    """A valid request that this version cannot answer; detail has "feature"."""

    code = "not-supported"


class Corrupt(NearimageError):
    """Stored data does not check out; detail has "path"."""

    code = "corrupt"


class MalformedJson(InvalidInput):
    """The request's body is no JSON, or JSON of another shape than the request's; detail has "reason"."""

    code = "malformed-json"


class MalformedRequest(InvalidInput):
    """A request that asks for something in a way that nobody reads, such as a part of an object that no object has; detail names it."""

    code = "malformed-request"


class InvalidParameter(InvalidInput):
    """A part of a request is of the wrong type, missing, or not one of the values there are; detail has "rule", the number that REST clients know."""

    code = "invalid-parameter"


class UnsupportedMediaType(InvalidInput):
    """A request body that is not declared as JSON; detail has "got"."""

    code = "unsupported-media-type"


class UnreadablePicture(InvalidInput):
    """The bytes are no picture that can be decoded; detail has "format" (or None) and "size" in bytes."""

    code = "unreadable-picture"


class UnreadableMedia(InvalidInput):
    """The bytes are no sound, film or motion that can be read, or one beyond the limits; detail has "modality" and "size" in bytes."""

    code = "unreadable-media"


class PictureTooLarge(InvalidInput):
    """A picture over the limit on bytes or pixels; detail has "limit" and "got"."""

    code = "picture-too-large"


class InvalidBase64(InvalidInput):
    """Text that should be base64 and is not; detail has "position" of the first wrong character, or None."""

    code = "invalid-base64"


class InputRefused(InvalidInput):
    """An inference container refused what it was to embed, and said why; detail has "status"."""

    code = "input-refused"


class InvalidUrl(InvalidInput):
    """Text that begins like a URL and is none that can be read; detail has "url"."""

    code = "invalid-url"


class UrlRefused(InvalidInput):
    """A URL or a file that the server's settings do not let it read for a client; detail has "url"."""

    code = "url-refused"


class FetchFailed(InvalidInput):
    """A URL or a file that gave no bytes: no answer, too late, cut off, or another status than 200; detail has "url"."""

    code = "fetch-failed"


class InvalidFilter(InvalidInput):
    """A filter that fits no property; detail has "property"."""

    code = "invalid-filter"


class PropertyNotSearchable(InvalidInput):
    """A keyword query on a property that is no searchable text of the collection; detail has "property"."""

    code = "property-not-searchable"


class InvalidSchema(InvalidInput):
    """A collection that cannot be made as asked; detail names the setting."""

    code = "invalid-schema"


class InvalidValue(InvalidInput):
    """A property value that does not fit its data type; detail has "property" and "data_type"."""

    code = "invalid-value"


class VectorNameUnknown(InvalidInput):
    """A target vector that the collection does not have; detail has "have"."""

    code = "vector-name-unknown"


class VectorNameAmbiguous(InvalidInput):
    """Several named vectors and no target; detail has "have"."""

    code = "vector-name-ambiguous"


class InvalidTenant(InvalidInput):
    """A tenant that cannot be made or changed as asked; detail has "tenant"."""

    code = "invalid-tenant"


class TenantRequired(InvalidInput):
    """The collection keeps its objects by tenant, and the request names none; detail has "collection"."""

    code = "tenant-required"


class TenantNotAllowed(InvalidInput):
    """The request names a tenant, and the collection has none; detail has "collection"."""

    code = "tenant-not-allowed"


class TenantNotFound(InvalidInput):
    """The collection has no tenant of that name; detail has "collection" and "tenant".

    Not of the family NotFound: its status 404 tells a client that asks for an object that only the object is missing.
    """

    code = "tenant-not-found"


class DimensionMismatch(InvalidInput):
    """A vector of another length than those stored; detail has "vector", "want" and "got"."""

    code = "dimension-mismatch"


class InvalidVector(InvalidInput):
    """A vector that cannot be compared: empty, NaN, infinite, or all zero under cosine; detail has "vector"."""

    code = "invalid-vector"


class CollectionNotFound(NotFound):
    """No collection of that name; detail has "collection"."""

    code = "collection-not-found"


class BackupNotFound(NotFound):
    """No backup of that id; detail has "id"."""

    code = "backup-not-found"


class ClassificationNotFound(NotFound):
    """No classification of that id, or of another process; detail has "id"."""

    code = "classification-not-found"


class AliasNotFound(NotFound):
    """No alias of that name; detail has "alias"."""

    code = "alias-not-found"


class ObjectNotFound(NotFound):
    """No object with that id; detail has "collection" and "id"."""

    code = "object-not-found"


class CollectionExists(Conflict):
    """A collection of that name is there already; detail has "collection"."""

    code = "collection-exists"


class TooManyCollections(Conflict):
    """There are as many collections as this server may have; detail has "maximum"."""

    code = "too-many-collections"


class BackupExists(Conflict):
    """A backup of that id is there already; detail has "id"."""

    code = "backup-exists"


class ObjectExists(Conflict):
    """An object with that id is there already; detail has "id"."""

    code = "object-exists"


class ObjectChanged(Conflict):
    """The object was changed by another caller between reading and writing; detail has "id"."""

    code = "object-changed"


class TenantNotActive(Conflict):
    """The tenant was deactivated; detail has "collection" and "tenant"."""

    code = "tenant-not-active"


class ShardReadOnly(Conflict):
    """Somebody made the shard read-only; detail has "collection" and "tenant"."""

    code = "shard-read-only"


class FolderInUse(Busy):
    """Another process has the data folder open; detail has "path", "pid" and, where known, "http_port"."""

    code = "folder-in-use"


class FolderUnusable(InvalidInput):
    """The data folder cannot be made, read or written; detail has "path"."""

    code = "folder-unusable"


class SnapshotUnusable(InvalidInput):
    """A snapshot that is incomplete, damaged, or was not made by nearimage; detail has "path"."""

    code = "snapshot-unusable"


class FormatTooNew(InvalidInput):
    """The data folder was written by a newer version; detail has "path", "found" and "known"."""

    code = "format-too-new"


class PortTaken(Busy):
    """Another program listens on the port; detail has "host" and "port"."""

    code = "port-taken"


class DiskFull(Busy):
    """A write did not fit on the disk; nothing of it was kept; detail has "path"."""

    code = "disk-full"


class ModelMissing(InvalidInput):
    """A model that was asked for is not installed; detail has "model" and "how" to get it."""

    code = "model-missing"


class NoVectorizer(InvalidInput):
    """A query by picture or words on a vector that no module makes; detail has "collection", "vector", "module" and "operator"."""

    code = "no-vectorizer"


class DocumentTooLarge(InvalidInput):
    """A GraphQL document beyond one of the limits; detail has "limit" and "got"."""

    code = "document-too-large"


class TooManyResults(InvalidInput):
    """offset + limit over the configured maximum; detail has "asked" and "maximum"."""

    code = "too-many-results"
