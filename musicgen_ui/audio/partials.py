"""A note as its partials: frequency, start phase and amplitude over time of each, measured from one isolated note.

The note is demodulated at every partial's frequency (heterodyne analysis, Moorer 1973): a window that is long enough to
tell neighbours apart slides over the knots, and is cut where the sound has not begun, so that attacks stay sharp. What
the partials do not explain is measured as noise in bands. A drum has no harmonics: its partials are the channels of
a bank of evenly spaced filters (a phase vocoder, Portnoff 1976), narrow below 2.5 kHz and wide above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.demodulation import demodulate, noise_levels, refined
from musicgen_ui.audio.waveform import SAMPLE_RATE

FRACTIONS = 4
GRID = np.concatenate([[0.25, 0.5, 0.75, 1.5], np.arange(1, 61)])
"""(K,) multiples of the nominal frequency at which partials are looked for.

The FRACTIONS that come first serve organs and layers an octave or two below; in most instruments they are silent.
"""

PARTIALS = len(GRID)

KNOTS = np.concatenate(
    [
        [0.0, 0.0025, 0.005, 0.0075, 0.010, 0.013, 0.017, 0.022, 0.028, 0.035, 0.043, 0.052, 0.063, 0.076, 0.091],
        np.arange(0.11, 0.5, 0.025),
        np.arange(0.51, 1.5, 0.045),
        np.arange(1.51, 2.45, 0.075),
    ]
).astype(np.float64)
"""(T,) times in seconds since the onset at which a note's envelopes are given; between them they are linear."""

DRUM_SPACING = (40.0, 200.0)
DRUM_GRID = np.concatenate(
    [np.arange(1, 65) * DRUM_SPACING[0], 64 * DRUM_SPACING[0] + np.arange(1, 65) * DRUM_SPACING[1]]
)
"""(K,) frequencies of a drum's channels in Hz."""

DRUM_KNOTS = np.concatenate([[0.0, 0.003, 0.006, 0.009], np.arange(0.0125, 0.5, 0.0125), np.arange(0.525, 1.95, 0.05)])
"""(T,) as KNOTS, for drums: even, since a channel 40 Hz wide turns that fast."""

NOISE_EDGES = np.concatenate([[20.0], np.geomspace(150.0, 20_000.0, 16)])
"""(B + 1,) edges of the noise bands in Hz."""

BANDS = len(NOISE_EDGES) - 1
BEND_LIMIT_CENTS = 80.0

_PERIODS = 3.2
"""Analysis window in periods of the fundamental. A Hann window's first zero lies 4 / length away; less leaks little."""

_SHORTEST, _LONGEST = 0.008, 0.09
_FFT = 2**17


@dataclass(frozen=True)
class Partials:
    """One note. T, K are those of KNOTS and GRID, or of DRUM_KNOTS and DRUM_GRID.

    Attributes:
        ratio: (K,) frequency of each partial over the nominal frequency (a drum's is 1 Hz).
        phase: (K,) phase of its cosine at the onset, radians.
        amplitude: (T, K) at the knots.
        turn: (T, K) phase beyond that of a steady partial, -pi to pi.
        bend: (T,) deviation common to all partials, cents.
        noise: (T, B) root mean square of what is left, by band.
        release: time constant in seconds of the decay after the key is let go.
    """

    ratio: np.ndarray
    phase: np.ndarray
    amplitude: np.ndarray
    turn: np.ndarray
    bend: np.ndarray
    noise: np.ndarray
    release: float


