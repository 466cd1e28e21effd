"""Bus compressor and look-ahead true-peak limiter.

Both work on blocks of about a millisecond and interpolate the gain between them, so nothing loops over samples.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from musicgen_ui.audio.effects import in_blocks
from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.waveform import resample

OVERSAMPLING = 4
"""Of the true-peak meter (ITU-R BS.1770-5, annex 2)."""


_STEP = 1 << 18
"""Samples that the meter oversamples at a time: bounds its memory."""


def block_length(sample_rate: int) -> int:
    """Samples in a gain block: about a millisecond, and a whole number of them in 100 ms."""
    hop = sample_rate // 10
    return max(k for k in range(1, max(2, hop // 90)) if hop % k == 0)


def block_view(samples: np.ndarray, size: int) -> np.ndarray:
    """(..., n) as (..., blocks, size), the last block filled up with zeros."""
    short = -samples.shape[-1] % size
    padded = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, short)])
    return padded.reshape(*samples.shape[:-1], -1, size)


def true_peaks(samples: np.ndarray, size: int) -> np.ndarray:
    """Highest magnitude between and on the samples of each block, over all channels.

    Args:
        samples: (channels, n).
        size: samples in a block.

    Returns:
        (blocks,) float32.
    """
    n = samples.shape[-1]
    step, overlap = size * max(1, _STEP // size), 512
    peaks = []
    for start in range(0, n, step):
        pause()
        low, high = max(0, start - overlap), min(n, start + step + overlap)
        between = np.abs(resample(samples[:, low:high], 1, OVERSAMPLING))
        between = between[:, OVERSAMPLING * (start - low) : OVERSAMPLING * (min(start + step, n) - low)]
        peaks.append(block_view(between, OVERSAMPLING * size).max(axis=(0, -1)))
    # The interpolation need not pass through the samples themselves.
    on = block_view(np.abs(samples), size).max(axis=(0, -1), initial=0.0)
    return np.maximum(np.concatenate(peaks), on) if peaks else on


def apply_gain(samples: np.ndarray, gains: np.ndarray, size: int) -> np.ndarray:
    """Multiply by a gain that is a straight line within each block.

    Args:
        samples: (channels, n).
        gains: (blocks + 1,) at the borders of the blocks.
        size: samples in a block.
    """
    ramp = np.arange(size, dtype=np.float32) / np.float32(size)
    gains = gains.astype(np.float32)
    curve = (gains[:-1, None] + np.diff(gains)[:, None] * ramp).reshape(-1)
    return samples * curve[: samples.shape[-1]]


def compress(
    samples: np.ndarray,
    sample_rate: int,
    threshold_db: float = -20.0,
    ratio: float = 2.0,
    knee_db: float = 8.0,
    attack: float = 0.02,
    release: float = 0.15,
) -> np.ndarray:
    """Feed-forward soft-knee compressor, its channels linked (Giannoulis, Massberg & Reiss 2012).

    Args:
        samples: (channels, n).
        sample_rate: in Hz.
        threshold_db: middle of the knee, in dB of the louder channel's root mean square.
        ratio: dB in for one dB out, above the knee.
        knee_db: width of the bend around the threshold.
        attack: seconds for 63 % of the way down.
        release: seconds for 63 % of the way up again.
    """
    size = block_length(sample_rate)
    gains = compressor_gains(samples, size, sample_rate, threshold_db, ratio, knee_db, attack, release)
    return apply_gain(samples, gains, size)


def compressor_gains(
    samples: np.ndarray,
    size: int,
    sample_rate: int,
    threshold_db: float = -20.0,
    ratio: float = 2.0,
    knee_db: float = 8.0,
    attack: float = 0.02,
    release: float = 0.15,
) -> np.ndarray:
    """What :func:`compress` multiplies samples (channels, n) by: (blocks + 1,) at the borders of blocks of ``size``."""
    power = np.square(block_view(samples, size)).mean(axis=-1).max(axis=0)
    over = 10 * np.log10(power + 1e-12) - threshold_db
    inside = np.clip(over + knee_db / 2, 0, knee_db)
    reduction = (1 - 1 / ratio) * np.where(over > knee_db / 2, over, inside**2 / (2 * knee_db))
    smooth = _ballistics(reduction, *(math.exp(-size / sample_rate / time) for time in (attack, release)))
    return 10 ** (-np.concatenate([smooth[:1], smooth]) / 20)


def _ballistics(target: np.ndarray, attack: float, release: float) -> np.ndarray:
    """One-pole smoothing with two speeds: the only recursion here, over blocks."""
    smoothed, state = [], 0.0
    for value in target.tolist():
        state = value + (state - value) * (attack if value > state else release)
        smoothed.append(state)
    return np.array(smoothed)


ATTACK_DB_PER_SECOND = 3000.0
"""How fast the limiter's gain comes down ahead of a peak: 6 dB in 2 ms."""

_HOLD_SECONDS = 0.012
"""Gain is held between the peaks of a bass note, so that it does not bend the wave."""


def limiter_gains(peaks: np.ndarray, ceiling: float, block_seconds: float, release_db_per_second: float) -> np.ndarray:
    """Gains that keep every block's peak at or below the ceiling.

    Straight lines in dB: down ahead of each peak (look-ahead), a hold, and up again at the release speed.

    Args:
        peaks: (blocks,) true peaks, linear.
        ceiling: highest peak allowed, linear.
        block_seconds: length of a block.
        release_db_per_second: how fast the gain comes back after a peak.

    Returns:
        (blocks + 1,) linear gains at most 1, at the borders of the blocks; in a block, any line between its two
        borders is low enough.
    """
    needed = 20 * np.log10(np.maximum(peaks / ceiling, 1.0))
    hold = max(1, round(_HOLD_SECONDS / block_seconds))
    held = ndimage.maximum_filter1d(needed, hold, origin=(hold - 1) // 2, mode="constant")
    borders = np.maximum(np.append(held, 0.0), np.insert(held, 0, 0.0))
    index = np.arange(len(borders))
    release, attack = release_db_per_second * block_seconds, ATTACK_DB_PER_SECOND * block_seconds
    # max over earlier j of r[j] - (i - j) * release, and the same backwards in time for the attack.
    falling = np.maximum.accumulate(borders + release * index) - release * index
    rising = np.maximum.accumulate((falling - attack * index)[::-1])[::-1] + attack * index
    return 10 ** (-np.maximum(rising, borders) / 20)


def saturate(samples: np.ndarray, decibels: float) -> np.ndarray:
    """Soft clipping, oversampled: the highest peak goes ``decibels`` into a tanh, and what is far below stays as it is.

    Args:
        samples: (channels, n).
        decibels: how hard.

    Returns:
        The same shape, at most about 1.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0:
        return samples.copy()
    gain = np.float32(10 ** (decibels / 20) / peak)

    def clip(block: np.ndarray) -> np.ndarray:
        return resample(np.tanh(resample(block, 1, OVERSAMPLING) * gain), OVERSAMPLING, 1)

    return in_blocks(samples, clip, overlap=512)
