"""How sounds begin on the steps of a beat: what the step network reads.

Soft chords under drums hardly show in a clip's onset strength. They show where single bands or semitones grow from
before a step to after it, so both are read: growth at 6 ms for what is struck, levels by semitone for what swells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import maximum_filter1d

from musicgen_ui.audio.spectral import (
    FLUX_MELS,
    flux_bands,
    flux_lag,
    magnitudes,
    mel_flux,
    mel_level,
)
from musicgen_ui.audio.tonality import FRAME_RATE as PITCH_FRAME_RATE
from musicgen_ui.audio.tonality import SAMPLE_RATE as PITCH_SAMPLE_RATE
from musicgen_ui.audio.tonality import Pitches

SAMPLE_RATE = 22_050
"""Sample rate in Hz of the samples that onset strength is read from."""

HOP, N_FFT = 128, 1024
FRAME_RATE = SAMPLE_RATE / HOP
LAG = flux_lag(N_FFT, HOP)

STEPS_PER_BEAT = 4

LOWEST_SEMITONE, SEMITONES = 36, 60
SEMITONE_HOP, _SEMITONE_FFT = 256, 2048
SEMITONE_RATE = PITCH_SAMPLE_RATE / SEMITONE_HOP

_GROUPS = np.array([*range(0, 32, 2), *range(32, FLUX_MELS, 4)])
_WIDE_GROUPS = np.array([*range(0, 12, 2), *range(12, 32, 4), *range(32, FLUX_MELS, 8)])
_REGISTERS = (20, 36)  # rows of the piano roll: below MIDI 48, 48 to 63, above
_STRONGEST = 8  # rises of single semitones, strongest first: how many voices begin together

VARYING_FEATURES = 2 * len(_GROUPS) + 4 * len(_WIDE_GROUPS) + _STRONGEST + 5 + 21
STEP_FEATURES = VARYING_FEATURES + 8
"""Columns of :func:`step_features`; the last eight are the same for every step of a clip."""


@dataclass(frozen=True)
class Attacks:
    """Levels over time, fine enough to see what begins when.

    Attributes:
        mels: (FLUX_MELS, LAG + frames) of ``spectral.mel_level``, FRAME_RATE frames a second.
        semitones: (SEMITONES, frames) log level of each semitone from LOWEST_SEMITONE, SEMITONE_RATE frames a second.
    """

    mels: np.ndarray
    semitones: np.ndarray

    @property
    def flux(self) -> np.ndarray:
        """(FLUX_MELS, frames) onset strength."""
        return mel_flux(self.mels, LAG)


def hear_attacks(samples: np.ndarray, low: np.ndarray) -> Attacks:
    """Attacks of (n,) samples at SAMPLE_RATE and the same at ``tonality.SAMPLE_RATE``."""
    mels = mel_level(samples, SAMPLE_RATE, n_fft=N_FFT, hop=HOP)
    spectrum = _semitone_map() @ magnitudes(low, n_fft=_SEMITONE_FFT, hop=SEMITONE_HOP)
    return Attacks(mels, np.log1p(1000.0 / max(float(spectrum.max(initial=0.0)), 1e-6) * spectrum))


@lru_cache(maxsize=1)
def _semitone_map() -> np.ndarray:
    """(SEMITONES, bins): triangles two semitones wide, or two FFT bins where that is wider."""
    hz = 440.0 * 2.0 ** ((LOWEST_SEMITONE + np.arange(-1, SEMITONES + 1) - 69.0) / 12.0)
    width = PITCH_SAMPLE_RATE / _SEMITONE_FFT
    middle = hz[1:-1, None]
    low, high = np.minimum(hz[:-2, None], middle - width), np.maximum(hz[2:, None], middle + width)
    bins = np.arange(_SEMITONE_FFT // 2 + 1) * width
    triangles = np.maximum(0.0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
    return (triangles / triangles.sum(axis=1, keepdims=True)).astype(np.float32)


def step_features(attacks: Attacks, pitches: Pitches, bpm: float, start: float) -> np.ndarray:
    """What the step network reads of every sixteenth step: (steps, STEP_FEATURES).

    Log heights of the highest flux peak nearest to the step in 24 groups of mel bands, absolute and relative to the
    clip's strong steps; what is new and what is gone in wider groups, at once and from step to step; the strongest
    rises of single semitones and the strongest in each octave; how many bands rise together and how exactly on the
    grid; the neighbours' strength; pitches that begin and that sound, low, middle and high; means over the clip, and
    how long a step lasts.

    Args:
        attacks: levels of the clip.
        pitches: soft piano roll of the same clip.
        bpm: tempo.
        start: seconds to the first beat.
    """
    flux = attacks.flux
    step_seconds = 60.0 / bpm / STEPS_PER_BEAT
    beats = max(1, int(np.floor((flux.shape[1] / FRAME_RATE - start) / (60.0 / bpm) + 0.25)))
    steps = beats * STEPS_PER_BEAT
    when = start + np.arange(steps) * step_seconds
    total = flux.sum(axis=0, dtype=np.float64)
    edges = np.round((start + (np.arange(steps + 1) - 0.5) * step_seconds) * FRAME_RATE).astype(int)
    height = _peaks(np.add.reduceat(flux, _GROUPS, axis=0), edges)
    mels = _peaks(flux, edges)
    loud = _peaks(total[None], edges)[:, 0]
    relative = height / (np.percentile(height, 90, axis=0) + 0.1)
    strength = loud / (np.percentile(loud, 90) + 0.3)
    padded = np.pad(strength, 4)
    beside = np.column_stack([padded[4 + k : 4 + k + steps] for k in (-4, -2, -1, 1, 2, 4)])
    even = np.square(mels.sum(axis=1)) / (np.square(mels).sum(axis=1) + 0.01) / len(flux)
    level = attacks.mels[:, LAG:]
    soon, sharp = _struck(level, when, step_seconds)
    news = np.column_stack([soon, *_news(level, when, 0.0, 0.8 * step_seconds)])
    later, earlier = (mean_level(attacks.semitones, when, SEMITONE_RATE, first, 0.14) for first in (0.05, -0.186))
    rise = np.maximum(later - earlier, 0.0)
    frame = np.round(when * PITCH_FRAME_RATE).astype(int)
    roll = np.pad(pitches.probability, ((0, 0), (2, 3)), mode="edge")
    frame = np.clip(frame, 0, roll.shape[1] - 5)
    after = roll[:, frame + 3]
    begins = np.maximum(after - roll[:, frame + 1], 0.0)
    pitched = [part.sum(axis=0) for rows in (begins, after) for part in np.split(rows, _REGISTERS)]
    clip = [*np.log(flux_bands(flux, SAMPLE_RATE).mean(axis=1) + 0.01), np.log(total.mean() + 0.01)]
    clip += [np.log(pitches.probability.sum(axis=0).mean() + 0.1), np.log(step_seconds * 8)]
    return np.column_stack(
        [
            np.log(height + 0.05),
            np.log(relative + 0.03),
            np.log(news + 0.03),
            sharp,
            -np.sort(-rise, axis=0)[:_STRONGEST].T,
            rise.reshape(SEMITONES // 12, 12, -1).max(axis=1).T,
            np.log(loud + 0.05),
            np.log(strength + 0.03),
            np.log(beside + 0.03),
            (mels > 0.5).mean(axis=1),
            (mels > 1.5).mean(axis=1),
            even,
            _offset(total, edges, start, step_seconds),
            np.log(np.column_stack(pitched) + 0.1),
            np.log(begins.max(axis=0) + 0.05),
            np.broadcast_to(clip, (steps, len(clip))),
        ]
    )


def _struck(level: np.ndarray, when: np.ndarray, step_seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """:func:`_news` at the place near each step, of those that players' timing and triplets use, where most begins.

    Returns:
        (steps, 2 groups), and (steps, 2): how much more begins there than on average around it, and where that is.
    """
    places = np.arange(-2, 4) / 6.0
    ticks = (when[:, None] + places * step_seconds).ravel()
    comes, goes = (x.reshape(len(when), len(places), -1) for x in _news(level, ticks, 0.012, 0.04))
    amount = comes.sum(axis=2)
    best = amount.argmax(axis=1)
    steps = np.arange(len(when))
    around = np.convolve(np.pad(amount.mean(axis=1), 1, mode="edge"), np.ones(3) / 3, "valid")
    sharp = np.log(amount[steps, best] + 0.05) - np.log(around + 0.05)
    return np.hstack([comes[steps, best], goes[steps, best]]), np.column_stack([sharp, np.abs(places[best])])


def _news(level: np.ndarray, when: np.ndarray, gap: float, span: float) -> tuple[np.ndarray, np.ndarray]:
    """What is there after a step and was not before, and the reverse: two of (steps, groups).

    Each mel band is compared with itself and its neighbours before bands are summed, so that a note that moves shows
    even where nothing gets louder, and vibrato does not.
    """
    before, after = (mean_level(level, when, FRAME_RATE, first, span) for first in (-gap - span, gap))
    sizes = np.diff([*_WIDE_GROUPS, FLUX_MELS])
    comes, goes = (
        np.add.reduceat(np.maximum(new - maximum_filter1d(old, 3, axis=0), 0.0), _WIDE_GROUPS, axis=0).T / sizes
        for new, old in ((after, before), (before, after))
    )
    return comes, goes


def mean_level(level: np.ndarray, when: np.ndarray, frame_rate: float, first: float, span: float) -> np.ndarray:
    """Mean of (bands, frames) over ``span`` seconds from ``first`` seconds after each time: (bands, steps)."""
    frames = level.shape[1]
    cumulated = np.pad(np.cumsum(level, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    length = max(1, round(span * frame_rate))
    begin = np.round((when + first) * frame_rate).astype(int)
    a, b = np.clip(begin, 0, frames), np.clip(begin + length, 0, frames)
    return (cumulated[:, b] - cumulated[:, a]) / length


def _peaks(bands: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Highest local maximum of (bands, frames) between neighbouring edges: (spans, bands), 0 where there is none."""
    peaks = np.where(bands == maximum_filter1d(bands, 7, axis=1), bands, 0.0)
    before = max(0, -int(edges[0]))
    after = max(1, int(edges[-1]) + 1 - peaks.shape[1])
    padded = np.pad(peaks, ((0, 0), (before, after)))
    return np.maximum.reduceat(padded, edges + before, axis=1)[:, :-1].T.astype(np.float64)


def _offset(total: np.ndarray, edges: np.ndarray, start: float, step_seconds: float) -> np.ndarray:
    """How far each step's strongest frame lies from its place, in steps: (steps,) 0 to 0.5."""
    inside = np.clip(edges, 0, len(total))
    best = np.array([a + int(total[a:b].argmax()) if b > a else a for a, b in pairwise(inside)])
    return np.minimum(np.abs((best / FRAME_RATE - start) / step_seconds - np.arange(len(best))), 0.5)
