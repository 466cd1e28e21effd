"""Small raw-audio models and what to ask of them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.models.wavenet.request import RawRequest

# No channel count is a whole number of vectors, and one dilation is no power of two.
TINY = RawWaveNetConfig(
    residual=8, skip=24, dilations=(1, 2, 3, 4, 32), classes=200, hop=16, frame_hidden=8, frame_width=8
)


def loud(config: RawWaveNetConfig, seed: int = 1) -> RawWaveNet:
    """A model with random weights, larger than untrained ones so that its past matters to what it draws."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = RawWaveNet(config).eval()
    with torch.no_grad():
        model.previous.weight.mul_(2.0)
        model.logits.weight.mul_(4.0)
    return model


def ask(model: RawWaveNet, frames: int, seed: int, **options: object) -> RawRequest:
    """A request of random features."""
    config, generator = model.config, torch.Generator().manual_seed(seed)
    samples = frames * config.hop
    score = torch.randn(1, frames, config.frame_features, generator=generator)
    excitation = torch.randn(1, samples, config.excitation, generator=generator)
    told = score, torch.zeros(1, dtype=torch.int64), torch.zeros(1, config.conditions)
    with torch.no_grad():
        table, features = model.conditioning(*told), model.features(excitation, *told)
    given = {
        "excitation": features[0].numpy(),
        "conditioning": table[0].numpy(),
        "uniforms": torch.rand(samples, generator=generator).numpy(),
        "active": np.ones(frames, dtype=bool),
    }
    return RawRequest(**{**given, **options})


@pytest.fixture(scope="session")
def tiny() -> RawWaveNet:
    return loud(TINY)


@pytest.fixture(scope="session")
def default() -> RawWaveNet:
    return loud(RawWaveNetConfig())


@pytest.fixture(scope="session")
def request_of() -> Callable[..., RawRequest]:
    return ask
