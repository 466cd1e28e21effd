"""Tempo of a clip of constant tempo: candidates from its pulse spectrum, ranked by a small fitted network.

Onset strength in five bands and harmonic change make six envelopes. The Fourier transform of each over the whole
clip has a peak at every rate at which something happens regularly: bars, beats, eighths, sixteenths. The beat is one
of those peaks or stands in a simple ratio to one; which of them is a question of style, so it is answered by a network
that has seen many scores whose tempo is known (``training.fit_listener``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

from musicgen_ui.audio.networks import FeatureNetwork, softmax

TEMPO_RANGE = (50.0, 200.0)
"""Tempi in beats per minute between which the beat is looked for."""

LEVELS = np.array([1 / 12, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4, 5, 6, 8])
"""Rates, in events a beat, at which a candidate's spectrum is read."""

LAGS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8])
"""Lags, in beats, at which a candidate's autocorrelation is read."""

_RATIOS = np.array([1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4])
_CROSS_LEVELS = np.array([1 / 4, 1 / 3, 1 / 2, 1, 2])
_CROSS_BANDS = ((0, 3), (0, 4), (0, 5), (2, 5), (2, 3), (0, 2))
_COMB = ((1 / 2, 0.5), (1.0, 1.0), (2.0, 1.0), (3.0, 0.5), (4.0, 1.0))
_TOP_HZ = 20.0
_DISTINCT = 0.018  # candidates closer than this (log ratio) are the same tempo


@dataclass(frozen=True)
class Pulse:
    """What happens when: the input of everything rhythmic.

    Attributes:
        envelopes: (6, frames) non-negative: onset strength in five bands, low to high, then harmonic change.
        frame_rate: frames a second.
    """

    envelopes: np.ndarray
    frame_rate: float

    @property
    def seconds(self) -> float:
        return self.envelopes.shape[1] / self.frame_rate

    def at(self, hz: np.ndarray) -> np.ndarray:
        """Fourier transform at exact rates: (6, len(hz)) complex, of size 1 where a band's onsets keep that rate."""
        time = np.arange(self.envelopes.shape[1]) / self.frame_rate
        waves = np.exp(-2j * np.pi * np.outer(time, hz))
        return (self.envelopes @ waves) / (self.envelopes.sum(axis=1, keepdims=True) + 1e-9)


@dataclass(frozen=True)
class TempoCandidate:
    """A possible tempo in beats per minute and the network's probability for it."""

    bpm: float
    probability: float


def _spectrum(pulse: Pulse) -> tuple[np.ndarray, np.ndarray]:
    """Rates in Hz (bins,) and the complex spectrum (6, bins) up to 20 Hz, eight times finer than the clip resolves."""
    envelopes = pulse.envelopes
    n = 1 << int(np.ceil(np.log2(envelopes.shape[1] * 8)))
    centred = envelopes - envelopes.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n, axis=1) / (envelopes.sum(axis=1, keepdims=True) + 1e-9)
    hz = np.arange(spectrum.shape[1]) * pulse.frame_rate / n
    keep = hz <= _TOP_HZ
    return hz[keep], spectrum[:, keep]


def _comb(hz: np.ndarray, strength: np.ndarray, beats_hz: np.ndarray) -> np.ndarray:
    """How much regular strength a beat rate and its simple subdivisions gather."""
    return sum(weight * np.interp(level * beats_hz, hz, strength, right=0.0) for level, weight in _COMB)


