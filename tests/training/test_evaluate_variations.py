"""The evaluation of variations, over a composer whose likeness is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.music.likeness import bar_likeness, note_likeness
from musicgen_ui.music.score import Note, Score
from musicgen_ui.training.evaluate_variations import AMOUNTS, MIXES, drawn_recipes, evaluate_variations

COUNT = 40


def score(seed: int, tempo: float = 100.0, key: str = "C major") -> Score:
    notes = tuple(Note(i / 4, 50 + seed, 0.25, 80) for i in range(COUNT))
    return Score(tempo, "4/4", 3, {"lead": notes}, key=key)


def blended(a: Score, b: Score, share: float) -> Score:
    """The first notes of b, the rest of a."""
    split = round(share * COUNT)
    return replace(a, parts={"lead": b.notes("lead")[:split] + a.notes("lead")[split:]})


def test_a_steady_composer_is_told_to_be_steady():
    made = []
    report = evaluate_variations(
        drawn_recipes("lstm", 3, bars=3, takes=1),
        lambda recipe: score(recipe.seed),
        lambda recipe, clip, amount: blended(clip, score(11), amount),
        lambda recipes, scores, mix: blended(*scores, mix),
        lambda: made.append(1),
    )
    vary, morph = report["vary"], report["morph"]
    assert len(made) == 3 * (1 + len(AMOUNTS) + len(MIXES))
    assert (vary["exact"], vary["frame"], vary["monotone"], vary["strangers"]) == (1.0, 1.0, 1.0, 0.0)
    assert vary["notes"][0] == 1.0 > vary["notes"][2] > vary["notes"][-1] == 0.0
    assert vary["bars"][0] == 1.0 > vary["bars"][-1]
    assert vary["spearman"]["weakest"] == pytest.approx(-1.0)
    assert morph["exact"] == 1.0
    assert [morph[end]["spearman"]["mean"] for end in "ab"] == pytest.approx([-1.0, 1.0])
    assert morph["b"]["monotone"] == 1.0


def test_likeness_knows_no_key_and_counts_every_bar():
    clip = score(3)
    moved = score(5, key="D major")
    assert note_likeness(clip, moved) == 1.0
    assert note_likeness(clip, replace(moved, key="C major")) == 0.0
    assert note_likeness(score(0, key="A minor"), score(3, key="C minor")) == 1.0
    longer = replace(clip, bars=4, parts={"lead": (*clip.notes("lead"), Note(12.0, 60, 1.0, 80))})
    assert bar_likeness(clip, longer) == 0.75
    silent = replace(clip, parts={"lead": ()})
    assert note_likeness(silent, silent) == bar_likeness(silent, silent) == 1.0
