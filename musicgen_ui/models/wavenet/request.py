"""What a sampler of the raw-audio WaveNet is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.models.wavenet.raw import RawWaveNetConfig

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RawRequest:
    """One stream of T samples, which are whole frames.

    Attributes:
        excitation: (T, config.features) float32 of ``RawWaveNet.features``.
        conditioning: (frames, layers, 2R) float32 of ``RawWaveNet.conditioning``.
        uniforms: (T,) float32 in [0, 1), one for each sample.
        active: (frames,) bool; a frame where nothing sounds is silence, and the past is forgotten.
        temperature: of the softmax, positive; one number or (frames,).
    """

    excitation: np.ndarray
    conditioning: np.ndarray
    uniforms: np.ndarray
    active: np.ndarray
    temperature: float | np.ndarray = 1.0

    @property
    def frames(self) -> int:
        return len(self.active)


def check(requests: Sequence[RawRequest], config: RawWaveNetConfig) -> None:
    """Compares the requests' sizes with the model's.

    Raises:
        ValueError: there is no request, or one is of other sizes than its frames and the model ask for.
    """
    if not requests:
        raise ValueError("there must be a request")
    for request in requests:
        frames = request.frames
        samples = frames * config.hop
        wanted = {
            "excitation": (samples, config.features),
            "conditioning": (frames, config.layers, 2 * config.residual),
            "uniforms": (samples,),
            "active": (frames,),
        }
        for name, shape in wanted.items():
            if np.shape(getattr(request, name)) != shape:
                raise ValueError(f"{name} must be {shape}, not {np.shape(getattr(request, name))}")
        if np.shape(request.temperature) not in ((), (frames,)) or not np.all(np.asarray(request.temperature) > 0):
            raise ValueError("temperature must be positive, one number or one for each frame")
