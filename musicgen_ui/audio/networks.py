"""The Listener's small fitted networks: arrays in one file, evaluated with numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

LISTENER_WEIGHTS = Path(__file__).with_name("listener.npz")
"""Written by ``training.fit_listener``; plain arrays, no pickle."""


@dataclass(frozen=True)
class FeatureNetwork:
    """One hidden layer of rectified units beside a linear path, over standardised features.

    Attributes:
        mean, scale: (features,) standardisation.
        hidden: (features, units); bias: (units,).
        out: (units, outputs); linear: (features, outputs); out_bias: (outputs,).
    """

    mean: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    linear: np.ndarray
    out_bias: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(..., features) to (..., outputs)."""
        x = (features - self.mean) / self.scale
        return np.maximum(x @ self.hidden + self.bias, 0.0) @ self.out + x @ self.linear + self.out_bias


def save_networks(path: Path, networks: Mapping[str, FeatureNetwork]) -> None:
    """Writes networks under names of one word each; equal networks give equal bytes."""
    arrays = {
        f"{name}.{field.name}": getattr(network, field.name).astype(np.float32)
        for name, network in sorted(networks.items())
        for field in fields(FeatureNetwork)
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)


@lru_cache(maxsize=2)
def load_networks(path: Path = LISTENER_WEIGHTS) -> dict[str, FeatureNetwork]:
    """Reads what :func:`save_networks` wrote.

    Raises:
        OSError, ValueError, KeyError: the file is missing or damaged.
    """
    with np.load(path, allow_pickle=False) as file:
        names = sorted({key.partition(".")[0] for key in file.files})
        return {
            name: FeatureNetwork(**{field.name: file[f"{name}.{field.name}"] for field in fields(FeatureNetwork)})
            for name in names
        }


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def softmax(x: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
