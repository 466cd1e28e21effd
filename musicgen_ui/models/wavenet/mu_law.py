"""The 8-bit code of the raw-audio WaveNet: mu-law (ITU-T G.711) of a pre-emphasised signal.

Pre-emphasis makes the quantisation noise follow the music's own slope (Valin and Skoglund 2019, LPCNet).
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

CLASSES = 256

SILENCE = CLASSES // 2
"""The class of zero."""

EMPHASIS = 0.85


def encode(signal: np.ndarray) -> np.ndarray:
    """Classes 0-255 (uint8) of samples in [-1, 1], of any shape; what lies outside is clipped."""
    mu = CLASSES - 1.0
    clipped = np.clip(np.asarray(signal, dtype=np.float64), -1.0, 1.0)
    compressed = np.sign(clipped) * np.log1p(mu * np.abs(clipped)) / np.log1p(mu)
    return np.floor((compressed + 1.0) / 2.0 * mu + 0.5).astype(np.uint8)


def decode(classes: np.ndarray) -> np.ndarray:
    """Samples (float32) in [-1, 1] of classes 0-255, of any shape."""
    mu = CLASSES - 1.0
    compressed = np.asarray(classes, dtype=np.float64) / mu * 2.0 - 1.0
    return (np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(mu)) / mu).astype(np.float32)


def pre_emphasis(samples: np.ndarray) -> np.ndarray:
    """y[t] = s[t] - EMPHASIS s[t - 1] along the last axis, float32."""
    return lfilter([1.0, -EMPHASIS], [1.0], np.asarray(samples, dtype=np.float64), axis=-1).astype(np.float32)


def de_emphasis(signal: np.ndarray, state: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of :func:`pre_emphasis`, for a stream in pieces.

    Args:
        signal: (..., n).
        state: (..., 1) what the piece before left; None at the start.

    Returns:
        samples (..., n) float32, and the state for the next piece.
    """
    signal = np.asarray(signal, dtype=np.float64)
    state = np.zeros((*signal.shape[:-1], 1)) if state is None else state
    samples, state = lfilter([1.0], [1.0, -EMPHASIS], signal, axis=-1, zi=state)
    return samples.astype(np.float32), state
