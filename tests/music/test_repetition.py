"""Bars that come back, and rhythms that go on, in scores whose answers are known by construction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.music.repetition import (
    SIMILAR,
    bar_contents,
    best_overlaps,
    groove_consistency,
    repeated_bars,
    self_similarity,
)
from musicgen_ui.music.score import Note, Score

A, B, C = (60, 62, 64, 65), (67, 67, 67, 67), (72, 71, 69, 67)


def score_of(pitches, *, metre="4/4", bars=2, part="lead") -> Score:
    """One note a beat."""
    notes = tuple(Note(float(beat), pitch, 1.0, 90) for beat, pitch in enumerate(pitches))
    return Score(120.0, metre, bars, {part: notes})


def test_repeats_are_found_wherever_they_come_back():
    assert repeated_bars(score_of((*A, *B, *A, *C), bars=4)) == 1 / 3
    assert repeated_bars(score_of((*A, *A, *A, *A), bars=4)) == 1.0
    assert repeated_bars(score_of((*A, *B, *C), bars=3)) == 0.0
    assert repeated_bars(score_of(A, bars=1)) is None


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


def test_a_bar_said_four_times_is_wholly_similar_and_new_bars_are_not():
    assert self_similarity(score_of((*A, *A, *A, *A), bars=4)) == 1.0
    assert self_similarity(score_of((*A, *C), bars=2)) == 0.0
    assert self_similarity(score_of(A, bars=1)) is None
    # The best earlier bar counts, not the one before: A B A is as similar as A A B.
    assert best_overlaps(score_of((*A, *B, *A), bars=3)) == [0.0, 1.0]
    assert best_overlaps(score_of((*A, *A, *B), bars=3)) == [1.0, 0.0]


def test_a_bar_of_which_half_comes_back_overlaps_by_a_third():
    half = (*A[:2], 70, 71)
    # Two of six different starts are shared.
    assert self_similarity(score_of((*A, *half))) == pytest.approx(2 / 6)


def test_parts_are_compared_by_themselves():
    score = score_of((*A, *C))
    score = replace(score, parts={**score.parts, "bass": score_of((*B, *B)).notes("lead")})
    assert self_similarity(score, "bass") == 1.0
    assert self_similarity(score, "lead") == 0.0
    assert self_similarity(score) == pytest.approx(4 / 12)
    assert self_similarity(score, "drums") is None


def test_a_steady_groove_is_consistent_whatever_its_notes():
    assert groove_consistency(score_of((*A, *B, *C), bars=3)) == 1.0


def test_groove_by_hand():
    # Four onsets against two of the same: two of sixteen steps differ; in a waltz two of twelve.
    assert groove_consistency(score_of((*A, *A[:2]))) == 1 - 2 / 16
    notes = tuple(Note(float(beat), 60, 1.0, 90) for beat in (0, 1, 2, 3))
    assert groove_consistency(Score(120.0, "3/4", 2, {"drums": notes})) == pytest.approx(1 - 2 / 12)


def test_silence_has_no_groove():
    assert groove_consistency(Score(120.0, "4/4", 4, {})) is None
    one_bar = Score(120.0, "4/4", 4, {"lead": (Note(0.0, 60, 1.0, 90),)})
    assert groove_consistency(one_bar) == 1 - 1 / 16, "only the first pair has an onset"
