"""Whose turn it is in the pool of threads.

Handlers block, so they run in the pool that the doors share, a few at a time; what else is asked waits here, in a lane for each connection. The lanes take
turns: a client with a hundred requests under way delays the single request of another by one. What waits can still be dropped, and
costs nothing then: a client that reset its stream, a deadline that passed.

A lane is held while its client does not read its replies, so that replies of a slow reader do not pile up.

Everything here happens on the event loop; only `Job.run` is called in a thread.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from nearimage.domain.cancellation import Cancellation, cancellable

Done = Callable[[Any, BaseException | None], None]


class Job:
    """Work for a thread.

    Attributes:
        run: what to do; blocks.
        done: called on the event loop with the result, or with what was raised; not if the job was dropped.
        token: cancelled with the job; what waits deeper down on its behalf, such as for a model, leaves there.
    """

    __slots__ = ("done", "run", "token")

    def __init__(self, run: Callable[[], Any], done: Done) -> None:
        self.run = run
        self.done = done
        self.token = Cancellation()

    @property
    def is_dropped(self) -> bool:
        """Nobody wants the result any more."""
        return self.token.is_cancelled


class Work:
    """The turns of all lanes."""

    def __init__(self, executor: Executor, threads: int, call_on_loop: Callable[..., Any]) -> None:
        self._executor = executor
        self._idle_threads = threads
        self._call_on_loop = call_on_loop
        self._line: deque[Lane] = deque()

    def stand_in_line(self, lane: "Lane") -> None:
        """A lane has something to do; it comes up once for each turn, so it stands in line at most once."""
        if not lane.is_in_line:
            lane.is_in_line = True
            self._line.append(lane)
        self._begin()

    def _begin(self) -> None:
        while self._idle_threads and self._line:
            lane = self._line.popleft()
            lane.is_in_line = False
            job = lane.next()
            if job is None:
                continue
            self._idle_threads -= 1
            self._executor.submit(self._run, job)
            if lane.has_next:
                lane.is_in_line = True
                self._line.append(lane)

    def _run(self, job: Job) -> None:
        """In a thread of the pool."""
        result: Any = None
        error: BaseException | None = None
        try:
            if not job.is_dropped:
                with cancellable(job.token):
                    result = job.run()
        except Exception as wrong:  # noqa: BLE001 - whoever asked is told
            error = wrong
        self._call_on_loop(self._end, job, result, error)

    def _end(self, job: Job, result: Any, error: BaseException | None) -> None:
        self._idle_threads += 1
        self._begin()
        if not job.is_dropped:
            job.done(result, error)


class Lane:
    """What one connection waits for.

    Attributes:
        is_in_line: it has its place in the line of lanes.
    """

    __slots__ = ("_is_held", "_jobs", "_work", "is_in_line")

    def __init__(self, work: Work) -> None:
        self.is_in_line = False
        self._work = work
        self._jobs: deque[Job] = deque()
        self._is_held = False

    @property
    def has_next(self) -> bool:
        """Whether a job could begin."""
        return bool(self._jobs) and not self._is_held

    @property
    def is_held(self) -> bool:
        """Whether nothing of it is begun for now."""
        return self._is_held

    def next(self) -> Job | None:
        """The job that has waited longest; None while the lane is held."""
        return self._jobs.popleft() if self.has_next else None

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        self._jobs.append(job)
        if not self._is_held:
            self._work.stand_in_line(self)

    def drop(self, job: Job) -> None:
        """Forget a job; one that has begun runs to its end, unheard, unless it waits where it can be told."""
        job.token.cancel()
        if job in self._jobs:
            self._jobs.remove(job)

    def hold(self, is_held: bool) -> None:
        """Begin nothing more, or go on."""
        self._is_held = is_held
        if self.has_next:
            self._work.stand_in_line(self)
