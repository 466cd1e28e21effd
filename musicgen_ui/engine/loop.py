"""Playing a score as a loop: what still rings at its end rings on at its beginning."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from musicgen_ui.audio.looping import Seam, closed, seam
from musicgen_ui.audio.waveform import SAMPLE_RATE, Clip
from musicgen_ui.music.score import Chord, Note, Score

RING_SECONDS = 3.0
"""What is played before a turn, so that its beginning holds what rings on from its end."""

_OVERLAP = round(0.02 * SAMPLE_RATE)
_GUARD = round(0.025 * SAMPLE_RATE)
"""Synthesizers fade at the end of a score, and what looks ahead finds silence there."""

Render = Callable[[Score], dict[str, np.ndarray]]


def play_loop(score: Score, render: Render) -> dict[str, np.ndarray]:
    """Stems of one turn of a loop.

    Args:
        score: one turn.
        render: plays a score into dry stems of exactly its length.

    Returns:
        Part to (score.samples(),) float32.
    """
    bar_seconds = score.seconds / score.bars
    before = math.ceil(RING_SECONDS / bar_seconds)
    begin = round(before * bar_seconds * SAMPLE_RATE)
    length = score.samples(SAMPLE_RATE)
    stems = render(unrolled(score, before))
    return {part: closed(stem, begin, length, _OVERLAP, _GUARD) for part, stem in stems.items()}


def unrolled(score: Score, before: int) -> Score:
    """The score after ``before`` bars of its own end, which may be more than it has."""
    rest = before % score.bars
    pieces = [score.section(score.bars - rest, rest)] if rest else []
    pieces += [score] * (before // score.bars + 1)
    parts: dict[str, list[Note]] = {part: [] for part in score.parts}
    chords: list[Chord] = []
    shift = 0
    for piece in pieces:
        for part, notes in piece.parts.items():
            parts[part] += [replace(note, onset=note.onset + shift) for note in notes]
        chords += [replace(chord, onset=chord.onset + shift) for chord in piece.chords]
        shift += piece.beats
    played = {part: tuple(sorted(notes)) for part, notes in parts.items()}
    return replace(score, bars=score.bars + before, parts=played, chords=tuple(chords))


def clip_seam(clip: Clip, score: Score) -> Seam:
    """The join of a finished loop."""
    return seam(clip.samples, clip.sample_rate, score.beats)
