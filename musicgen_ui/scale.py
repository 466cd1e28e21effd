"""Unit sliders are quantiles: the map between a raw measure and its 0-1 slider."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen_ui.errors import RequestError

KNOTS = 101


@dataclass(frozen=True)
class UnitScale:
    """Empirical quantiles of a measure over the training corpora.

    Attributes:
        knots: 101 non-decreasing raw values at the quantiles 0, 0.01 … 1.
    """

    knots: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.knots) != KNOTS or not all(math.isfinite(k) for k in self.knots):
            raise ValueError(f"a scale needs {KNOTS} finite knots")
        if any(b < a for a, b in zip(self.knots, self.knots[1:], strict=False)):
            raise ValueError("the knots of a scale must not fall")

    @classmethod
    def fit(cls, values: Sequence[float]) -> UnitScale:
        """Quantiles of a sample of raw values."""
        return cls(tuple(float(q) for q in np.quantile(np.asarray(values, dtype=np.float64), np.linspace(0, 1, KNOTS))))

    @classmethod
    def fit_balanced(cls, values: Sequence[float]) -> UnitScale:
        """Quantiles with 0.5 at raw 0: negative values share the lower half, positive ones the upper half.

        A side without values mirrors the other.
        """
        sample = np.asarray(values, dtype=np.float64)
        half = KNOTS // 2
        negative, positive = sample[sample < 0], sample[sample >= 0]
        if not negative.size or not positive.size:
            negative, positive = -np.abs(sample), np.abs(sample)
        low = np.quantile(negative, np.linspace(0, 1, half + 1)[:-1])
        high = np.quantile(positive, np.linspace(0, 1, half + 1)[1:])
        return cls(tuple(float(q) for q in (*low, 0.0, *high)))

    def to_unit(self, raw: float) -> float:
        """Quantile in [0, 1] of a raw value; ties take the middle of their quantiles."""
        knots = np.asarray(self.knots)
        low = np.searchsorted(knots, raw, side="left")
        high = np.searchsorted(knots, raw, side="right")
        if low < high:
            return float((low + high - 1) / 2 / (KNOTS - 1))
        if low == 0:
            return 0.0
        if low == KNOTS:
            return 1.0
        fraction = (raw - knots[low - 1]) / (knots[low] - knots[low - 1])
        return float((low - 1 + fraction) / (KNOTS - 1))

    def from_unit(self, unit: float) -> float:
        """Raw value at a quantile."""
        return float(np.interp(unit, np.linspace(0, 1, KNOTS), self.knots))


Scales = dict[str, dict[str, UnitScale]]
"""``{"score" | "audio": {slider: UnitScale}}``."""


def load_scales(path: Path) -> Scales:
    """Reads ``measures.json``.

    Raises:
        RequestError: the file is missing or damaged.
    """
    return {side: _load_side(path, side) for side in ("score", "audio")}


def load_score_scales(path: Path) -> dict[str, UnitScale]:
    """Only the score's scales: all that ``prepare`` can know.

    Raises:
        RequestError: the file is missing or damaged.
    """
    return _load_side(path, "score")


def _load_side(path: Path, side: str) -> dict[str, UnitScale]:
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))[side]
        return {key: UnitScale(tuple(map(float, knots))) for key, knots in table.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(Path(path).name, f"the slider scales cannot be read ({error})") from None


def save_scales(path: Path, scales: Mapping[str, Mapping[str, UnitScale]]) -> None:
    """Writes ``measures.json``: stable key order, six significant digits."""
    tables = {
        side: {key: [float(f"{k:.6g}") for k in scale.knots] for key, scale in sorted(table.items())}
        for side, table in sorted(scales.items())
    }
    Path(path).write_text(json.dumps(tables, indent=0) + "\n", encoding="utf-8")
