"""Punch: how far attacks stand out of the sound around them, measured, and shaped to what is asked.

A transient shaper whose strength is solved for: the level in short frames over the level around them is what the ear
takes for a soft or a hard attack, and a gain that follows just this difference makes it smaller or larger.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from musicgen_ui.audio.pauses import pause

FRAME_SECONDS = 0.005
_SLOW_FRAMES = 81  # 0.4 s
_RANGE_DB = 40.0
"""Frames further below the loudest are pauses: they neither count nor are shaped."""

_SOFTEST, _HARDEST = -0.75, 1.5
"""Strength of the shaper: -1 would level all attacks, 1 doubles them in dB."""

_GAIN_DB = (-12.0, 9.0)
_STEPS = 24
_FLOOR = 1e-12
_BLOCK = 1 << 20
"""Samples that are shaped at a time."""


def punch(samples: np.ndarray, sample_rate: int) -> float:
    """How far attacks stand out, in dB.

    Root mean square of the excess of 5 ms frames over the 0.4 s around them, where they exceed it.

    Args:
        samples: (channels, n) or (n,).
        sample_rate: in Hz.

    Returns:
        0.9 to 2.4 for most music; 0 for silence.
    """
    return _excess(_levels(samples, sample_rate))


def with_punch(samples: np.ndarray, sample_rate: int, target: float) -> np.ndarray:
    """Samples whose attacks are softened or hardened until their :func:`punch` is ``target``, as far as is decent.

    All channels get the same gain, which has no delay, is smooth over a few milliseconds and lies within -12 to 9 dB.

    Args:
        samples: (channels, n) float32.
        sample_rate: in Hz.
        target: in dB.
    """
    curve = punch_curve(samples, sample_rate, target)
    return samples if curve is None else samples * curve


def punch_curve(samples: np.ndarray, sample_rate: int, target: float) -> np.ndarray | None:
    """What :func:`with_punch` multiplies samples (channels, n) by, (n,) float32; None for nothing."""
    levels = _levels(samples, sample_rate)
    if not levels.any() or _excess(levels) <= 0:
        return None
    low, high = _SOFTEST, _HARDEST
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _excess(levels + _gain(levels, middle)) < target else (low, middle)
    gain = _gain(levels, 0.5 * (low + high))
    size = _frame(sample_rate)
    centres = (np.arange(len(gain)) + 0.5) * size
    curve = np.empty(samples.shape[-1], dtype=np.float32)
    for begin in range(0, len(curve), _BLOCK):
        pause()
        place = np.arange(begin, min(begin + _BLOCK, len(curve)))
        curve[begin : begin + len(place)] = 10 ** (np.interp(place, centres, gain) / 20)
    return curve


def _frame(sample_rate: int) -> int:
    return max(1, round(FRAME_SECONDS * sample_rate))


def _levels(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level of every frame in dB; zeros for silence."""
    size = _frame(sample_rate)
    power = np.square(np.atleast_2d(samples), dtype=np.float64).mean(axis=0)
    whole = np.pad(power, (0, -len(power) % size)).reshape(-1, size).mean(axis=1)
    if whole.max(initial=0.0) <= _FLOOR:
        return np.zeros(len(whole))
    return 10 * np.log10(whole + _FLOOR)


def _difference(levels: np.ndarray) -> np.ndarray:
    """Frames' level over the mean power around them, in dB."""
    slow = uniform_filter1d(10 ** (levels / 10), _SLOW_FRAMES, mode="nearest")
    return levels - 10 * np.log10(slow + _FLOOR)


def _counted(levels: np.ndarray) -> np.ndarray:
    return levels > levels.max() - _RANGE_DB


def _excess(levels: np.ndarray) -> float:
    counted = _counted(levels)
    above = np.maximum(_difference(levels)[counted], 0.0)
    return float(np.sqrt(np.square(above).mean())) if above.size else 0.0


def _gain(levels: np.ndarray, strength: float) -> np.ndarray:
    """Gain of every frame in dB."""
    wanted = np.clip(strength * _difference(levels), *_GAIN_DB) * _counted(levels)
    return gaussian_filter1d(wanted, 0.8, mode="nearest")
