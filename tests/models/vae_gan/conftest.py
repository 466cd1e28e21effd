"""A tiny VAE-GAN with random weights and envelopes that are known."""

import pytest
import torch

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.models.vae_gan.config import BranchConfig, StemConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.note_network import Envelopes

SIZES = {"code": 16, "seed": 4, "width": 8, "zone": 4}


def tiny_config() -> VAEGANConfig:
    return VAEGANConfig(
        BranchConfig((0, 4, 40), False, len(KNOTS), len(GRID), BANDS, **SIZES),
        BranchConfig((0, 25), True, len(DRUM_KNOTS), len(DRUM_GRID), BANDS, **SIZES),
        StemConfig(width=8, hidden=12, blocks=1, mels=16),
    )


def tiny_generator(seed: int = 3) -> Generator:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = Generator(tiny_config()).eval()
        for network in generator.notes.values():
            network.ratio.copy_(1e-3 * torch.randn_like(network.ratio))
            network.phase.copy_(torch.randn_like(network.phase))
    return generator


@pytest.fixture
def make_generator():
    return tiny_generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    """For tests that change nothing in it."""
    return tiny_generator()


@pytest.fixture
def make_envelopes():
    """Envelopes of notes with everything given or plain: amplitude 0.1, no turn, no bend, no noise, release 0.1 s."""

    def make(knots, count=1, partials=3, bands=2, *, amplitude=0.1, bend=0.0, noise=1e-9, release=0.1) -> Envelopes:
        size = len(knots)
        log_amplitude = torch.log(torch.as_tensor(amplitude, dtype=torch.float32)).expand(count, size, partials)
        return Envelopes(
            log_amplitude=log_amplitude.clone(),
            phasor=torch.tensor([1.0, 0.0]).expand(count, size, partials, 2).clone(),
            bend=torch.as_tensor(bend, dtype=torch.float32).expand(count, size).clone(),
            log_noise=torch.log(torch.as_tensor(noise, dtype=torch.float32)).expand(count, size, bands).clone(),
            log_release=torch.log(torch.as_tensor(release, dtype=torch.float32)).expand(count).clone(),
        )

    return make
