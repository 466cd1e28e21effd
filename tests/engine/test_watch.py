"""The clock: seconds are summed over rounds, progress never falls and always arrives."""

from __future__ import annotations

import pytest

from musicgen_ui.audio.pauses import pause
from musicgen_ui.engine.watch import Watch


@pytest.mark.parametrize("order", [("compose", "mix", "mix", "compose"), ("mix",) * 3, ("compose", "mix")])
def test_progress_never_falls_and_arrives(order):
    seen = {}

    def hook(stage, done, total):
        assert seen.get(stage, 0) <= done / total <= 1
        seen[stage] = done / total

    watch = Watch(hook, rounds=3)
    for stage in order:
        with watch.stage(stage) as inner:
            for done in range(5):
                inner(stage, done, 4)
    assert set(watch.seconds) == set(order)
    watch.finish()
    assert seen == dict.fromkeys(order, 1.0)


def test_nobody_needs_to_watch():
    watch = Watch(None, rounds=1)
    with watch.stage("listen") as inner:
        inner("listen", 0, 0)
    watch.finish()
    assert watch.seconds["listen"] >= 0


def test_long_work_within_a_stage_may_be_stopped_where_it_pauses():
    seen = []
    watch = Watch(lambda *call: seen.append(call), rounds=1)
    with watch.stage("mix") as inner:
        pause()
        inner("mix", 2, 5)
        pause()
        pause()
    assert seen == [("mix", 0, 1), ("mix", 0, 1), ("mix", 2, 5), ("mix", 2, 5), ("mix", 2, 5), ("mix", 1, 1)]
    pause()
    assert len(seen) == 6
