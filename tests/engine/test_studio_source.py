"""A studio makes clips from clips: composed again without a sound, and what is kept sounds on as it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import Source

FILE = Score(90.0, "3/4", 1, {"lead": (Note(0.0, 60, 1.0, 80),)})


class Band:
    """Composes notes that tell the seed, and plays noise that tells the notes and the seed of the sound."""

    def __init__(self):
        self.composed, self.played = [], []

    def compose(self, style, *, seed, bars, takes, shape, hook):
        self.composed.append(seed)
        return Score(120.0, "4/4", bars, {part: (Note(0.0, 40 + seed % 40, 1.0, 80),) for part in style.active_parts})

    def rewrite(self, recipe, score, *, hook):
        parts = {p: (Note(0.0, 40 + recipe.seed % 40, 1.0, 80),) for p in recipe.source.parts}
        return replace(score, parts={**score.parts, **parts})

    def render(self, score, programs, *, style, timbre, seed, hook):
        self.played.append(seed)
        return {
            part: np.random.default_rng([seed, notes[0].pitch]).uniform(-0.1, 0.1, score.samples()).astype(np.float32)
            for part, notes in score.parts.items()
        }

    def studio(self):
        return Studio(
            composers={"lstm": self.compose},
            rewriters={"lstm": self.rewrite},
            synthesizers={"soundfont": self},
            mix=lambda stems, style, **rest: Clip(np.stack([stems["lead"]] * 2)),
            listen=lambda samples, rate, hook: {},
            checkpoints={},
        )


@pytest.fixture
def band():
    return Band()


BASE = Recipe(seed=5, bars=1, composer="lstm", synth="soundfont", ending="open")


def anew(recipe, seed, *parts):
    return replace(recipe, seed=seed, source=Source("regenerate", recipe=recipe, parts=parts))


def test_stems_of_untouched_parts_are_the_same_bytes(band):
    studio = band.studio()
    first = studio.generate(BASE)
    second = studio.generate(anew(BASE, 6, "lead"))
    third = studio.generate(anew(anew(BASE, 6, "lead"), 7, "bass"))
    assert {p for p in first.stems if not np.array_equal(first.stems[p], second.stems[p])} == {"lead"}
    assert {p for p in first.stems if not np.array_equal(second.stems[p], third.stems[p])} == {"bass"}
    assert band.played == [5, 5, 5]


def test_a_clip_that_is_gone_on_from_is_composed_again_and_not_played(band):
    band.studio().generate(anew(anew(BASE, 6, "lead"), 7, "bass"))
    assert (band.composed, band.played) == ([5], [5])


def test_the_score_alone_is_that_of_the_clip(band):
    studio = band.studio()
    recipe = anew(BASE, 6, "lead")
    assert studio.score(recipe) == studio.generate(recipe).score
    assert len(band.played) == 1


def test_a_persons_music_is_handed_in_wherever_the_chain_begins(band):
    studio = band.studio()
    source = Source("accompany", midi_sha256="0" * 64, parts=("lead",))
    recipe = anew(replace(BASE, source=source), 9, "lead")
    assert studio.generate(recipe, given=FILE).score.metre == "3/4"
    assert not band.composed
    with pytest.raises(RequestError, match="must be handed in"):
        studio.generate(recipe)


def test_music_that_is_at_hand_is_not_composed_again(band):
    studio = band.studio()
    first = studio.generate(BASE)
    recipe = anew(BASE, 6, "lead")
    again = studio.generate(recipe)
    band.composed.clear()
    at_hand = studio.generate(recipe, base=first.score)
    assert band.composed == []
    assert at_hand.score == again.score
    np.testing.assert_array_equal(at_hand.clip.samples, again.clip.samples)


def test_composing_what_a_clip_is_made_from_can_be_stopped(band):
    def stop(stage, done, total):
        raise Cancelled(stage)

    with pytest.raises(Cancelled):
        band.studio().generate(anew(BASE, 6, "lead"), stop)
    assert band.composed == []
