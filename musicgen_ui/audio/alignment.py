"""Where in a longer line a shorter one fits best: sub-sequence dynamic time warping (Müller 2015, chapter 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = np.array([[1, 1], [1, 2], [2, 1]])
"""Frames of the fragment and of the clip that one step of a path goes on: from half to double tempo."""

_WEIGHTS = np.array([1.0, 1.0, 2.0])  # so that every frame of the fragment costs once


@dataclass(frozen=True)
class Alignment:
    """A path of a fragment through a clip.

    Attributes:
        cost: mean cost of the fragment's frames along it.
        path: (steps, 2) frame of the fragment and of the clip, in order of time.
    """

    cost: float
    path: np.ndarray

    @property
    def begin(self) -> int:
        """First frame of the clip that the path meets."""
        return int(self.path[0, 1])

    @property
    def end(self) -> int:
        """The clip's frame after the last."""
        return int(self.path[-1, 1]) + 1

    def covered(self, frames: int) -> float:
        """Share of a fragment of so many frames that the path goes through; 1 but where the clip is the shorter one."""
        return float(self.path[-1, 0] - self.path[0, 0] + 1) / frames

    def mean(self, values: np.ndarray) -> float:
        """Mean of a (fragment frames, clip frames) matrix along the path."""
        return float(values[self.path[:, 0], self.path[:, 1]].mean())


def align(cost: np.ndarray) -> Alignment:
    """The cheapest path of a whole fragment through any part of a clip.

    A fragment longer than the clip is met by the whole clip instead, in any part of the fragment.

    Args:
        cost: (fragment frames, clip frames), not negative, neither empty.
    """
    import librosa

    longer = cost.shape[0] > cost.shape[1]
    shorter_first = np.ascontiguousarray(cost.T if longer else cost, dtype=np.float64)
    total, path = librosa.sequence.dtw(
        C=shorter_first, subseq=True, step_sizes_sigma=STEPS, weights_mul=_WEIGHTS, backtrack=True
    )
    path = path[::-1, ::-1] if longer else path[::-1]
    return Alignment(float(total[-1].min()) / len(shorter_first), path)
