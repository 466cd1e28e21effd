"""What is kept of a clip to find it again: harmony, colour, attacks and melody, eleven times a second, 280 bytes each.

Harmony is a chroma of normalised, smoothed frames (after CENS, Müller, Kurth & Clausen 2005) that follows the tuning;
overtones are explained by the tones below them first, and noise and drums taken off, so that it changes little with the
instruments.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft
from scipy.ndimage import convolve1d

from musicgen_ui.audio.spectral import magnitudes, mel_filters, mono, onset_flux
from musicgen_ui.audio.tonality import FRAME_RATE, HOP, LOWEST_PITCH, SAMPLE_RATE, activations, fold
from musicgen_ui.audio.waveform import resample

COLOURS = 12
"""MFCC 1 to 12: what is left of a spectrum without its level and its pitches."""

MAX_SECONDS = 600.0

_ITERATIONS = 10
_MELS = 40
_COLOUR_FFT = 2048
_COLOUR_STEP = 1.0  # decibels a step of the stored coefficients
_FLUX_HOP = 128
_NOTHING = 1e-3  # strength of what is no sound at all
_FAINT, _SILENT = 0.02, 0.05  # of a loud note
_MAGIC = b"MT1\0"
_HEAD = struct.Struct("<4sI")
_SMOOTHING = np.array([0.25, 0.5, 0.25], dtype=np.float32)


@dataclass(frozen=True)
class Template:
    """Frames of a clip, FRAME_RATE a second.

    Attributes:
        harmony: (12, frames) chroma from C in [0, 1], the strongest of a frame is 1; zeros where nothing sounds.
        colour: (COLOURS, frames) MFCC in decibels.
        attacks: (frames,) onset strength in [0, 1].
        melody: (frames,) MIDI pitch of the tune, 0 where there is none.
    """

    harmony: np.ndarray
    colour: np.ndarray
    attacks: np.ndarray
    melody: np.ndarray

    @property
    def frames(self) -> int:
        return len(self.attacks)

    @property
    def seconds(self) -> float:
        return self.frames / FRAME_RATE

    def part(self, begin: float, end: float) -> Template:
        """The frames from ``begin`` to ``end`` seconds, at least one."""
        first = min(max(0, round(begin * FRAME_RATE)), self.frames - 1)
        last = max(first + 1, round(end * FRAME_RATE))
        return Template(*(x[..., first:last] for x in (self.harmony, self.colour, self.attacks, self.melody)))

    def with_melody(self, melody: np.ndarray) -> Template:
        """The same clip with another tune; (frames,) MIDI pitches."""
        if len(melody) != self.frames:
            raise ValueError(f"{self.frames} pitches are needed, not {len(melody)}")
        return replace(self, melody=np.asarray(melody, dtype=np.float32))


def template(samples: np.ndarray, sample_rate: int) -> Template:
    """The template of a recording, its melody the strongest tune that stands out.

    Args:
        samples: (n,) or (channels, n) float in [-1, 1]; what comes after MAX_SECONDS is left out.
        sample_rate: in Hz.
    """
    whole = mono(samples)[: round(MAX_SECONDS * sample_rate)]
    low = resample(whole, sample_rate, SAMPLE_RATE)
    strength, _ = activations(low, iterations=_ITERATIONS)
    return Template(harmony_of(strength), _colour(low), _attacks(low), salient_melody(strength))


def harmony_of(strength: np.ndarray) -> np.ndarray:
    """(12, frames) chroma of the strengths of pitches (``audio.tonality.activations``), loudest of a frame 1."""
    relative = strength / (np.percentile(strength.max(axis=0), 90) + _NOTHING)
    smooth = convolve1d(fold(np.maximum(relative - _FAINT, 0.0)), _SMOOTHING, axis=1, mode="nearest")
    peak = smooth.max(axis=0)
    return np.where(peak > _SILENT, smooth / np.maximum(peak, 1e-9), 0.0).astype(np.float32)


def salient_melody(strength: np.ndarray, *, lowest: int = 55) -> np.ndarray:
    """(frames,) MIDI pitch of the strongest pitch from ``lowest`` on, 0 where it does not stand out."""
    high = strength[lowest - LOWEST_PITCH :]
    loud = high.max(axis=0)
    stands_out = loud > 0.15 * (np.percentile(loud, 90) + _NOTHING)
    return np.where(stands_out, lowest + high.argmax(axis=0), 0).astype(np.float32)


def _colour(samples: np.ndarray) -> np.ndarray:
    """(COLOURS, frames) MFCC."""
    power = mel_filters(SAMPLE_RATE, _COLOUR_FFT, _MELS) @ np.square(magnitudes(samples, n_fft=_COLOUR_FFT, hop=HOP))
    decibels = 10.0 * np.log10(np.maximum(power, 1e-8 * max(float(power.max(initial=0.0)), 1e-9)))
    return scipy.fft.dct(decibels, axis=0, type=2, norm="ortho")[1 : 1 + COLOURS].astype(np.float32)


def _attacks(samples: np.ndarray) -> np.ndarray:
    """(frames,) the strongest onset about each frame."""
    flux = onset_flux(samples, SAMPLE_RATE, n_fft=512, hop=_FLUX_HOP).sum(axis=0)
    per_frame = HOP // _FLUX_HOP
    frames = 1 + len(samples) // HOP
    padded = np.pad(flux, (per_frame // 2, per_frame * frames))[: per_frame * frames]
    strongest = padded.reshape(frames, per_frame).max(axis=1)
    return np.minimum(strongest / (np.percentile(strongest, 98) + 1e-9), 1.0).astype(np.float32)


def to_bytes(value: Template) -> bytes:
    """26 bytes a frame: harmony in 255 steps, colour in decibels, attacks in 255 steps, melody in semitones."""
    columns = (
        np.rint(value.harmony * 255.0).astype(np.uint8),
        np.clip(np.rint(value.colour / _COLOUR_STEP), -127, 127).astype(np.int8).view(np.uint8),
        np.rint(value.attacks * 255.0).astype(np.uint8),
        np.rint(np.clip(value.melody, 0, 127)).astype(np.uint8),
    )
    return _HEAD.pack(_MAGIC, value.frames) + b"".join(np.ascontiguousarray(c).tobytes() for c in columns)


def from_bytes(data: bytes) -> Template:
    """Inverse of :func:`to_bytes`, up to rounding.

    Raises:
        ValueError: the bytes are of another release, or damaged.
    """
    if len(data) < _HEAD.size or data[:4] != _MAGIC:
        raise ValueError("this is no template of this release")
    frames = _HEAD.unpack_from(data)[1]
    rows = 12 + COLOURS + 2
    if len(data) != _HEAD.size + rows * frames or not frames:
        raise ValueError("the template is damaged")
    table = np.frombuffer(data, dtype=np.uint8, offset=_HEAD.size).reshape(rows, frames)
    colour = table[12 : 12 + COLOURS].view(np.int8)
    return Template(
        table[:12].astype(np.float32) / 255.0,
        colour.astype(np.float32) * _COLOUR_STEP,
        table[-2].astype(np.float32) / 255.0,
        table[-1].astype(np.float32),
    )
