"""The clock of a clip: seconds of every stage, and progress that never runs backwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from musicgen_ui.audio.pauses import pauses

Hook = Callable[[str, int, int], None]
"""``hook(stage, done, total)``; ``done / total`` never falls within a stage. Raising ``Cancelled`` stops the work."""


class Watch:
    """Times the stages and passes their progress on; every round may run every stage once more.

    Args:
        hook: told of the progress; None for nobody.
        rounds: how often a stage may run at most.
    """

    def __init__(self, hook: Hook | None, rounds: int) -> None:
        self._hook = hook
        self._rounds = rounds
        self._begun: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Hook]:
        """Time a stage; gives the hook to hand to the stage itself. What lasts long in it may be stopped in between."""
        began = time.perf_counter()
        self._begun[name] = self._begun.get(name, 0) + 1
        last = [0, 1]

        def hook(_: str, done: int, total: int) -> None:
            last[:] = done, total
            self._report(name, done, total)

        hook(name, *last)
        with pauses(lambda: self._report(name, *last)):
            yield hook
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 4)
        self._report(name, 1, 1)

    def finish(self) -> None:
        """The rounds that were not needed count as done."""
        for name in self._begun:
            self._begun[name] = self._rounds
            self._report(name, 1, 1)

    def _report(self, name: str, done: int, total: int) -> None:
        if self._hook is not None and total > 0:
            self._hook(name, (self._begun[name] - 1) * total + min(done, total), self._rounds * total)
