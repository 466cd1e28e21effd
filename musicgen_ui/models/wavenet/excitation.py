"""What excites the raw-audio WaveNet: the steady tone of the instrument at the pitch of the sounding note.

A sine of the pitch would do (Wang et al. 2019), but then the network has to learn the phase of every partial of every
instrument at every pitch. Here these are measured, so that the excitation runs in step with the sound; what the network
adds is all that changes: onset, decay, loudness, brightness, release and noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.partials import GRID, KNOTS, Partials
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.wavenet.frames import RATE, ends_of
from musicgen_ui.models.wavenet.mu_law import EMPHASIS

PARTIALS = 20

BANDS = ((0, 1), (1, 3), (3, 7), (7, 13), (13, 20))
"""Partials (from 0) that are summed into one feature and its quadrature each."""

EXCITATION = 2 * len(BANDS) + 2
"""Features a sample: the bands, their quadratures, the key is down, a pulse at the onset."""

PULSE_SECONDS = 0.004
"""Time constant of the pulse."""

HIGHEST = 7_600.0
"""Partials from this frequency in Hz on are left out: the resampled sound has none."""

TONE_SIZE = 3 * PARTIALS + len(KNOTS) + 1
"""Numbers that describe a tone."""

_STEADY = (KNOTS > 0.02) & (KNOTS < 1.0)
_WAVERS = 0.5
_PLACES = np.array([int(np.flatnonzero(k + 1 == GRID)[0]) for k in range(PARTIALS)])


@dataclass(frozen=True)
class Tone:
    """An instrument's steady tone at one pitch, pre-emphasised as the model codes it.

    Attributes:
        amplitude: (K,) of the partials, of root mean square 1 together.
        phase: (K,) of their cosines at the onset.
        stretch: (K,) cents by which partial k lies above k times the first.
        bend: (T,) cents at ``partials.KNOTS``: vibrato and glides about the mean.
        cents: by which the instrument's mean pitch lies beside equal temperament.
    """

    amplitude: np.ndarray
    phase: np.ndarray
    stretch: np.ndarray
    bend: np.ndarray
    cents: float

    @classmethod
    def measured(cls, partials: Partials, pitch: int) -> Tone:
        """The tone of an analysed note."""
        nominal = hertz(pitch)
        amplitude = partials.amplitude[_STEADY][:, _PLACES].mean(axis=0).astype(np.float64)
        orders = np.arange(1, PARTIALS + 1)
        own = 1200.0 * np.log2(partials.ratio[_PLACES] / orders)
        energy = np.square(amplitude[:6])
        tuning = float((energy * own[:6]).sum() / (energy.sum() + 1e-12))
        middle = float(np.trapezoid(partials.bend, KNOTS) / (KNOTS[-1] - KNOTS[0]))
        frequency = partials.ratio[_PLACES] * nominal
        response = 1.0 - EMPHASIS * np.exp(-2j * np.pi * frequency / RATE)
        amplitude = amplitude * np.abs(response) * (frequency < HIGHEST)
        return cls(
            amplitude / max(float(np.sqrt(0.5 * np.square(amplitude).sum())), 1e-9),
            partials.phase[_PLACES] + np.angle(response),
            own - tuning,
            partials.bend - middle,
            tuning + middle,
        )

    @classmethod
    def from_row(cls, row: np.ndarray) -> Tone:
        """Inverse of :meth:`row`."""
        amplitude, phase, stretch, bend, cents = np.split(
            np.asarray(row, dtype=np.float64), np.cumsum([PARTIALS, PARTIALS, PARTIALS, len(KNOTS)])
        )
        return cls(amplitude, phase, stretch, bend, float(cents[0]))

    def row(self) -> np.ndarray:
        """(TONE_SIZE,) float16, as checkpoints hold it."""
        phase = np.angle(np.exp(1j * self.phase))
        return np.concatenate([self.amplitude, phase, self.stretch, self.bend, [self.cents]]).astype(np.float16)

    def cycles(self, pitch: int, first: int, last: int, *, tuned: bool) -> np.ndarray:
        """(last - first,) periods that the pitch has gone through, of samples [first, last) after the onset."""
        seconds = np.arange(last, dtype=np.float64) / RATE
        end = float(KNOTS[-1])
        # What was measured goes to and fro in a longer note.
        beyond = np.abs(np.mod(seconds - end, 2.0 * (end - _WAVERS)) - (end - _WAVERS)) + _WAVERS
        bend = np.interp(np.where(seconds < end, seconds, beyond), KNOTS, self.bend)
        frequency = hertz(pitch) * np.exp2((bend + (0.0 if tuned else self.cents)) / 1200.0)
        total = np.cumsum(frequency) / RATE
        return (total - frequency / RATE)[first:]


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch in equal temperament."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def excitation(
    notes: Sequence[PlayedNote], length: int, tones: Callable[[int], Tone], *, tuned: bool = True
) -> np.ndarray:
    """The tones of a line, each from its onset through its release.

    Args:
        notes: a monophonic line in order, at RATE.
        length: samples.
        tones: pitch to the instrument's tone.
        tuned: their mean pitch is that of equal temperament, to which no sampled instrument keeps.

    Returns:
        (length, EXCITATION) float32; all zero where nothing sounds.
    """
    features = np.zeros((length, EXCITATION), dtype=np.float32)
    bands = len(BANDS)
    for note, last in zip(notes, ends_of(notes, length), strict=True):
        start = max(note.start, 0)
        if start >= last:
            continue
        tone = tones(note.pitch)
        cycles = tone.cycles(note.pitch, start - note.start, last - note.start, tuned=tuned)
        ratios = np.arange(1, PARTIALS + 1) * np.exp2(tone.stretch / 1200.0)
        used = tone.amplitude > 1e-4
        turns = np.mod(cycles[:, None] * ratios[used] + tone.phase[used] / (2.0 * np.pi), 1.0)
        angle = (2.0 * np.pi * turns).astype(np.float32)
        # The sums over the partials of each band, as one product.
        mix = np.zeros((PARTIALS, bands), dtype=np.float32)
        for band, (low, high) in enumerate(BANDS):
            mix[low:high, band] = tone.amplitude[low:high]
        features[start:last, :bands] = np.cos(angle) @ mix[used]
        features[start:last, bands : 2 * bands] = np.sin(angle) @ mix[used]
        features[start : max(start, min(note.end, last)), 2 * bands] = 1.0
        since = np.arange(start - note.start, last - note.start)
        features[start:last, 2 * bands + 1] = np.exp(-since / (PULSE_SECONDS * RATE))
    return features
