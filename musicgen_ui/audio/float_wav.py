"""WAV files of 32 bit floats: samples kept to the last bit, written and read as fast as the disk."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_FLOAT = 3
_HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
"""RIFF, fmt of 18 bytes, fact (which formats other than PCM must have), and the head of the samples."""


def float_wav_bytes(samples: np.ndarray, rate: int) -> bytes:
    """A whole WAV file.

    Args:
        samples: (channels, n) float32; values beyond [-1, 1] stay.
        rate: in Hz.

    Raises:
        ValueError: samples of another shape, not finite, or too many for a WAV file (4 GiB).
    """
    if samples.ndim != 2 or samples.dtype != np.float32 or not np.isfinite(samples).all():
        raise ValueError("samples must be (channels, n) float32 and finite")
    channels, n = samples.shape
    size = 4 * samples.size
    if size + _HEADER.size >= 2**32:
        raise ValueError("too many samples for a WAV file")
    head = _HEADER.pack(
        b"RIFF", _HEADER.size - 8 + size, b"WAVE",
        b"fmt ", 18, _FLOAT, channels, rate, 4 * channels * rate, 4 * channels, 32, 0,
        b"fact", 4, n,
        b"data", size,
    )  # fmt: skip
    return head + samples.T.astype("<f4").tobytes()


def read_float_wav(path: Path) -> np.ndarray:
    """The samples (channels, n) of a file that :func:`float_wav_bytes` made.

    Raises:
        OSError: it cannot be read.
        ValueError: it is another file, or was cut.
    """
    data = path.read_bytes()
    if len(data) < _HEADER.size:
        raise ValueError(f"{path.name} was cut")
    head = _HEADER.unpack_from(data)
    channels, size = head[6], head[-1]
    if (head[0], head[2], head[5]) != (b"RIFF", b"WAVE", _FLOAT) or not channels:
        raise ValueError(f"{path.name} holds no floats")
    if size != len(data) - _HEADER.size or size % (4 * channels):
        raise ValueError(f"{path.name} was cut")
    samples = np.frombuffer(data, "<f4", offset=_HEADER.size).reshape(-1, channels).T
    return np.array(samples, dtype=np.float32, order="C")
