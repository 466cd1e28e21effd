"""Recipes of what is made from clips: the nearer clip's frame, steady numbers, and refusals by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.engine.derive import length, morphed, performed, varied
from musicgen_ui.engine.perform import performed as played_again
from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import GM_NAMES
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import MAX_DEPTH, Source
from musicgen_ui.style import PartSetting, Style
from musicgen_ui.timbre import Timbre, TimbrePoint

A = Recipe(
    style=Style(tempo=80, density=0.2, key="A minor", genre={"jazz": 1}, parts={"lead": {"instrument": "flute"}}),
    seed=5,
    bars=8,
    form="AABA",
    checkpoints={"composer_lstm": "0" * 64},
)
B = Recipe(
    style=Style(tempo=120, density=0.6, key="C major", metre="3/4", genre={"pop": 1}, parts={"drums": {"on": False}}),
    seed=6,
    bars=12,
    ending="open",
    timbre=Timbre(TimbrePoint("random", 3)),
)
NOTES = {part: (Note(0.0, 60, 1.0, 80),) for part in ("lead", "bass")}
SCORE = Score(80.0, "4/4", 8, NOTES, programs={"lead": 73, "bass": 32})


def test_a_variation_is_the_clips_recipe_with_another_seed():
    made = varied(A, 0.3, 9, density=0.5)
    assert made.source == Source("vary", recipe=A, amount=0.3)
    assert made == replace(A, seed=9, source=made.source, style=A.style.with_values(density=0.5), checkpoints={})
    assert length(made) == 8


@pytest.mark.parametrize("mix", [0.0, 0.25, 0.49, 0.5, 1.0])
def test_a_morph_has_the_frame_of_the_nearer_clip_and_numbers_between(mix):
    made, near = morphed(A, B, mix), A if mix < 0.5 else B
    assert (made.style.key, made.style.metre, made.bars, made.ending) == (
        near.style.key, near.style.metre, near.bars, near.ending,
    )  # fmt: skip
    assert made.style.tempo == pytest.approx(80 + 40 * mix)
    assert made.style.density == pytest.approx(0.2 + 0.4 * mix)
    assert made.style.genre == ({"pop": mix} if mix else {}) | ({"jazz": 1 - mix} if mix < 1 else {})
    assert made.style.parts["drums"].on == (mix < 1)
    assert (made.seed, made.form, made.source.mix) == (A.seed, "free", mix)
    if mix in (0, 1):
        assert (made.style, made.timbre) == (near.style, near.timbre)
    else:
        assert made.timbre == Timbre(TimbrePoint(), TimbrePoint("random", 3), mix)


def test_a_quick_look_at_a_morph_is_short_and_does_not_end():
    made = morphed(replace(A, rounds=2), B, 0.2, bars=4)
    assert (made.bars, made.ending, made.takes, made.rounds, length(made)) == (4, "open", 2, 0, 4)
    assert morphed(A, B, 0.2, bars=100).bars == 8


def test_timbres_between_two_points_move_along_and_fixed_instruments_do_not():
    pair = TimbrePoint("random", 1), TimbrePoint("random", 2)
    near, far = (replace(B, timbre=Timbre(*pair, morph)) for morph in (0.2, 0.8))
    assert morphed(near, far, 0.25).timbre == Timbre(*pair, 0.35)
    assert morphed(replace(A, synth="soundfont"), B, 0.25).timbre.is_own


def test_a_performance_changes_the_sound_alone():
    made = performed(A, space=0.8, parts={"bass": {"level": -6.0}, "drums": PartSetting(on=False)}, density=0.2)
    assert made.style.parts["lead"] == A.style.parts["lead"]
    assert (made.style.space, made.style.parts["bass"].level, made.style.parts["drums"].on) == (0.8, -6.0, False)
    assert (made.seed, made.source, made.keeps_notes) == (A.seed, Source("perform", recipe=A), True)
    with pytest.raises(RequestError, match="is in the notes") as caught:
        performed(A, tempo=90)
    assert caught.value.argument == "tempo"
    assert performed(B, synth="soundfont").timbre.is_own


def test_a_performance_of_a_performance_is_one_of_the_notes():
    made = A
    for space in (0.1, 0.2, 0.3) * MAX_DEPTH:
        made = performed(made, space=space)
    assert made.source == Source("perform", recipe=A)


def test_every_note_stays_and_instruments_change():
    flute, violin = (GM_NAMES.index(name) for name in ("flute", "violin"))
    same = played_again(SCORE, performed(A, space=1.0))
    assert (same.parts, dict(same.programs)) == (SCORE.parts, {"lead": flute, "bass": 32})
    other = played_again(SCORE, performed(A, parts={"lead": {"instrument": "violin"}}))
    assert (other.parts, dict(other.programs)) == (SCORE.parts, {"lead": violin, "bass": 32})
    alone = played_again(SCORE, performed(A, parts={"lead": {"on": False}}))
    assert set(alone.parts) == {"bass"}
    band = played_again(SCORE, performed(A, genre={"funk": 1}))
    assert GM_NAMES[band.programs["bass"]] in ("slap bass 1", "finger bass")
    silent = {part: {"on": False} for part in NOTES}
    with pytest.raises(RequestError, match="at least one part that has notes"):
        played_again(SCORE, performed(A, parts=silent))


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: varied(A, 1.1, 0), "amount"),
        (lambda: varied(A, 0.5, -1), "seed"),
        (lambda: morphed(A, B, "half"), "mix"),
        (lambda: morphed(A, B, 0.5, bars=0), "bars"),
        (lambda: performed(A, parts={"flute": {}}), "parts"),
        (lambda: performed(A, parts=7), "parts"),
        (lambda: performed(A, wobble=1), "wobble"),
    ],
)
def test_bad_values_are_refused_by_name(call, argument):
    with pytest.raises(RequestError) as caught:
        call()
    assert caught.value.argument == argument


def test_how_long_a_clip_is():
    going_on = replace(A, bars=4, form="free", source=Source("continue", recipe=A))
    assert length(going_on) == 12
    assert length(varied(going_on, 0.5, 1)) == 12
    of_file = Recipe(source=Source("perform", midi_sha256="0" * 64))
    assert length(of_file) is None
    assert morphed(of_file, A, 0.1).bars == 128


def test_two_ordinary_recipes_fit_into_a_link():
    made = morphed(A, B, 0.5)
    assert Recipe.from_code(made.to_code()) == made
    assert len(made.to_code()) < 1500
    for _ in range(2):
        made = morphed(made, made, 0.4)
    assert Recipe.from_code(made.to_code()) == made
