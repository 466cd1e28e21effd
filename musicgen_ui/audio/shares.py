"""A sound together with what each of several parts has in it, so that the parts always add up to the sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import uniform_filter1d

Effect = Callable[[np.ndarray], np.ndarray]

_WINDOW = 441
"""Samples over which a distortion's gain and the parts' loudness are taken, twice: about 15 ms together."""

_FLOOR = 1e-12


@dataclass
class Shared:
    """A sound and its parts.

    Attributes:
        total: (channels, n) float32.
        parts: name to (channels, n) float32 that add up to it; empty where nobody asks for them, which costs nothing.
    """

    total: np.ndarray
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)

    def filtered(self, effect: Effect) -> Shared:
        """After an effect that is linear, or a gain that was found beforehand: each part goes through it by itself."""
        return Shared(effect(self.total), {name: effect(part) for name, part in self.parts.items()})

    def distorted(self, effect: Effect) -> Shared:
        """After an effect that bends the wave.

        What it does is taken apart into a gain that moves slowly, which all parts get, and what it adds: overtones and
        what parts do to each other. That is shared out by how loud each part is at the time.
        """
        out = effect(self.total)
        if not self.parts or np.array_equal(out, self.total):
            return Shared(out, dict(self.parts))
        gain = (_power(out * self.total) / (_power(self.total**2) + _FLOOR)).astype(np.float32)
        added = out - gain * self.total
        powers = {name: _power(part**2) + _FLOOR for name, part in self.parts.items()}
        whole = sum(powers.values())
        return Shared(
            out,
            {
                name: gain * part + (powers[name] / whole).astype(np.float32) * added
                for name, part in self.parts.items()
            },
        )


def _power(product: np.ndarray) -> np.ndarray:
    """Mean over the channels and over a short time of (channels, n), as (n,) float64."""
    mean = product.mean(axis=0, dtype=np.float64)
    for _ in range(2):
        mean = uniform_filter1d(mean, _WINDOW, mode="nearest")
    return mean
