"""One request's work on a thread of its own, watched from a generator.

Gradio can only stop a generator, and only where it yields. So the engine runs on a worker thread, the handler
yields while it waits, and leaving the generator, by Stop, by a closed tab or by an error, raises ``Cancelled``
inside the engine's next progress call.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from musicgen_ui.errors import Cancelled

STAGES = ("compose", "synthesize", "mix", "listen", "draw")
"""What a clip passes through, in order: the engine's stages as its hook names them, then the page's own."""

PATIENCE, SHARE = 1.5, 0.05
"""Seconds and share of a stage after which its pace says something."""

T = TypeVar("T")
Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Progress:
    """A look at work in progress.

    Attributes:
        seconds: time since the work began.
        done: stage name to (done, total) steps, for every stage that has reported.
        now: the stage that reported last, None before the first report.
        left: seconds that this stage will need from now on, at its pace so far; None while that cannot be told.
    """

    seconds: float
    done: dict[str, tuple[int, int]] = field(default_factory=dict)
    now: str | None = None
    left: float | None = None


class Work(Generic[T]):
    """Runs ``call(hook)`` on a thread; iterate over :meth:`follow` and then read ``result``.

    Args:
        call: the work; it must call the hook often and let ``Cancelled`` pass through.
    """

    def __init__(self, call: Callable[[Hook], T]) -> None:
        self._call = call
        self._stop = threading.Event()
        self._outcome: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
        self._progress: dict[str, tuple[int, int]] = {}
        self._now: str | None = None
        self._stage_began = (0.0, 0.0)
        self._thread = threading.Thread(target=self._run, name="musicgen-work", daemon=True)
        self._began: float | None = None
        self.result: T | None = None

    def start(self) -> None:
        """Begin; :meth:`follow` does so itself where nobody was quicker."""
        if self._began is None:
            self._began = time.perf_counter()
            self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until it has stopped; what has ended stays as it is."""
        self._stop.set()
        if self._began is not None:
            self._thread.join(timeout=10.0)

    def follow(self, interval: float = 0.2) -> Iterator[Progress]:
        """Start the work and look at it every ``interval`` seconds until it has ended.

        Every look costs the server some work, which the composer on its thread has to wait for.

        Closing the iterator early stops the work and waits until it has stopped, so that the next request finds
        the processor free.

        Yields:
            Progress, at least once.

        Raises:
            Exception: whatever the work raised.
        """
        self.start()
        try:
            while True:
                yield Progress(time.perf_counter() - self._began, dict(self._progress), self._now, self._left())
                try:
                    value, error = self._outcome.get(timeout=interval)
                except queue.Empty:
                    continue
                if error is not None:
                    raise error
                self.result = value
                return
        finally:
            self.stop()

    def _run(self) -> None:
        try:
            self._outcome.put((self._call(self._hook), None))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting handler, which decides
            self._outcome.put((None, error))

    def _left(self) -> float | None:
        done, total = self._progress.get(self._now or "", (0, 0))
        began, share = self._stage_began
        seconds, share = time.perf_counter() - began, done / max(total, 1) - share
        if seconds < PATIENCE or share < SHARE:
            return None
        return seconds / share * (1.0 - done / total)

    def _hook(self, stage: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Cancelled("stopped")
        if stage != self._now:
            self._stage_began = (time.perf_counter(), done / max(total, 1))
        self._now = stage
        self._progress[stage] = (int(done), int(total))
