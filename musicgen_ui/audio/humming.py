"""The tune of a voice: what somebody hums, sings or whistles, as a line of pitches at the rate of templates."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.tonality import HOP, SAMPLE_RATE
from musicgen_ui.audio.waveform import resample

LOWEST_HZ, HIGHEST_HZ = 65.0, 1200.0
"""From a low man's voice to a whistle's lower octave."""

_WINDOW = 1024
_FINE_HOP = HOP // 2
_STEADY = 5  # fine frames, 0.23 s: longer than a period of vibrato
_QUIET = 0.05  # of the loud frames' level
_GLIDE = 2.0  # semitones between neighbouring fine frames, beyond which it is no held note


def hummed_melody(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """The pitch that a voice holds in each frame (probabilistic YIN, Mauch & Dixon 2014), vibrato smoothed.

    Args:
        samples: (n,) or (channels, n) float in [-1, 1].
        sample_rate: in Hz.

    Returns:
        (1 + n * 11025 // sample_rate // HOP,) MIDI pitches with cents, 0 where no voice is heard; FRAME_RATE a second.
    """
    import librosa

    low = resample(mono(samples), sample_rate, SAMPLE_RATE)
    if len(low) < _WINDOW:
        low = np.pad(low, (0, _WINDOW - len(low)))
    hertz, voiced, _ = librosa.pyin(
        low,
        fmin=LOWEST_HZ,
        fmax=HIGHEST_HZ,
        sr=SAMPLE_RATE,
        frame_length=_WINDOW,
        hop_length=_FINE_HOP,
        resolution=0.25,
        fill_na=1.0,
    )
    pitch = librosa.hz_to_midi(hertz)
    level = librosa.feature.rms(y=low, frame_length=_WINDOW, hop_length=_FINE_HOP)[0][: len(pitch)]
    steady = median_filter(pitch, _STEADY, mode="nearest")
    sounds = voiced & (level > _QUIET * np.percentile(level, 90)) & (np.abs(steady - pitch) < _GLIDE)
    return np.where(sounds, steady, 0.0).astype(np.float32)[::2]
