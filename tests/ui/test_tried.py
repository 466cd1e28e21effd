"""What was tried: every round is told, the kept one is marked, and silence where there is nothing to say."""

from __future__ import annotations

import re
from typing import Any

from musicgen_ui.ui.tried import STOPPED, tried_html


def entry(kind: str, changed: dict, error: float | None, outside: tuple[str, ...] = (), **more: Any) -> dict:
    return {"kind": kind, "changed": changed, "error": error, "outside": list(outside), "seconds": 2.5, **more}


ROUNDS = (
    entry("first", {}, 0.21, ("energy", "mood", "key")),
    entry("notes", {"energy": [0.5, 0.62], "mood": [0.6, 0.5], "space": [0.3, 0.301]}, 0.08, ("energy",)),
    entry("mix", {"space": [0.3, 0.2]}, 0.1),
)
GAIN = {"error": [0.21, 0.08], "inside": [6, 8], "of": 9, "kept": 1, "seconds": 5.0, "stopped": "little to gain"}


def test_every_round_says_what_it_changed_and_what_that_was_worth() -> None:
    html = tried_html(ROUNDS, GAIN)
    rows = re.findall(r"<li.*?</li>", html)
    assert len(rows) == 3
    assert "<b>First try</b><span>as you asked; outside: energy, mood, key" in rows[0]
    assert "<b>Round 1: other notes</b><span>energy +0.12, mood −0.10; outside: energy" in rows[1]
    assert "<b>Round 2: another mix</b>" in rows[2]
    assert "all inside tolerance" in rows[2]
    worth = "2 rounds in 5.0 s; round 1 kept: off by 0.21 → 0.08 on average, 6 → 8 of 9 inside tolerance"
    assert worth in html
    assert [">kept<" in row for row in rows] == [False, True, False]
    assert STOPPED["little to gain"] in html


def test_a_round_that_could_not_be_measured_says_so() -> None:
    html = tried_html((ROUNDS[0], entry("notes", {}, None)), GAIN | {"kept": 0})
    assert "one round in 5.0 s; none came closer than the first try" in html
    assert "the same settings again" in html
    assert "not measured" in html


def test_one_try_says_why_there_was_only_one() -> None:
    alone = GAIN | {"stopped": "switched off", "kept": 0}
    assert "3 values lie outside tolerance. “Correct itself” lets" in tried_html(ROUNDS[:1], alone)
    assert "One value lies" in tried_html((entry("first", {}, 0.1, ("key",)),), alone)
    assert tried_html((entry("first", {}, 0.02),), alone) == ""
    fine = tried_html((entry("first", {}, 0.02),), alone | {"stopped": "inside tolerance"})
    assert "nothing to correct" in fine
    stuck = tried_html(ROUNDS[:1], alone | {"stopped": "little to gain"})
    assert "One try: because no further round promised to come closer." in stuck


def test_a_clip_that_no_loop_made_has_no_panel() -> None:
    assert tried_html((), {}) == ""


def test_the_loop_gives_what_the_panel_reads(studio) -> None:
    from musicgen_ui.recipe import Recipe

    result = studio.generate(Recipe(bars=4, composer="lstm", synth="soundfont", rounds=2))
    assert "What was tried" in tried_html(result.rounds, result.gain)
