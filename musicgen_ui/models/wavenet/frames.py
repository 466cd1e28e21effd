"""What the raw-audio WaveNet is told of a score, frame by frame; the excitation is in ``excitation``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote

RATE = 16_000
"""Samples a second of the raw-audio model."""

HOP = 64
"""Samples a frame."""

ONSET_SECONDS = (0.005, 0.02, 0.08, 0.3, 1.2)
RELEASE_SECONDS = (0.02, 0.08, 0.3)
"""Time constants of what tells the time since a note was struck and let go."""

BUMPS = np.linspace(24.0, 96.0, 10)
"""Pitches about which one feature each lies, so that a register can sound unlike the next."""

TAIL_SECONDS = 1.0
"""A note rings at most so long after it was let go; then nothing sounds."""

FRAME_FEATURES = 3 + 1 + len(ONSET_SECONDS) + 1 + len(RELEASE_SECONDS) + 1 + len(BUMPS) + 2
"""Features a frame; see :func:`score_frames`."""


def monophonic(notes: Sequence[PlayedNote], *, highest: bool = True) -> list[PlayedNote]:
    """One note at a time: of those struck together the highest (or lowest) stays; each ends where the next begins."""
    kept: dict[int, PlayedNote] = {}
    for note in notes:
        other = kept.get(note.start)
        if note.end > note.start and (other is None or (note.pitch > other.pitch) == highest):
            kept[note.start] = note
    line = [kept[start] for start in sorted(kept)]
    ends = [note.start for note in line[1:]] + [line[-1].end] if line else []
    return [PlayedNote(n.start, min(n.end, end), n.pitch, n.velocity) for n, end in zip(line, ends, strict=True)]


def rescaled(notes: Sequence[PlayedNote], source: int, target: int = RATE) -> list[PlayedNote]:
    """Notes on the sample axis of another rate."""
    ratio = target / source
    return [PlayedNote(round(n.start * ratio), round(n.end * ratio), n.pitch, n.velocity) for n in notes]


def score_frames(notes: Sequence[PlayedNote], frames: int) -> np.ndarray:
    """What each frame of HOP samples is told of the note that was struck last before its end.

    Args:
        notes: a monophonic line in order, at RATE.
        frames: how many.

    Returns:
        (frames, FRAME_FEATURES) float32: share of the frame that the key is down, onset in this frame, velocity, its
        square, decays since the onset, log time since it, decays since the release, pitch, a bump for each register,
        step from the pitch before (in octaves, while that may still ring), and how soon the next note is struck.
    """
    features = np.zeros((frames, FRAME_FEATURES), dtype=np.float32)
    if not notes:
        return features
    starts = np.array([n.start for n in notes])
    ends = np.array([n.end for n in notes])
    pitches = np.array([n.pitch for n in notes], dtype=np.float64)
    velocities = np.array([n.velocity for n in notes]) / 127.0
    begin = np.arange(frames) * HOP
    which = np.searchsorted(starts, begin + HOP, side="left") - 1
    some = which >= 0
    at = np.maximum(which, 0)
    since = np.maximum(begin + HOP / 2 - starts[at], 0.0) / RATE
    gone = (begin + HOP / 2 - ends[at]) / RATE
    held = np.clip(np.minimum(ends[at], begin + HOP) - np.maximum(starts[at], begin), 0, HOP) / HOP
    before = np.maximum(at - 1, 0)
    until = np.append(starts, np.iinfo(np.int32).max)[which + 1] - begin
    columns = [
        held,
        starts[at] >= begin,
        velocities[at],
        velocities[at] ** 2,
        *(np.exp(-since / seconds) for seconds in ONSET_SECONDS),
        np.log10(since + 0.002) + 1.0,
        *(np.where(gone > 0, np.exp(-np.maximum(gone, 0.0) / seconds), 0.0) for seconds in RELEASE_SECONDS),
        (pitches[at] - 60.0) / 24.0,
        *(np.exp(-0.5 * ((pitches[at] - bump) / 5.0) ** 2) for bump in BUMPS),
        (pitches[before] - pitches[at]) / 12.0 * np.exp(-since / 0.1),
    ]
    features[:, :-1] = np.stack(columns, axis=1) * some[:, None]
    features[:, -1] = np.exp(-np.maximum(until, 0) / (0.01 * RATE))
    return features


def sounding(notes: Sequence[PlayedNote], frames: int, context: int) -> np.ndarray:
    """(frames,) bool: something sounds, or is about to within ``context`` samples (the model's receptive field)."""
    active = np.zeros(frames, dtype=bool)
    for note, last in zip(notes, ends_of(notes, frames * HOP), strict=True):
        active[max(0, note.start - context) // HOP : -(-last // HOP)] = True
    return active


def ends_of(notes: Sequence[PlayedNote], length: int) -> list[int]:
    """Where each note's sound is over: at the next onset, or when its tail has died."""
    following = [note.start for note in notes[1:]] + [length] * bool(notes)
    tail = round(TAIL_SECONDS * RATE)
    return [max(0, min(note.end + tail, after, length)) for note, after in zip(notes, following, strict=True)]
