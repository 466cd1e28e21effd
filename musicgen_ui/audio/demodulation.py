"""Heterodyne analysis: the complex amplitude of each partial around given times, and what the partials leave over."""

from __future__ import annotations

import numba
import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE


@numba.njit(cache=True, fastmath=True)
def _correlate(x, centres, cycles, speed, ratio, window, least, out):
    count = ratio.shape[0]
    half = window // 2
    hann = (0.5 + 0.5 * np.cos(np.pi * np.arange(-half, half) / half)).astype(np.float32)
    cosine, sine = np.empty(count, np.float32), np.empty(count, np.float32)
    turn_c, turn_s = np.empty(count, np.float32), np.empty(count, np.float32)
    sum_c, sum_s = np.empty(count, np.float32), np.empty(count, np.float32)
    for j in range(centres.shape[0]):
        centre = centres[j]
        first, last = max(0, centre - half), min(x.shape[0], centre + half)
        total = np.float32(0.0)
        for k in range(count):
            step = 2.0 * np.pi * ratio[k] * speed[j] / SAMPLE_RATE
            start = 2.0 * np.pi * ratio[k] * cycles[j] + step * (first - centre)
            cosine[k], sine[k] = np.cos(start), np.sin(start)
            turn_c[k], turn_s[k] = np.cos(step), np.sin(step)
            sum_c[k], sum_s[k] = np.float32(0.0), np.float32(0.0)
        for i in range(first, last):
            weight = hann[i - centre + half]
            total += weight
            value = weight * x[i]
            for k in range(count):
                c, s = cosine[k], sine[k]
                sum_c[k] += value * c
                sum_s[k] -= value * s
                cosine[k] = c * turn_c[k] - s * turn_s[k]
                sine[k] = s * turn_c[k] + c * turn_s[k]
        for k in range(count):
            scale = 2.0 / max(total, least) if total > 0 else 0.0
            out[j, k] = scale * (sum_c[k] + 1j * sum_s[k])


def demodulate(
    x: np.ndarray, times: np.ndarray, cycles: np.ndarray, ratio: np.ndarray, window: int, *, bank: bool = False
) -> np.ndarray:
    """(len(times), K) complex amplitude of each partial around each time; 0 above the Nyquist frequency.

    Args:
        x: (n,) samples.
        times: seconds.
        cycles: turns of the nominal frequency by then.
        ratio: (K,) frequency of each partial over the nominal.
        window: samples of the Hann window.
        bank: a window that the sound does not fill, as at its onset, counts as a whole one: what sums to the sound are
            channels of one and the same height. A partial's level is a mean over that part which is filled.
    """
    centres = np.round(times * SAMPLE_RATE).astype(np.int64)
    speed = np.gradient(cycles, times)
    out = np.zeros((len(times), len(ratio)), dtype=np.complex128)
    _correlate(x, centres, cycles, speed, ratio, window, 0.5 * window if bank else 0.0, out)
    out[:, ratio * speed.max() > 0.49 * SAMPLE_RATE] = 0.0
    return out


def refined(
    envelope: np.ndarray, knots: np.ndarray, cycles: np.ndarray, ratio: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ratios and start phases, (K,) each, that fit the turning of complex amplitudes (T, K) best, by their energy."""
    early = knots < 0.8
    weight = np.abs(envelope[early]) ** 2 * np.gradient(knots[early])[:, None] + 1e-24
    angle = np.unwrap(np.angle(envelope[early]), axis=0)
    turns = cycles[early, None]
    mean_t = np.sum(weight * turns, axis=0) / weight.sum(axis=0)
    mean_a = np.sum(weight * angle, axis=0) / weight.sum(axis=0)
    spread = np.sum(weight * (turns - mean_t) ** 2, axis=0)
    slope = np.sum(weight * (turns - mean_t) * (angle - mean_a), axis=0) / (spread + 1e-24)
    change = np.clip(slope / (2 * np.pi), -0.02, 0.02)
    phase = mean_a - 2 * np.pi * change * mean_t
    return ratio + change, np.mod(phase, 2 * np.pi)


def noise_levels(
    x: np.ndarray, knots: np.ndarray, envelope: np.ndarray, cycles: np.ndarray, ratio: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """(T, B) root mean square of the samples less their partials, in the bands between ``edges`` (Hz)."""
    length = min(len(x), int(knots[-1] * SAMPLE_RATE))
    real, imaginary = envelope.real.astype(np.float32), envelope.imag.astype(np.float32)
    residual = x[:length] - _sum(length, knots * SAMPLE_RATE, cycles, ratio, real, imaginary)
    width = 1024
    window = np.hanning(width)
    frequencies = np.fft.rfftfreq(width, 1.0 / SAMPLE_RATE)
    band = np.searchsorted(edges, frequencies) - 1
    out = np.zeros((len(knots), len(edges) - 1))
    missing = int(knots[-1] * SAMPLE_RATE) - length
    padded = np.concatenate([np.zeros(width // 2), residual, np.zeros(width + missing)])
    for j, time in enumerate(knots):
        start = int(time * SAMPLE_RATE)
        # Before the onset there is nothing: the window's later half stands for the whole.
        used = window * (np.arange(width) >= width // 2 - start)
        power = np.abs(np.fft.rfft(padded[start : start + width] * used)) ** 2 / (np.sum(used**2) * width / 2)
        for b in range(len(edges) - 1):
            out[j, b] = np.sqrt(power[band == b].sum())
    return out


@numba.njit(cache=True, fastmath=True)
def _sum(length, positions, cycles, ratio, real, imaginary):
    count = ratio.shape[0]
    out = np.zeros(length, np.float32)
    cosine, sine = np.empty(count, np.float32), np.empty(count, np.float32)
    turn_c, turn_s = np.empty(count, np.float32), np.empty(count, np.float32)
    for j in range(positions.shape[0] - 1):
        first, last = int(np.ceil(positions[j])), min(length, int(np.ceil(positions[j + 1])))
        span = positions[j + 1] - positions[j]
        turns = (cycles[j + 1] - cycles[j]) / span
        for k in range(count):
            step = 2.0 * np.pi * ratio[k] * turns
            start = 2.0 * np.pi * ratio[k] * cycles[j] + step * (first - positions[j])
            cosine[k], sine[k] = np.cos(start), np.sin(start)
            turn_c[k], turn_s[k] = np.cos(step), np.sin(step)
        for i in range(first, last):
            share = np.float32((i - positions[j]) / span)
            total = np.float32(0.0)
            for k in range(count):
                c, s = cosine[k], sine[k]
                a = real[j, k] + share * (real[j + 1, k] - real[j, k])
                b = imaginary[j, k] + share * (imaginary[j + 1, k] - imaginary[j, k])
                total += a * c - b * s
                cosine[k] = c * turn_c[k] - s * turn_s[k]
                sine[k] = s * turn_c[k] + c * turn_s[k]
            out[i] = total
    return out
