"""Pitch classes, keys, chord symbols and key profiles."""

from __future__ import annotations

import re

import numpy as np

PITCH_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{name} {mode}" for mode in ("major", "minor") for name in PITCH_NAMES)
"""The 24 canonical key names: index 0-11 major by tonic pitch class, 12-23 minor."""

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus": (0, 5, 7),
}
"""The chord vocabulary: quality name to intervals above the root. Richer symbols map to the nearest of these."""

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# Temperley (2007), Music and Probability, table 6.1: Kostka-Payne corpus.
MAJOR_PROFILE = np.array([0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400])
MINOR_PROFILE = np.array([0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330])


def pitch_class(name: str) -> int:
    """Pitch class 0-11 of a note name such as ``F#``, ``Bb`` or ``Cb``.

    Raises:
        ValueError: the name is not a letter A-G with accidentals.
    """
    match = re.fullmatch(r"([A-Ga-g])([#b♯♭]*)", name.strip())
    if match is None:
        raise ValueError(f"{name!r} is not a note name")
    shift = sum(1 if mark in "#♯" else -1 for mark in match[2])
    return (_STEPS[match[1].upper()] + shift) % 12


def parse_key(text: str) -> str:
    """Canonical key name of ``"A minor"``, ``"c# min"``, ``"Am"``, ``"Gb major"`` and the like.

    Raises:
        ValueError: it is no key.
    """
    match = re.fullmatch(r"\s*([A-Ga-g][#b♯♭]?)[\s:_-]*(major|minor|maj|min|m|M|)\s*", text, flags=re.IGNORECASE)
    if match is None:
        raise ValueError(f"{text!r} is not a key: write for example 'A minor' or 'Eb major'")
    mode = match[2]
    minor = mode == "m" or mode.lower() in ("min", "minor")
    return KEYS[pitch_class(match[1]) + (12 if minor else 0)]


def key_tonic(key: str) -> int:
    """Pitch class of a canonical key's tonic."""
    return KEYS.index(key) % 12


def key_is_minor(key: str) -> bool:
    return key.endswith("minor")


def transpose_key(key: str | None, semitones: int) -> str | None:
    """The key ``semitones`` higher, in the same mode."""
    if key is None:
        return None
    index = KEYS.index(key)
    return KEYS[(index + semitones) % 12 + 12 * (index // 12)]


def scale(key: str) -> frozenset[int]:
    """Pitch classes of a key; minor counts both the natural and the raised seventh."""
    steps = set(MINOR_SCALE) | {11} if key_is_minor(key) else set(MAJOR_SCALE)
    return frozenset((key_tonic(key) + step) % 12 for step in steps)


def chord_pitch_classes(root: int, quality: str) -> frozenset[int]:
    return frozenset((root + interval) % 12 for interval in QUALITIES[quality])


def key_correlations(chroma: np.ndarray) -> np.ndarray:
    """Pearson correlation of a 12-bin pitch-class weight with the 24 key profiles.

    Krumhansl & Kessler's method with Temperley's profiles.

    Args:
        chroma: (12,) non-negative weights.

    Returns:
        (24,) in the order of KEYS; zeros when ``chroma`` is constant.
    """
    x = np.asarray(chroma, dtype=np.float64)
    x = x - x.mean()
    norm = np.linalg.norm(x)
    if norm < 1e-9:
        return np.zeros(24)
    rows = []
    for profile in (MAJOR_PROFILE, MINOR_PROFILE):
        centred = profile - profile.mean()
        centred = centred / np.linalg.norm(centred)
        rows.extend(np.roll(centred, tonic) @ x / norm for tonic in range(12))
    return np.array(rows)
