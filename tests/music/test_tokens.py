"""Invariants of the step grid: what is on the grid survives, what is not lands on the nearest row."""

import numpy as np
import pytest

from musicgen_ui.music.score import Chord, Note, Score, from_ticks
from musicgen_ui.music.tokens import (
    CHORD_CLASSES,
    DRUM_GROUPS,
    DRUM_VOICES,
    DURATIONS,
    HIGH,
    LOW,
    TIMINGS,
    VELOCITIES,
    chord_class,
    chord_symbol,
    crop,
    decode,
    encode,
    fold,
    nearest,
)  # fmt: skip


def random_score(rng: np.random.Generator, metre: str = "4/4", bars: int = 6) -> Score:
    """A score that uses only values the grid can hold."""
    beats = bars * (4 if metre == "4/4" else 3)
    parts = {}
    for name in ("lead", "bass"):
        notes, tick = [], 0
        while tick < beats * 24 - 24:
            duration = int(rng.choice([d for d in DURATIONS if d <= 48 and d % 6 == 0]))
            pitch = int(rng.integers(LOW[name], HIGH[name] + 1))
            duration = min(duration, beats * 24 - tick)
            if duration in DURATIONS:
                notes.append(Note(from_ticks(tick), pitch, from_ticks(duration), int(rng.choice(VELOCITIES))))
            tick += duration + 6 * int(rng.integers(0, 3))
        parts[name] = tuple(sorted(notes))
    chords = []
    for beat in range(0, beats, 2):
        velocity = int(rng.choice(VELOCITIES))
        for pitch in rng.choice(np.arange(LOW["chords"], HIGH["chords"] + 1), size=4, replace=False):
            chords.append(Note(float(beat), int(pitch), 2.0, velocity))
    parts["chords"] = tuple(sorted(chords))
    drums = []
    for step in range(0, beats * 4, 2):
        velocities = [int(v) for v in rng.choice(VELOCITIES, size=3)]
        for voice in rng.choice(len(DRUM_VOICES), size=3, replace=False):
            drums.append(Note(step / 4, DRUM_VOICES[voice][0], 0.25, velocities[DRUM_GROUPS[voice]]))
    parts["drums"] = tuple(sorted(drums))
    symbols = tuple(Chord(float(b), 2.0, int(rng.integers(12)), "min7" if b % 4 else "maj") for b in range(0, beats, 2))
    return Score(100.0, metre, bars, parts, symbols)


@pytest.mark.parametrize("metre", ["4/4", "3/4"])
@pytest.mark.parametrize("seed", range(4))
def test_a_score_on_the_grid_survives_a_round_trip(seed, metre):
    score = random_score(np.random.default_rng(seed), metre)
    again = decode(encode(score), tempo=100.0)
    assert again.parts == score.parts
    assert again.bars == score.bars
    # The chord column cannot tell a repeated symbol from a held one, so compare what sounds on each step.
    np.testing.assert_array_equal(encode(again).chord, encode(score).chord)


def test_encoding_is_idempotent():
    grid = encode(random_score(np.random.default_rng(9)))
    again = encode(decode(grid, tempo=90.0))
    for name in ("chord", "voicing", "drums", "drum_velocity", "drum_timing"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grid, name))
    for name in ("lead", "bass", "chords"):
        np.testing.assert_array_equal(getattr(again, name).pitch, getattr(grid, name).pitch)


@pytest.mark.parametrize("offset", TIMINGS)
def test_micro_timing_is_kept(offset):
    score = Score(100.0, "4/4", 1, {"lead": (Note(from_ticks(48 + offset), 60, 0.5, 76),)})
    assert decode(encode(score), tempo=100.0).notes("lead")[0].onset == from_ticks(48 + offset)


def test_swing_and_triplets_land_on_a_row_with_an_offset():
    score = Score(100.0, "4/4", 1, {"lead": tuple(Note(from_ticks(8 * i), 60 + i, 1 / 3, 76) for i in range(12))})
    again = decode(encode(score), tempo=100.0)
    assert [n.onset for n in again.notes("lead")] == [n.onset for n in score.notes("lead")]


def test_unobserved_is_not_silent():
    score = Score(100.0, "4/4", 1, {"lead": (), "bass": (Note(0.0, 40, 1.0, 76),)})
    again = decode(encode(score), tempo=100.0)
    assert set(again.parts) == {"lead", "bass"}
    assert again.notes("lead") == ()


def test_lead_and_bass_are_monophonic_and_keep_the_outer_voice():
    notes = (Note(0.0, 50, 4.0, 76), Note(0.0, 57, 4.0, 76), Note(1.0, 52, 1.0, 76))
    score = Score(100.0, "4/4", 1, {"lead": notes, "bass": notes})
    again = decode(encode(score), tempo=100.0)
    assert [(n.onset, n.pitch, n.duration) for n in again.notes("lead")] == [(0.0, 57, 1.0), (1.0, 52, 1.0)]
    assert [n.pitch for n in again.notes("bass")] == [50, 52]


def test_no_note_rings_past_the_end_or_starts_before_zero():
    score = Score(100.0, "4/4", 1, {"lead": (Note(0.0, 60, 1.0, 76), Note(3.5, 62, 8.0, 76))})
    grid = encode(score)
    grid.lead.timing[0] = 0  # three ticks early
    for note in decode(grid, tempo=100.0).notes("lead"):
        assert note.onset >= 0
        assert note.onset + note.duration <= 4.0


def test_chord_classes_are_a_bijection():
    seen = {chord_symbol(i) for i in range(1, CHORD_CLASSES)}
    assert len(seen) == CHORD_CLASSES - 1
    assert all(chord_class(*chord_symbol(i)) == i for i in range(1, CHORD_CLASSES))


def test_crop_equals_the_grid_of_the_section():
    score = random_score(np.random.default_rng(3), bars=8)
    part = crop(encode(score), 2 * 16, 4 * 16)
    section = encode(score.section(2, 4))
    np.testing.assert_array_equal(part.lead.pitch, section.lead.pitch)
    np.testing.assert_array_equal(part.voicing, section.voicing)
    np.testing.assert_array_equal(part.chord, section.chord)


@pytest.mark.parametrize("pitch", [0, 23, 24, 60, 61, 127])
def test_fold_keeps_the_pitch_class(pitch):
    folded = fold(pitch, 24, 60)
    assert 24 <= folded <= 60
    assert folded % 12 == pitch % 12


@pytest.mark.parametrize("classes", [DURATIONS, VELOCITIES])
def test_nearest_is_nearest_and_the_smaller_wins_a_tie(classes):
    for value in np.arange(-5, 220, 0.5):
        expected = min(range(len(classes)), key=lambda i: (abs(classes[i] - value), classes[i]))
        assert nearest(classes, float(value)) == expected
