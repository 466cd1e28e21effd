"""Work on a thread: progress is seen, errors come through, and leaving stops it."""

from __future__ import annotations

import threading
import time

import pytest

from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.ui import status
from musicgen_ui.ui.work import Progress, Work


def test_result_and_progress_come_through() -> None:
    def call(hook):
        for step in range(5):
            hook("compose", step + 1, 5)
            time.sleep(0.02)
        return 42

    work = Work(call)
    seen = list(work.follow(interval=0.01))
    assert work.result == 42
    assert seen[0].done in ({}, {"compose": (1, 5)})
    assert seen[-1].now == "compose"
    assert [p.seconds for p in seen] == sorted(p.seconds for p in seen)


@pytest.mark.parametrize("error", [RequestError("tempo", "no"), OSError("disk"), Cancelled("x")])
def test_errors_come_through(error: Exception) -> None:
    def call(hook):
        raise error

    with pytest.raises(type(error)):
        list(Work(call).follow(interval=0.01))


def test_closing_the_iterator_raises_cancelled_in_the_work_and_waits_for_it() -> None:
    stopped = threading.Event()
    ticks = []

    def call(hook):
        try:
            while True:
                time.sleep(0.02)
                ticks.append(time.perf_counter())
                hook("mix", 1, 2)
        except Cancelled:
            stopped.set()
            raise

    looking = Work(call).follow(interval=0.02)
    next(looking)
    time.sleep(0.1)
    closed = time.perf_counter()
    looking.close()
    assert stopped.is_set()
    assert time.perf_counter() - closed < 0.5
    count = len(ticks)
    time.sleep(0.1)
    assert len(ticks) == count


def test_steps_are_counted_and_samples_are_told_in_percent() -> None:
    shown = status.working(Progress(1.0, {"compose": (3, 16), "synthesize": (661_500, 1_323_000)}, "synthesize"))
    assert "<small>3/16</small>" in shown
    assert "<small>50%</small>" in shown
    assert "661" not in shown


def test_a_slow_stage_says_what_it_still_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musicgen_ui.ui.work.PATIENCE", 0.1)

    def call(hook):
        for step in range(11):
            hook("synthesize", 10 + step, 20)
            time.sleep(0.05)

    seen = list(Work(call).follow(interval=0.01))
    assert seen[0].left is None
    told = [(p.done["synthesize"][0], p.left) for p in seen if p.left is not None]
    assert told
    for step, left in told:
        assert 0 <= left < 5 * 0.05 * (20 - step) + 0.2, "what was done before the stage began is no pace"
    assert told[-1][1] < told[0][1]
    assert ", about 12 s left" in status.working(Progress(3.0, {"synthesize": (1, 5)}, "synthesize", 12.2))
    assert "left" not in status.working(Progress(3.0, {"synthesize": (1, 5)}, "synthesize"))
