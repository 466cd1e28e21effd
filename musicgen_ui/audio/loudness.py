"""Loudness (ITU-R BS.1770-5, EBU R 128), true peak, and normalising a clip to both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from musicgen_ui.audio.dynamics import apply_gain, block_length, block_view, limiter_gains, saturate, true_peaks
from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.shares import Shared

TARGET_LUFS = -16.0
CEILING_DBTP = -1.0

SILENCE_LUFS = -60.0
"""Anything quieter is taken for silence: it would only be raised to noise."""

_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_HOPS_A_BLOCK = 4
"""Gating blocks last 400 ms and start every 100 ms."""

_RELEASES = (100.0, 300.0, 1000.0, 3000.0)
"""Release speeds of the limiter in dB a second, tried from the gentlest on until the target loudness is reached."""

_LIMITING_DB = 12.0
"""How far the limiter may press a sound beyond the gain that its loudness asks for."""

_SATURATION_DB, _SATURATIONS = 12.0, 2
"""Soft clipping before the limiter, for what it cannot do alone: how hard, and how often at most."""


def k_weighting(sample_rate: int) -> np.ndarray:
    """The K-weighting pre-filter as second-order sections, (2, 6).

    BS.1770 lists coefficients for 48 kHz only. These are the analogue prototypes behind them (as in libebur128),
    bilinear-transformed for any rate; at 48 kHz they give the listed numbers.
    """

    def section(frequency: float, q: float, high: float, band: float, low: float) -> list[float]:
        k = np.tan(np.pi * frequency / sample_rate)
        a0 = 1 + k / q + k * k
        top = [high + band * k / q + low * k * k, 2 * (low * k * k - high), high - band * k / q + low * k * k]
        return [*(b / a0 for b in top), 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]

    gain = 10 ** (3.999843853973347 / 20)
    shelf = section(1681.974450955533, 0.7071752369554196, gain, gain**0.4996667741545416, 1.0)
    cut = section(38.13547087602444, 0.5003270373238773, 1.0, 0.0, 0.0)
    # The recommendation leaves the high-pass's numerator at 1, -2, 1.
    cut[:3] = [1.0, -2.0, 1.0]
    return np.array([shelf, cut])


def weighted_powers(samples: np.ndarray, sample_rate: int, size: int) -> np.ndarray:
    """K-weighted energy of each block of ``size`` samples, summed over the channels.

    Args:
        samples: (channels, n); all channels count as front channels (weight 1).
        sample_rate: in Hz.
        size: samples in a block.

    Returns:
        (blocks,) float64, sums of squares.
    """
    sections = k_weighting(sample_rate)
    total = np.zeros(-(-samples.shape[-1] // size))
    if len(total) == 0:
        return total
    for channel in samples:
        pause()
        weighted = block_view(signal.sosfilt(sections, channel), size)
        total += np.einsum("bs,bs->b", weighted, weighted)
    return total


def gated_loudness(powers: np.ndarray, size: int, sample_rate: int) -> float:
    """Integrated loudness of block energies, in LUFS; -inf when all is below the gate.

    Sound shorter than one gating block of 400 ms is measured as if silence made it up to one.
    """
    in_hop = sample_rate // 10 // size
    hops = np.add.reduceat(powers, np.arange(0, max(len(powers), 1), in_hop)) if len(powers) else np.zeros(1)
    if len(powers) % in_hop and len(hops) > _HOPS_A_BLOCK:
        hops = hops[:-1]  # An unfinished hop is not measured.
    hops = np.pad(hops, (0, max(0, _HOPS_A_BLOCK - len(hops))))
    means = np.convolve(hops, np.ones(_HOPS_A_BLOCK), "valid") / (_HOPS_A_BLOCK * in_hop * size)
    means = means[means > _power(_ABSOLUTE_GATE)]
    if len(means) == 0:
        return -np.inf
    means = means[means > means.mean() * 10 ** (_RELATIVE_GATE / 10)]
    return float(-0.691 + 10 * np.log10(means.mean()))


def _power(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)


def integrated_loudness(samples: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness in LUFS of (channels, n) samples; -inf for silence."""
    samples = np.atleast_2d(samples)
    size = block_length(sample_rate)
    return gated_loudness(weighted_powers(samples, sample_rate, size), size, sample_rate)


