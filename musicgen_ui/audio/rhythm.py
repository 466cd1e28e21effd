"""Onsets on the beat's grid: where the beats fall, and how strongly each sixteenth step is struck.

The tempo comes from ``audio.tempo``; everything here takes it as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

from musicgen_ui.audio.networks import FeatureNetwork, sigmoid
from musicgen_ui.audio.spectral import onset_flux
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import FRAME_RATE as PITCH_FRAME_RATE
from musicgen_ui.audio.tonality import Pitches, harmonic_change

SAMPLE_RATE = 22_050
"""Sample rate in Hz of the samples that this module reads."""

HOP = 128
STEPS_PER_BEAT = 4
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
    """The Pulse of (5, frames) onset flux and the pitches heard in the same clip."""
    frame_rate = SAMPLE_RATE / HOP
    change = harmonic_change(pitches.chroma())
    time = np.arange(flux.shape[1]) / frame_rate
    slow = np.interp(time, np.arange(change.size) / PITCH_FRAME_RATE, change)
    return Pulse(np.vstack([flux, slow]).astype(np.float64), frame_rate)


def hear_pulse(samples: np.ndarray, pitches: Pitches) -> Pulse:
    """The Pulse of (n,) samples at SAMPLE_RATE."""
    return with_harmonic_change(onset_flux(samples, SAMPLE_RATE, hop=HOP), pitches)


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


def step_features(pulse: Pulse, pitches: Pitches, bpm: float, start: float) -> np.ndarray:
    """What the step network reads of every sixteenth step: (steps, 28).

    Log heights of the highest flux peak nearest to the step, in each band and in all, absolute and relative to the
    clip's strong steps, those of its neighbours, pitches that begin and that sound, and means over the clip.

    Args:
        pulse: envelopes.
        pitches: soft piano roll of the same clip.
        bpm: tempo.
        start: seconds to the first beat.
    """
    step_seconds = 60.0 / bpm / STEPS_PER_BEAT
    beats = max(1, int(np.floor((pulse.seconds - start) / (60.0 / bpm) + 0.25)))
    steps = beats * STEPS_PER_BEAT
    bands = pulse.envelopes[:5]
    bands = np.vstack([bands, bands.sum(axis=0)])
    height = np.zeros((steps, len(bands)))
    for column, band in enumerate(bands):
        peak = np.flatnonzero((band == maximum_filter1d(band, 7)) & (band > 0))
        step = np.round((peak / pulse.frame_rate - start) / step_seconds).astype(int)
        inside = (step >= 0) & (step < steps)
        np.maximum.at(height[:, column], step[inside], band[peak[inside]])
    relative = height / (np.percentile(height, 90, axis=0) + 0.3)
    padded = np.pad(relative[:, 5], 1)
    frame = np.clip(np.round((start + np.arange(steps) * step_seconds) * PITCH_FRAME_RATE).astype(int), 0, None)
    roll = np.pad(pitches.probability, ((0, 0), (2, 3)), mode="edge")
    frame = np.minimum(frame, roll.shape[1] - 5)
    rise = np.maximum(roll[:, frame + 3] - roll[:, frame + 1], 0.0)
    clip = np.concatenate([np.log(bands.mean(axis=1) + 0.01), [np.log(pitches.probability.sum(axis=0).mean() + 0.1)]])
    return np.column_stack(
        [
            np.log(height + 0.05),
            np.log(relative + 0.03),
            np.log(padded[:-2] + 0.03),
            np.log(padded[2:] + 0.03),
            np.log(rise.sum(axis=0) + 0.1),
            np.log(rise.max(axis=0) + 0.05),
            np.log(roll[:, frame + 3].sum(axis=0) + 0.1),
            np.broadcast_to(clip, (steps, clip.size)),
            np.full(steps, np.log(step_seconds * 8)),
        ]
    )


def hear_steps(pulse: Pulse, pitches: Pitches, bpm: float, start: float, network: FeatureNetwork) -> Steps:
    """Onsets and their strength on the sixteenth grid of a tempo and a first beat."""
    out = network(step_features(pulse, pitches, bpm, start))
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
