"""Score frames and excitation: exact pitch and onset, silence where nothing sounds, the same for any stretch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.wavenet.frames import (
    EXCITATION,
    FRAME_FEATURES,
    HARMONICS,
    HOP,
    RATE,
    TAIL_SECONDS,
    excitation,
    monophonic,
    rescaled,
    score_frames,
    sounding,
)

NOTES = [PlayedNote(1000, 9000, 69, 90), PlayedNote(12_000, 20_000, 52, 40), PlayedNote(20_000, 30_000, 88, 120)]
HELD, ONSET, VELOCITY = 0, 1, 2


@pytest.mark.parametrize(("pitch", "cents"), [(28, 0.0), (69, 0.0), (69, 37.0), (95, -20.0)])
def test_the_sine_lies_at_the_pitch(pitch, cents):
    length = 4 * RATE
    sine = excitation([PlayedNote(0, length, pitch, 90)], length, [cents])[:, 0]
    spectrum = np.abs(np.fft.rfft(sine * np.hanning(length), 8 * length))
    found = np.argmax(spectrum) * RATE / (8 * length)
    assert found == pytest.approx(440.0 * 2.0 ** ((pitch - 69) / 12 + cents / 1200), abs=0.04)


def test_phase_is_zero_at_the_onset_and_harmonics_are_multiples():
    features = excitation(NOTES, 32_000)
    for note in NOTES:
        np.testing.assert_allclose(features[note.start, :HARMONICS], 0.0, atol=1e-7)
        assert (features[note.start, HARMONICS : 2 * HARMONICS] == 1.0).sum() >= 3
        assert features[note.start, -1] == 1.0
    time = np.arange(8000)
    for k in range(HARMONICS):
        expected = np.sin(2 * np.pi * (k + 1) * 440.0 * time / RATE)
        np.testing.assert_allclose(features[1000:9000, k], expected, atol=1e-5)


def test_what_lies_above_the_nyquist_frequency_is_left_out():
    top = excitation([PlayedNote(0, 1000, 110, 90)], 1000)
    assert top[:, 0].any()
    assert not top[:, HARMONICS - 1].any()


def test_nothing_is_excited_before_the_first_note_and_after_the_last_tail():
    features = excitation(NOTES[:1], 40_000)
    tail = 9000 + round(TAIL_SECONDS * RATE)
    assert not features[:1000].any()
    assert not features[tail:].any()
    assert features[9000:tail].any(axis=1).all()
    assert features.shape == (40_000, EXCITATION)


def test_a_stretch_is_the_same_as_that_part_of_the_whole():
    shift, length = 100 * HOP, 200 * HOP
    moved = [PlayedNote(n.start - shift, n.end - shift, n.pitch, n.velocity) for n in NOTES]
    whole = excitation(NOTES, 32_000, [3.0, -4.0, 5.0])
    np.testing.assert_allclose(excitation(moved, length, [3.0, -4.0, 5.0]), whole[shift : shift + length], atol=1e-6)
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
    assert not excitation([], 640).any()
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