def true_peak(samples: np.ndarray) -> float:
    """True peak in dBTP of (channels, n) samples, four times oversampled; -inf for silence."""
    peaks = true_peaks(np.atleast_2d(samples), 4096)
    highest = float(peaks.max(initial=0.0))
    return 20 * np.log10(highest) if highest > 0 else -np.inf


def normalise(
    samples: np.ndarray, sample_rate: int, target: float = TARGET_LUFS, ceiling: float = CEILING_DBTP
) -> np.ndarray:
    """Gain and true-peak limiting to a loudness, with the peaks under a ceiling.

    The energy and the peak of each millisecond are measured once; what the limiter would do to them is then found
    on these numbers alone, for as many gains as the search needs.

    Args:
        samples: (channels, n) float32.
        sample_rate: in Hz.
        target: integrated loudness in LUFS.
        ceiling: highest true peak in dBTP.

    Returns:
        The same shape, float32. Silence (below SILENCE_LUFS) comes back unchanged, unless its peaks are too high.
        Sound too sparse to be that loud under the ceiling (single clicks) comes out as loud as it can.
    """
    return normalise_shared(Shared(samples), sample_rate, target, ceiling).total


def normalise_shared(
    sound: Shared, sample_rate: int, target: float = TARGET_LUFS, ceiling: float = CEILING_DBTP
) -> Shared:
    """:func:`normalise` for a sound with its parts, which all get the gain of the whole."""
    size = block_length(sample_rate)
    # Interpolating the gain can raise a peak between two samples by a hair.
    limit = 10 ** ((ceiling - 0.15) / 20)
    for _ in range(_SATURATIONS + 1):
        powers, peaks = weighted_powers(sound.total, sample_rate, size), true_peaks(sound.total, size)
        decibels, release, reached = 0.0, _RELEASES[0], target
        if gated_loudness(powers, size, sample_rate) >= SILENCE_LUFS:
            decibels, release, reached = _gain_and_release(powers, peaks, limit, size, sample_rate, target)
        if reached >= target - 0.1:
            break
        # Bursts of a few milliseconds: the limiter's gain cannot move that fast, a curve can.
        sound = sound.distorted(lambda samples: saturate(samples, _SATURATION_DB))
    gain = 10 ** (decibels / 20)
    gains = gain * limiter_gains(peaks * gain, limit, size / sample_rate, release)
    result = sound.filtered(lambda samples: apply_gain(samples, gains, size))
    excess = true_peak(result.total) - ceiling
    quieter = np.float32(10 ** ((-excess - 0.01) / 20))
    return result if excess <= 0 else result.filtered(lambda samples: samples * quieter)


def _gain_and_release(
    powers: np.ndarray, peaks: np.ndarray, limit: float, size: int, sample_rate: int, target: float
) -> tuple[float, float, float]:
    """Gain in dB and release in dB/s, the gentlest that reaches the target, and the loudness that they give."""

    def loudness(decibels: float, release: float) -> float:
        pause()
        gain = 10 ** (decibels / 20)
        gains = gain * limiter_gains(peaks * gain, limit, size / sample_rate, release)
        return gated_loudness(powers * ((gains[:-1] + gains[1:]) / 2) ** 2, size, sample_rate)

    low = target - gated_loudness(powers, size, sample_rate)
    high = low + _LIMITING_DB
    release = next((r for r in _RELEASES if loudness(high, r) >= target), _RELEASES[-1])
    decibels = _root(lambda gain: loudness(gain, release) - target, low, high)
    return decibels, release, loudness(decibels, release)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero between ``low`` and ``high``, to 0.01; ``high`` if it stays below."""
    if function(low) >= 0:
        return low
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return high
