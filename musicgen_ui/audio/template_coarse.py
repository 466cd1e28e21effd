"""The coarse side of a template: harmony and tune as a chroma frame every 0.84 seconds, a signed byte a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import convolve1d

from musicgen_ui.audio.template import Template
from musicgen_ui.audio.tonality import FRAME_RATE
from musicgen_ui.audio.tune import held

STEP = 9
"""Frames of a template for one coarse frame."""

COARSE_RATE = FRAME_RATE / STEP
COARSE_FRAMES = 10
"""Frames of a fragment that the coarse search looks at: 8.4 seconds."""

_WINDOW = np.hanning(17)[1:-1] / np.hanning(17).sum()


def coarse_frames(template: Template) -> np.ndarray:
    """(n, 24): twelve columns of the harmony, twelve of the tune, each frame without its mean and of length 1."""
    tune = held(template.melody)
    chroma = np.zeros_like(template.harmony)
    sounds = np.flatnonzero(tune > 0)
    chroma[np.rint(tune[sounds]).astype(int) % 12, sounds] = 1.0
    return np.concatenate([unit_frames(thinned(x)) for x in (template.harmony, chroma)], axis=1)


def thinned(rows: np.ndarray) -> np.ndarray:
    """(rows, frames) smoothed, every STEP-th frame."""
    return convolve1d(rows, _WINDOW, axis=1, mode="constant")[:, STEP // 2 :: STEP]


def unit_frames(chroma: np.ndarray) -> np.ndarray:
    """(12, n) chroma, not negative → (n, 12): each frame without its mean and of length 1; zeros stay zeros."""
    centred = chroma - chroma.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return np.where(length > 1e-3, centred / np.maximum(length, 1e-9), 0.0).T.astype(np.float32)


def coarse_bytes(template: Template) -> bytes:
    """24 bytes a frame."""
    return np.rint(coarse_frames(template) * 127.0).astype(np.int8).tobytes()


def coarse_table(clips: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of :func:`coarse_bytes` for many clips at once.

    Returns:
        (frames of all, 24) float32 and (clips,) the frame after the last of each.
    """
    table = np.frombuffer(bytearray().join(clips), dtype=np.int8).reshape(-1, 24)
    ends = np.cumsum([len(data) // 24 for data in clips], dtype=np.int64)
    return table.astype(np.float32) / 127.0, ends