def analyse(
    samples: np.ndarray,
    frequency: float,
    hold: int,
    *,
    released: tuple[np.ndarray, int] | None = None,
    drum: bool = False,
) -> Partials:
    """Measure an isolated note that starts at sample 0.

    Args:
        samples: (n,) float, 44.1 kHz, mono.
        frequency: nominal, in Hz; means nothing for a drum.
        hold: samples until the key is let go; what follows is the release.
        released: the same note let go earlier, and after how many samples. What decays is almost gone after a long
            hold, and its release is better measured here.
        drum: it is a drum, which rings out.
    """
    x = np.ascontiguousarray(samples, dtype=np.float32)
    if drum:
        return _analyse_drum(x)
    held = x[:hold]
    ratio, fractions = _ratios(held, frequency)
    # Fractions lie closer together than multiples.
    window = int(np.clip(_PERIODS * (1 + 2 * fractions.any()) / frequency, _SHORTEST, _LONGEST) * SAMPLE_RATE)
    bend = _bend(held, frequency, ratio[FRACTIONS : FRACTIONS + 8], window)
    cycles = _cycles(bend, frequency)
    ratio, phase = refined(demodulate(held, KNOTS, cycles, ratio, window), KNOTS, cycles, ratio)
    envelope = demodulate(held, KNOTS, cycles, ratio, window)
    envelope[:, :FRACTIONS] *= fractions
    return Partials(
        ratio=ratio.astype(np.float32),
        phase=phase.astype(np.float32),
        amplitude=np.abs(envelope).astype(np.float32),
        turn=np.angle(envelope * np.exp(-1j * phase)).astype(np.float32),
        bend=bend.astype(np.float32),
        noise=noise_levels(held, KNOTS, envelope, cycles, ratio, NOISE_EDGES).astype(np.float32),
        release=release_time(*(released or (x, hold))),
    )


def _analyse_drum(x: np.ndarray) -> Partials:
    # A Hann window of twice the inverse spacing makes the channels' sum the sound itself.
    envelope = np.concatenate(
        [
            demodulate(x, DRUM_KNOTS, DRUM_KNOTS, grid, int(2.0 / spacing * SAMPLE_RATE), bank=True)
            for grid, spacing in zip(np.split(DRUM_GRID, 2), DRUM_SPACING, strict=True)
        ],
        axis=1,
    )
    return Partials(
        ratio=DRUM_GRID.astype(np.float32),
        phase=np.zeros(len(DRUM_GRID), np.float32),
        amplitude=np.abs(envelope).astype(np.float32),
        turn=np.angle(envelope).astype(np.float32),
        bend=np.zeros(len(DRUM_KNOTS), np.float32),
        noise=noise_levels(x, DRUM_KNOTS, envelope, DRUM_KNOTS, DRUM_GRID, NOISE_EDGES).astype(np.float32),
        release=0.05,
    )


