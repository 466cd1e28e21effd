"""Statistics of scores whose answers are known by construction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.statistics import (
    STATISTICS,
    chord_tone_rate,
    empty_bars,
    in_key_rate,
    key_of,
    longest_note,
    notes_per_beat,
    pitch_range,
    polyphony,
    polyphony_rate,
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


def test_polyphony_counts_what_sounds_together():
    lead = (Note(0.0, 60, 2.0, 90), Note(2.0, 62, 1.0, 90))
    chords = (Note(0.0, 48, 1.0, 90), Note(0.0, 52, 1.0, 90))
    score = Score(120.0, "4/4", 1, {"lead": lead, "chords": chords, "drums": (Note(3.0, 36, 1.0, 90),)})
    # Three notes for a beat, one for two beats, then only drums.
    assert polyphony(score) == pytest.approx(5 / 3)
    assert polyphony_rate(score) == 1 / 4
    assert polyphony(score.with_parts(("drums",))) is None
    assert polyphony_rate(score.with_parts(("drums",))) is None


def test_a_note_that_rings_over_the_end_sounds_until_the_end():
    score = Score(120.0, "4/4", 1, {"chords": (Note(3.0, 60, 9.0, 90), Note(3.0, 64, 9.0, 90))})
    assert polyphony(score) == 2.0
    assert polyphony_rate(score) == 1 / 4


def test_every_statistic_of_an_empty_score_is_a_number_or_nothing():
    values = statistics(Score(120.0, "4/4", 4, {}))
    assert set(values) == set(STATISTICS)
    assert values["empty bars"] == 1.0
    assert values["notes per beat"] == 0.0
    assert values["in-key rate"] is None
