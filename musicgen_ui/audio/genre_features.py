"""What a genre sounds like, in numbers: colour, groove and harmony of a clip, whatever its key and level.

After the features that Tzanetakis & Cook (2002, Musical genre classification of audio signals) brought together,
with rhythm read on the beat's grid and harmony relative to the tonic.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.fft
from scipy.ndimage import maximum_filter1d, median_filter

from musicgen_ui.audio.spectral import log_mel, magnitudes
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import FRAME_RATE, LOWEST_PITCH, Pitches, harmonic_change
from musicgen_ui.audio.tonality import fold as fold_octaves
from musicgen_ui.music.theory import key_correlations

SAMPLE_RATE = 22_050
"""Sample rate in Hz of the samples that this module reads."""

N_MFCC = 16
_N_STD, _N_DELTA = 12, 4
_MELS = 64
_QUIET_DB = -60.0  # frames whose loudest band stays below this tell nothing
_CONTRAST_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 11_026.0)
_GROOVE_BANDS = ((0, 1), (1, 3), (3, 5))
_GROOVE_PHASES = 12
_BAR_LEVELS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0])
_CROSS_LEVELS = np.array([1 / 4, 1 / 3, 1 / 2])
_CROSS_BANDS = ((0, 3), (0, 4), (2, 3))
_QUALITIES = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 4, 7, 10),
    (0, 4, 7, 11),
    (0, 3, 7, 10),
    (0, 3, 6),
    (0, 3, 6, 9),
    (0, 5, 7),
    (0, 4, 7, 9),
    (0, 7),
)
_BASS_STEPS = ((0,), (1, 2), (3, 4), (5, 7), (6, 8, 9, 10, 11), (12,))
"""Sizes in semitones of a bass line's steps from beat to beat: none, second, third, fourth and fifth, wide, octave."""


def genre_features(samples: np.ndarray, pulse: Pulse, pitches: Pitches, bpm: float, start: float) -> np.ndarray:
    """Everything that the classifier reads of a clip.

    Args:
        samples: (n,) at SAMPLE_RATE, not silent.
        pulse: envelopes of the same clip.
        pitches: soft piano roll of the same clip.
        bpm: tempo.
        start: seconds to the first beat.

    Returns:
        (features,) float64, finite.
    """
    return np.concatenate([_colour(samples), _groove(pulse, bpm, start), _harmony(pitches, bpm, start)])


def timbre_features(samples: np.ndarray) -> np.ndarray:
    """Means of the MFCC over the frames that sound: (N_MFCC,)."""
    return _mfcc(_mel(samples)).mean(axis=1)


def _mel(samples: np.ndarray) -> np.ndarray:
    """(_MELS, frames) in dB below the loudest cell, without the quiet frames."""
    mel = log_mel(samples, SAMPLE_RATE, n_mels=_MELS)
    heard = mel.max(axis=0) > _QUIET_DB
    return mel[:, heard] if heard.any() else mel


def _mfcc(mel: np.ndarray) -> np.ndarray:
    return scipy.fft.dct(mel, axis=0, type=2, norm="ortho")[:N_MFCC]


