"""Loops: joining the end of a sound to its beginning, and measuring whether the join can be told from the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

WINDOW_SECONDS = 0.05
"""What is compared on either side of a place in the clip."""

REACH_SECONDS = 0.04
"""How far from its beat a note may be played."""

QUANTILE = 0.99
"""Of the inner steps, what the step at the join is measured against."""

EXCESS_DB = 3.0
"""A change that is greater than any other in the clip by no more than this does not stand out."""

_BANDS = np.geomspace(60.0, 14_000.0, 17)
_FLOOR = 1e-9
_OFFSETS = 9


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
        level_jump: change of level at the join, in dB.
        level_excess: how much greater that is than the greatest at any other beat, in dB.
        level_percentile: share of the other beats at which the level changes less, 0 to 1.
        spectral_jump: mean change of the spectrum at the join, its level aside, in dB.
        spectral_excess: how much greater that is than the greatest at any other beat, in dB.
        spectral_percentile: share of the other beats at which the spectrum changes less, 0 to 1.
    """

    step_db: float
    level_jump: float
    level_excess: float
    level_percentile: float
    spectral_jump: float
    spectral_excess: float
    spectral_percentile: float

    @property
    def hidden(self) -> bool:
        """No click, and no change beyond those that the clip's other beats show."""
        return self.step_db <= 0 and max(self.level_excess, self.spectral_excess) <= EXCESS_DB

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
    steps = np.abs(np.diff(samples, axis=-1)).max(axis=0)
    step = float(np.abs(samples[:, 0] - samples[:, -1]).max())
    usual = float(np.quantile(steps, QUANTILE)) if len(steps) else 0.0
    step_db = 20 * np.log10((step + _FLOOR) / (usual + _FLOOR))
    compared = (
        (float(jumps[0]), float(jumps[0] - jumps[1:].max()) if beats > 1 else 0.0, share_below(jumps, 0))
        for jumps in beat_jumps(samples, sample_rate, beats).T
    )
    return Seam(float(step_db), *next(compared), *next(compared))


def beat_jumps(samples: np.ndarray, sample_rate: int, beats: int) -> np.ndarray:
    """(beats, 2) changes of level and of spectrum at every beat of a loop, in dB; the first is its join.

    Music is played a little before or behind the beat: a beat's change is the greatest within REACH_SECONDS of it.

    Args:
        samples: (channels, n).
        sample_rate: in Hz.
        beats: of the clip, evenly spaced.
    """
    n = samples.shape[-1]
    room = n // max(1, 2 * beats)
    size = max(1, min(round(WINDOW_SECONDS * sample_rate), room))
    reach = min(round(REACH_SECONDS * sample_rate), room // 2)
    offsets = np.unique(np.linspace(-reach, reach, _OFFSETS).astype(int))
    around = np.concatenate([samples[:, -2 * room :], samples, samples[:, : 2 * room]], axis=-1).astype(np.float64)
    energy = np.concatenate([[0.0], np.cumsum((around**2).sum(axis=0))])
    places = 2 * room + np.round(np.arange(beats) * n / beats).astype(int)
    at = places[:, None] + offsets
    before, after = energy[at] - energy[at - size], energy[at + size] - energy[at]
    levels = np.abs(10 * np.log10((after + _FLOOR) / (before + _FLOOR)))
    best = levels.argmax(axis=1)
    spectra = [_spectral_jump(around, int(row[k]), size, sample_rate) for row, k in zip(at, best, strict=True)]
    return np.stack([levels.max(axis=1), spectra], axis=1)


def share_below(jumps: np.ndarray, beat: int) -> float:
    """Share of the other beats whose jump is smaller than that of ``beat``, 0 to 1; 0 where there is no other."""
    others = np.delete(jumps, beat)
    return float(np.mean(others < jumps[beat])) if len(others) else 0.0


def _spectral_jump(samples: np.ndarray, place: int, size: int, sample_rate: int) -> float:
    """Change of the spectrum from the window before a place to the one after it, their levels aside, in dB."""
    shapes = []
    for start in (place - size, place):
        bands = _bands(samples[:, start : start + size], sample_rate)
        shapes.append(10 * np.log10(bands / (bands.sum() + _FLOOR) + 1e-4))
    return float(np.abs(shapes[1] - shapes[0]).mean())


def _bands(window: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean power of a window (channels, size) in each band."""
    size = window.shape[-1]
    power = (np.abs(np.fft.rfft(window * np.hanning(size + 2)[1:-1], axis=-1)) ** 2).sum(axis=0) / size**2
    index = np.digitize(np.fft.rfftfreq(size, 1 / sample_rate), _BANDS)
    return np.bincount(index, weights=power, minlength=len(_BANDS) + 1)
