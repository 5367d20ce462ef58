"""Give labels to objects that have none: fill their references, by examples or by the labels themselves.

    begin --> what has no label --its vector--> label (`labelling`) --> written
                       in the background; its state is asked for until it is `completed` or `failed`

All labels are found before the first is written, so that no guess becomes an example for the next. A label that somebody gave meanwhile stays. What runs and
what ended is known to this process only; the labels themselves are references like all others, and stay.

Not here: `text2vec-contextionary-contextual`, which weighs words as that module does; and what Weaviate keeps beside each reference about its votes.

May import `domain` and `ports` only.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from uuid import UUID, uuid4

from nearimage.domain.dates import instant_text
from nearimage.domain.errors import ClassificationNotFound, InvalidInput, NearimageError, ObjectNotFound
from nearimage.domain.filters import Filter
from nearimage.domain.objects import AnyVector, Projection, Record
from nearimage.domain.schema import Collection
from nearimage.domain.values import Reference
from nearimage.ports.clock import Clock
from nearimage.ports.engine import Shard
from nearimage.service.classification_task import Method, Task, check_task, property_of
from nearimage.service.collections import Collections
from nearimage.service.expiry import not_expired
from nearimage.service.filters import bind_filter, targets_of
from nearimage.service.labelling import Candidates, Labels, NearestLabels, NeighbourLabels, labelled, unlabelled
from nearimage.service.objects import Objects
from nearimage.service.shards import Shards
from nearimage.service.targets import target_of

AT_ONCE = 1000
"""Vectors held at a time: 2 MB of 512 dimensions."""
RUNS_KEPT = 1000
"""Runs whose state is still told; a few hundred bytes each."""

_log = logging.getLogger(__name__)


class RunState(StrEnum):
    """How far a run has come, under the names that clients know."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How far a task has come.

    Attributes:
        started, completed: RFC 3339; `completed` is empty while it runs.
        succeeded, failed: objects.
        error: why it failed, or the first object did.
    """

    id: UUID
    task: Task
    started: str
    state: RunState = RunState.RUNNING
    completed: str = ""
    succeeded: int = 0
    failed: int = 0
    error: str = ""


@dataclass(slots=True)
class _Job:
    told: Run
    thread: threading.Thread | None = None

    def failed(self, error: NearimageError) -> None:
        """One object more could not be labelled."""
        self.told = replace(self.told, failed=self.told.failed + 1, error=self.told.error or error.message)


@dataclass(frozen=True, slots=True)
class _Source:
    """The objects without labels, and the vector that they are compared by."""

    shard: Shard
    vector: str
    where: Filter

    def records(self) -> Iterator[Record]:
        """Each with its vector."""
        last: UUID | None = None
        wanted = Projection(properties=(), vectors=(self.vector,), times=False)
        while some := self.shard.scan(where=self.where, after=last, limit=AT_ONCE, offset=0, projection=wanted):
            yield from some
            last = some[-1].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifications:
    """Labels objects in one database."""

    collections: Collections
    shards: Shards
    objects: Objects
    clock: Clock
    _jobs: dict[UUID, _Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def begin(self, task: Task) -> Run:
        """Begin to label in the background.

        Raises:
            InvalidInput: properties that cannot be labelled or gone by, a filter that the method does not have, or tenants.
            CollectionNotFound, VectorNameUnknown, VectorNameAmbiguous, InvalidFilter: as they say.
        """
        collection = self.collections.get(task.collection)
        check_task(task, collection)
        source, labels = self._source(task, collection), self._labels(task, collection)
        job = _Job(Run(id=uuid4(), task=replace(task, collection=collection.name), started=self._now()))
        begun = job.told
        job.thread = threading.Thread(target=self._run, args=(job, source, labels), name=f"classification {begun.id}")
        with self._lock:
            for old in [one for one, known in self._jobs.items() if known.told.state is not RunState.RUNNING][: max(0, len(self._jobs) - RUNS_KEPT + 1)]:
                del self._jobs[old]
            self._jobs[begun.id] = job
        job.thread.start()
        return begun

    def get(self, run_id: UUID) -> Run:
        """How far a run has come.

        Raises:
            ClassificationNotFound: this process knows none of that id.
        """
        job = self._jobs.get(run_id)
        if job is None:
            raise ClassificationNotFound(f"there is no classification {run_id}; those begun before the server was started are forgotten", id=str(run_id))
        return job.told

    def close(self) -> None:
        """Stop what runs, and wait until it has."""
        self._stop.set()
        for job in list(self._jobs.values()):
            if job.thread:
                job.thread.join()

    def _now(self) -> str:
        return instant_text(self.clock.now_ms() * 1_000_000)

    def _source(self, task: Task, collection: Collection) -> _Source:
        some = self._candidates(collection, task.source)
        return _Source(some.shard, some.vector, unlabelled(some.where, task.properties))

    def _labels(self, task: Task, collection: Collection) -> Labels:
        if task.method is Method.NEIGHBOURS:
            some = self._candidates(collection, task.training)
            where = labelled(some.where, task.properties)
            return NeighbourLabels(shard=some.shard, vector=some.vector, where=where, properties=task.properties, k=task.k)
        leads_to = {name: map(self.collections.get, property_of(collection, name).targets) for name in task.properties}
        return NearestLabels({name: [self._candidates(one, task.target) for one in targets] for name, targets in leads_to.items()})

    def _candidates(self, collection: Collection, where: Filter | None) -> Candidates:
        """Those of a collection that pass a filter, and the vector that they are compared by."""
        bound = None if where is None else bind_filter(where, collection, targets=targets_of(self.collections, self.shards, ""))
        passing = not_expired(bound, collection, self.clock.now_ms())
        return Candidates(collection=collection.name, shard=self.shards.reading(collection, ""), vector=target_of(collection, None).name, where=passing)

    def _run(self, job: _Job, source: _Source, labels: Labels) -> None:
        try:
            self._label(job, source, labels)
            told = job.told
            error = told.error or ("" if told.succeeded else "nothing to classify: no object lacks all of these references")
        except NearimageError as failed:
            error = failed.message
        except Exception as failed:  # noqa: BLE001 - a worker's boundary
            _log.exception("classification %s failed", job.told.id)
            error = type(failed).__name__
        state = RunState.FAILED if error else RunState.COMPLETED
        job.told = replace(job.told, state=state, completed=self._now(), error=error and f"classification failed: {error}")

    def _label(self, job: _Job, source: _Source, labels: Labels) -> None:
        for object_id, found in _found(job, source, labels, self._stop.is_set).items():
            if self._stop.is_set():
                raise InvalidInput("the server was stopped; begin again")
            try:
                if found:
                    self.objects.change(job.told.task.collection, object_id, partial(_with, found=found))
                job.told = replace(job.told, succeeded=job.told.succeeded + 1)
            except ObjectNotFound as gone:
                job.failed(gone)


def _found(job: _Job, source: _Source, labels: Labels, is_over: Callable[[], bool]) -> dict[UUID, Mapping[str, Reference]]:
    """The labels of every object; why one has none is noted."""
    found: dict[UUID, Mapping[str, Reference]] = {}
    for record in source.records():
        if is_over():
            break
        try:
            found[record.id] = labels.of(_vector(record, source.vector))
        except InvalidInput as wrong:
            job.failed(wrong)
    return found


def _vector(record: Record, name: str) -> AnyVector:
    if name not in record.vectors:
        raise InvalidInput(f"object {record.id} has no vector {name!r}, so nothing is near it", id=str(record.id))
    return record.vectors[name]


def _with(old: Record, *, found: Mapping[str, Reference]) -> Record:
    return replace(old, properties={**old.properties, **{name: (label,) for name, label in found.items() if not old.properties.get(name)}})