def _ratios(x: np.ndarray, frequency: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the strongest peak near each multiple lies, over the nominal frequency, and which fractions exist.

    Returns:
        (K,) ratios, stretched as stiff strings are, and (FRACTIONS,) bool.
    """
    start = min(int(0.03 * SAMPLE_RATE), len(x) // 4)
    part = x[start : start + int(1.4 * SAMPLE_RATE)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), _FFT))
    hertz = SAMPLE_RATE / _FFT
    top = spectrum.max() + 1e-12
    ratios = GRID.copy()
    fit: list[tuple[float, float, float]] = []
    base, slope = 1.0, 0.0
    for place in range(FRACTIONS, PARTIALS):
        k = GRID[place]
        expected = k * base * np.sqrt(1.0 + slope * k * k)
        ratios[place] = expected
        if expected * frequency > 0.47 * SAMPLE_RATE:
            continue
        found, level = _peak(spectrum, expected * frequency / hertz, 0.45 * frequency / hertz)
        if level < 1e-4 * top:
            continue
        ratios[place] = found * hertz / frequency
        if abs(ratios[place] / expected - 1.0) < 0.06 / np.sqrt(k) + 0.004:
            fit.append((k * k, (ratios[place] / k) ** 2, level / top * min(k, 8)))
            base, slope = _stretch(np.asarray(fit))
    fractions = np.zeros(FRACTIONS, dtype=bool)
    for place in range(FRACTIONS):
        found, level = _peak(spectrum, GRID[place] * base * frequency / hertz, 0.1 * frequency / hertz)
        ratios[place] = found * hertz / frequency
        fractions[place] = level > 0.03 * top and abs(ratios[place] - GRID[place]) < 0.03
    return ratios, fractions


def _peak(spectrum: np.ndarray, centre: float, reach: float) -> tuple[float, float]:
    """Place (fractional bin) and height of the strongest peak within ``reach`` bins, nearer ones preferred."""
    low, high = max(1, int(centre - reach)), min(len(spectrum) - 2, int(centre + reach) + 1)
    bins = np.arange(low, high)
    peak = low + int(np.argmax(spectrum[low:high] * np.exp(-0.5 * ((bins - centre) / (0.45 * reach)) ** 2)))
    a, b, c = np.log(spectrum[peak - 1 : peak + 2] + 1e-12)
    curve = a - 2 * b + c
    offset = float(np.clip(0.5 * (a - c) / curve, -0.5, 0.5)) if curve < -1e-9 else 0.0
    return peak + offset, float(spectrum[peak])


def _stretch(fit: np.ndarray) -> tuple[float, float]:
    """Tuning and inharmonicity B of f_k = k f_1 sqrt(1 + B k^2), by weighted least squares over (k^2, s^2, weight)."""
    squares, stretch, weight = fit.T
    if len(fit) < 4:
        return float(np.sqrt(np.average(stretch, weights=weight))), 0.0
    mean_k, mean_s = np.average(squares, weights=weight), np.average(stretch, weights=weight)
    spread = np.average((squares - mean_k) ** 2, weights=weight) + 1e-9
    rise = np.average((squares - mean_k) * (stretch - mean_s), weights=weight) / spread
    rise = float(np.clip(rise, 0.0, 2e-3))
    ground = max(mean_s - rise * mean_k, 0.5)
    return float(np.sqrt(ground)), rise / ground


def _bend(x: np.ndarray, frequency: float, ratio: np.ndarray, window: int) -> np.ndarray:
    """(T,) cents by which the note's pitch leaves its mean, from the phases of its strong low partials."""
    hop = 0.008
    times = np.arange(0.02, min(KNOTS[-1], len(x) / SAMPLE_RATE - 0.02), hop)
    window = max(window, int(0.03 * SAMPLE_RATE))
    ratio = ratio[ratio * frequency < 0.4 * SAMPLE_RATE]
    if not len(ratio) or len(times) < 8:
        return np.zeros(len(KNOTS))
    envelope = demodulate(x, times, times * frequency, ratio, window)
    turn = np.angle(envelope[1:] * np.conj(envelope[:-1])) / (2 * np.pi * hop)
    weight = np.abs(envelope[1:]) * np.abs(envelope[:-1]) + 1e-20
    deviation = np.sum(weight * turn * ratio, axis=1) / np.sum(weight * frequency * ratio**2, axis=1)
    cents = 1200.0 * np.log2(np.clip(1.0 + deviation, 0.9, 1.1))
    cents = np.convolve(np.pad(cents, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    loud = weight.sum(axis=1) > 1e-6 * weight.sum(axis=1).max()
    if loud.sum() < 8:
        return np.zeros(len(KNOTS))
    cents = np.interp(KNOTS, (times[1:] - hop / 2)[loud], cents[loud])
    cents = np.clip(cents - np.average(cents), -BEND_LIMIT_CENTS, BEND_LIMIT_CENTS)
    return cents if cents.std() > 2.0 else np.zeros(len(KNOTS))


def _cycles(bend: np.ndarray, frequency: float) -> np.ndarray:
    """(T,) cycles of the fundamental since the onset at each knot; the bend is linear between knots."""
    speed = frequency * 2.0 ** (bend / 1200.0)
    return np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(KNOTS))])


def release_time(x: np.ndarray, hold: int) -> float:
    """Seconds in which the sound falls by a factor e after the key is let go; 0.004 to 3."""
    frame = 256
    level = np.array([np.mean(x[i : i + frame] ** 2) for i in range(max(0, hold - 8 * frame), len(x) - frame, frame)])
    level = 0.5 * np.log(level + 1e-14)
    start = level[:8].mean()
    tail = level[8:]
    if len(tail) < 3:
        return 0.1
    below = np.flatnonzero(tail < start - 3.5)
    stop = max(3, int(below[0]) + 1 if len(below) else len(tail))
    time = (np.arange(stop) + 0.5) * frame / SAMPLE_RATE
    # The line starts at the level before the release: only its slope is free.
    slope = float(np.sum(time * (tail[:stop] - start)) / np.sum(time * time))
    return float(np.clip(-1.0 / min(slope, -1e-6), 0.004, 3.0))
