"""Staves: clefs on which the notes fit, few voices, and lengths that are easy to read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.music.musicxml_voices import BASS, BASS_8VB, TREBLE, TREBLE_8VB, on_grid, staves
from musicgen_ui.music.score import Note

notes = st.lists(
    st.builds(Note, st.floats(0, 15.9), st.integers(30, 95), st.floats(0.05, 6), st.integers(1, 127)), max_size=16
)


@settings(max_examples=40, deadline=None)
@given(notes, st.sampled_from(["lead", "chords", "bass", "drums"]), st.sampled_from([0, 25, 42, 66]))
def test_no_note_is_lost_and_no_voice_overlaps_itself(made, part, program):
    grid = on_grid(made, 64, swung=False)
    assert all(0 <= onset < end <= 64 for onset, end, _, _ in grid)
    written = []
    for staff in staves(part, grid, program):
        assert 1 <= len(staff.voices) <= 2
        for voice in staff.voices:
            assert all(event.onset < event.end <= 64 for event in voice)
            assert all(a.end <= b.onset for a, b in itertools.pairwise(voice))
            written += [(event.onset, pitch) for event in voice for pitch in event.pitches]
    assert sorted(written) == sorted((onset, pitch) for onset, _, pitch, _ in grid)


def chord(onset, length, *pitches):
    return [Note(onset, pitch, length, 90) for pitch in pitches]


@pytest.mark.parametrize(
    ("part", "program", "pitches", "clefs"),
    [
        ("lead", 73, (72, 84), [TREBLE]), ("lead", 26, (50, 55), [TREBLE_8VB]), ("lead", 42, (45, 50), [BASS]),
        ("bass", 33, (28, 40), [BASS_8VB]), ("bass", 32, (50, 58), [BASS]), ("chords", 0, (60, 64, 67), [TREBLE]),
        ("chords", 0, (40, 43, 72, 76), [TREBLE, BASS]), ("chords", 0, (43, 47, 50), [BASS]),
        ("chords", 25, (40, 52, 60), [TREBLE_8VB]),
    ],
)  # fmt: skip
def test_clefs_fit(part, program, pitches, clefs):
    assert [staff.clef for staff in staves(part, on_grid(chord(0.0, 1.0, *pitches), 16, swung=False), program)] == clefs


def line(*spans):
    made = [Note(onset, 72, length, 90) for onset, length in spans]
    (staff,) = staves("lead", on_grid(made, 16, swung=False), 73)
    return [(event.onset, event.end, event.staccato) for event in staff.voices[0]]


def test_lengths_are_readable():
    assert line((0.0, 0.7), (1.0, 0.75), (2.0, 1.0)) == [(0, 4, False), (4, 8, False), (8, 12, False)]
    assert line((0.0, 0.2), (2.0, 0.2)) == [(0, 2, True), (8, 10, True)]
    assert line((0.0, 0.25), (0.25, 0.25), (0.5, 0.5)) == [(0, 1, False), (1, 2, False), (2, 4, False)]
    assert line((0.0, 3.0), (1.0, 1.0)) == [(0, 4, False), (4, 8, False)]


def test_what_is_held_under_moving_notes_is_a_voice_of_its_own():
    made = chord(0.0, 4.0, 52, 55) + [note for beat in range(4) for note in chord(beat + 0.5, 0.5, 72)]
    (staff,) = staves("chords", on_grid(made, 16, swung=False), 25)
    assert [[event.pitches for event in voice] for voice in staff.voices] == [[(72,)] * 4, [(52, 55)]]
    assert staff.voices[1][0].end == 16


def test_swung_time_becomes_plain_and_doubled_notes_one():
    made = [Note(0.66, 60, 0.3, 90), Note(0.7, 60, 0.1, 80), Note(1.34, 62, 0.3, 90)]
    assert [row[:3] for row in on_grid(made, 16, swung=True)] == [(2, 4, 60), (5, 6, 62)]
