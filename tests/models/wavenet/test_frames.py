"""Score frames: they say when notes are struck, held and let go, the same for any stretch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.wavenet.frames import (
    FRAME_FEATURES,
    HOP,
    RATE,
    TAIL_SECONDS,
    monophonic,
    rescaled,
    score_frames,
    sounding,
)

NOTES = [PlayedNote(1000, 9000, 69, 90), PlayedNote(12_000, 20_000, 52, 40), PlayedNote(20_000, 30_000, 88, 120)]
HELD, ONSET, VELOCITY = 0, 1, 2


def test_a_stretch_is_the_same_as_that_part_of_the_whole():
    shift = 100 * HOP
    moved = [PlayedNote(n.start - shift, n.end - shift, n.pitch, n.velocity) for n in NOTES]
    frames = score_frames(NOTES, 500)
    np.testing.assert_allclose(score_frames(moved, 200), frames[100:300], atol=1e-6)


def test_frames_say_when_notes_are_struck_held_and_let_go():
    frames = score_frames(NOTES, 500)
    assert frames.shape == (500, FRAME_FEATURES)
    assert np.isfinite(frames).all()
    assert not frames[: 1000 // HOP, :-1].any()
    np.testing.assert_array_equal(np.flatnonzero(frames[:, ONSET]), [n.start // HOP for n in NOTES])
    for note in NOTES:
        inside = frames[-(-note.start // HOP) : note.end // HOP]
        assert (inside[:, HELD] == 1.0).all()
        np.testing.assert_allclose(inside[:, VELOCITY], note.velocity / 127, atol=1e-6)
    assert frames[9000 // HOP + 1 : 12_000 // HOP, HELD].max() == 0.0
    assert frames[1000 // HOP, HELD] == pytest.approx((HOP - 1000 % HOP) / HOP)


def test_an_empty_score_is_silent():
    assert not score_frames([], 10).any()
    assert not sounding([], 10, 1000).any()


def test_monophonic_lines_keep_the_highest_or_the_lowest_and_never_overlap():
    chord = [PlayedNote(0, 900, 60, 90), PlayedNote(0, 500, 72, 90), PlayedNote(400, 1000, 64, 90)]
    assert monophonic(chord) == [PlayedNote(0, 400, 72, 90), PlayedNote(400, 1000, 64, 90)]
    assert monophonic(chord, highest=False)[0].pitch == 60
    rng = np.random.default_rng(0)
    many = [PlayedNote(int(s), int(s + d), int(p), 80) for s, d, p in rng.integers(1, 90, (200, 3))]
    line = monophonic(many)
    assert all(a.end <= b.start for a, b in itertools.pairwise(line))
    assert {n.start for n in line} == {n.start for n in many}
    assert monophonic([]) == []


def test_notes_keep_their_time_at_another_rate():
    assert rescaled([PlayedNote(44_100, 88_200, 60, 90)], 44_100) == [PlayedNote(RATE, 2 * RATE, 60, 90)]


def test_sounding_begins_a_context_before_the_onset():
    active = sounding(NOTES[1:2], 700, 1023)
    assert np.flatnonzero(active)[0] == (12_000 - 1023) // HOP
    assert np.flatnonzero(active)[-1] == -(-(20_000 + round(TAIL_SECONDS * RATE)) // HOP) - 1
