"""A clip that is heard while it is made: pieces of sound, each as soon as it can be had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Piece:
    """Some of a clip's sound.

    Attributes:
        begin: its first sample within the clip, at 44.1 kHz; never after the end of what came before.
        samples: (2, n) float32; they take the place of what came before from ``begin`` on.
        last: whether the clip ends with it.
    """

    begin: int
    samples: np.ndarray
    last: bool = False
