"""The condition c of the synthesizer: what a rendering is labelled with. What no label says is left to z."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

LABEL_RANGES: dict[str, tuple[float, float, float]] = {
    "brightness": (-1.0, 1.0, 0.0),
    "attack": (-1.0, 1.0, 0.0),
    "release": (-1.0, 1.0, 0.0),
    "vibrato": (0.0, 1.0, 0.0),
    "vibrato_rate": (4.0, 7.0, 5.5),
    "detune": (-1.0, 1.0, 0.0),
    "velocity_curve": (-1.0, 1.0, 0.0),
}
"""Label to its lowest, highest and neutral value."""

TILT_DB_PER_OCTAVE = 5.0
TILT_PIVOT_HZ = 700.0
TILT_LIMIT_DB = 20.0
"""Brightness 1 raises the spectrum by 5 dB an octave about 700 Hz, at most by 20 dB; -1 lowers it as much."""

VIBRATO_CENTS = 40.0
DETUNE_CENTS = 30.0


@dataclass(frozen=True)
class TimbreLabels:
    """How a note is played, apart from its pitch, velocity and instrument.

    Attributes:
        brightness: spectral tilt, TILT_DB_PER_OCTAVE at 1.
        attack: slower (positive) or, where the instrument attacks slowly, quicker (negative) onset.
        release: longer (positive) or shorter (negative) decay after the key is let go.
        vibrato: depth added to the instrument's own, VIBRATO_CENTS at 1.
        vibrato_rate: in Hz.
        detune: DETUNE_CENTS at 1.
        velocity_curve: a velocity v is played as 127 (v / 127) ** (2 ** velocity_curve).

    Raises:
        ValueError: a label is outside its range.
    """

    brightness: float = 0.0
    attack: float = 0.0
    release: float = 0.0
    vibrato: float = 0.0
    vibrato_rate: float = 5.5
    detune: float = 0.0
    velocity_curve: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high, _) in LABEL_RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be from {low} to {high}")

    def vector(self) -> np.ndarray:
        """(7,) float32: each label minus its neutral value, in the order of LABEL_RANGES."""
        neutral = [LABEL_RANGES[field.name][2] for field in fields(self)]
        return np.asarray(astuple(self), dtype=np.float32) - np.asarray(neutral, dtype=np.float32)

    def played_velocity(self, velocity: int) -> int:
        """The velocity that reaches the instrument, 1-127."""
        return int(min(127, max(1, round(127.0 * (velocity / 127.0) ** (2.0**self.velocity_curve)))))


def tilt_gain(frequency: np.ndarray, brightness: float) -> np.ndarray:
    """Amplitude factor of the brightness tilt at frequencies in Hz, any shape."""
    octaves = np.log2(np.maximum(frequency, 1.0) / TILT_PIVOT_HZ)
    decibels = np.clip(TILT_DB_PER_OCTAVE * brightness * octaves, -TILT_LIMIT_DB, TILT_LIMIT_DB)
    return 10.0 ** (decibels / 20.0)
