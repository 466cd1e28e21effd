"""Variations and morphs: the ends are the clips themselves, the way between is steady, equal requests agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.engine.compose import compose
from musicgen_ui.engine.derive import morphed, varied
from musicgen_ui.engine.leaning import slerp
from musicgen_ui.engine.rewrite import rewrite
from musicgen_ui.engine.steer import Steering
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.models.composer_wavenet import WaveNetComposer, WaveNetComposerConfig
from musicgen_ui.music.form import Shape
from musicgen_ui.music.likeness import note_likeness
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.repetition import bar_contents
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.scale import UnitScale
from musicgen_ui.source import Source
from musicgen_ui.style import Style

SCALES = {key: UnitScale.fit(np.linspace(-1, 4, 200)) for key in MEASURED}
A = Recipe(style=Style(key="F# minor", tempo=93.0), seed=2, bars=2, takes=1)
B = Recipe(style=Style(key="C major", tempo=140.0), seed=3, bars=3, takes=1, ending="open")
UNSTEERED = Steering(strength=0.0)
SWING = 1 / 96
"""Beats by which nothing lies on the grid that composers write on."""


@pytest.fixture(scope="module")
def composer():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        shared = {"width": 16, "head_hidden": 16, "latent": 4, "heads": 2, "memory_bars": 3}
        config = WaveNetComposerConfig(
            hidden=12, skip=24, dilations=(1, 2, 4), encoder_width=16, drum_masks=(0, 1, 2, 3, 16), **shared
        )
        return WaveNetComposer(config).eval()


def write(composer, recipe) -> Score:
    """A clip whose notes no table can hold: off the grid, and of velocities between the classes."""
    options = {"seed": recipe.seed, "bars": recipe.bars, "takes": 1, "shape": recipe.shape}
    score = compose(composer, recipe.style, scales=SCALES, **options)
    parts = {
        part: tuple(replace(n, onset=n.onset + SWING, velocity=min(n.velocity + 1, 127)) for n in notes)
        for part, notes in score.parts.items()
    }
    return replace(score, parts=parts)


@pytest.fixture(scope="module")
def a(composer) -> Score:
    return write(composer, A)


@pytest.fixture(scope="module")
def b(composer) -> Score:
    return write(composer, B)


def vary(composer, score, amount, recipe=A, seed=9):
    return rewrite(composer, varied(recipe, amount, seed), score, scales=SCALES, steering=UNSTEERED)


def morph(composer, ends, mix, bars=None):
    return rewrite(composer, morphed(A, B, mix, bars), ends, scales=SCALES, steering=UNSTEERED)


def test_an_amount_of_0_is_the_clip_and_a_trace_writes_the_very_notes_again(composer, a):
    assert vary(composer, a, 0.0).parts == a.parts
    trace = vary(composer, a, 1e-9)
    assert trace.parts == a.parts
    assert trace.chords == a.chords


def test_likeness_falls_with_the_amount_and_everything_around_the_notes_stays(composer, a):
    made = [vary(composer, a, amount) for amount in (0.0, 0.2, 0.5, 1.0)]
    likeness = [note_likeness(a, score) for score in made]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[1] > 0.6
    assert likeness[-1] < 0.5
    assert {(s.tempo, s.metre, s.key, s.bars) for s in made} == {(a.tempo, a.metre, a.key, a.bars)}
    assert all(dict(score.programs) == dict(a.programs) for score in made)


def test_what_is_let_go_at_a_small_amount_stays_let_go_and_the_seed_says_what(composer, a):
    some, more = (vary(composer, a, amount) for amount in (0.3, 0.6))
    gone = {(p, n) for p in a.parts for n in a.notes(p) if n not in some.notes(p)}
    assert gone
    kept = {(p, n) for p in a.parts for n in a.notes(p) if n in more.notes(p)}
    assert len(gone & kept) <= 0.2 * len(gone)  # what is let go may be written again by chance
    assert vary(composer, a, 0.3) == some
    assert vary(composer, a, 0.3, seed=10) != some


def test_an_ending_stays_an_ending(composer, a):
    last = [n for part in a.parts for n in a.notes(part) if n.onset >= a.beats - 4 + SWING]
    new = vary(composer, a, 1.0)
    assert [n for part in new.parts for n in new.notes(part) if n.onset >= a.beats - 4 + SWING] == last


def test_what_comes_back_comes_back_varied(composer):
    shape = Shape("ABAB", False, "open")
    recipe = replace(A, bars=4, form=shape.form, ending=shape.ending)
    score = compose(composer, recipe.style, seed=2, bars=4, scales=SCALES, shape=shape, steering=UNSTEERED)
    before = bar_contents(score)
    assert before[0] == before[2]
    after = bar_contents(vary(composer, score, 0.8, recipe))
    assert after[0] != before[0]
    assert after[0] == after[2]


def test_a_persons_melody_can_be_varied_and_drums_that_no_table_knows_come_back(composer):
    melody = tuple(Note(0.37 + beat, 60 + beat, 0.61, 77) for beat in range(5))
    score = Score(200.0, "3/4", 2, {"lead": melody, "drums": (Note(0.0, 5, 0.2, 90), Note(3.0, 87, 0.2, 90))})
    recipe = Recipe(takes=1, source=Source("vary", midi_sha256="0" * 64, amount=0.01), ending="open")
    made = rewrite(composer, recipe, score, scales=SCALES)
    assert (made.tempo, made.metre, made.bars, set(made.parts)) == (200.0, "3/4", 2, {"lead", "drums"})
    assert made.notes("drums") == score.notes("drums")
    assert len(set(made.notes("lead")) & set(melody)) >= 3


def test_the_ends_of_a_morph_are_the_clips(composer, a, b):
    assert morph(composer, (a, b), 0.0).parts == a.parts
    assert morph(composer, (a, b), 1.0).parts == b.parts
    trace = morph(composer, (a, b), 1e-9)
    assert trace.parts == a.parts
    assert dict(trace.programs) == dict(a.programs)


def test_along_a_morph_likeness_passes_from_one_clip_to_the_other(composer, a, b):
    made = [morph(composer, (a, b), mix) for mix in (0.0, 0.3, 0.49, 0.5, 0.7, 1.0)]
    to_a, to_b = ([note_likeness(end, score) for score in made] for end in (a, b))
    assert (np.diff(to_a) < 0.1).all()
    assert (np.diff(to_b) > -0.1).all()
    assert max(to_a[-2:]) < 0.4 < min(to_a[:2])
    assert max(to_b[:2]) < 0.4 < min(to_b[-2:])
    assert [score.key for score in made] == [a.key] * 3 + [b.key] * 3
    assert [score.bars for score in made] == [2] * 3 + [3] * 3
    tempos = [score.tempo for score in made]
    assert tempos == sorted(tempos)
    assert (tempos[0], tempos[-1]) == (93.0, 140.0)
    assert dict(made[2].programs) == dict(a.programs)
    assert dict(made[3].programs) == dict(b.programs)


@pytest.mark.parametrize("mix", [0.0, 0.3, 0.6, 1.0])
def test_a_quick_look_is_short(composer, a, b, mix):
    score = morph(composer, (a, b), mix, bars=1)
    assert score.bars == 1
    assert all(n.onset < 4 and n.onset + n.duration <= 4 for part in score.parts for n in score.notes(part))


def test_metres_and_bands_may_differ(composer, a):
    waltz = Score(90.0, "3/4", 2, {"lead": (Note(0.0, 60, 1.0, 80), Note(3.0, 64, 2.0, 80))}, key="A minor")
    for mix, metre in ((0.2, "4/4"), (0.8, "3/4")):
        made = morph(composer, (a, waltz), mix)
        assert made.metre == metre
        assert set(made.parts) == set(a.parts)
    assert set(morph(composer, (a, waltz), 1.0).parts) == {"lead"}


def test_two_clips_without_notes_in_one_are_refused_and_writing_can_be_stopped(composer, a):
    with pytest.raises(RequestError, match="no notes to begin with"):
        morph(composer, (a, Score(90.0, "4/4", 2, {"lead": ()})), 0.5)

    def stop(stage, done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        rewrite(composer, varied(A, 0.5, 1), a, scales=SCALES, hook=stop)


def test_the_way_between_two_latents_is_an_arc():
    a, b = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    middle = slerp(a, b, 0.5)
    assert torch.allclose(middle, torch.full((1, 2), 2.0 / 2**0.5), atol=1e-5)
    assert torch.allclose(slerp(a, b, 0.0), a)
    assert torch.allclose(slerp(a, b, 1.0), b, atol=1e-6)
    assert torch.allclose(slerp(a, 2 * a, 0.5), 1.5 * a)
