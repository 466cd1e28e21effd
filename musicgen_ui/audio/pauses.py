"""Places inside long work at which it may be stopped, so that nobody has to hand a hook through every filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_may_stop: ContextVar[Callable[[], None] | None] = ContextVar("may_stop", default=None)


def pause() -> None:
    """Called between two pieces of long work: whoever waits for it may stop it here, by raising."""
    may_stop = _may_stop.get()
    if may_stop is not None:
        may_stop()


@contextmanager
def pauses(may_stop: Callable[[], None]) -> Iterator[None]:
    """Inside, every :func:`pause` of this thread calls ``may_stop``, which may raise."""
    token = _may_stop.set(may_stop)
    try:
        yield
    finally:
        _may_stop.reset(token)
