"""A room: early reflections and an exponentially decaying stereo tail, convolved."""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

from musicgen_ui.audio.pauses import pause

RT60_RANGE = (0.2, 2.5)
"""Reverberation time (fall by 60 dB, in seconds) of the smallest and the largest room."""

_SEED = 60
"""The rooms are the same in every clip."""

# Upper edge of each band in Hz, and its decay time as a share of the room's: air and walls eat the treble first.
_BANDS = ((400.0, 1.0), (3000.0, 1.0), (7000.0, 0.7), (np.inf, 0.45))

_LOW_CUT = 180.0


def reverberation_time(space: float) -> float:
    """RT60 in seconds of a room, 0.2 to 2.5 in equal ratios over ``space`` 0-1."""
    low, high = RT60_RANGE
    return low * (high / low) ** space


def wet_gain(space: float) -> float:
    """Level of the reverberation against the dry sound, as an amplitude: 0 at ``space`` 0, -4.4 dB at 1."""
    return 0.6 * space**0.8


def impulse_response(sample_rate: int, space: float) -> np.ndarray:
    """Impulse response of a room without its direct sound.

    Args:
        sample_rate: in Hz.
        space: 0 (smallest) to 1 (largest room).

    Returns:
        (2, m) float32; each channel has unit energy, so it neither raises nor lowers noise. The channels share no
        noise, which is what makes the room wide.
    """
    rng = np.random.default_rng(_SEED)
    rt60 = reverberation_time(space)
    first = round((0.004 + 0.016 * space) * sample_rate)
    length = first + round(rt60 * sample_rate)
    time = np.arange(length - first) / sample_rate
    spectrum = fft.rfft(rng.standard_normal((2, len(time))), axis=-1)
    frequencies = fft.rfftfreq(len(time), 1 / sample_rate)
    tail = np.zeros((2, length))
    edge = 0.0
    for upper, share in _BANDS:
        band = (frequencies >= edge) & (frequencies < upper)
        tail[:, first:] += fft.irfft(spectrum * band, len(time)) * 10 ** (-3 * time / (rt60 * share))
        edge = upper
    # The diffuse tail sets in while the walls' first answers arrive, each on its own side.
    tail[:, first:] *= 1 - np.exp(-time / (0.005 + 0.02 * space))
    reach = 0.015 + 0.055 * space
    for channel in range(2):
        arrivals = first + np.sort(rng.uniform(0, reach, 7) * sample_rate).astype(int)
        strength = 0.8 ** np.arange(7) * rng.choice([-1, 1], 7)
        np.add.at(tail[channel], np.minimum(arrivals, length - 1), strength * 6 * np.abs(tail[channel]).max())
    tail = signal.sosfilt(signal.butter(2, _LOW_CUT, "highpass", fs=sample_rate, output="sos"), tail, axis=-1)
    return (tail / np.linalg.norm(tail, axis=-1, keepdims=True)).astype(np.float32)


def room(samples: np.ndarray, sample_rate: int, space: float) -> np.ndarray:
    """What a room adds to a sound: to be added to the dry samples.

    Args:
        samples: (2, n).
        sample_rate: in Hz.
        space: 0 (nothing, exactly) to 1.

    Returns:
        (2, n) float32; what rings on after the end is cut.
    """
    if space == 0 or not samples.any():
        return np.zeros_like(samples)
    response = impulse_response(sample_rate, space) * np.float32(wet_gain(space))
    n = samples.shape[-1]
    size = fft.next_fast_len(n + response.shape[-1] - 1, real=True)
    added = np.empty_like(samples)
    for channel in range(2):
        pause()
        spectrum = fft.rfft(samples[channel], size)
        pause()
        spectrum *= fft.rfft(response[channel], size)
        pause()
        added[channel] = fft.irfft(spectrum, size)[:n]
    return added
