"""What the sliders mean, read off a score.

Every measure returns a raw value in its own unit; ``musicgen_ui.scale`` turns it into the slider's quantile.
The Listener (``engine.listen``) reads the same quantities off audio.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Score, to_ticks
from musicgen_ui.music.theory import key_correlations

MEASURED = ("mood", "energy", "density", "syncopation", "complexity")
"""Sliders that a score can be measured for, in the order of every array."""

_STEP = TICKS_PER_BEAT // 4


def onset_strength(score: Score) -> np.ndarray:
    """Strength of what starts on every sixteenth step.

    Returns:
        (steps, 2): column 0 the sum of velocity / 127 over the notes that start there, column 1 the sum of its
        square. Micro-timing is rounded to the nearest step.
    """
    steps = score.beats * 4
    strength = np.zeros((steps, 2))
    for part in PARTS:
        for note in score.notes(part):
            step = min((to_ticks(note.onset) + _STEP // 2) // _STEP, steps - 1)
            level = note.velocity / 127.0
            strength[step] += (level, level * level)
    return strength


def chroma(score: Score) -> np.ndarray:
    """(12,) sounding beats of each pitch class, drums left out."""
    weights = np.zeros(12)
    for note in score.pitched:
        weights[note.pitch % 12] += note.duration
    return weights


def mood(score: Score) -> float | None:
    """Best major minus best minor key correlation, in [-2, 2]; None without pitched notes."""
    weights = chroma(score)
    if weights.sum() <= 0:
        return None
    correlations = key_correlations(weights)
    return float(correlations[:12].max() - correlations[12:].max())


def density(score: Score) -> float:
    """Distinct onset steps per beat, 0 to 4."""
    return float((onset_strength(score)[:, 0] > 0).sum() / score.beats)


def syncopation(score: Score) -> float | None:
    """Share of the onset strength that falls off the beat, 0 to 1; None for a score without notes."""
    strength = onset_strength(score)[:, 0]
    total = strength.sum()
    return float(1.0 - strength[::4].sum() / total) if total > 0 else None


def energy(score: Score) -> float | None:
    """Log of the mean squared-velocity sum of the steps on which something starts, in nats; None without notes."""
    squares = onset_strength(score)[:, 1]
    active = squares[squares > 0]
    return float(math.log(active.mean())) if active.size else None


def complexity(score: Score) -> float | None:
    """Pitch-class entropy (share of its maximum) plus half the chord changes per beat; None without pitched notes."""
    weights = chroma(score)
    total = weights.sum()
    if total <= 0:
        return None
    p = weights[weights > 0] / total
    entropy = float(-(p * np.log(p)).sum() / math.log(12))
    symbols = [(c.root, c.quality) for c in score.chords]
    changes = sum(a != b for a, b in pairwise(symbols))
    return entropy + 0.5 * changes / score.beats


def measure(score: Score) -> dict[str, float | None]:
    """All measures of a score, raw, by slider key."""
    return {
        "mood": mood(score),
        "energy": energy(score),
        "density": density(score),
        "syncopation": syncopation(score),
        "complexity": complexity(score),
    }
