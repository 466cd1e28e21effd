"""Statistics of scores whose answers are known by construction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.statistics import (
    SIMILAR,
    STATISTICS,
    bar_contents,
    chord_tone_rate,
    empty_bars,
    in_key_rate,
    key_of,
    longest_note,
    notes_per_beat,
    pitch_range,
    repeated_bars,
    statistics,
)
from musicgen_ui.music.theory import KEYS

C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)


def score_of(pitches, *, metre="4/4", bars=2, part="lead", duration=1.0, **fields) -> Score:
    """One note a beat."""
    notes = tuple(Note(float(beat), pitch, duration, 90) for beat, pitch in enumerate(pitches))
    return Score(120.0, metre, bars, {part: notes}, **fields)


def test_a_scale_is_in_its_key_and_a_wrong_note_is_not():
    assert in_key_rate(score_of(C_MAJOR, key="C major")) == 1.0
    assert in_key_rate(score_of((*C_MAJOR[:7], 61), key="C major")) == 7 / 8


@pytest.mark.parametrize("semitones", range(12))
def test_a_missing_key_is_found_and_transposition_changes_nothing(semitones):
    score = score_of(C_MAJOR)
    moved = score.transposed(semitones)
    assert key_of(moved) == KEYS[semitones]
    assert in_key_rate(moved) == in_key_rate(score) == 1.0


def test_drums_have_no_key():
    drums = score_of((36, 38, 36, 38), bars=1, part="drums")
    assert in_key_rate(drums) is None
    assert chord_tone_rate(drums) is None
    assert longest_note(drums) is None
    assert pitch_range(drums, "lead") is None
    assert notes_per_beat(drums) == 1.0


def test_chord_tones_count_on_strong_beats_only():
    chords = (Chord(0.0, 4.0, 0, "maj"), Chord(4.0, 4.0, 7, "maj"))
    # Beats 1 and 3 of each bar are C, E; G, A: three of four belong; the weak beats hold strangers.
    score = score_of((60, 61, 64, 61, 67, 61, 69, 61), chords=chords)
    assert chord_tone_rate(score) == 3 / 4
    assert chord_tone_rate(replace(score, chords=())) is None


def test_a_waltz_has_one_strong_beat():
    chords = (Chord(0.0, 6.0, 0, "maj"),)
    assert chord_tone_rate(score_of((60, 61, 61, 64, 61, 61), metre="3/4", chords=chords)) == 1.0


def test_micro_timing_still_counts_as_on_the_beat():
    notes = (Note(0.04, 60, 1.0, 90), Note(1.96, 61, 1.0, 90))
    score = Score(120.0, "4/4", 1, {"lead": notes}, chords=(Chord(0.0, 4.0, 0, "maj"),))
    assert chord_tone_rate(score) == 0.5


def test_a_bar_is_empty_when_nothing_sounds_in_it():
    held = Score(120.0, "4/4", 4, {"lead": (Note(0.0, 60, 8.0, 90),), "bass": (Note(12.0, 40, 1.0, 90),)})
    assert empty_bars(held) == 1 / 4
    assert empty_bars(held, "lead") == 2 / 4
    assert empty_bars(held, "bass") == 3 / 4
    assert empty_bars(held, "drums") is None
    assert empty_bars(replace(held, parts={"lead": ()}), "lead") == 1.0


def test_density_length_and_range():
    lead = (Note(0.0, 60, 0.5, 90), Note(1.0, 74, 3.0, 90))
    score = Score(120.0, "4/4", 1, {"lead": lead, "drums": (Note(0.0, 36, 9.0, 90),)})
    assert notes_per_beat(score) == 3 / 4
    assert longest_note(score) == 3.0
    assert pitch_range(score, "lead") == 14.0


def test_repeats_are_found_wherever_they_come_back():
    a, b, c = (60, 62, 64, 65), (67, 67, 67, 67), (72, 71, 69, 67)
    assert repeated_bars(score_of((*a, *b, *a, *c), bars=4)) == 1 / 3
    assert repeated_bars(score_of((*a, *a, *a, *a), bars=4)) == 1.0
    assert repeated_bars(score_of((*a, *b, *c), bars=3)) == 0.0
    assert repeated_bars(score_of(a, bars=1)) is None


def test_a_nearly_equal_bar_is_similar_but_not_the_same():
    eight = [Note(beat / 2, 60 + beat % 2, 0.5, 90) for beat in range(16)]
    eight[15] = Note(7.5, 72, 0.5, 90)
    score = Score(120.0, "4/4", 2, {"lead": tuple(eight)})
    # Seven of nine different starts are shared: 0.78.
    assert repeated_bars(score) == 0.0
    assert repeated_bars(score, 0.75) == 1.0
    assert repeated_bars(score, SIMILAR) == 0.0


def test_silent_bars_are_no_repeats():
    assert repeated_bars(Score(120.0, "4/4", 8, {"lead": (Note(0.0, 60, 1.0, 90),)})) is None


def test_a_late_note_of_the_last_bar_stays_in_it():
    score = Score(120.0, "4/4", 1, {"lead": (Note(3.99, 60, 0.01, 90),)})
    assert bar_contents(score) == [frozenset({("lead", 15, 60)})]


def test_every_statistic_of_an_empty_score_is_a_number_or_nothing():
    values = statistics(Score(120.0, "4/4", 4, {}))
    assert set(values) == set(STATISTICS)
    assert values["empty bars"] == 1.0
    assert values["notes per beat"] == 0.0
    assert values["in-key rate"] is None
