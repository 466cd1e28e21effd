"""How alike two clips sound: a distance between what is heard of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from musicgen_ui.music.theory import key_is_minor, key_tonic
from musicgen_ui.style import SLIDERS

SLIDER_NAMES = tuple(key for key in SLIDERS if key != "tempo")
GROUPS = ("sliders", "tempo", "key", "genre", "band", "colour")
"""What is compared. Each group weighs the same: the mean distance of two clips that have nothing to do with each other
is 1 in every one."""

SOUND_ALONE = tuple(group for group in GROUPS if group not in ("tempo", "key"))
"""The groups that cannot be set exactly."""


@dataclass(frozen=True)
class Fingerprint:
    """What is heard of a clip.

    Attributes:
        values: slider to heard value, and ``key``; None where it cannot be told.
        genres: genre to probability; empty where none is heard.
        band: probability that each part plays, and that the metre is 3/4; empty where it cannot be told.
        colour: (coefficients,) mean MFCC.
    """

    values: Mapping[str, float | str | None]
    genres: Mapping[str, float]
    band: Mapping[str, float]
    colour: np.ndarray


def key_distance(first: str, second: str) -> int:
    """Steps on the circle of fifths between the signatures of two keys, and one more where their modes differ."""
    signatures = [(key_tonic(key) + (3 if key_is_minor(key) else 0)) * 7 % 12 for key in (first, second)]
    steps = (signatures[0] - signatures[1]) % 12
    return min(steps, 12 - steps) + (key_is_minor(first) != key_is_minor(second))


@dataclass(frozen=True)
class Likeness:
    """A distance that is fitted to a collection, so that no feature counts by its unit.

    Attributes:
        spread: standard deviation of each slider over the collection.
        colour_spread: (coefficients,) of the MFCC means.
        unit: group to the mean distance of two different clips of the collection.
    """

    spread: Mapping[str, float]
    colour_spread: np.ndarray
    unit: Mapping[str, float]

    @classmethod
    def fit(cls, collection: Sequence[Fingerprint]) -> Likeness:
        """Fits to a collection.

        Raises:
            ValueError: there are fewer than two clips.
        """
        if len(collection) < 2:
            raise ValueError("a distance can be fitted to two clips or more")
        spread = {}
        for name in SLIDER_NAMES:
            known = [float(f.values[name]) for f in collection if f.values.get(name) is not None]
            spread[name] = max(float(np.std(known)), 1e-3) if known else 1.0
        colour = np.maximum(np.std([f.colour for f in collection], axis=0), 1e-3)
        raw = cls(spread, colour, dict.fromkeys(GROUPS, 1.0))
        unit = {}
        for group in GROUPS:
            known = [d for a, b in combinations(collection, 2) if (d := raw._group(group, a, b)) is not None]
            unit[group] = max(float(np.mean(known)), 1e-6) if known else 1.0
        return cls(spread, colour, unit)

    def distance(self, first: Fingerprint, second: Fingerprint, groups: Sequence[str] = GROUPS) -> float:
        """Mean over the groups of the squared differences; 1 for clips that have nothing to do with each other.

        What cannot be told of one of them counts 1, neither for nor against.
        """
        found = {group: self._group(group, first, second) for group in groups}
        return float(np.mean([1.0 if d is None else d / self.unit[group] for group, d in found.items()]))

    def _group(self, group: str, a: Fingerprint, b: Fingerprint) -> float | None:
        if group == "colour":
            return float(np.square((a.colour - b.colour) / self.colour_spread).mean())
        if group == "genre":
            return _squares(a.genres, b.genres)
        if group == "band":
            return _squares(a.band, b.band)
        if group == "sliders":
            pairs = [(a.values.get(n), b.values.get(n), self.spread[n]) for n in SLIDER_NAMES]
            known = [((x - y) / spread) ** 2 for x, y, spread in pairs if x is not None and y is not None]
            return float(np.mean(known)) if known else None
        x, y = a.values.get(group), b.values.get(group)
        if x is None or y is None:
            return None
        return float(np.log(x / y) ** 2) if group == "tempo" else float(key_distance(x, y) ** 2)


def _squares(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Sum of the squared differences of probabilities; None where there are none."""
    if not first or not second:
        return None
    return float(sum((first[name] - second[name]) ** 2 for name in first))
