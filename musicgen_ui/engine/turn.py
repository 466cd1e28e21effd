"""One turn of a loop as the mixer needs it: with what comes before and after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.effects import varispeed
from musicgen_ui.audio.waveform import SAMPLE_RATE, resample

SETTLING_SECONDS = 4.0
"""A loop is mixed from so long before its beginning: rooms, compressor and limiter have settled when it begins."""

AHEAD_SECONDS = 0.05
"""And so far past its end, for filters that look ahead."""


@dataclass(frozen=True)
class Turn:
    """One turn of a loop, or a whole clip that is none.

    Attributes:
        length: samples.
        before: samples of its end that are put in front.
        after: samples of its beginning that are put behind.
    """

    length: int
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, length: int, *, loop: bool) -> Turn:
        if not loop or not length:
            return cls(length)
        settling = round(SETTLING_SECONDS * SAMPLE_RATE)
        # Whole turns of a short loop: their loudness is the loop's own.
        before = -(-settling // length) * length if length < 3 * settling else settling
        return cls(length, before, round(AHEAD_SECONDS * SAMPLE_RATE))

    @property
    def loops(self) -> bool:
        return self.before > 0

    def unrolled(self, samples: np.ndarray) -> np.ndarray:
        """Samples (..., length) with what comes before and after."""
        if not self.loops:
            return samples
        return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(self.before, self.after)], mode="wrap")

    def at_speed(self, samples: np.ndarray, speed: float) -> tuple[np.ndarray, Turn]:
        """Unrolled samples as a tape at another speed gives them; a turn keeps a whole number of samples."""
        if not self.loops or speed == 1:
            return varispeed(samples, speed), self
        length = round(self.length / speed)
        faster = resample(samples, self.length, length)
        return faster, Turn(length, round(self.before * length / self.length), self.after)

    def rate(self, hertz: float) -> float:
        """The rate nearest to ``hertz`` that comes round with the loop."""
        seconds = self.length / SAMPLE_RATE
        return max(1, round(hertz * seconds)) / seconds if self.loops else hertz
