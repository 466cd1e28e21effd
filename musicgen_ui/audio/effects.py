"""Mixer effects: pure functions from samples to samples.

Arrays are float32, shape (..., n) with time last; every function returns a new array and leaves its input alone.
An effect that is turned off (amount 0, speed 1, brightness 0.5) returns its input bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.waveform import resample

_BLOCK = 1 << 19
"""Samples that an oversampled effect handles at a time: bounds its memory, and fits caches better."""


def vibrato(samples: np.ndarray, sample_rate: int, depth_cents: float, rate_hz: float = 5.5) -> np.ndarray:
    """Pitch wobble by a modulated delay line: y(t) = x(t - d(t)), whose pitch ratio is 1 - d'(t).

    With d'(t) = -a sin(2πrt) and a = 2**(depth/1200) - 1 the pitch rises by exactly ``depth_cents`` at the top. The
    delay is read with Catmull-Rom cubics.

    Args:
        samples: (..., n).
        sample_rate: in Hz.
        depth_cents: peak deviation, 0-200.
        rate_hz: wobbles a second.

    Returns:
        The same shape. Nothing sounds early; the delay stays below a / (πr), 1.7 ms at 50 cents and 5.5 Hz.
    """
    if depth_cents == 0:
        return samples.copy()
    omega = 2 * np.pi * rate_hz / sample_rate
    ratio = 2 ** (depth_cents / 1200) - 1
    # 1 + cos keeps the delay positive; it starts at its longest, where the pitch is true.
    reach = 2 * ratio / omega
    front, n = int(np.ceil(reach)) + 2, samples.shape[-1]
    padded = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(front, 2)])
    result = np.empty_like(samples)
    for start in range(0, n, _BLOCK):
        pause()
        time = np.arange(start, min(start + _BLOCK, n))
        position = time + front - ratio / omega * (1 + np.cos(omega * time))
        index = np.floor(position).astype(np.int64)
        x = (position - index).astype(np.float32)
        before, here, after, later = (padded[..., index + k] for k in (-1, 0, 1, 2))
        slope = 0.5 * (after - before)
        square = before - 2.5 * here + 2 * after - 0.5 * later
        cube = 0.5 * (later - before) + 1.5 * (here - after)
        result[..., start : start + len(time)] = ((cube * x + square) * x + slope) * x + here
    return result


def noise(shape: tuple[int, ...], sample_rate: int, level_db: float, rng: np.random.Generator) -> np.ndarray:
    """Tape hiss with sparse record crackle, to be added to music.

    Args:
        shape: (..., n), independent in each channel.
        sample_rate: in Hz.
        level_db: root mean square of the whole, in dB below full scale.
        rng: where it comes from; the same state gives the same noise.

    Returns:
        ``shape`` float32.
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    hiss = signal.lfilter(np.float32([1, -0.7]), np.float32([1]), white, axis=-1)
    pause()
    hiss /= max(float(np.sqrt(np.mean(hiss**2, dtype=np.float64))), 1e-9)
    count = rng.poisson(_CRACKLES * hiss.size / sample_rate)
    # Six to twenty-four dB above the hiss: heard as ticks, and too few to change its level much.
    heights = rng.choice([-1, 1], count) * 10 ** rng.uniform(0.3, 1.2, count)
    tick = np.exp(-np.arange(48) / (0.0002 * sample_rate))
    places = rng.integers(0, hiss.size, count)[:, None] + np.arange(len(tick))
    mixed = hiss.reshape(-1)
    np.add.at(mixed, np.minimum(places, mixed.size - 1), heights[:, None] * tick)
    mixed = mixed.reshape(shape)
    return mixed * np.float32(10 ** (level_db / 20) / np.sqrt(np.mean(mixed**2, dtype=np.float64)))


_CRACKLES = 4.0
"""Ticks a second in each channel."""


