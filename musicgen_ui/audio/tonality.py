"""Pitches heard in audio, and the chroma, key and harmonic change that follow from them.

A magnitude spectrum is explained as a sum of harmonic tones at the piano's pitches (non-negative factorisation with
fixed templates, after Smaragdis & Brown 2003), and a small fitted network decides from the result which pitches really
sound: overtones, drums and reverberation look different from notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.ndimage import median_filter

from musicgen_ui.audio.networks import FeatureNetwork, sigmoid
from musicgen_ui.audio.spectral import magnitudes
from musicgen_ui.music.harmony import estimate_chords
from musicgen_ui.music.score import METRES, Note, Score
from musicgen_ui.music.theory import KEYS, key_correlations

SAMPLE_RATE = 11_025
"""Sample rate in Hz of the samples that this module reads: harmonics to 5.5 kHz are enough to tell pitches."""

N_FFT = 4096
HOP = 1024
FRAME_RATE = SAMPLE_RATE / HOP
"""Frames a second, about 10.8."""

LOWEST_PITCH = 28
PITCHES = 68
"""MIDI pitches 28 (E1, a bass guitar's lowest) to 95."""

BASS_PITCHES = 28
"""The lowest of them, up to MIDI 55, in which a bass line is looked for."""

MOST_DOUBT = 0.89
"""Share of the pitches' probability that is doubt, min(p, 1 - p), from which on nothing surely sounds.

Of 290 renderings of tonal pieces the most doubtful had 0.86; drums alone, clicks and noise have 0.92 and more.
"""

MOST_ENTROPY = 0.984
"""Entropy of the chroma (share of its maximum) from which on no pitch class stands out: a twelve-tone row, noise.

The largest of 2,200 renderings of tonal pieces was 0.982.
"""

LEAST_CHANGE = 0.03
"""95th percentile of the harmonic change, below which one chord is held throughout; pieces have 0.05 and more."""

_EDGE = 6  # frames
_BINS_PER_SEMITONE = 3
_LOWEST_BIN = LOWEST_PITCH - 1.0
_BINS = (PITCHES + 18) * _BINS_PER_SEMITONE
_FLOOR = 1e-3  # -60 dB below a loud note counts as silence

# (semitones, frames) of the neighbours that tell a note from its own and others' overtones, and from its echo.
_NEIGHBOURS = (
    *((0, frame) for frame in (0, -1, 1, -2, 2)),
    *((shift, 0) for size in (12, 24, 19, 7, 28, 1, 2, 5, 4, 3, 16) for shift in (-size, size)),
)
_REACH = 28


@dataclass(frozen=True)
class Pitches:
    """A soft piano roll.

    Attributes:
        probability: (PITCHES, frames) in [0, 1] that a pitch sounds; row 0 is LOWEST_PITCH, FRAME_RATE frames a second.
        cents: deviation of the tuning from A4 = 440 Hz.
    """

    probability: np.ndarray
    cents: float

    def chroma(self) -> np.ndarray:
        """(12, frames): expected number of notes of each pitch class."""
        return fold(self.probability)

    def lowest(self) -> np.ndarray:
        """(BASS_PITCHES, frames): probability that a pitch is the lowest that sounds."""
        low = self.probability[:BASS_PITCHES]
        return low * np.cumprod(np.vstack([np.ones_like(low[:1]), 1.0 - low[:-1]]), axis=0)


def fold(rows: np.ndarray) -> np.ndarray:
    """(pitches from LOWEST_PITCH, frames) to (12, frames) by pitch class."""
    chroma = np.zeros((12, rows.shape[1]), dtype=rows.dtype)
    for row in range(rows.shape[0]):
        chroma[(LOWEST_PITCH + row) % 12] += rows[row]
    return chroma


@lru_cache(maxsize=1)
def _log_frequency_map() -> np.ndarray:
    """(_BINS, N_FFT // 2 + 1): triangles a third of a semitone wide, or one FFT bin where that is wider."""
    midi = _LOWEST_BIN + np.arange(-1, _BINS + 1) / _BINS_PER_SEMITONE
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    width = SAMPLE_RATE / N_FFT
    middle = hz[1:-1, None]
    low = np.minimum(hz[:-2, None], middle - width)
    high = np.maximum(hz[2:, None], middle + width)
    bins = np.arange(N_FFT // 2 + 1) * width
    triangles = np.maximum(0.0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
    return (triangles / triangles.sum(axis=1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=32)
def _templates(cents: int) -> np.ndarray:
    """(_BINS, PITCHES) spectra of harmonic tones, partials falling by 3 dB each, columns summing to 1."""
    bins = np.arange(N_FFT // 2 + 1)
    spectra = np.zeros((bins.size, PITCHES))
    for row in range(PITCHES):
        fundamental = 440.0 * 2.0 ** ((LOWEST_PITCH + row - 69 + cents / 100.0) / 12.0)
        for partial in range(1, 21):
            if fundamental * partial > SAMPLE_RATE / 2:
                break
            offset = bins - fundamental * partial * N_FFT / SAMPLE_RATE
            main_lobe = np.abs(np.sinc(offset) + 0.5 * np.sinc(offset - 1) + 0.5 * np.sinc(offset + 1))
            main_lobe[np.abs(offset) > 2.2] = 0.0
            spectra[:, row] += 0.7 ** (partial - 1) * main_lobe
    templates = _log_frequency_map() @ spectra
    return (templates / templates.sum(axis=0)).astype(np.float32)


def _tuning(spectrum: np.ndarray) -> int:
    """Deviation from A4 = 440 Hz in cents, to the nearest 10: circular mean over peaks above 130 Hz."""
    inner = spectrum[1:-1]
    peak = (inner > spectrum[:-2]) & (inner >= spectrum[2:]) & (inner > 0.02 * spectrum.max())
    peak[: 12 * 2 * _BINS_PER_SEMITONE] = False
    row, frame = np.nonzero(peak)
    if row.size == 0:
        return 0
    below, at, above = (np.log(spectrum[row + i, frame] + 1e-9) for i in range(3))
    offset = np.clip(0.5 * (below - above) / (below - 2 * at + above - 1e-9), -0.5, 0.5)
    midi = _LOWEST_BIN + (row + 1 + offset) / _BINS_PER_SEMITONE
    mean = (spectrum[row + 1, frame] * np.exp(2j * np.pi * midi)).sum()
    return int(round(100.0 * np.angle(mean) / (2 * np.pi) / 10) * 10)


def activations(samples: np.ndarray, *, iterations: int = 25) -> tuple[np.ndarray, int]:
    """Strength of every pitch in every frame.

    The running median over 19 bins (six semitones) is taken off the spectrum first: noise and drums are broad,
    partials narrow.

    Args:
        samples: (n,) at SAMPLE_RATE.
        iterations: multiplicative updates of the Kullback-Leibler factorisation.

    Returns:
        (PITCHES, 1 + n // HOP) non-negative, and the tuning in cents.
    """
    spectrum = _log_frequency_map() @ magnitudes(samples, n_fft=N_FFT, hop=HOP)
    cents = _tuning(spectrum)
    tonal = np.maximum(spectrum - median_filter(spectrum, size=(19, 1), mode="nearest"), 0.0) + 1e-9
    templates = _templates(cents)
    strength = templates.T @ tonal + 1e-9
    for _ in range(iterations):
        strength *= templates.T @ (tonal / (templates @ strength + 1e-9))
    return strength, cents


def pitch_features(strength: np.ndarray) -> np.ndarray:
    """What the network reads of each cell of :func:`activations`: (PITCHES, frames, 33).

    Log strengths of the cell and its neighbours relative to a loud note of the clip, the loudest and the sum of
    the frame, the loudest and the mean of the pitch, and the pitch with its square.
    """
    pitches, frames = strength.shape
    relative = strength / (np.percentile(strength.max(axis=0), 90) + 1e-9)
    level = np.log(relative + _FLOOR).astype(np.float32)
    padded = np.pad(level, ((_REACH, _REACH), (2, 2)), constant_values=np.log(_FLOOR))
    columns = [padded[_REACH + p : _REACH + p + pitches, 2 + f : 2 + f + frames] for p, f in _NEIGHBOURS]
    height = np.linspace(-1.0, 1.0, pitches, dtype=np.float32)[:, None]
    columns += [
        level.max(axis=0),
        np.log(relative.sum(axis=0) + _FLOOR),
        level.max(axis=1, keepdims=True),
        np.log(relative.mean(axis=1, keepdims=True) + _FLOOR),
        height,
        height**2,
    ]
    return np.stack([np.broadcast_to(c, level.shape) for c in columns], axis=-1)


def hear_strength(strength: np.ndarray, cents: float, network: FeatureNetwork) -> Pitches:
    """Soft piano roll of :func:`activations`."""
    return Pitches(sigmoid(network(pitch_features(strength))[..., 0]), cents)


def hear_pitches(samples: np.ndarray, network: FeatureNetwork) -> Pitches:
    """Soft piano roll of (n,) samples at SAMPLE_RATE."""
    strength, cents = activations(samples)
    return hear_strength(strength, float(cents), network)


def harmonic_change(chroma: np.ndarray, *, span: int = 4) -> np.ndarray:
    """How different the harmony after each frame is from the harmony before it: (frames,) in [0, 1].

    One minus the cosine between the mean chroma of ``span`` frames on either side.
    """
    sums = np.cumsum(np.pad(chroma, ((0, 0), (span + 1, span)), mode="edge"), axis=1)
    frames = chroma.shape[1]
    before = sums[:, span : span + frames] - sums[:, :frames]
    after = sums[:, 2 * span + 1 : 2 * span + 1 + frames] - sums[:, span + 1 : span + 1 + frames]
    sizes = np.linalg.norm(before, axis=0) * np.linalg.norm(after, axis=0)
    return 1.0 - (before * after).sum(axis=0) / np.maximum(sizes, 1e-9)


def key_features(pitches: Pitches) -> np.ndarray:
    """(24, 52): what the key network reads, one row a key in the order of ``theory.KEYS``.

    Square roots of the chroma and bass chroma, as shares and turned so that the tonic comes first, in the first 25
    columns for major and the next 25 for minor keys; then the correlation of either chroma with the key's profile.
    """
    whole, bass = pitches.chroma().sum(axis=1), fold(pitches.lowest()).sum(axis=1)
    shares = [np.sqrt(c / (c.sum() + 1e-9)) for c in (whole, bass)]
    rows = np.zeros((len(KEYS), 52))
    for index in range(len(KEYS)):
        tonic, first = index % 12, 25 * (index // 12)
        rows[index, first : first + 25] = np.concatenate([*(np.roll(s, -tonic) for s in shares), [1.0]])
    rows[:, 50], rows[:, 51] = key_correlations(whole), key_correlations(bass)
    return rows


def is_tonal(pitches: Pitches) -> bool:
    """Whether there is harmony to judge: notes that surely sound, that move, and not all pitch classes alike."""
    probability = pitches.probability
    total = probability.sum()
    if total < 1.0 or np.minimum(probability, 1.0 - probability).sum() > MOST_DOUBT * total:
        return False
    chroma = pitches.chroma()
    weights = chroma.sum(axis=1)
    # Where a clip is cut off, half of the window is silent: that is no change of harmony.
    inner = harmonic_change(chroma)[_EDGE:-_EDGE]
    moves = inner.size > 0 and np.percentile(inner, 95) > LEAST_CHANGE
    return bool(moves and (weights > 0.03 * total).sum() >= 3 and entropy(weights) < MOST_ENTROPY)


def mood(pitches: Pitches) -> float:
    """Best major minus best minor key correlation of the chroma, the counterpart of ``music.measures.mood``."""
    correlations = key_correlations(pitches.chroma().sum(axis=1))
    return float(correlations[:12].max() - correlations[12:].max())


def beat_changes(pitches: Pitches, bpm: float, start: float) -> np.ndarray:
    """How the harmony moves from beat to beat: (12,).

    Chord changes a beat as the harmony of scores is found, alone and added to the chroma's entropy as in
    ``music.measures.complexity``; cosine distances of beats 1, 2 and 4 apart, of all pitches and of the bass.
    """
    score = _beat_score(pitches, bpm, start)
    symbols = [(chord.root, chord.quality) for chord in estimate_chords(score)]
    changes = sum(a != b for a, b in pairwise(symbols)) / score.beats
    weights = fold((pitches.probability > 0.5).astype(np.float64)).sum(axis=1)
    rows = [changes, 0.5 * changes + (entropy(weights) if weights.any() else 0.0)]
    for chroma in (pitches.chroma(), fold(pitches.lowest())):
        beats = _beat_means(chroma, start * FRAME_RATE, 60.0 / bpm * FRAME_RATE, score.beats) + 1e-3
        unit = beats / np.linalg.norm(beats, axis=0)
        for lag in (1, 2, 4):
            far = 1.0 - (unit[:, lag:] * unit[:, :-lag]).sum(axis=0)
            rows.append(float(far.mean()) if far.size else 0.0)
            if lag < 4:
                rows.append(float((far > 0.25).mean()) if far.size else 0.0)
    return np.array(rows)


def entropy(weights: np.ndarray) -> float:
    """Entropy of (12,) weights, not all zero, as a share of its maximum."""
    share = weights[weights > 0] / weights.sum()
    return float(-(share * np.log(share)).sum() / np.log(12))


def _beat_score(pitches: Pitches, bpm: float, start: float) -> Score:
    """The soft piano roll as a score of one note a pitch and beat, its duration the mean probability.

    So the harmony of audio is found by the very function that finds the harmony of scores.
    """
    beats = max(1, int((pitches.probability.shape[1] / FRAME_RATE - start) * bpm / 60.0 + 0.25))
    parts = {}
    for part, rows in (("chords", pitches.probability), ("bass", pitches.lowest())):
        means = _beat_means(rows, start * FRAME_RATE, 60.0 / bpm * FRAME_RATE, beats)
        parts[part] = tuple(
            Note(float(beat), LOWEST_PITCH + int(row), float(means[row, beat]), 64)
            for beat, row in zip(*np.nonzero(means.T > 0.1), strict=True)
        )
    return Score(bpm, "4/4", -(-beats // METRES["4/4"]), parts)


def _beat_means(rows: np.ndarray, start: float, width: float, beats: int) -> np.ndarray:
    """Means of (rows, frames) over ``beats`` spans of ``width`` frames from ``start``, fractions of frames counted."""
    frames = rows.shape[1]
    total = np.concatenate([np.zeros((rows.shape[0], 1)), np.cumsum(rows, axis=1)], axis=1)
    edge = np.clip(start + 0.5 + np.arange(beats + 1) * width, 0, frames)
    at_edge = np.stack([np.interp(edge, np.arange(frames + 1), row) for row in total])
    return np.diff(at_edge, axis=1) / np.maximum(np.diff(edge), 1e-9)
