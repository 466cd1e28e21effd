"""Loops: joining the end of a sound to its beginning, and measuring whether the join can be told from the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

WINDOW_SECONDS = 0.05
"""What is compared on either side of a place in the clip."""

QUANTILE = 0.99
"""Of the inner steps, what the step at the join is measured against."""

_BANDS = np.geomspace(60.0, 14_000.0, 17)
_FLOOR = 1e-9


def closed(samples: np.ndarray, begin: int, length: int, overlap: int, guard: int = 0) -> np.ndarray:
    """One turn of a loop, cut out of a sound that goes on before it.

    What lies just before the turn leads into its beginning without a seam; so the turn's last samples are faded over
    into it.

    Args:
        samples: (..., n) with n at least ``begin + length - guard``.
        begin: where the turn starts.
        length: samples of a turn.
        overlap: samples over which the end becomes what lies before the beginning.
        guard: samples at the very end that are taken from before the beginning alone.

    Returns:
        (..., length).
    """
    turn = np.zeros((*samples.shape[:-1], length), dtype=samples.dtype)
    piece = samples[..., begin : begin + length]
    turn[..., : piece.shape[-1]] = piece
    guard = min(guard, begin, length)
    overlap = min(overlap, begin - guard, length - guard)
    reach = overlap + guard
    if reach:
        rise = np.ones(reach, dtype=samples.dtype)
        rise[:overlap] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap) + 0.5) / max(overlap, 1))
        turn[..., length - reach :] *= 1 - rise
        turn[..., length - reach :] += rise * samples[..., begin - reach : begin]
    return turn


@dataclass(frozen=True)
class Seam:
    """How a loop's join compares with the inside of the clip.

    Attributes:
        step_db: the step from the last sample to the first against the 99th percentile of the steps inside, in dB;
            at most 0 where it does not click.
        level_jump: change of level across the join, in dB.
        level_percentile: share of the clip's beats across which the level changes less, 0 to 1.
        spectral_jump: mean change of the third-octave spectrum across the join, its level aside, in dB.
        spectral_percentile: share of the clip's beats across which the spectrum changes less, 0 to 1.
    """

    step_db: float
    level_jump: float
    level_percentile: float
    spectral_jump: float
    spectral_percentile: float

    @property
    def hidden(self) -> bool:
        """No step, and no change that the clip's own beats do not show."""
        return self.step_db <= 0 and self.level_percentile <= 0.95 and self.spectral_percentile <= 0.95

    def to_dict(self) -> dict[str, float | bool]:
        """Plain JSON value."""
        return {name: round(value, 4) for name, value in asdict(self).items()} | {"hidden": self.hidden}


def seam(samples: np.ndarray, sample_rate: int, beats: int) -> Seam:
    """Measures the join of a loop, as it is heard when the clip is played round and round.

    Args:
        samples: (channels, n).
        sample_rate: in Hz.
        beats: of the clip, evenly spaced; the join lies on the first.
    """
    samples = np.atleast_2d(samples)
    n = samples.shape[-1]
    steps = np.abs(np.diff(samples, axis=-1)).max(axis=0)
    step = float(np.abs(samples[:, 0] - samples[:, -1]).max())
    usual = float(np.quantile(steps, QUANTILE)) if len(steps) else 0.0
    step_db = 20 * np.log10((step + _FLOOR) / (usual + _FLOOR))
    size = max(1, min(round(WINDOW_SECONDS * sample_rate), n // max(1, 2 * beats)))
    places = np.round(np.arange(beats) * n / beats).astype(int)
    level, spectrum = np.array([_jump(samples, place, size, sample_rate) for place in places]).T
    inner = slice(1, None)
    return Seam(
        float(step_db),
        float(level[0]),
        float(np.mean(level[inner] < level[0])) if beats > 1 else 0.0,
        float(spectrum[0]),
        float(np.mean(spectrum[inner] < spectrum[0])) if beats > 1 else 0.0,
    )


def _jump(samples: np.ndarray, place: int, size: int, sample_rate: int) -> tuple[float, float]:
    """Changes of level and of spectrum from the window before a place to the one after it, in dB."""
    before, after = (
        _bands(samples.take(np.arange(start, start + size), axis=-1, mode="wrap"), sample_rate)
        for start in (place - size, place)
    )
    levels = [10 * np.log10(bands.sum() + _FLOOR) for bands in (before, after)]
    shapes = [10 * np.log10(bands / (bands.sum() + _FLOOR) + 1e-4) for bands in (before, after)]
    return float(abs(levels[1] - levels[0])), float(np.abs(shapes[1] - shapes[0]).mean())


def _bands(window: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean power of a window (channels, size) in each band."""
    size = window.shape[-1]
    power = (np.abs(np.fft.rfft(window * np.hanning(size + 2)[1:-1], axis=-1)) ** 2).sum(axis=0) / size**2
    index = np.digitize(np.fft.rfftfreq(size, 1 / sample_rate), _BANDS)
    return np.bincount(index, weights=power, minlength=len(_BANDS) + 1)
