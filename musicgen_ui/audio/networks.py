"""The Listener's small fitted networks: arrays in one file, evaluated with numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from musicgen_ui.errors import RequestError

LISTENER_WEIGHTS = Path(__file__).resolve().parents[2] / "checkpoints" / "listener.safetensors"
"""Written by ``train listener``; beside the other models, and in their manifest."""


FURTHEST = 8.0
"""Standard deviations."""


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
        """(..., features) to (..., outputs). What lies further from all examples than FURTHEST counts as that far."""
        x = np.clip((features - self.mean) / self.scale, -FURTHEST, FURTHEST)
        return np.maximum(x @ self.hidden + self.bias, 0.0) @ self.out + x @ self.linear + self.out_bias


def save_networks(path: Path, networks: Mapping[str, FeatureNetwork], card: Mapping[str, Any] | None = None) -> None:
    """Writes networks in half precision, under names of one word each, with their card; equal ones give equal bytes."""
    arrays = {
        f"{name}.{field.name}": np.ascontiguousarray(getattr(network, field.name), dtype=np.float16)
        for name, network in sorted(networks.items())
        for field in fields(FeatureNetwork)
    }
    description = {"networks": sorted(networks), "card": dict(card or {})}
    # One metadata key, as in every checkpoint: several are written in random order.
    path.write_bytes(save(arrays, metadata={"checkpoint": json.dumps(description, sort_keys=True)}))


@lru_cache(maxsize=2)
def load_networks(path: Path = LISTENER_WEIGHTS) -> dict[str, FeatureNetwork]:
    """Reads what :func:`save_networks` wrote.

    Raises:
        RequestError: the file is missing or damaged.
    """
    try:
        arrays = {key: array.astype(np.float32) for key, array in load_file(path).items()}
        return {
            name: FeatureNetwork(**{field.name: arrays[f"{name}.{field.name}"] for field in fields(FeatureNetwork)})
            for name in sorted({key.partition(".")[0] for key in arrays})
        }
    except (OSError, SafetensorError, KeyError) as error:
        raise RequestError(path.name, f"the Listener's networks cannot be read ({str(error)[:80]})") from None


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def softmax(x: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
