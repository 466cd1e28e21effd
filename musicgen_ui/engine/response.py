"""How the sliders answer: what is heard of what was asked, and what to ask so that the right thing is heard.

A curve is measured once for each slider, composer and synthesizer (``evaluate control``) and ships with the models.
While a clip is corrected, a belief adds what this clip showed: how far it lies off the curve.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.style import SLIDERS, Style

LEVELS = 9
"""Places on a slider at which its curve is measured, evenly from end to end."""

CURVES_FILE = "control.json"

DEAD_SLOPE = 0.2
"""A stretch of a slider is dead where what is heard moves by less than this share of what is asked."""

DEAD_SEGMENTS = 2
"""Fewest neighbouring segments of a dead zone: a single one that does not rise may be chance."""

MAX_STEP = 0.35
"""How far from the asked value a model may be told to go, as a share of the slider's range."""

UNKNOWN_SPREAD = 0.12
"""Standard deviation of what is heard about a curve that nobody has measured, as a share of the range."""

_GAIN_DEVIATION = 0.25
"""Standard deviation of a clip's own slope about that of the curve."""

_GRID = 201


@dataclass(frozen=True)
class Curve:
    """What is heard of one slider over what is asked, in shares of the slider's range.

    Attributes:
        heard: (LEVELS,) medians.
        low: (LEVELS,) lower quartiles.
        high: (LEVELS,) upper quartiles.
    """

    heard: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def unknown(cls) -> Curve:
        """The straight line, and a wide band about it."""
        line = tuple(float(v) for v in np.linspace(0, 1, LEVELS))
        half = UNKNOWN_SPREAD * 1.349 / 2
        return cls(line, tuple(v - half for v in line), tuple(v + half for v in line))

    @property
    def spread(self) -> float:
        """Standard deviation about the median, from the quartiles as for a normal distribution; 0.02 or more."""
        return max(float(np.mean(np.subtract(self.high, self.low))) / 1.349, 0.02)

    @property
    def rising(self) -> np.ndarray:
        """(LEVELS,) the nearest curve that never falls (pool adjacent violators, Ayer et al. 1955)."""
        pools: list[tuple[float, int]] = []
        for value in self.heard:
            pools.append((value, 1))
            while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
                (a, n), (b, m) = pools[-2:]
                pools[-2:] = [((a * n + b * m) / (n + m), n + m)]
        return np.repeat([value for value, _ in pools], [count for _, count in pools])

    def at(self, asked: float | np.ndarray) -> np.ndarray:
        """What is heard, by linear interpolation of the rising curve."""
        return np.interp(asked, np.linspace(0, 1, LEVELS), self.rising)

    def inverse(self, wanted: float, offset: float = 0.0, gain: float = 0.0) -> float:
        """What to tell the models so that ``wanted`` is heard: in [0, 1], at most MAX_STEP away from it.

        Where moving is hardly heard, as over a dead zone, it stays near ``wanted``: other sliders would only suffer.

        Args:
            wanted: to be heard.
            offset: of this clip above the curve at ``wanted``.
            gain: slope of this clip above that of the curve.
        """
        told = np.linspace(0, 1, _GRID)
        told = np.append(told[np.abs(told - wanted) <= MAX_STEP], wanted)
        moved = np.abs(told - wanted)
        missed = np.abs(self.at(told) + offset + gain * (told - wanted) - wanted)
        return float(told[np.lexsort((moved, (missed + DEAD_SLOPE * moved).round(6)))[0]])

    def dead_zones(self) -> tuple[tuple[float, float], ...]:
        """Stretches over which moving the slider is hardly heard, in shares of its range."""
        slopes = np.diff(self.rising) * (LEVELS - 1)
        # Measured medians are rough: a stretch may hold a bump, but neither begins nor ends with one.
        flat = slopes <= 2 * DEAD_SLOPE
        zones, first = [], 0
        while first + DEAD_SEGMENTS < LEVELS:
            ends = [
                last
                for last in range(first + DEAD_SEGMENTS, LEVELS)
                if flat[first] and flat[last - 1] and slopes[first:last].mean() <= DEAD_SLOPE
            ]
            if ends:
                zones.append((first / (LEVELS - 1), ends[-1] / (LEVELS - 1)))
            first = ends[-1] if ends else first + 1
        return tuple(zones)


