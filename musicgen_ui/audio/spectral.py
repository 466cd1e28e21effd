"""Short-time spectra and the features read off them: mel spectrogram, MFCC, centroid, spectral flux.

Pure functions, array in and array out. Samples are (n,) or (channels, n); channels are mixed to one first.
Time is the last axis of every result, and frame ``t`` is centred on sample ``t * hop``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft

FLOOR_DB = 80.0
"""Range of a mel spectrogram in dB below its maximum."""


def mono(samples: np.ndarray) -> np.ndarray:
    """Mixes (channels, n) or (n,) to (n,) float32.

    Channels that cancel each other (a phase-inverted stereo file) are not mixed: the first is taken, as a
    listener would still hear it.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim == 1:
        return samples
    mixed = samples.mean(axis=0)
    if np.square(mixed).sum() < 1e-3 * np.square(samples).mean(axis=0).sum():
        return samples[0]
    return mixed


@lru_cache(maxsize=16)
def _hann(n: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(np.float32)


def frames_of(samples: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Whole windows of (n,) samples, Hann-weighted: (frames, n_fft), frame ``t`` starting at sample ``t * hop``."""
    return np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop] * _hann(n_fft)


def magnitudes(samples: np.ndarray, *, n_fft: int, hop: int) -> np.ndarray:
    """Magnitude of the short-time Fourier transform with a periodic Hann window, zero-padded at both ends.

    Args:
        samples: (n,) or (channels, n).
        n_fft: window and transform length in samples, even.
        hop: samples between frames.

    Returns:
        (n_fft // 2 + 1, 1 + n // hop) float32.
    """
    x = np.pad(mono(samples), n_fft // 2)
    # In blocks of 512 frames: a ten-minute file would otherwise hold a gigabyte of windowed frames at once.
    starts = range(0, len(x) - n_fft + 1, 512 * hop)
    blocks = [np.abs(scipy.fft.rfft(frames_of(x[i : i + 511 * hop + n_fft], n_fft, hop), axis=1)) for i in starts]
    return np.concatenate(blocks).T


def hz_to_mel(hz: np.ndarray | float) -> np.ndarray:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    hz = np.asarray(hz, dtype=np.float64)
    return np.where(hz < 1000.0, hz * 3 / 200, 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) * 27 / np.log(6.4))


def mel_to_hz(mel: np.ndarray | float) -> np.ndarray:
    """Inverse of :func:`hz_to_mel`."""
    mel = np.asarray(mel, dtype=np.float64)
    return np.where(mel < 15.0, mel * 200 / 3, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27))


@lru_cache(maxsize=8)
def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> np.ndarray:
    """Triangular filters of equal area (Slaney 1998, Auditory Toolbox): (n_mels, n_fft // 2 + 1) float32."""
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2)), n_mels + 2))
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])[:, None]
    return (np.maximum(0.0, np.minimum(rise, fall)) * area).astype(np.float32)


def log_mel(
    samples: np.ndarray, sample_rate: int, *, n_fft: int = 2048, hop: int = 512, n_mels: int = 128
) -> np.ndarray:
    """Mel spectrogram in dB below the loudest cell, floored at -80.

    Args:
        samples: (n,) or (channels, n) in [-1, 1].
        sample_rate: in Hz.
        n_fft: window length in samples.
        hop: samples between frames.
        n_mels: number of bands from 0 Hz to half the sample rate.

    Returns:
        (n_mels, 1 + n // hop) float32 in [-80, 0]; all -80 when the input is silent.
    """
    power = mel_filters(sample_rate, n_fft, n_mels) @ np.square(magnitudes(samples, n_fft=n_fft, hop=hop))
    peak = float(power.max(initial=0.0))
    if peak < 1e-10:
        return np.full(power.shape, -FLOOR_DB, dtype=np.float32)
    db = 10.0 * np.log10(np.maximum(power / peak, 10.0 ** (-FLOOR_DB / 10)))
    return db.astype(np.float32)


