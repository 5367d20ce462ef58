"""Where things lie in a data folder, and the tables of a shard.

    DIR/nearimage.lock              which process has the folder
    DIR/meta.db                     which collections and tenants exist
    DIR/collections/c000001/        one shard; the number is given once, so a name may differ in case only, or be 255 characters long
        shard.db                    its objects
        vector-000.slots            its first named vector, and so on
        columns-12.arrays           derived: what searches need of the objects, as of revision 12
        vector-000.index            the approximate index over it, if there are many; derived, may be missing
    DIR/collections/c000002/        a collection that keeps its objects by tenant:
        t000001/                    the shard of one tenant, made when it is first opened

    mark       one row, the commit: the last revision given, the first slot never given, how many objects there are
    vectors    the named vectors stored at least once; `slots` is the high-water mark of its file
    objects    one row an object; the revision is the rowid, so that a new version goes to the table's end and no number is given twice
    pictures   blob properties and multi-vectors, apart, so that listing objects does not read them; their key is the revision of the version that brought
               them, and later versions with the same blobs name it too
    pending    vectors that are in a slot file but perhaps not on the disk; opening writes them again
    removed    revisions that a file of columns still has, and the revision at which each of them went

meta.db:

    collections    what exists; the definition is JSON
    tenants        of which collections, in which states; `folder` is empty as long as none was made, and names a folder only after it is on the disk

May import nothing.
"""

LOCK_FILE = "nearimage.lock"
META_FILE = "meta.db"
COLLECTIONS_FOLDER = "collections"
SHARD_FILE = "shard.db"
MULTI_VECTOR = "vector:"
"""What the names of multi-vectors in the table of pictures begin with; no property's name can."""

META_FORMAT = 3
SHARD_FORMAT = 2

TENANTS_SCHEMA = """
CREATE TABLE tenants (
    number INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, folder TEXT NOT NULL,
    UNIQUE (collection, name)
)
"""
"""New in format 2."""

ALIASES_SCHEMA = "CREATE TABLE aliases (name TEXT PRIMARY KEY, collection TEXT NOT NULL)"
"""New in format 3."""

META_UPGRADES = {1: TENANTS_SCHEMA, 2: ALIASES_SCHEMA}

META_SCHEMA = f"""
CREATE TABLE collections (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE, definition TEXT NOT NULL);
{TENANTS_SCHEMA};
{ALIASES_SCHEMA}
"""

_TABLES_OF_FORMAT_2 = """
CREATE TABLE pending (slot INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (slot, number));
CREATE TABLE removed (revision INTEGER PRIMARY KEY, at INTEGER NOT NULL)
"""

SHARD_SCHEMA = f"""
CREATE TABLE mark (revision INTEGER NOT NULL, slots INTEGER NOT NULL, objects INTEGER NOT NULL, columns INTEGER NOT NULL DEFAULT 0);
INSERT INTO mark (revision, slots, objects) VALUES (0, 0, 0);
CREATE TABLE vectors (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dims INTEGER NOT NULL, slots INTEGER NOT NULL);
CREATE TABLE objects (
    revision INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    slot INTEGER, seals BLOB NOT NULL, properties BLOB NOT NULL, crc INTEGER NOT NULL, pictures INTEGER
);
CREATE TABLE pictures (key INTEGER NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE (key, name));
{_TABLES_OF_FORMAT_2}
"""  # noqa: S608 nothing in it comes from outside

SHARD_UPGRADES = {
    1: f"""
ALTER TABLE mark ADD COLUMN columns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pictures RENAME COLUMN revision TO key;
ALTER TABLE objects ADD COLUMN pictures INTEGER;
UPDATE objects SET pictures = revision, crc = checksum_with_pictures(crc, revision) WHERE revision IN (SELECT DISTINCT key FROM pictures);
{_TABLES_OF_FORMAT_2}
""",  # noqa: S608 nothing in it comes from outside
}
"""By format: what makes the next one of it."""


def slot_file(number: int) -> str:
    """The name of a named vector's file; names of vectors may be 230 characters long and differ in case only, file names may not."""
    return f"vector-{number:03}.slots"


def index_file(number: int) -> str:
    """The name of a named vector's approximate index."""
    return f"vector-{number:03}.index"