@dataclass(frozen=True)
class Belief:
    """What is believed of one slider of one clip: how far it answers above the curve, and how much more steeply.

    A Kalman filter whose state, offset and gain, does not move; the update of a second hearing is the secant's where
    the noise is small.

    Attributes:
        curve: of the slider.
        asked: what is to be heard, as a share of the range; the offset is taken there.
        clip_share: share of the curve's variance that is the clip's own, by its band, timbre and room; the rest
            changes with every hearing.
        mean: (2,) offset and gain.
        covariance: (2, 2).
    """

    curve: Curve
    asked: float
    clip_share: float = 0.5
    mean: tuple[float, float] = (0.0, 0.0)
    covariance: tuple[tuple[float, float], tuple[float, float]] | None = None

    def after(self, told: float, heard: float) -> Belief:
        """The belief after ``told`` was answered by ``heard``."""
        covariance, mean = self._covariance(), np.array(self.mean)
        sight = np.array([1.0, told - self.asked])
        uncertain = float(sight @ covariance @ sight) + (1 - self.clip_share) * self.curve.spread**2
        kalman = covariance @ sight / uncertain
        mean = mean + kalman * (heard - float(self.curve.at(told)) - float(sight @ mean))
        covariance = covariance - np.outer(kalman, sight @ covariance)
        return replace(self, mean=tuple(map(float, mean)), covariance=tuple(tuple(map(float, r)) for r in covariance))

    def advice(self) -> float:
        """What to tell the models next."""
        return self.curve.inverse(self.asked, *self.mean)

    def expected(self, told: float) -> float:
        """What will be heard."""
        return float(self.curve.at(told)) + self.mean[0] + self.mean[1] * (told - self.asked)

    def deviation(self, told: float) -> float:
        """Standard deviation of what will be heard."""
        sight = np.array([1.0, told - self.asked])
        return math.sqrt(float(sight @ self._covariance() @ sight) + (1 - self.clip_share) * self.curve.spread**2)

    def _covariance(self) -> np.ndarray:
        if self.covariance is not None:
            return np.array(self.covariance)
        return np.diag([self.clip_share * self.curve.spread**2, _GAIN_DEVIATION**2])


@dataclass(frozen=True)
class Response:
    """The curves of one composer with one synthesizer, by slider; the straight line where there is none."""

    curves: Mapping[str, Curve] = field(default_factory=dict)

    def curve(self, slider: str) -> Curve:
        """The slider's curve."""
        return self.curves.get(slider) or Curve.unknown()

    def first_told(self, style: Style, sliders: Sequence[str]) -> Style:
        """What the models are told at first: each slider through the inverse of its curve, if it has one."""
        values = {key: self.told(key, share_of(key, getattr(style, key))) for key in sliders if key in self.curves}
        if "mood" in values and (values["mood"] < 0.5) != (style.mood < 0.5):
            values["mood"] = 0.49 if style.mood < 0.5 else 0.5  # the mode is the person's choice
        return style.with_values(**values) if values else style

    def told(self, slider: str, share: float) -> float:
        """The value, in the slider's unit, that the models are told so that ``share`` of its range is heard."""
        return value_at(slider, self.curve(slider).inverse(share))

    def dead_zones(self, slider: str) -> tuple[tuple[float, float], ...]:
        """Stretches of the slider, in its unit, over which moving it is not heard."""
        return tuple((value_at(slider, a), value_at(slider, b)) for a, b in self.curve(slider).dead_zones())


@dataclass(frozen=True)
class Responses:
    """All measured responses: composer to synthesizer to Response."""

    table: Mapping[str, Mapping[str, Response]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Responses:
        """Reads ``control.json``; a missing file means that nothing was measured.

        Raises:
            RequestError: the file is damaged.
        """
        path = Path(path)
        if not path.is_file():
            return cls()
        try:
            table = json.loads(path.read_text(encoding="utf-8"))["curves"]
            return cls(
                {
                    composer: {synth: _response(curves) for synth, curves in synths.items()}
                    for composer, synths in table.items()
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RequestError(path.name, f"the curves of the sliders cannot be read ({str(error)[:80]})") from None

    def of(self, composer: str, synth: str) -> Response:
        """The response of a composer with a synthesizer; straight lines where it was not measured."""
        return self.table.get(composer, {}).get(synth) or Response()

    def save(self, path: Path, **about: Any) -> None:
        """Writes ``control.json``: thousandths of each slider's range, one line a slider."""
        lines = []
        for composer, synths in sorted(self.table.items()):
            rooms = []
            for synth, response in sorted(synths.items()):
                rows = [f'"{key}":{_thousandths(curve)}' for key, curve in response.curves.items()]
                rooms.append(f'"{synth}":{{\n' + ",\n".join(rows) + "}")
            lines.append(f'"{composer}":{{' + ",\n".join(rooms) + "}")
        text = json.dumps(about, separators=(",", ":"), sort_keys=True)
        Path(path).write_text(f'{{"about":{text},\n"curves":{{' + ",\n".join(lines) + "}}\n", encoding="utf-8")


def share_of(slider: str, value: float) -> float:
    """A value in the slider's unit as a share of its range."""
    return (value - SLIDERS[slider].low) / (SLIDERS[slider].high - SLIDERS[slider].low)


def value_at(slider: str, share: float) -> float:
    """Inverse of :func:`share_of`, kept within the range, to six decimals."""
    low, high = SLIDERS[slider].low, SLIDERS[slider].high
    return round(min(max(low + share * (high - low), low), high), 6)


def _thousandths(curve: Curve) -> str:
    rows = ([round(1000 * v) for v in row] for row in (curve.heard, curve.low, curve.high))
    return json.dumps(list(rows), separators=(",", ":"))


def _response(curves: Mapping[str, Sequence[Sequence[float]]]) -> Response:
    made = {}
    for key, rows in curves.items():
        heard, low, high = (tuple(float(v) / 1000 for v in row) for row in rows)
        if key not in SLIDERS or {len(heard), len(low), len(high)} != {LEVELS}:
            raise ValueError(f"{key} is not a slider of {LEVELS} levels")
        if not all(map(math.isfinite, (*heard, *low, *high))):
            raise ValueError(f"{key} is not finite")
        made[key] = Curve(heard, low, high)
    return Response(made)
