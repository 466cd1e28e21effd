"""A tune as a line of pitches, one a frame: from a score, with its rests filled, or brought into tune."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio.tonality import FRAME_RATE
from musicgen_ui.music.score import Score

MELODIC = ("lead", "chords", "bass")
"""The first of these parts that plays has the tune."""


def score_tune(score: Score, frames: int, seconds: float | None = None) -> np.ndarray:
    """The tune of a score: the highest note that sounds of its lead, or of what plays where there is none.

    Args:
        score: of a clip.
        frames: of its template.
        seconds: how long the clip is, where tape speed or an ending made that differ from the score.

    Returns:
        (frames,) MIDI pitches, 0 in rests.
    """
    tune = np.zeros(frames, dtype=np.float32)
    part = next((part for part in MELODIC if score.notes(part)), None)
    if part is None:
        return tune
    ratio = 1.0 if seconds is None else seconds / score.seconds
    per_beat = 60.0 / score.tempo * ratio * FRAME_RATE
    # From the lowest to the highest, so that the highest stays; a new note ends the one before.
    for note in sorted(score.notes(part), key=lambda note: (note.onset, note.pitch)):
        first = round(note.onset * per_beat)
        last = max(first + 1, round((note.onset + note.duration) * per_beat))
        tune[first:last] = note.pitch
    return tune


def held(melody: np.ndarray) -> np.ndarray:
    """A tune whose rests are filled by the note before, or by the first one; all zeros stay."""
    sounds = np.flatnonzero(melody > 0)
    if not len(sounds):
        return melody
    before = np.maximum.accumulate(np.where(melody > 0, np.arange(len(melody)), 0))
    filled = melody[before]
    return np.where(filled > 0, filled, melody[sounds[0]])


def in_tune(melody: np.ndarray) -> np.ndarray:
    """A tune moved by less than half a semitone, so that its notes lie on the piano's as well as they can."""
    sounds = melody > 0
    if not sounds.any():
        return melody
    offset = np.angle(np.exp(2j * np.pi * melody[sounds]).sum()) / (2 * np.pi)
    return np.where(sounds, melody - offset, 0.0).astype(np.float32)
