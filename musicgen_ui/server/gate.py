"""A gate before heavy work: one at a time, a few wait, the others are told to come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from musicgen_ui.library.rebuilding import Busy

WAITING = 8


class Gate:
    """Lets one through at a time.

    Args:
        waiting: how many may wait for it.
    """

    def __init__(self, waiting: int = WAITING) -> None:
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._turn = threading.Lock()

    @contextmanager
    def through(self) -> Iterator[None]:
        """Held while the work is done.

        Raises:
            Busy: too many are waiting.
        """
        if not self._places.acquire(blocking=False):
            raise Busy("clip", "too much is being prepared; try again in a moment")
        try:
            with self._turn:
                yield
        finally:
            self._places.release()
