"""Longer and longer versions of one clip as a single sound: each goes on where the one before it ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.synthesize import bent

CHUNK = 2 * SAMPLE_RATE
"""Samples of a piece at most: what arrives can be played before all has arrived."""

OVERLAP = round(0.06 * SAMPLE_RATE)
"""Held back of every version but the last, so that the next one can be faded in."""

COMPARED = round(1.0 * SAMPLE_RATE)
"""Before a join both versions are compared in level for so long."""

RAMP = round(4.0 * SAMPLE_RATE)
"""In which the level of what follows a join returns to its own."""

MOST_GAIN = 4.0
_SILENT = 1e-4

Out = Callable[[int, np.ndarray, bool], None]
"""``out(begin, samples (2, n), last)``; every piece begins where the one before it ended."""


class Joined:
    """Hands out versions of a clip as the pieces of one sound.

    The clip's first bars are mixed by themselves before the rest is known, so that their level is a little off. At a
    join the longer version begins at the level that is sounding, and returns to its own slowly.

    Args:
        out: hears the pieces.

    Attributes:
        sent: samples that were handed out.
    """

    def __init__(self, out: Out) -> None:
        self._out = out
        self.sent = 0
        self._past = np.zeros((2, 0), dtype=np.float32)
        self._held = np.zeros((2, 0), dtype=np.float32)

    @property
    def reaches(self) -> int:
        """Samples of the longest version so far."""
        return self.sent + self._held.shape[1]

    def version(self, samples: np.ndarray, *, last: bool = False) -> None:
        """A version of the clip from its beginning on; one that is no longer than the others says nothing.

        Args:
            samples: (2, n) float32.
            last: this is the finished clip.
        """
        if samples.shape[1] <= self.reaches and not last:
            return
        fresh = samples[:, self.sent :].copy()
        if self.sent:
            fresh = self._levelled(samples, fresh)
            overlap = min(self._held.shape[1], fresh.shape[1])
            share = np.linspace(0.0, 1.0, overlap + 2, dtype=np.float32)[1:-1]
            fresh[:, :overlap] = (1.0 - share) * self._held[:, :overlap] + share * fresh[:, :overlap]
        keep = 0 if last else min(OVERLAP, fresh.shape[1])
        ready, self._held = np.split(fresh, [fresh.shape[1] - keep], axis=1)
        self._past = np.concatenate([self._past, ready], axis=1)[:, -COMPARED:]
        for begin in range(0, ready.shape[1], CHUNK):
            piece = ready[:, begin : begin + CHUNK]
            at, self.sent = self.sent, self.sent + piece.shape[1]
            self._out(at, piece, last and begin + CHUNK >= ready.shape[1])

    def _levelled(self, samples: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        """What follows the join, from the level that sounds there to its own."""
        sounding = np.concatenate([self._past, self._held], axis=1)[:, -COMPARED:]
        end = min(self.reaches, samples.shape[1])
        same = samples[:, max(0, self.reaches - sounding.shape[1]) : end]
        loud, new = (
            float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if x.size else 0.0 for x in (sounding, same)
        )
        if min(loud, new) < _SILENT:
            return fresh
        gain = float(np.clip(loud / new, 1.0 / MOST_GAIN, MOST_GAIN))
        length = min(RAMP, fresh.shape[1])
        back = 0.5 + 0.5 * np.cos(np.pi * np.arange(length) / length)
        fresh[:, :length] = bent(fresh[:, :length] * np.float32(gain) ** back.astype(np.float32))
        return fresh
