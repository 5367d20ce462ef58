"""Which collections and tenants exist: `meta.db` alone decides.

A shard's folder is made before the row names it, and removed after the row has gone. A crash in between leaves in both cases a folder that no row
names; opening removes it.

    collection without tenants    folder with the shard in it, made with the collection
    collection with tenants       an empty folder, made with the collection
    tenant                        a row; its folder is made when the shard is first opened, so that ten thousand tenants are ten thousand rows

Everything is kept in memory too, so that looking up costs nothing. Any thread may call anything; no call waits for a shard.

May import apsw, msgspec, `domain` and this package.
"""

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import apsw
import msgspec

from nearimage.domain.errors import CollectionNotFound, Corrupt, TenantNotFound
from nearimage.domain.schema import Collection, TenantState
from nearimage.engines.embedded.database import connect
from nearimage.engines.embedded.disk import force_folder, storage_faults
from nearimage.engines.embedded.layout import COLLECTIONS_FOLDER, META_FILE, META_FORMAT, META_SCHEMA, META_UPGRADES
from nearimage.engines.embedded.recovery import make_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant.

    Attributes:
        folder: None while nothing was ever opened.
    """

    number: int
    state: TenantState
    folder: Path | None


@dataclass(slots=True, kw_only=True)
class Entry:
    """One collection.

    Attributes:
        tenants: by name, in no order; empty in a collection without them.
    """

    number: int
    collection: Collection
    folder: Path
    tenants: dict[str, Tenant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A collection that comes with its shards, out of a snapshot.

    Attributes:
        folder: where its files lie, below the folder of all collections; it is renamed.
        tenants: the state of each, and the name of its folder below `folder`, or an empty one.
        aliases: its other names.
    """

    collection: Collection
    folder: Path
    tenants: Mapping[str, tuple[TenantState, str]]
    aliases: Sequence[str]


