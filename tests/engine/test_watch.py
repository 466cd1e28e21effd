"""The clock: seconds are summed over rounds, progress never falls and always arrives."""

from __future__ import annotations

import pytest

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
