"""The oscillator bank: sums of partials whose complex amplitudes are linear between knots, compiled with numba.

Phases are exact at the start of every block of samples and advance by a rotation inside, so that a note does not
drift, and so that a stem may be rendered in pieces: any piece equals the same samples of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE

BLOCK, GLIDE_BLOCK = 256, 128
"""Samples between exact phases, where the pitch stands still and where it moves."""

GLIDE = 8
"""Samples for which a moving pitch is taken for still: at both ends the phase is where it should be."""

NOISE_LENGTH = 2**18
"""Samples after which the noise repeats: six seconds."""

SILENT = 1e-5
"""A partial that stays below this between two knots is left out (-100 dB of full scale)."""

SILENT_NOISE = 3e-5
"""The same for a band of noise (-90 dB), which nobody picks out of the partials around it."""


@dataclass(frozen=True)
class Voices:
    """V notes, ready to sound. T knots, K partials, B noise bands.

    Attributes:
        start: (V,) int64, sample at which the note begins.
        position: (V, T) float64, samples since the start, not falling.
        cycles: (V, T) float64, turns of the nominal frequency since the start.
        speed: (V, T) float64, turns a sample; linear between knots, and ``cycles`` its integral.
        ratio: (V, K) float32, frequency of each partial over the nominal.
        real, imaginary: (V, T, K) float32: a partial is real * cos - imaginary * sin of its turning.
        noise: (V, T, B) float32, root mean square of each band.
    """

    start: np.ndarray
    position: np.ndarray
    cycles: np.ndarray
    speed: np.ndarray
    ratio: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray
    noise: np.ndarray

    def arrays(self) -> tuple[np.ndarray, ...]:
        """The fields in order, contiguous, as the kernels take them."""
        return tuple(np.ascontiguousarray(value) for value in vars(self).values())


def noise_bands(edges: np.ndarray, length: int = NOISE_LENGTH) -> np.ndarray:
    """(B, length) float32 noise of root mean square 1 in each band between ``edges`` (Hz); always the same."""
    rng = np.random.default_rng(1)
    frequencies = np.fft.rfftfreq(length, 1.0 / SAMPLE_RATE)
    bands = np.empty((len(edges) - 1, length), dtype=np.float32)
    for b, (low, high) in enumerate(pairwise(edges)):
        inside = (frequencies >= low) & (frequencies < high)
        spectrum = np.where(inside, np.exp(2j * np.pi * rng.random(len(frequencies))), 0.0)
        band = np.fft.irfft(spectrum, length)
        bands[b] = band / np.sqrt(np.mean(band**2))
    return bands


def render(voices: Voices, bands: np.ndarray, first: int, length: int) -> np.ndarray:
    """Samples ``first`` to ``first + length`` of the sum of the voices, (length,) float32.

    Args:
        voices: the notes.
        bands: (B, n) from :func:`noise_bands`.
        first: may lie anywhere; voices that begin earlier are already sounding.
        length: samples.
    """
    out = np.zeros(length, dtype=np.float32)
    _render(*voices.arrays(), bands, first, out)
    return out


def adjoint(voices: Voices, bands: np.ndarray, first: int, grad: np.ndarray) -> tuple[np.ndarray, ...]:
    """Gradients of ``sum(grad * render(...))`` with respect to ``real``, ``imaginary`` and ``noise``."""
    grads = tuple(np.zeros_like(value) for value in (voices.real, voices.imaginary, voices.noise))
    _adjoint(*voices.arrays(), bands, first, np.ascontiguousarray(grad, dtype=np.float32), *grads)
    return grads


@numba.njit(cache=True, fastmath=True, nogil=True)
def _turn(ratio, cycles, speed, rise, offset, size, places, cosine, sine, turn_c, turn_s):
    """Phases at ``offset`` samples into a segment, and the rotation of a sample over the next ``size``."""
    turned = cycles + offset * (speed + 0.5 * rise * offset)
    step = speed + rise * (offset + 0.5 * size)
    for q in range(places.shape[0]):
        r = ratio[places[q]]
        angle = r * turned
        angle = 2.0 * np.pi * (angle - np.floor(angle))
        cosine[q], sine[q] = np.cos(angle), np.sin(angle)
        angle = 2.0 * np.pi * r * step
        turn_c[q], turn_s[q] = np.cos(angle), np.sin(angle)


@numba.njit(cache=True, fastmath=True, nogil=True)
def _bend(ratio, change, places, bend_c, bend_s):
    """By what the rotation of a sample turns on when the speed changes by ``change``."""
    for q in range(places.shape[0]):
        angle = 2.0 * np.pi * ratio[places[q]] * change
        bend_c[q], bend_s[q] = np.cos(angle), np.sin(angle)


@numba.njit(cache=True, fastmath=True, nogil=True)
def _quicken(count, turn_c, turn_s, bend_c, bend_s):
    for q in range(count):
        c, s = turn_c[q], turn_s[q]
        turn_c[q] = c * bend_c[q] - s * bend_s[q]
        turn_s[q] = s * bend_c[q] + c * bend_s[q]


@numba.njit(cache=True, fastmath=True, nogil=True)
def _audible(ratio, fastest, real, imaginary, v, j, places):
    """Writes the partials that sound between knots j and j + 1; returns how many."""
    count = 0
    for k in range(ratio.shape[0]):
        loudest = max(
            max(abs(real[v, j, k]), abs(imaginary[v, j, k])), max(abs(real[v, j + 1, k]), abs(imaginary[v, j + 1, k]))
        )
        if loudest > SILENT and ratio[k] * fastest < 0.5:
            places[count] = k
            count += 1
    return count


@numba.njit(cache=True, fastmath=True, nogil=True)
def _render(start, position, cycles, speed, ratio, real, imaginary, noise, bands, first, out):
    size = ratio.shape[1]
    places = np.empty(size, np.int64)
    cosine, sine = np.empty(size, np.float32), np.empty(size, np.float32)
    turn_c, turn_s = np.empty(size, np.float32), np.empty(size, np.float32)
    bend_c, bend_s = np.empty(size, np.float32), np.empty(size, np.float32)
    re, im = np.empty(size, np.float32), np.empty(size, np.float32)
    d_re, d_im = np.empty(size, np.float32), np.empty(size, np.float32)
    last = first + out.shape[0]
    for v in range(start.shape[0]):
        for j in range(position.shape[1] - 1):
            begin, end = start[v] + position[v, j], start[v] + position[v, j + 1]
            low, high = max(first, int(np.ceil(begin))), min(last, int(np.ceil(end)))
            if low >= high:
                continue
            span = end - begin
            rise = (speed[v, j + 1] - speed[v, j]) / span
            count = _audible(ratio[v], max(speed[v, j], speed[v, j + 1]), real, imaginary, v, j, places)
            for q in range(count):
                k = places[q]
                d_re[q] = (real[v, j + 1, k] - real[v, j, k]) / span
                d_im[q] = (imaginary[v, j + 1, k] - imaginary[v, j, k]) / span
            i = low
            block, piece = (GLIDE_BLOCK, GLIDE) if abs(rise) > 1e-12 else (BLOCK, BLOCK)
            used = places[:count]
            _bend(ratio[v], rise * piece, used, bend_c, bend_s)
            while count and i < high:
                offset = i - begin
                # Blocks lie on a grid of the segment's own, wherever the rendering begins. Sums are rounded: none may
                # stop where it starts.
                place = np.floor(offset / block) * block
                stop = min(high, max(i + 1, int(np.ceil(begin + place + block))))
                until = min(i, int(np.ceil(begin + place)))
                until += (i - until) // piece * piece
                ahead, middle = i - until, until - begin
                _turn(ratio[v], cycles[v, j], speed[v, j], rise, middle, piece, used, cosine, sine, turn_c, turn_s)
                angle = 2.0 * np.pi * ahead * (speed[v, j] + rise * (middle + 0.5 * piece))
                for q in range(count):
                    k = places[q]
                    if ahead > 0:
                        c, s = np.cos(ratio[v, k] * angle), np.sin(ratio[v, k] * angle)
                        x, y = cosine[q], sine[q]
                        cosine[q], sine[q] = x * c - y * s, y * c + x * s
                    re[q] = real[v, j, k] + d_re[q] * offset
                    im[q] = imaginary[v, j, k] + d_im[q] * offset
                while i < stop:
                    until = min(stop, until + piece)
                    for n in range(i, until):
                        total = np.float32(0.0)
                        for q in range(count):
                            c, s = cosine[q], sine[q]
                            total += re[q] * c - im[q] * s
                            cosine[q] = c * turn_c[q] - s * turn_s[q]
                            sine[q] = s * turn_c[q] + c * turn_s[q]
                            re[q] += d_re[q]
                            im[q] += d_im[q]
                        out[n - first] += total
                    _quicken(count, turn_c, turn_s, bend_c, bend_s)
                    i = until
            for b in range(noise.shape[2]):
                left, right = noise[v, j, b], noise[v, j + 1, b]
                if max(left, right) <= SILENT_NOISE:
                    continue
                slope = np.float32((right - left) / span)
                n = low
                while n < high:
                    # Up to where the noise begins again: a plain run of samples, which the compiler vectorises.
                    place = n & (NOISE_LENGTH - 1)
                    run = min(high - n, NOISE_LENGTH - place)
                    level = np.float32(left + slope * np.float32(n - begin))
                    for m in range(run):
                        out[n - first + m] += (level + slope * np.float32(m)) * bands[b, place + m]
                    n += run


@numba.njit(cache=True, fastmath=True, nogil=True)
def _adjoint(
    start, position, cycles, speed, ratio, real, imaginary, noise, bands, first, grad, g_real, g_imaginary, g_noise
):
    size = ratio.shape[1]
    places = np.empty(size, np.int64)
    cosine, sine = np.empty(size, np.float32), np.empty(size, np.float32)
    turn_c, turn_s = np.empty(size, np.float32), np.empty(size, np.float32)
    bend_c, bend_s = np.empty(size, np.float32), np.empty(size, np.float32)
    left_c, left_s = np.empty(size, np.float32), np.empty(size, np.float32)
    right_c, right_s = np.empty(size, np.float32), np.empty(size, np.float32)
    last = first + grad.shape[0]
    for v in range(start.shape[0]):
        for j in range(position.shape[1] - 1):
            begin, end = start[v] + position[v, j], start[v] + position[v, j + 1]
            low, high = max(first, int(np.ceil(begin))), min(last, int(np.ceil(end)))
            if low >= high:
                continue
            span = end - begin
            rise = (speed[v, j + 1] - speed[v, j]) / span
            fastest = max(speed[v, j], speed[v, j + 1])
            count = 0
            # Unlike in the render, a partial that is silent now may have to become louder.
            for k in range(size):
                if ratio[v, k] * fastest < 0.5:
                    places[count] = k
                    count += 1
            left_c[:count], left_s[:count], right_c[:count], right_s[:count] = 0.0, 0.0, 0.0, 0.0
            i = low
            block, piece = (GLIDE_BLOCK, GLIDE) if abs(rise) > 1e-12 else (BLOCK, BLOCK)
            used = places[:count]
            _bend(ratio[v], rise * piece, used, bend_c, bend_s)
            while i < high:
                offset = i - begin
                stop = min(high, i + block)
                _turn(ratio[v], cycles[v, j], speed[v, j], rise, offset, piece, used, cosine, sine, turn_c, turn_s)
                while i < stop:
                    until = min(stop, i + piece)
                    for n in range(i, until):
                        right = np.float32((n - begin) / span) * grad[n - first]
                        left = grad[n - first] - right
                        for q in range(count):
                            c, s = cosine[q], sine[q]
                            left_c[q] += left * c
                            left_s[q] -= left * s
                            right_c[q] += right * c
                            right_s[q] -= right * s
                            cosine[q] = c * turn_c[q] - s * turn_s[q]
                            sine[q] = s * turn_c[q] + c * turn_s[q]
                    _quicken(count, turn_c, turn_s, bend_c, bend_s)
                    i = until
            for q in range(count):
                k = places[q]
                g_real[v, j, k] += left_c[q]
                g_imaginary[v, j, k] += left_s[q]
                g_real[v, j + 1, k] += right_c[q]
                g_imaginary[v, j + 1, k] += right_s[q]
            for b in range(noise.shape[2]):
                total, right = np.float32(0.0), np.float32(0.0)
                n = low
                while n < high:
                    place = n & (NOISE_LENGTH - 1)
                    run = min(high - n, NOISE_LENGTH - place)
                    share, step = np.float32((n - begin) / span), np.float32(1.0 / span)
                    for m in range(run):
                        value = grad[n - first + m] * bands[b, place + m]
                        total += value
                        right += (share + step * np.float32(m)) * value
                    n += run
                g_noise[v, j, b] += total - right
                g_noise[v, j + 1, b] += right