def mfcc(
    samples: np.ndarray, sample_rate: int, *, n_mfcc: int = 20, n_fft: int = 2048, hop: int = 512, n_mels: int = 128
) -> np.ndarray:
    """Mel-frequency cepstral coefficients: orthonormal DCT-II of :func:`log_mel`, (n_mfcc, frames)."""
    mel = log_mel(samples, sample_rate, n_fft=n_fft, hop=hop, n_mels=n_mels)
    return scipy.fft.dct(mel, axis=0, type=2, norm="ortho")[:n_mfcc]


def centroid(magnitude: np.ndarray, sample_rate: int) -> np.ndarray:
    """Spectral centroid in Hz of each frame of a magnitude spectrogram.

    Args:
        magnitude: (n_fft // 2 + 1, frames).
        sample_rate: in Hz.

    Returns:
        (frames,) float; 0 where the frame is silent.
    """
    bins = np.linspace(0.0, sample_rate / 2, magnitude.shape[0])
    total = magnitude.sum(axis=0, dtype=np.float64)
    return (bins @ magnitude) / np.maximum(total, 1e-12)


FLUX_MELS = 64

FLUX_BANDS_HZ = (0.0, 160.0, 500.0, 2000.0, 6000.0, 11_025.0)
"""Edges of the flux bands: kick and bass, chords' body, melody, snare and attack, cymbals."""


def mel_level(
    samples: np.ndarray, sample_rate: int, *, n_fft: int = 1024, hop: int = 128, n_mels: int = FLUX_MELS
) -> np.ndarray:
    """Compressed mel spectrum, ``log(1 + 1000 x / x_max)``, so that the level of the clip does not matter.

    Args:
        samples: (n,) or (channels, n).
        sample_rate: in Hz; at 22 050 Hz a frame is 5.8 ms.
        n_fft: window length in samples.
        hop: samples between frames.
        n_mels: bands from 0 Hz to half the sample rate.

    Returns:
        (n_mels, lag + 1 + n // hop) float32, the first ``flux_lag(n_fft, hop)`` frames before the first sample; zeros
        when the input is silent.
    """
    # So that a note on the very first sample is an onset too.
    silence_first = np.pad(mono(samples), (flux_lag(n_fft, hop) * hop, 0))
    mel = mel_filters(sample_rate, n_fft, n_mels) @ magnitudes(silence_first, n_fft=n_fft, hop=hop)
    peak = float(mel.max(initial=0.0))
    return np.zeros_like(mel) if peak < 1e-6 else np.log1p(1000.0 / peak * mel)


def flux_lag(n_fft: int, hop: int) -> int:
    """Frames over which growth is taken, half a window: nearer frames already hold part of an attack."""
    return max(1, n_fft // (4 * hop))


def mel_flux(level: np.ndarray, lag: int) -> np.ndarray:
    """Onset strength in every mel band: half-wave rectified growth of (n_mels, lag + frames) :func:`mel_level`.

    The reference frame is widened by one mel band on either side, so that vibrato does not count as onsets
    (SuperFlux, Böck & Widmer 2013).

    Returns:
        (n_mels, frames) float32.
    """
    widened = level.copy()
    widened[1:] = np.maximum(widened[1:], level[:-1])
    widened[:-1] = np.maximum(widened[:-1], level[1:])
    return np.maximum(level[:, lag:] - widened[:, :-lag], 0.0)


def flux_bands(flux: np.ndarray, sample_rate: int) -> np.ndarray:
    """Sums (mels, frames) of :func:`mel_flux` into the bands of FLUX_BANDS_HZ: (5, frames)."""
    centres = mel_to_hz(np.linspace(0.0, float(hz_to_mel(sample_rate / 2)), len(flux) + 2))[1:-1]
    band = np.digitize(centres, FLUX_BANDS_HZ[1:-1])
    return np.stack([flux[band == b].sum(axis=0) for b in range(len(FLUX_BANDS_HZ) - 1)])


def onset_flux(samples: np.ndarray, sample_rate: int, *, n_fft: int = 1024, hop: int = 128) -> np.ndarray:
    """Onset strength in five bands, (5, 1 + n // hop) float32: :func:`mel_flux`, summed as in FLUX_BANDS_HZ."""
    level = mel_level(samples, sample_rate, n_fft=n_fft, hop=hop)
    return flux_bands(mel_flux(level, flux_lag(n_fft, hop)), sample_rate)
