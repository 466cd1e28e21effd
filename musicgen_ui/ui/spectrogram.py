"""Three pictures of what a clip's sound is made of: mel spectrogram, chroma, and MFCC. Time across, level in colour."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio.spectral import FLOOR_DB, hz_to_mel, log_mel, magnitudes, mfcc
from musicgen_ui.music.theory import PITCH_NAMES
from musicgen_ui.ui.figure import Figure, columns, figure_html, hop, image_html, scale_html
from musicgen_ui.ui.roll import spelled

N_MELS = 128
TOP_HZ = 12_000
"""Upper edge of the mel spectrogram: above lies little but cymbals, and the notes want the room."""

TICKS_HZ = (100, 500, 1000, 2000, 5000, 10_000)

CHROMA_WINDOW = 8192
"""Samples: long enough to tell the semitones from the second octave upwards."""

CHROMA_HZ = (60.0, 4200.0)
N_MFCC = 12
DEVIATIONS = 2.5
"""Standard deviations of an MFCC from its mean at the ends of its colours."""

MEL_COLOURS, CHROMA_COLOURS, MFCC_COLOURS = "magma", "magma", "RdBu_r"


def mel_levels(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mel spectrogram in dB below its maximum.

    Args:
        samples: (channels, n) audio.
        sample_rate: Hz.

    Returns:
        (bands up to TOP_HZ, columns) float32 in [-80, 0].
    """
    step = hop(samples.shape[1], sample_rate)
    levels = log_mel(samples, sample_rate, hop=step, n_mels=N_MELS)
    return _as_wide(levels[: _bands(sample_rate)], samples, sample_rate)


def chroma_levels(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Strength of each pitch class, (12, columns) in [0, 1], C first; the strongest of a column is 1, silence is 0."""
    step = hop(samples.shape[1], sample_rate)
    power = np.square(magnitudes(samples, n_fft=CHROMA_WINDOW, hop=step))
    classes = _classes(sample_rate) @ power
    top = classes.max(axis=0)
    # Where the clip is 60 dB below its loudest there is no harmony, only the colour of noise.
    quiet = top < 1e-6 * max(float(top.max(initial=0.0)), 1e-12)
    return _as_wide(np.where(quiet, 0.0, np.sqrt(classes / np.maximum(top, 1e-12))), samples, sample_rate)


def mfcc_levels(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """MFCC 1 to 12, (12, columns): how many standard deviations each is from its mean over the clip."""
    step = hop(samples.shape[1], sample_rate)
    rows = mfcc(samples, sample_rate, n_mfcc=N_MFCC + 1, hop=step)[1:]
    spread = np.maximum(rows.std(axis=1, keepdims=True), 1e-6)
    return _as_wide((rows - rows.mean(axis=1, keepdims=True)) / spread, samples, sample_rate)


def mel_figure(samples: np.ndarray, sample_rate: int) -> str:
    """The mel spectrogram as HTML."""
    seconds, height = samples.shape[1] / sample_rate, 168
    top = float(hz_to_mel(sample_rate / 2)) * _bands(sample_rate) / N_MELS
    labels = [(1 - float(hz_to_mel(hz)) / top, _hertz(hz)) for hz in TICKS_HZ if hz < sample_rate / 2]
    says = f"Mel spectrogram of {seconds:.1f} seconds, 0 to {TOP_HZ // 1000} kilohertz, level in decibels"
    picture = image_html(mel_levels(samples, sample_rate) / FLOOR_DB + 1.0, MEL_COLOURS)
    key = scale_html(f"-{FLOOR_DB:.0f} dB", "0 dB", MEL_COLOURS)
    return figure_html(Figure("mel", says, seconds, height, picture, labels, "Hz", key))


def chroma_figure(samples: np.ndarray, sample_rate: int) -> str:
    """The chroma as HTML."""
    seconds, height = samples.shape[1] / sample_rate, 180
    labels = [(1 - (place + 0.5) / 12, spelled(name)) for place, name in enumerate(PITCH_NAMES)]
    says = f"Chroma of {seconds:.1f} seconds: how strong each of the twelve pitches is"
    picture = image_html(chroma_levels(samples, sample_rate), CHROMA_COLOURS)
    key = scale_html("silent", "strongest", CHROMA_COLOURS)
    return figure_html(Figure("chroma", says, seconds, height, picture, labels, "", key))


def mfcc_figure(samples: np.ndarray, sample_rate: int) -> str:
    """The MFCC as HTML."""
    seconds, height = samples.shape[1] / sample_rate, 168
    labels = [(1 - (number - 0.5) / N_MFCC, str(number)) for number in range(1, N_MFCC + 1)]
    says = f"MFCC of {seconds:.1f} seconds: the colour of the sound in {N_MFCC} numbers"
    picture = image_html(mfcc_levels(samples, sample_rate) / (2 * DEVIATIONS) + 0.5, MFCC_COLOURS)
    key = scale_html(f"-{DEVIATIONS:g} σ", f"+{DEVIATIONS:g} σ", MFCC_COLOURS)
    return figure_html(Figure("mfcc", says, seconds, height, picture, labels, "", key))


def _bands(sample_rate: int) -> int:
    """Number of mel bands up to TOP_HZ; band centres are evenly spaced in mel up to half the sample rate."""
    return min(N_MELS, round(N_MELS * float(hz_to_mel(TOP_HZ) / hz_to_mel(sample_rate / 2))))


def _classes(sample_rate: int) -> np.ndarray:
    """(12, bins): how much of each bin belongs to each pitch class; the nearer to its pitch, the more."""
    hertz = np.arange(CHROMA_WINDOW // 2 + 1) * sample_rate / CHROMA_WINDOW
    heard = (hertz >= CHROMA_HZ[0]) & (hertz <= CHROMA_HZ[1])
    pitch = 69 + 12 * np.log2(np.maximum(hertz, 1.0) / 440.0)
    apart = (pitch[None, :] - np.arange(12)[:, None] + 6) % 12 - 6
    return (np.exp(-0.5 * np.square(apart / 0.35)) * heard).astype(np.float32)


def _as_wide(levels: np.ndarray, samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """As many columns as the picture has: the frame after the last sample is left out."""
    return levels[:, : columns(samples.shape[1], sample_rate)]


def _hertz(hertz: int) -> str:
    return f"{hertz // 1000}k" if hertz >= 1000 else str(hertz)
