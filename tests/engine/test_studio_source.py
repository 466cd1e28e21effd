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
        self.composed, self.played, self.asked = [], [], []

    def compose(self, style, *, seed, bars, takes, shape, hook):
        self.composed.append(seed)
        return Score(120.0, "4/4", bars, {part: (Note(0.0, 40 + seed % 40, 1.0, 80),) for part in style.active_parts})

    def rewrite(self, recipe, score, *, hook):
        self.asked.append((recipe, score))
        score = score[0] if isinstance(score, tuple) else score
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
            mix_parts=lambda stems, style, **rest: {"lead": np.full((2, 3), rest["seed"], np.float32)},
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


MORPH = replace(BASE, seed=7, source=Source("morph", recipe=BASE, other=replace(BASE, seed=6), mix=0.75))


def test_both_clips_of_a_morph_are_made_again(band):
    band.studio().generate(MORPH)
    assert band.composed == [5, 6]
    ((recipe, scores),) = band.asked
    assert recipe.source.mix == 0.75
    assert [score.notes("lead")[0].pitch for score in scores] == [45, 46]
    assert band.played == [6]  # the nearer clip's own sound


def test_both_scores_may_be_at_hand(band):
    scores = tuple(replace(FILE, tempo=tempo) for tempo in (80.0, 90.0))
    band.studio().generate(MORPH, base=scores)
    assert (band.composed, band.asked[0][1]) == ([], scores)


def test_a_file_behind_the_far_clip_is_handed_in(band):
    far = replace(BASE, source=Source("vary", midi_sha256="0" * 64, amount=0.5))
    recipe = replace(MORPH, source=replace(MORPH.source, other=far))
    band.studio().generate(recipe, given=FILE)
    assert band.asked[0][1] == FILE
    with pytest.raises(RequestError, match="must be handed in"):
        band.studio().generate(recipe)


def test_rounds_over_given_notes_only_mix(band):
    studio = band.studio()
    studio._band = replace(
        studio._band, listen=lambda samples, rate, hook: {"density": 0.9, "space": 0.9, "tempo": 60.0}
    )
    for recipe, tries in (
        (replace(BASE, rounds=3, source=Source("perform", recipe=BASE)), 1),
        (replace(BASE, rounds=3, source=Source("vary", recipe=BASE, amount=0.0)), 1),
        (replace(BASE, rounds=3, source=Source("vary", recipe=BASE, amount=0.5)), 3),
    ):
        band.played.clear()
        result = studio.generate(recipe)
        assert len(band.played) == tries
        kinds = [entry["kind"] for entry in result.rounds[1:]]
        assert ("notes" in kinds) == (tries > 1)
        assert "mix" in kinds


def test_a_result_knows_what_the_mixer_was_told_and_its_mix_can_be_taken_apart(band):
    studio = band.studio()
    result = studio.generate(BASE)
    assert result.told == BASE.style
    assert studio.mixed_stems(result.stems, result.told, result.score, result.recipe)["lead"].max() == 5
    studio._mix_parts = None
    with pytest.raises(RequestError, match="take the mix apart"):
        studio.mixed_stems(result.stems, result.told, result.score, result.recipe)
