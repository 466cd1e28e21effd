"""Which chords suit a melody: the likelihood of its notes under every chord, and of all that is still to come."""

from __future__ import annotations

import math

import numpy as np

from musicgen_ui.music.score import METRES, Note, Score
from musicgen_ui.music.theory import MAJOR_SCALE, chord_pitch_classes
from musicgen_ui.music.tokens import CHORD_CLASSES, NO_CHORD, QUALITY_NAMES, chord_symbol

# Measured on the melodies of 2,500 training songs, weighted by how long a note sounds: share of each interval above the
# root, by quality in the order of QUALITIES.
_INTERVALS = np.array([
    [0.260, 0.007, 0.059, 0.007, 0.228, 0.038, 0.015, 0.256, 0.008, 0.052, 0.036, 0.035],
    [0.276, 0.006, 0.063, 0.232, 0.004, 0.051, 0.013, 0.231, 0.021, 0.029, 0.055, 0.019],
    [0.233, 0.019, 0.081, 0.007, 0.158, 0.032, 0.012, 0.227, 0.016, 0.055, 0.150, 0.009],
    [0.161, 0.008, 0.085, 0.012, 0.240, 0.011, 0.019, 0.182, 0.003, 0.081, 0.005, 0.194],
    [0.214, 0.010, 0.075, 0.219, 0.006, 0.105, 0.012, 0.176, 0.022, 0.027, 0.130, 0.003],
    [0.182, 0.018, 0.020, 0.223, 0.012, 0.025, 0.222, 0.014, 0.047, 0.156, 0.060, 0.021],
    [0.284, 0.011, 0.093, 0.016, 0.233, 0.015, 0.012, 0.011, 0.304, 0.002, 0.012, 0.007],
    [0.256, 0.007, 0.084, 0.045, 0.095, 0.120, 0.008, 0.245, 0.012, 0.061, 0.053, 0.015],
])  # fmt: skip
_PITCH_CLASSES = np.array([0.167, 0.013, 0.131, 0.017, 0.171, 0.072, 0.020, 0.147, 0.023, 0.141, 0.015, 0.083])
"""Share of each pitch class of a melody in C major or A minor, whatever the chord."""

_QUALITY_SHARE = np.array([0.528, 0.255, 0.117, 0.010, 0.033, 0.032, 0.003, 0.020])
STAYS = {"4/4": (0.29, 0.93, 0.63, 0.91), "3/4": (0.38, 0.91, 0.89)}
"""How often a chord of those songs goes on, by beat of the bar."""

OUTSIDE = 0.15
"""How often, beside a chord of the scale, one that leaves it comes up."""

ON_BEAT = 0.5
"""What starting on a beat adds to a note's weight, which is otherwise its duration in beats."""

LONGEST = 4.0
"""Beats of a note that count."""


def _log_shares() -> np.ndarray:
    """(CHORD_CLASSES, 12) log share of each pitch class under every chord, in C major or A minor."""
    shares = np.tile(_PITCH_CLASSES, (CHORD_CLASSES, 1))
    for index in range(1, CHORD_CLASSES):
        root, quality = chord_symbol(index)
        shares[index] = np.roll(_INTERVALS[QUALITY_NAMES.index(quality)], root)
    return np.log(shares / shares.sum(axis=1, keepdims=True))


def _common() -> np.ndarray:
    """(CHORD_CLASSES,) how often a chord comes up in C major or A minor when another has ended."""
    weights = np.zeros(CHORD_CLASSES)
    for index in range(1, CHORD_CLASSES):
        root, quality = chord_symbol(index)
        inside = chord_pitch_classes(root, quality) <= set(MAJOR_SCALE)
        weights[index] = _QUALITY_SHARE[QUALITY_NAMES.index(quality)] * (1.0 if inside else OUTSIDE)
    weights[NO_CHORD] = 0.01 * weights.sum()
    return weights / weights.sum()


def likelihood(melody: tuple[Note, ...], beats: int) -> np.ndarray:
    """Log-likelihood of what a melody in C major or A minor sounds in each beat, under every chord.

    Args:
        melody: notes of one part or several.
        beats: length.

    Returns:
        (beats, CHORD_CLASSES) nats; 0 where nothing sounds.
    """
    weights = np.zeros((beats, 12))
    for note in melody:
        end = min(note.onset + min(note.duration, LONGEST), float(beats))
        nearest = math.floor(note.onset + 0.5)
        if abs(note.onset - nearest) < 0.13 and nearest < beats:
            weights[nearest, note.pitch % 12] += ON_BEAT
        for beat in range(max(int(note.onset), 0), math.ceil(end)):
            weights[beat, note.pitch % 12] += max(0.0, min(end, beat + 1.0) - max(note.onset, float(beat)))
    return weights @ _log_shares().T


def foresight(evidence: np.ndarray, metre: str) -> np.ndarray:
    """Log-likelihood of what sounds in each beat and ever after, under every chord in that beat.

    The backward pass of a hidden Markov model whose chords go on as often as songs' do and else start over (Rabiner
    1989).

    Args:
        evidence: (beats, CHORD_CLASSES), see :func:`likelihood`.
        metre: a key of METRES.

    Returns:
        (beats, CHORD_CLASSES), the greatest of each beat 0.
    """
    common = np.log(_common())
    coming = np.zeros_like(evidence)
    after = np.zeros(evidence.shape[1])
    for beat in range(len(evidence) - 1, -1, -1):
        coming[beat] = evidence[beat] + after
        coming[beat] -= coming[beat].max()
        stays = STAYS[metre][beat % METRES[metre]]
        anew = np.logaddexp.reduce(coming[beat] + common)
        after = np.logaddexp(math.log(stays) + coming[beat], math.log1p(-stays) + anew)
    return coming


def agreement(score: Score, part: str = "lead") -> float | None:
    """How well a part and the others agree: share of its sounding time in which another has its pitch class.

    Only time in which another pitched part sounds counts.

    Returns:
        0 to 1; None where they never sound together.
    """
    ticks = score.beats * _TICKS
    others = np.zeros((ticks, 12), dtype=bool)
    for name in ("lead", "chords", "bass"):
        if name != part:
            for note in score.notes(name):
                others[_span(note, ticks), note.pitch % 12] = True
    together = hits = 0
    sounding = others.any(axis=1)
    for note in score.notes(part):
        span = _span(note, ticks)
        together += int(sounding[span].sum())
        hits += int(others[span, note.pitch % 12].sum())
    return hits / together if together else None


def symbol_agreement(score: Score, part: str = "lead") -> float | None:
    """Share of a part's sounding time in which the chord symbol holds its pitch class; None without both."""
    ticks = score.beats * _TICKS
    members = np.zeros((ticks, 12), dtype=bool)
    for chord in score.chords:
        first, last = (round(beat * _TICKS) for beat in (chord.onset, chord.onset + chord.duration))
        members[first:last, sorted(chord_pitch_classes(chord.root, chord.quality))] = True
    together = hits = 0
    known = members.any(axis=1)
    for note in score.notes(part):
        span = _span(note, ticks)
        together += int(known[span].sum())
        hits += int(members[span, note.pitch % 12].sum())
    return hits / together if together else None


_TICKS = 24


def _span(note: Note, ticks: int) -> slice:
    first = round(note.onset * _TICKS)
    return slice(max(first, 0), min(max(first + 1, round((note.onset + note.duration) * _TICKS)), ticks))
