"""How like a fragment is to a part of a clip, where that part is, and what is alike: the fine stage of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.alignment import Alignment, align
from musicgen_ui.audio.template import Template
from musicgen_ui.audio.tonality import FRAME_RATE
from musicgen_ui.audio.tune import held

WEIGHTS = {"harmony": 0.75, "rhythm": 0.1, "colour": 0.15}
"""What each likeness counts on a path. Transposition keeps all of them; noise spoils colour first."""

CHANCE = {"melody": 0.5, "harmony": 0.35, "rhythm": 0.45, "colour": 0.35}
"""Likeness that the best path through a clip which has nothing to do with the fragment reaches: the 0 of a score."""


REASONS = {
    ("melody", "harmony", "rhythm"): "the same tune, chords and rhythm",
    ("melody", "harmony"): "the same tune and chords",
    ("melody",): "the same tune",
    ("harmony", "rhythm"): "the same chords and rhythm",
    ("harmony",): "the same chords",
    ("rhythm",): "the same rhythm",
    ("colour",): "the same colour of sound",
    (): "a little of everything",
}
"""What is alike, in words; what a page translates is one of these."""

ALIKE = 0.6
"""Score of a melody, harmony and so on from which it counts as the same."""


@dataclass(frozen=True)
class Found:
    """A part of a clip that is like a fragment.

    Attributes:
        begin: seconds. end: seconds.
        score: 0 (as like as strangers are) to 1 (the same).
        why: melody, harmony, rhythm and colour to their own scores; those that cannot be told are missing.
    """

    begin: float
    end: float
    score: float
    why: dict[str, float]


def compare(fragment: Template, clip: Template, shift: int, scale: float) -> Found:
    """The part of a clip that is most like a fragment.

    Args:
        fragment: what is looked for.
        clip: where.
        shift: semitones that the fragment must go up.
        scale: how much longer it is in the clip, roughly.
    """
    fragment = stretched(fragment, scale)
    likeness = {
        "harmony": _product(np.roll(fragment.harmony, shift, axis=0), clip.harmony),
        "rhythm": _rhythm(fragment.attacks, clip.attacks),
        "colour": _product(fragment.colour, clip.colour, along_time=True),
    }
    cost = 1.0 - sum(WEIGHTS[name] * values for name, values in likeness.items())
    path = align(np.maximum(cost, 0.0))
    raw = {name: path.mean(values) for name, values in likeness.items()}
    score = sum(WEIGHTS[name] * above_chance(name, value) for name, value in raw.items())
    melody = _melody(np.roll(fragment.harmony, shift, axis=0), clip.melody, path)
    if melody is not None:
        raw["melody"] = melody
    score *= path.covered(fragment.frames)
    return _found(path, score, {name: above_chance(name, value) for name, value in raw.items()})


def compare_hummed(fragment: Template, clip: Template, shift: int, scale: float) -> Found | None:
    """The part of a clip whose tune is most like a hummed one, in any octave; see :func:`compare`."""
    fragment = stretched(fragment, scale)
    hummed, tune = held(fragment.melody), held(clip.melody)
    if not hummed.any() or not tune.any():
        return None
    distance = np.abs((hummed[:, None] + shift - tune[None, :] + 6.0) % 12.0 - 6.0)
    cost = np.minimum(distance, _FAR) / _FAR
    cost[:, tune == 0.0] = 1.0
    path = align(cost)
    score = above_chance("melody", 1.0 - path.cost) * path.covered(fragment.frames)
    return _found(path, score, {"melody": score})


_FAR = 3.0  # semitones from which on a wrong note is just wrong
_AROUND = 15.0  # seconds before and after a candidate's place that are looked at


def near(clip: Template, place: float, length: float) -> tuple[Template, float]:
    """The part of a clip about a place, and the second at which it begins; all of a clip that is not long."""
    begin, end = max(0.0, place - _AROUND), place + length + _AROUND
    return (clip.part(begin, end), begin) if clip.seconds > end - begin else (clip, 0.0)


def stretched(fragment: Template, scale: float) -> Template:
    """A fragment played ``scale`` times as long."""
    if abs(scale - 1.0) < 0.01:
        return fragment
    length = max(1, round(fragment.frames * scale))
    at = np.clip(((np.arange(length) + 0.5) / scale).astype(int), 0, fragment.frames - 1)
    return Template(*(x[..., at] for x in (fragment.harmony, fragment.colour, fragment.attacks, fragment.melody)))


def above_chance(name: str, likeness: float) -> float:
    """A likeness on the scale from strangers, 0, to the same, 1."""
    return float(np.clip((likeness - CHANCE[name]) / (1.0 - CHANCE[name]), 0.0, 1.0))


def _found(path: Alignment, score: float, why: dict[str, float]) -> Found:
    order = ("melody", "harmony", "rhythm", "colour")
    kept = {name: round(why[name], 3) for name in order if name in why}
    return Found(path.begin / FRAME_RATE, path.end / FRAME_RATE, round(float(np.clip(score, 0.0, 1.0)), 4), kept)


def _product(a: np.ndarray, b: np.ndarray, *, along_time: bool = False) -> np.ndarray:
    """(frames of a, frames of b) correlation of their columns; of rows without their means first, if along time."""
    return _columns(a, along_time).T @ _columns(b, along_time)


def _columns(rows: np.ndarray, along_time: bool) -> np.ndarray:
    rows = rows - (rows.mean(axis=1, keepdims=True) if along_time else rows.mean(axis=0))
    return rows / np.maximum(np.linalg.norm(rows, axis=0), 1e-6)


def _rhythm(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 where both attack alike."""
    return 1.0 - np.abs(a[:, None] - b[None, :])


def _melody(harmony: np.ndarray, tune: np.ndarray, path: Alignment) -> float | None:
    """How strong in the fragment the pitches of the clip's tune are, where it has one; None where it has none."""
    frames, places = path.path[:, 0], path.path[:, 1]
    sounds = tune[places] > 0
    if sounds.sum() < 0.2 * len(places):
        return None
    classes = tune[places][sounds].astype(int) % 12
    return float(harmony[classes, frames[sounds]].mean())


def reason(why: Mapping[str, float]) -> str:
    """What is alike in a phrase; one of the values of REASONS."""
    alike = {name for name, value in why.items() if value >= ALIKE}
    return next(phrase for names, phrase in REASONS.items() if alike.issuperset(names))