class Catalog:
    """The collections of a data folder and where their shards lie."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / META_FILE
        self.parent = folder / COLLECTIONS_FOLDER
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}
        with storage_faults(self._path):
            self.parent.mkdir(exist_ok=True)
            self._connection = connect(self._path, version=META_FORMAT, schema=META_SCHEMA, upgrades=META_UPGRADES)
            try:
                self._entries = read_entries(self._connection, self._path)
                self._aliases = dict(_text_pairs(self._connection.execute("SELECT name, collection FROM aliases")))
            except BaseException:
                self._connection.close()
                raise
        self._sweep()

    def collections(self) -> tuple[Collection, ...]:
        """Every collection, in the order of names."""
        entries = dict(self._entries)  # in one step of the interpreter: whoever lists waits for no change that is on its way to the disk
        return tuple(entries[name].collection for name in sorted(entries))

    def find(self, name: str) -> Collection | None:
        """The collection of that name."""
        found = self._entries.get(name)
        return found.collection if found else None

    def tenants(self, name: str) -> Mapping[str, Tenant]:
        """A collection's tenants, in the order of names."""
        with self._lock:
            return dict(sorted(self._entry(name).tenants.items()))

    def tenant(self, name: str, tenant: str) -> Tenant | None:
        """One tenant."""
        with self._lock:
            return self._entry(name).tenants.get(tenant)

    def add(self, collection: Collection) -> None:
        """Make a collection; on an error nothing is left of it."""

        def make(folder: Path) -> None:
            if collection.tenancy.enabled:
                folder.mkdir()
                force_folder(folder.parent)
            else:
                make_shard(folder)

        with self._transaction():
            entry = self._insert(collection)
            with _removed_on_error(entry.folder):
                make(entry.folder)
                self._connection.execute("COMMIT")
            self._entries[collection.name] = entry

    def adopt(self, arrivals: Sequence[Arrival], *, overwrite_aliases: bool = False) -> None:
        """Add collections that come with their shards, all or none of them. A name that is in use here stands for what it stood for.

        Args:
            overwrite_aliases: but for aliases, which then stand for what arrives.
        """
        entries: list[Entry] = []
        taken = {*self._entries, *(arrival.collection.name for arrival in arrivals), *(() if overwrite_aliases else self._aliases)}
        aliases = {alias: arrival.collection.name for arrival in arrivals for alias in arrival.aliases if alias not in taken}
        with self._transaction():
            try:
                for arrival in arrivals:
                    entry = self._insert(arrival.collection)
                    entries.append(entry)
                    arrival.folder.rename(entry.folder)
                    rows = [(entry.number, name, state.value, folder) for name, (state, folder) in arrival.tenants.items()]
                    self._connection.executemany("INSERT INTO tenants (collection, name, state, folder) VALUES (?, ?, ?, ?)", rows)
                    entry.tenants = _read_tenants(self._connection, entry)
                self._connection.executemany("INSERT OR REPLACE INTO aliases (name, collection) VALUES (?, ?)", aliases.items())
                force_folder(self.parent)
                self._connection.execute("COMMIT")
            except BaseException:
                for entry in entries:
                    shutil.rmtree(entry.folder, ignore_errors=True)
                raise
            self._entries |= {entry.collection.name: entry for entry in entries}
            self._aliases |= aliases

    def alter(self, collection: Collection) -> None:
        """Put a definition in the place of the one of that name, durably."""
        with self._transaction():
            entry = self._entry(collection.name)
            self._connection.execute("UPDATE collections SET definition = ? WHERE number = ?", (_encode(collection), entry.number))
            self._connection.execute("COMMIT")
            entry.collection = collection

    def remove(self, name: str) -> Path:
        """Forget a collection, durably; the caller removes the folder returned when nobody uses it any more."""
        with self._transaction():
            entry = self._entry(name)
            self._connection.execute("DELETE FROM tenants WHERE collection = ?", (entry.number,))
            self._connection.execute("DELETE FROM collections WHERE number = ?", (entry.number,))
            self._connection.execute("COMMIT")
            return self._entries.pop(name).folder

    def aliases(self) -> Mapping[str, str]:
        """The collection that each alias stands for, in the order of aliases."""
        return dict(sorted(dict(self._aliases).items()))

    def set_alias(self, alias: str, name: str) -> None:
        """Let an alias stand for a collection, durably.

        Raises:
            CollectionNotFound: there is none of that name.
        """
        with self._transaction():
            self._entry(name)
            self._connection.execute("INSERT OR REPLACE INTO aliases (name, collection) VALUES (?, ?)", (alias, name))
            self._connection.execute("COMMIT")
            self._aliases[alias] = name

    def remove_alias(self, alias: str) -> bool:
        """Forget an alias, durably; whether there was one."""
        with self._transaction():
            self._connection.execute("DELETE FROM aliases WHERE name = ?", (alias,))
            self._connection.execute("COMMIT")
            return self._aliases.pop(alias, None) is not None

    def add_tenants(self, name: str, tenants: Mapping[str, TenantState]) -> None:
        """Add those that are not there yet, durably, all or none."""
        with self._transaction():
            entry = self._entry(name)
            rows = [(entry.number, tenant, state.value) for tenant, state in tenants.items() if tenant not in entry.tenants]
            if rows:
                self._connection.executemany("INSERT INTO tenants (collection, name, state, folder) VALUES (?, ?, ?, '')", rows)
                added = _read_tenants(self._connection, entry, after=max((t.number for t in entry.tenants.values()), default=0))
                self._connection.execute("COMMIT")
                entry.tenants |= added

    def set_tenants(self, name: str, tenants: Mapping[str, TenantState]) -> None:
        """Change states, durably, all or none; every tenant is there."""
        with self._transaction():
            known = self._entry(name).tenants
            self._connection.executemany("UPDATE tenants SET state = ? WHERE number = ?", [(state.value, known[one].number) for one, state in tenants.items()])
            self._connection.execute("COMMIT")
            known.update({one: replace(known[one], state=state) for one, state in tenants.items()})

    def remove_tenants(self, name: str, names: Iterable[str]) -> dict[str, Path | None]:
        """Forget tenants, durably; the caller removes the folders returned when nobody uses them any more. Unknown names count nothing."""
        with self._transaction():
            known = self._entry(name).tenants
            gone = {one: known[one] for one in names if one in known}
            self._connection.executemany("DELETE FROM tenants WHERE number = ?", [(tenant.number,) for tenant in gone.values()])
            self._connection.execute("COMMIT")
            return {one: known.pop(one).folder for one in gone}

    def shard_folder(self, name: str, tenant: str) -> Path:
        """Where a shard lies; a tenant's folder is made if it has none.

        Raises:
            CollectionNotFound, TenantNotFound: it was dropped.
            DiskFull: nothing was made.
        """
        with self._lock:
            entry = self._entry(name)
            if not tenant:
                return entry.folder
            known = entry.tenants.get(tenant)
            if known is None:
                raise no_tenant(name, tenant)
            return known.folder or self._make_tenant(entry, tenant, known)

    def shard_folders(self, name: str) -> list[Path]:
        """Where the shards of a collection lie that were made.

        Raises:
            CollectionNotFound: there is none of that name.
        """
        with self._lock:
            entry = self._entry(name)
            return [tenant.folder for tenant in entry.tenants.values() if tenant.folder] if entry.collection.tenancy.enabled else [entry.folder]

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._connection.close()

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise CollectionNotFound(f"there is no collection {name!r}", collection=name)
        return self._entries[name]

    def _insert(self, collection: Collection) -> Entry:
        """Add the row of a collection; its folder is not there yet."""
        self._connection.execute("INSERT INTO collections (name, folder, definition) VALUES (?, '', ?)", (collection.name, _encode(collection)))
        number = self._connection.last_insert_rowid()
        folder = self.parent / f"c{number:06}"
        shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
        self._connection.execute("UPDATE collections SET folder = ? WHERE number = ?", (folder.name, number))
        return Entry(number=number, collection=collection, folder=folder)

    def _make_tenant(self, entry: Entry, name: str, tenant: Tenant) -> Path:
        folder = entry.folder / f"t{tenant.number:06}"
        with self._transaction():
            shutil.rmtree(folder, ignore_errors=True)
            with _removed_on_error(folder):
                make_shard(folder)
                self._connection.execute("UPDATE tenants SET folder = ? WHERE number = ?", (folder.name, tenant.number))
                self._connection.execute("COMMIT")
            entry.tenants[name] = replace(tenant, folder=folder)
        return folder

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One transaction, which the block commits; what it has not committed is rolled back."""
        with self._lock, storage_faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _sweep(self) -> None:
        known = {entry.folder for entry in self._entries.values()}
        _remove_others(self.parent, known)
        for entry in self._entries.values():
            if entry.collection.tenancy.enabled and entry.folder.is_dir():
                _remove_others(entry.folder, {tenant.folder for tenant in entry.tenants.values() if tenant.folder})


def read_entries(connection: apsw.Connection, path: Path) -> dict[str, Entry]:
    """Every collection of a database of this format, by name.

    Raises:
        Corrupt: a definition or a state is damaged.
    """
    parent, entries = path.parent / COLLECTIONS_FOLDER, {}
    for number, name, folder, definition in connection.execute("SELECT number, name, folder, definition FROM collections ORDER BY name"):
        try:
            collection = msgspec.json.decode(str(definition), type=Collection)
        except msgspec.DecodeError as damaged:
            message = f"the definition of collection {name!r} in {path} is damaged ({damaged}); restore it from a backup"
            raise Corrupt(message, path=str(path)) from damaged
        entries[str(name)] = Entry(number=int(str(number)), collection=collection, folder=parent / str(folder))
    for entry in entries.values():
        if entry.collection.tenancy.enabled:
            entry.tenants = _read_tenants(connection, entry)
    return entries


def no_tenant(collection: str, tenant: str) -> TenantNotFound:
    """The error for a tenant that is not there."""
    return TenantNotFound(f'tenant not found: "{tenant}"', collection=collection, tenant=tenant)


def _read_tenants(connection: apsw.Connection, entry: Entry, after: int = 0) -> dict[str, Tenant]:
    tenants = {}
    bindings = (entry.number, after)
    for number, name, state, folder in connection.execute("SELECT number, name, state, folder FROM tenants WHERE collection = ? AND number > ?", bindings):
        try:
            known = TenantState(str(state))
        except ValueError as damaged:
            raise Corrupt(f"tenant {name!r} of {entry.collection.name!r} has the state {state!r}, which is none; restore it from a backup") from damaged
        tenants[str(name)] = Tenant(number=int(str(number)), state=known, folder=entry.folder / str(folder) if folder else None)
    return tenants


def _text_pairs(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[str, str]]:
    return ((str(first), str(second)) for first, second in rows)


def _encode(collection: Collection) -> str:
    return msgspec.json.encode(collection).decode()


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _remove_others(parent: Path, known: set[Path]) -> None:
    for found in parent.iterdir():
        if found not in known:
            shutil.rmtree(found, ignore_errors=True)