def _colour(samples: np.ndarray) -> np.ndarray:
    """MFCC means, deviations and movement, contrast and flatness of the spectrum, share of what is struck: (45,)."""
    mel = _mel(samples)
    coefficients = _mfcc(mel)
    moves = np.abs(np.diff(coefficients[:_N_DELTA], axis=1)).mean(axis=1) if mel.shape[1] > 1 else np.zeros(_N_DELTA)
    spectrum = np.log(magnitudes(samples, n_fft=2048, hop=1024) + 1e-5)
    hz = np.linspace(0.0, SAMPLE_RATE / 2, len(spectrum))
    contrast, flatness = [], []
    for low, high in pairwise(_CONTRAST_HZ):
        band = np.sort(spectrum[(hz >= low) & (hz < high)], axis=0)
        edge = max(1, len(band) // 5)
        contrast.append(float((band[-edge:].mean(axis=0) - band[:edge].mean(axis=0)).mean()))
    for low, high in ((100.0, 1000.0), (1000.0, 4000.0)):
        band = spectrum[(hz >= low) & (hz < high)]
        flatness.append(float((band.mean(axis=0) - np.log(np.exp(band).mean(axis=0))).mean()))
    return np.concatenate(
        [coefficients.mean(axis=1), coefficients[:_N_STD].std(axis=1), moves, contrast, flatness, _struck_share(mel)]
    )


def _struck_share(mel: np.ndarray) -> np.ndarray:
    """Share of the power, in four bands and over all, that is percussive rather than harmonic: (5,).

    Median filtering along time and frequency (FitzGerald 2010), on the mel spectrogram.
    """
    power = 10.0 ** (mel / 10.0)
    held, struck = median_filter(power, size=(1, 17)), median_filter(power, size=(9, 1))
    share = power * struck**2 / (held**2 + struck**2 + 1e-12)
    bands = [
        part.sum() / (whole.sum() + 1e-12) for part, whole in zip(np.split(share, 4), np.split(power, 4), strict=True)
    ]
    return np.array([*bands, share.sum() / (power.sum() + 1e-12)])


def _groove(pulse: Pulse, bpm: float, start: float) -> np.ndarray:
    """What is struck when: (97,).

    The tempo, regularity at fractions of the beat's rate (bars, backbeat), agreement of kick and snare in phase,
    strength at twelve places within a beat in three bands (eighths, sixteenths, triplets, swing), and how often and
    how sharply each band is struck.
    """
    rates = pulse.at(_BAR_LEVELS * bpm / 60.0)
    cross_rates = pulse.at(_CROSS_LEVELS * bpm / 60.0)
    cross = np.stack([cross_rates[a] * np.conj(cross_rates[b]) for a, b in _CROSS_BANDS])
    cross = cross.real / np.sqrt(np.abs(cross) + 1e-9)
    beats = pulse.seconds * bpm / 60.0
    bands = pulse.envelopes[:5]
    time = np.arange(bands.shape[1]) / pulse.frame_rate
    phase = np.floor((time - start) * bpm / 60.0 * _GROOVE_PHASES + 0.5).astype(int) % _GROOVE_PHASES
    groove = []
    for first, last in _GROOVE_BANDS:
        weight = np.bincount(phase, bands[first:last].sum(axis=0), minlength=_GROOVE_PHASES)
        groove.append(np.sqrt(weight / (weight.sum() + 1e-9)))
    means = bands.mean(axis=1)
    peaks = [
        (band == maximum_filter1d(band, 9)) & (band > 0.25 * np.percentile(band, 98)) & (band > 1e-6) for band in bands
    ]
    counts = np.array([peak.sum() for peak in peaks])
    sharpness = np.log((np.percentile(bands, 97, axis=1) + 0.01) / (means + 0.01))
    return np.concatenate(
        [
            [np.log2(bpm / 110.0)],
            np.sqrt(np.abs(rates)).ravel(),
            cross.ravel(),
            np.concatenate(groove),
            np.log(means + 0.01),
            np.sqrt(counts / max(beats, 1.0)),
            sharpness,
        ]
    )


def _harmony(pitches: Pitches, bpm: float, start: float) -> np.ndarray:
    """Scale, chords, bass line and register, relative to the tonic that fits best: (55,)."""
    chroma = pitches.chroma()
    whole, bass = chroma.sum(axis=1), fold_octaves(pitches.lowest()).sum(axis=1)
    correlations = key_correlations(whole)
    tonic = int(correlations.argmax()) % 12
    turned = [np.roll(np.sqrt(c / (c.sum() + 1e-9)), -tonic) for c in (whole, bass)]
    edges = np.arange(start, chroma.shape[1] / FRAME_RATE, 60.0 / bpm) * FRAME_RATE
    edges = np.unique(np.clip(np.round(edges + 0.5).astype(int), 0, chroma.shape[1] - 1))
    widths = np.diff(np.append(edges, chroma.shape[1]))
    by_beat = np.add.reduceat(chroma, edges, axis=1) / widths
    lowest = np.add.reduceat(pitches.lowest(), edges, axis=1) / widths
    unit = by_beat / (np.linalg.norm(by_beat, axis=0) + 1e-3)
    change = harmonic_change(chroma)
    return np.concatenate(
        [
            *turned,
            [correlations[:12].max(), correlations[12:].max()],
            _chord_shares(unit),
            [change.mean(), np.percentile(change, 90), _moves(unit, 1), _moves(unit, 2), _moves(unit, 4)],
            _bass_steps(lowest),
            _register(pitches),
        ]
    )


def _chord_shares(unit: np.ndarray) -> np.ndarray:
    """How often each kind of chord fits a beat's chroma best, as a soft share: (10,)."""
    templates = np.zeros((len(_QUALITIES), 12, 12))
    for quality, members in enumerate(_QUALITIES):
        for root in range(12):
            templates[quality, root, [(root + m) % 12 for m in members]] = 1.0 / np.sqrt(len(members))
    fit = np.einsum("qrc,cb->qrb", templates, unit).max(axis=1)
    weights = np.exp(20.0 * (fit - fit.max(axis=0)))
    return (weights / weights.sum(axis=0)).mean(axis=1)


def _moves(unit: np.ndarray, lag: int) -> float:
    """One minus the cosine between beats ``lag`` apart."""
    return float(1.0 - (unit[:, lag:] * unit[:, :-lag]).sum(axis=0).mean()) if unit.shape[1] > lag else 0.0


def _bass_steps(lowest: np.ndarray) -> np.ndarray:
    """Shares of the sizes of the bass's steps from beat to beat, and of the beats that have a bass: (7,)."""
    pitch, certain = lowest.argmax(axis=0), lowest.max(axis=0) > 0.25
    size = np.abs(np.diff(pitch))[certain[1:] & certain[:-1]]
    shares = [np.isin(size, sizes).mean() if size.size else 0.0 for sizes in _BASS_STEPS]
    return np.array([*shares, certain.mean()])


def _register(pitches: Pitches) -> np.ndarray:
    """How many pitches sound, where, how often they begin and how long they last: (7,)."""
    probability = pitches.probability
    count = probability.sum(axis=0)
    rows = probability.sum(axis=1)
    height = (LOWEST_PITCH + np.arange(len(rows)) - 60.0) / 12.0
    share = rows / (rows.sum() + 1e-9)
    middle = float(share @ height)
    cumulative = np.cumsum(share)
    edges = [height[min(int(np.searchsorted(cumulative, q)), len(height) - 1)] for q in (0.05, 0.95)]
    begins = np.maximum(np.diff(probability, axis=1), 0.0).sum() / (probability.sum() + 1e-9)
    spread = float(np.sqrt(share @ (height - middle) ** 2))
    return np.array([count.mean(), count.std(), middle, spread, *edges, begins])
