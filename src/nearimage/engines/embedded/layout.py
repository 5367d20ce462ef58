"""Where things lie in a data folder, and the tables of a shard.

    DIR/nearimage.lock              which process has the folder
    DIR/meta.db                     which collections exist
    DIR/collections/c000001/        one shard; the number is given once, so a name may differ in case only, or be 255 characters long
        shard.db                    its objects
        vector-000.slots            its first named vector, and so on

    mark       one row, the commit: the last revision given, the first free slot, how many objects there are
    vectors    the named vectors stored at least once; `slots` is the high-water mark of its file
    objects    one row an object; the revision is the rowid, so that a new version goes to the table's end and no number is given twice
    pictures   blob properties, apart, so that listing objects does not read them

May import nothing.
"""

LOCK_FILE = "nearimage.lock"
META_FILE = "meta.db"
COLLECTIONS_FOLDER = "collections"
SHARD_FILE = "shard.db"

META_FORMAT = 1
SHARD_FORMAT = 1

META_SCHEMA = """
CREATE TABLE collections (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE, definition TEXT NOT NULL)
"""

SHARD_SCHEMA = """
CREATE TABLE mark (revision INTEGER NOT NULL, slots INTEGER NOT NULL, objects INTEGER NOT NULL);
INSERT INTO mark VALUES (0, 0, 0);
CREATE TABLE vectors (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dims INTEGER NOT NULL, slots INTEGER NOT NULL);
CREATE TABLE objects (
    revision INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    slot INTEGER, seals BLOB NOT NULL, properties BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE pictures (revision INTEGER NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, crc INTEGER NOT NULL, UNIQUE (revision, name))
"""


def slot_file(number: int) -> str:
    """The name of a named vector's file; names of vectors may be 230 characters long and differ in case only, file names may not."""
    return f"vector-{number:03}.slots"
