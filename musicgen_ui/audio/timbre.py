"""The colour of a sound and the room around it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.fft
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from musicgen_ui.audio.effects import tilt_response
from musicgen_ui.audio.spectral import centroid, frames_of, magnitudes

_N_FFT = 1024
_HOP = 256
_BANDS_HZ = (65.0, 195.0, 495.0, 1500.0, 3450.0, 6900.0)
_RANGE_DB = 55.0  # quieter than this below a band's loudest frame is neither attack nor decay
_SLOPE = 4  # frames on either side over which a slope is taken
_SPAN = 43  # frames, half a second, within which levels rise and fall
_INCOHERENCE_FLOOR = 0.003
_BISECTIONS = 10

TILTS = (-0.25, 1.25)
"""How far the equaliser may go to reach a brightness: half as far again as the slider moves it."""

MONO_SIDE = 1e-4
"""Power of the difference of two channels, relative to their sum, below which a clip is mono."""


def brightness(samples: np.ndarray, sample_rate: int) -> float:
    """Log of the spectral centroid in Hz, frames weighted by their loudness (root of their power)."""
    return _log_centroid(magnitudes(samples, n_fft=_N_FFT, hop=2 * _HOP), sample_rate)


def tilt_towards(samples: np.ndarray, sample_rate: int, target: float) -> float:
    """The argument of ``effects.tilt`` after which (n,) samples have the :func:`brightness` ``target``.

    Found by bisection on the spectra alone. It lies within -0.25 to 1.25, so that what is dark by nature is not turned
    into hiss: where that does not suffice, the nearest end.
    """
    magnitude = magnitudes(samples, n_fft=_N_FFT, hop=8 * _HOP)  # a few frames say enough
    hertz = np.arange(magnitude.shape[0]) * sample_rate / _N_FFT
    low, high = TILTS
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        tilted = magnitude * tilt_response(hertz, middle).astype(np.float32)[:, None]
        low, high = (middle, high) if _log_centroid(tilted, sample_rate) < target else (low, middle)
    return 0.5 * (low + high)


def _log_centroid(magnitude: np.ndarray, sample_rate: int) -> float:
    loudness = np.sqrt(np.square(magnitude).sum(axis=0, dtype=np.float64))
    mean = (centroid(magnitude, sample_rate) * loudness).sum() / max(loudness.sum(), 1e-12)
    return float(np.log(max(mean, 1.0)))


def is_stereo(samples: np.ndarray) -> bool:
    """Whether (channels, n) samples hold two channels that differ."""
    if samples.ndim != 2 or samples.shape[0] < 2:
        return False
    left, right = samples[0].astype(np.float64), samples[1].astype(np.float64)
    return bool(np.square(left - right).sum() > MONO_SIDE * np.square(left + right).sum())


def space_features(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """What the space network reads of a stereo clip: (40,).

    In five bands: how incoherent the channels are where the level falls, where it rises, throughout, and the
    difference (a room's tail is another noise in each ear, a direct sound is not); how deep the level dips within
    half a second, and how fast it falls at the fastest (a room fills the gaps).

    Args:
        samples: (2, n), at least a second.
        sample_rate: in Hz.
    """
    left, right = (scipy.fft.rfft(frames_of(channel, _N_FFT, _HOP), axis=1).T for channel in samples[:2])
    hz = np.arange(left.shape[0]) * sample_rate / _N_FFT
    features: list[float] = []
    for low, high in pairwise(_BANDS_HZ):
        band = (hz >= low) & (hz < high)
        a, b = left[band], right[band]
        powers = (np.square(np.abs(x)).sum(axis=0) for x in (a, b))
        features += _band_features(*powers, (a * b.conj()).sum(axis=0))
    return np.array(features)


def _band_features(left: np.ndarray, right: np.ndarray, cross: np.ndarray) -> list[float]:
    """Eight features of one band from its power per frame in either channel and their cross-spectrum."""
    joint = np.square(uniform_filter1d(cross.real, 5)) + np.square(uniform_filter1d(cross.imag, 5))
    incoherence = 1.0 - joint / (uniform_filter1d(left, 5) * uniform_filter1d(right, 5) + 1e-12)
    level = 10.0 * np.log10(left + right + 1e-9)
    level = np.maximum(level, level.max() - 70.0)
    slope = np.zeros_like(level)
    slope[_SLOPE:-_SLOPE] = level[2 * _SLOPE :] - level[: -2 * _SLOPE]
    heard = level > level.max() - _RANGE_DB
    down, up = np.percentile(slope[heard], [25, 75])
    when = (heard & (slope <= down), heard & (slope >= up), heard)
    falls, rises, all_of_it = (float(np.log(incoherence[k].mean() + _INCOHERENCE_FLOOR)) for k in when)
    dips = (maximum_filter1d(level, _SPAN) - minimum_filter1d(level, _SPAN))[heard]
    fastest = np.log(np.maximum(-np.percentile(slope[heard], [2, 8]), 0.3))
    return [falls, rises, all_of_it, falls - rises, *np.percentile(dips, [50, 85]), *fastest]
