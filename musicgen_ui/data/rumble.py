"""What lies below hearing."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE

RUMBLE_HZ = (8.0, 22.0)
"""All below the first is taken away, all above the second is kept."""


def without_rumble(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 without what lies below hearing, of zero phase.

    Samples of some instruments stand beside zero, by half of their energy: nobody hears it, every distance measures it.
    """
    size = 1 << (len(samples) + SAMPLE_RATE // 4 - 1).bit_length()
    frequency = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    low, high = RUMBLE_HZ
    rise = np.clip((frequency - low) / (high - low), 0.0, 1.0)
    return np.fft.irfft(np.fft.rfft(samples, size) * np.sin(0.5 * np.pi * rise) ** 2, size)[: len(samples)].astype(
        np.float32
    )
