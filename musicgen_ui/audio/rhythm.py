"""Onsets on the beat's grid: where the beats fall, and how strongly each sixteenth step is struck.

The tempo comes from ``audio.tempo``; everything here takes it as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.attacks import FRAME_RATE, HOP, LAG, N_FFT, SAMPLE_RATE, STEPS_PER_BEAT
from musicgen_ui.audio.networks import FeatureNetwork, sigmoid
from musicgen_ui.audio.spectral import flux_bands, mel_flux, mel_level
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import FRAME_RATE as PITCH_FRAME_RATE
from musicgen_ui.audio.tonality import Pitches, harmonic_change

PHASES = 48
"""Beat positions that are tried, a beat."""

_PHASE_LEVELS = np.array([1.0, 2.0, 3.0, 4.0])


@dataclass(frozen=True)
class Steps:
    """What is struck on each sixteenth step of whole beats.

    Attributes:
        onset: (steps,) probability that something starts there; steps is a multiple of 4, step 0 is on a beat.
        strength: (steps,) expected sum of velocity / 127 of what starts there.
        power: (steps,) expected sum of its square.
    """

    onset: np.ndarray
    strength: np.ndarray
    power: np.ndarray


def with_harmonic_change(flux: np.ndarray, pitches: Pitches) -> Pulse:
    """The Pulse of (FLUX_MELS, frames) onset flux and the pitches heard in the same clip."""
    change = harmonic_change(pitches.chroma())
    time = np.arange(flux.shape[1]) / FRAME_RATE
    slow = np.interp(time, np.arange(change.size) / PITCH_FRAME_RATE, change)
    return Pulse(np.vstack([flux_bands(flux, SAMPLE_RATE), slow]).astype(np.float64), FRAME_RATE)


def hear_pulse(samples: np.ndarray, pitches: Pitches) -> Pulse:
    """The Pulse of (n,) samples at SAMPLE_RATE."""
    return with_harmonic_change(mel_flux(mel_level(samples, SAMPLE_RATE, n_fft=N_FFT, hop=HOP), LAG), pitches)


def phase_features(pulse: Pulse, bpm: float) -> np.ndarray:
    """How well beats at each of PHASES positions fit: (PHASES, 48).

    Real and imaginary parts of the six envelopes' Fourier coefficients at one to four events a beat, turned so
    that position ``i`` lies ``i / PHASES`` beats after the start.
    """
    coefficients = pulse.at(_PHASE_LEVELS * bpm / 60.0)
    turns = np.exp(2j * np.pi * np.outer(np.arange(PHASES) / PHASES, _PHASE_LEVELS))
    turned = (coefficients[None] * turns[:, None]).reshape(PHASES, -1)
    return np.concatenate([turned.real, turned.imag], axis=1)


def first_beat(pulse: Pulse, bpm: float, network: FeatureNetwork) -> float:
    """Seconds from the start to the first beat; down to minus 1/48 beat, for a clip that begins on a beat."""
    score = network(phase_features(pulse, bpm))[:, 0]
    best = int(score.argmax())
    # Parabola through the best position and its neighbours on the circle.
    below, at, above = score[best - 1], score[best], score[(best + 1) % PHASES]
    offset = 0.5 * (below - above) / min(below - 2 * at + above, -1e-9)
    beats = (best + float(np.clip(offset, -0.5, 0.5))) / PHASES
    return (beats - 1.0 if beats > 1.0 - 1.0 / PHASES else beats) * 60.0 / bpm


def hear_steps(features: np.ndarray, network: FeatureNetwork) -> Steps:
    """Onsets and their strength on the sixteenth grid, from :func:`step_features`."""
    out = network(features)
    return Steps(sigmoid(out[:, 0]), np.exp(out[:, 1]), np.exp(out[:, 2]))


def density(steps: Steps) -> float:
    """Onset steps a beat, 0 to 4: the counterpart of ``music.measures.density``."""
    return float((steps.onset > 0.5).sum() / (steps.onset.size / STEPS_PER_BEAT))


def syncopation(steps: Steps) -> float | None:
    """Share of the onset strength that falls off the beat, 0 to 1; None when nothing starts."""
    struck = np.where(steps.onset > 0.5, steps.strength, 0.0)
    total = struck.sum()
    return float(1.0 - struck[::STEPS_PER_BEAT].sum() / total) if total > 0 else None


def energy(steps: Steps) -> float | None:
    """Log of the mean onset power of the steps that are struck, in nats; None when nothing starts."""
    struck = steps.power[steps.onset > 0.5]
    return float(np.log(struck.mean())) if struck.size else None