def varispeed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Tape speed: tempo and pitch move together by the factor ``speed``.

    Returns:
        (..., round(n / speed)) float32.
    """
    return resample(samples, speed, 1.0)


def drive(samples: np.ndarray, amount: float) -> np.ndarray:
    """Warm distortion: a slightly lopsided tanh, four times oversampled, at the loudness of the input.

    How hard the curve is driven is counted from the level that the signal exceeds one hundredth of the time, so the
    effect does not depend on the input's gain: drive(k x) = k drive(x).

    Args:
        samples: (..., n).
        amount: 0 (none) to 1 (18 dB into the curve).

    Returns:
        The same shape and root mean square, without DC.
    """
    level = float(np.quantile(np.abs(samples[..., ::8]), 0.99)) if samples.size else 0.0
    if amount == 0 or level < 1e-7:
        return samples.copy()
    gain, bias = np.float32(0.25 * 32**amount / level), np.float32(0.2 * amount)

    def shape(block: np.ndarray) -> np.ndarray:
        return resample(np.tanh(resample(block, 1, 4) * gain + bias), 4, 1)

    driven = in_blocks(samples, shape, overlap=512)
    driven -= driven.mean(axis=-1, keepdims=True)
    before, after = (float(np.sqrt(np.mean(x**2, dtype=np.float64))) for x in (samples, driven))
    return driven * np.float32(before / max(after, 1e-12))


def in_blocks(samples: np.ndarray, function: Callable[[np.ndarray], np.ndarray], overlap: int) -> np.ndarray:
    """Apply a length-keeping function piece by piece.

    Args:
        samples: (..., n).
        function: maps (..., m) to (..., m), each output sample depending on its surroundings.
        overlap: how many samples on either side it may depend on.
    """
    n = samples.shape[-1]
    pieces = []
    for start in range(0, n, _BLOCK):
        pause()
        low, high = max(0, start - overlap), min(n, start + _BLOCK + overlap)
        pieces.append(function(samples[..., low:high])[..., start - low : min(start + _BLOCK, n) - low])
    return np.concatenate(pieces, axis=-1) if pieces else samples.copy()


TILT_DB_PER_OCTAVE = 3.0
"""Slope at the ends of the brightness slider."""

_TILT_PIVOT, _TILT_LOW, _TILT_HIGH = 1000.0, 80.0, 12_000.0
_TILT_TAPS = 1023


def tilt_response(hertz: np.ndarray, brightness: float) -> np.ndarray:
    """Amplitude factor of :func:`tilt` at each frequency."""
    octaves = np.log2(np.clip(hertz, _TILT_LOW, _TILT_HIGH) / _TILT_PIVOT)
    return 10 ** ((brightness - 0.5) * 2 * TILT_DB_PER_OCTAVE * octaves / 20)


def tilt(samples: np.ndarray, sample_rate: int, brightness: float) -> np.ndarray:
    """Tilt equaliser around 1 kHz: a straight line in dB over log frequency, level below 80 Hz and above 12 kHz.

    A symmetric filter: no phase shift and no delay.

    Args:
        samples: (..., n).
        sample_rate: in Hz.
        brightness: 0 (-3 dB an octave) to 1 (+3 dB an octave); 0.5 is neutral.
    """
    if brightness == 0.5:
        return samples.copy()
    response = np.fft.fftshift(np.fft.irfft(tilt_response(np.fft.rfftfreq(8192, 1 / sample_rate), brightness)))
    middle, half = len(response) // 2, _TILT_TAPS // 2
    taps = response[middle - half : middle + half + 1] * np.hanning(_TILT_TAPS + 2)[1:-1]
    taps = taps.astype(np.float32)
    result = np.empty_like(samples)
    for index in np.ndindex(samples.shape[:-1]):
        pause()
        result[index] = signal.oaconvolve(samples[index], taps, mode="same")
    return result


def pan(samples: np.ndarray, position: float) -> np.ndarray:
    """Constant-power pan: left² + right² is the same everywhere.

    Args:
        samples: (n,) mono.
        position: -1 (left) to 1 (right).

    Returns:
        (2, n); in the middle each side has -3 dB.
    """
    pause()
    angle = (position + 1) * np.pi / 4
    return np.float32([[np.cos(angle)], [np.sin(angle)]]) * samples


_WIDTH_TAPS = ((0.0031, 1), (0.0053, -1), (0.0079, 1), (0.0113, -1))
"""Seconds and signs of the echoes that make the side signal: too early to be heard as echoes."""


def widen(samples: np.ndarray, sample_rate: int, width: float) -> np.ndarray:
    """Mono to stereo by a side signal of early echoes above 250 Hz (Lauridsen's pseudo-stereo).

    The sides cancel in mono: left + right is the input again, times a constant.

    Args:
        samples: (n,) mono.
        sample_rate: in Hz.
        width: 0 (mono) to 1 (sides as loud as the middle).

    Returns:
        (2, n), of the power of :func:`pan` in the middle.
    """
    side = np.zeros_like(samples)
    for seconds, sign in _WIDTH_TAPS:
        pause()
        delay = round(seconds * sample_rate)
        side[delay:] += np.float32(sign * 0.5) * samples[: len(samples) - delay]
    side = high_pass(side, sample_rate, 250.0) * np.float32(width)
    pause()
    return np.stack([samples + side, samples - side]) * np.float32(1 / np.sqrt(2 * (1 + width**2)))


def high_pass(samples: np.ndarray, sample_rate: int, cutoff_hz: float = 25.0) -> np.ndarray:
    """Butterworth high-pass of second order: takes out DC and what no loudspeaker plays."""
    sections = signal.butter(2, cutoff_hz, "highpass", fs=sample_rate, output="sos")
    result = np.empty(samples.shape, dtype=np.float32)
    # One channel at a time: the filter works in double precision, and a long clip would need it for all at once.
    for index in np.ndindex(samples.shape[:-1]):
        pause()
        result[index] = signal.sosfilt(sections, samples[index]) if samples.shape[-1] else 0.0
    return result


def fade(samples: np.ndarray, sample_rate: int, seconds_in: float, seconds_out: float) -> np.ndarray:
    """Raised-cosine fades: the first and the last sample are exactly zero."""
    n = samples.shape[-1]
    faded = samples.copy()
    fade_in, fade_out = (min(n, max(1, round(seconds * sample_rate))) for seconds in (seconds_in, seconds_out))
    faded[..., :fade_in] *= _rise(fade_in)
    faded[..., n - fade_out :] *= _rise(fade_out)[::-1]
    return faded


def _rise(n: int) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)).astype(np.float32)