def _candidates(hz: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Beat rates in Hz within TEMPO_RANGE that stand in a simple ratio to a spectral peak, refined, best comb first."""
    width = int(0.12 / hz[1]) | 1
    is_peak = (strength == maximum_filter1d(strength, width)) & (hz > 0.6) & (hz < 13.0) & (strength > 0)
    peaks = np.flatnonzero(is_peak)
    peaks = peaks[np.argsort(-strength[peaks], kind="stable")][:12]
    rates = np.unique(np.outer(hz[peaks], _RATIOS))
    rates = rates[(rates >= TEMPO_RANGE[0] / 60) & (rates <= TEMPO_RANGE[1] / 60)]
    if rates.size == 0:
        return rates
    near = rates[:, None] * np.exp(np.linspace(-0.012, 0.012, 49))
    value = _comb(hz, strength, near)
    best = value.argmax(axis=1)
    rows = np.arange(len(rates))
    refined, value = near[rows, best], value[rows, best]
    kept: list[float] = []
    for i in np.argsort(-value, kind="stable"):
        if all(abs(np.log(refined[i] / other)) > _DISTINCT for other in kept):
            kept.append(float(refined[i]))
    return np.array(kept)


def _autocorrelation(pulse: Pulse) -> np.ndarray:
    """(6, frames) autocorrelation of the centred envelopes, 1 at lag 0, smoothed over 50 ms."""
    frames = pulse.envelopes.shape[1]
    centred = pulse.envelopes - pulse.envelopes.mean(axis=1, keepdims=True)
    n = 1 << int(np.ceil(np.log2(2 * frames)))
    power = np.square(np.abs(np.fft.rfft(centred, n, axis=1)))
    correlation = np.fft.irfft(power, axis=1)[:, :frames]
    correlation = correlation / (correlation[:, :1] + 1e-9)
    window = np.hanning(9)
    window /= window.sum()
    return np.stack([np.convolve(row, window, "same") for row in correlation])


def tempo_features(pulse: Pulse) -> tuple[np.ndarray, np.ndarray]:
    """Candidate tempi and what the network reads of each.

    Returns:
        bpm: (candidates,) beats per minute, possibly empty.
        features: (candidates, 212): square roots of the six spectra at LEVELS, the six autocorrelations at LAGS,
            the agreement in phase of band pairs (a snare against a kick sits at half the beat rate), and the log
            tempo with its square.
    """
    hz, spectrum = _spectrum(pulse)
    size = np.abs(spectrum)
    rates = _candidates(hz, size[:5].sum(axis=0))
    correlation = _autocorrelation(pulse)
    lags = np.arange(correlation.shape[1]) / pulse.frame_rate
    rows = []
    for rate in rates:
        levels = np.sqrt([np.interp(LEVELS * rate, hz, band) for band in size]).ravel()
        echoes = np.concatenate([np.interp(LAGS / rate, lags, band, right=0.0) for band in correlation])
        nearest = np.minimum(np.round(_CROSS_LEVELS * rate / hz[1]).astype(int), len(hz) - 1)
        phases = spectrum[:, nearest]
        cross = np.stack([phases[a] * np.conj(phases[b]) for a, b in _CROSS_BANDS])
        cross = (cross.real / np.sqrt(np.abs(cross) + 1e-9)).ravel()
        log_tempo = np.log(rate * 60 / 100)
        rows.append(np.concatenate([levels, echoes, cross, [log_tempo, log_tempo**2]]))
    return rates * 60.0, np.array(rows)


def refine_tempo(pulse: Pulse, bpm: float) -> float:
    """The tempo within 1 % of ``bpm`` at which beats, eighths and sixteenths are most regular over the whole clip."""
    span = 0.01
    for _ in range(3):
        near = bpm * np.exp(np.linspace(-span, span, 21))
        value = np.zeros(len(near))
        for level in (1.0, 2.0, 3.0, 4.0):
            value += np.abs(pulse.at(level * near / 60.0)[:5]).sum(axis=0)
        bpm = float(near[value.argmax()])
        span /= 8
    return bpm


def tempo_candidates(pulse: Pulse, network: FeatureNetwork) -> list[TempoCandidate]:
    """Possible tempi, most probable first.

    The probabilities add up to less than 1: the rest is for "no tempo". Empty when nothing happens regularly.
    """
    bpm, features = tempo_features(pulse)
    if bpm.size == 0:
        return []
    # The network's scores stand against 0, the score of "none of these".
    probabilities = softmax(np.append(network(features)[:, 0], 0.0))
    order = np.argsort(-probabilities[:-1], kind="stable")
    return [TempoCandidate(float(bpm[i]), float(probabilities[i])) for i in order]
