"""Discriminators: several resolutions of the spectrum, and on a GPU also several periods of the waveform."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from musicgen_ui.models.vae_gan.config import Z_SIZE

RESOLUTIONS = (2048, 1024, 512)
PERIODS = (2, 3, 5, 7, 11)
_SLOPE = 0.1

Judgement = tuple[Tensor, list[Tensor]]
"""Scores, and the features on the way to them."""


class ResolutionDiscriminator(nn.Module):
    """Complex spectrogram of one resolution (UnivNet, Jang 2021; real and imaginary parts as in DAC, Kumar 2023)."""

    window: Tensor

    def __init__(self, size: int, channels: int = 16) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        c = channels
        shapes = [(2, c, 1), (c, c, 2), (c, c, 2), (c, 2 * c, 2), (2 * c, 2 * c, 2)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, (9, 3), stride=(stride, 1), padding=(4, 1))) for i, o, stride in shapes
        )
        self.score = weight_norm(nn.Conv2d(2 * c, 1, 3, padding=1))
        self.condition = nn.Linear(Z_SIZE, 2 * c)

    def forward(self, audio: Tensor, z: Tensor) -> Judgement:
        """Scores of audio (batch, n) that claims to have the timbre z (batch, Z_SIZE)."""
        spectrum = torch.stft(audio, self.size, self.size // 4, window=self.window, return_complex=True)
        # Quiet stems must be judged too: the level is taken off.
        spectrum = spectrum / (spectrum.abs().mean(dim=(1, 2), keepdim=True) + 1e-5)
        x = torch.stack([spectrum.real, spectrum.imag], dim=1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        # Projection of the condition (Miyato and Koyama 2018): is it real, and is it this timbre?
        match = (x * self.condition(z)[:, :, None, None]).sum(dim=1, keepdim=True)
        return (self.score(x) + match).flatten(1), features


class PeriodDiscriminator(nn.Module):
    """Every p-th sample side by side (HiFi-GAN, Kong et al. 2020), at half width."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        sizes = (1, 16, 64, 256, 512, 512)
        strides = (3, 3, 3, 3, 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, (5, 1), stride=(s, 1), padding=(2, 0)))
            for i, o, s in zip(sizes[:-1], sizes[1:], strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(512, 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Tensor, z: Tensor) -> Judgement:
        """Scores of audio (batch, n); z is not looked at."""
        audio = audio / (audio.square().mean(dim=1, keepdim=True).sqrt() + 1e-4)
        audio = F.pad(audio, (0, -audio.shape[1] % self.period))
        x = audio.view(len(audio), 1, -1, self.period)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return self.score(x).flatten(1), features


class Discriminators(nn.Module):
    """All of them.

    Args:
        periods: also judge periods of the waveform; worth its time on a GPU only.
    """

    def __init__(self, periods: bool) -> None:
        super().__init__()
        judges: list[nn.Module] = [ResolutionDiscriminator(size) for size in RESOLUTIONS]
        judges += [PeriodDiscriminator(period) for period in PERIODS] if periods else []
        self.judges = nn.ModuleList(judges)

    def forward(self, audio: Tensor, z: Tensor) -> list[Judgement]:
        """One judgement each."""
        return [judge(audio, z) for judge in self.judges]


def discriminator_loss(real: list[Judgement], made: list[Judgement]) -> Tensor:
    """Least squares (LSGAN, Mao et al. 2017): real towards 1, made towards 0."""
    terms = [(1 - r).square().mean() + m.square().mean() for (r, _), (m, _) in zip(real, made, strict=True)]
    return torch.stack(terms).mean()


def adversarial_loss(made: list[Judgement]) -> Tensor:
    """What the generator wants: made towards 1."""
    return torch.stack([(1 - scores).square().mean() for scores, _ in made]).mean()


def feature_matching(real: list[Judgement], made: list[Judgement]) -> Tensor:
    """L1 distance of the features on the way, each relative to its size: the VAE-GAN's own loss (Larsen 2016)."""
    terms = [
        (r.detach() - m).abs().mean() / (r.detach().abs().mean() + 1e-4)
        for (_, reals), (_, mades) in zip(real, made, strict=True)
        for r, m in zip(reals, mades, strict=True)
    ]
    return torch.stack(terms).mean()
