"""The stem level: what the summed notes lack. A filter for body and colour, and a quiet residual for breath and attack.

ConvNeXt blocks over spectral frames with inverse Fourier heads, as in Vocos (Siuzdak 2023), but multiplying what is
there instead of making it: the additive stem is exact in pitch and time, and stays so. The residual is noise that the
network shapes at 512 / 128; it begins 60 dB below the stem and has to earn its place.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicgen_ui.audio.spectral import mel_filters
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE, StemConfig

WINDOW, HOP = 2048, 512
FINE_WINDOW, FINE_HOP = 512, 128
_FINE = HOP // FINE_HOP
_KERNEL = 7
_CONDITION = 128
_LOG_GAIN = 1.2
"""Nepers by which the filter may raise or lower a frequency: about 10 dB."""

_RESIDUAL = (math.log(1e-3), 0.0)
"""Start and highest level of the residual, nepers relative to the stem's own level."""


class _Block(nn.Module):
    """ConvNeXt block (Liu et al. 2022) over frames, its norm modulated by the condition."""

    def __init__(self, width: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(_CONDITION, 2 * width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), 1.0 / blocks))
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition).unsqueeze(1).chunk(2, dim=2)
        y = self.norm(self.depthwise(x.transpose(1, 2)).transpose(1, 2)) * (1 + scale) + shift
        return x + self.scale * self.down(F.gelu(self.up(y)))


class StemGenerator(nn.Module):
    """Additive stem → stem; see the module."""

    filters: Tensor
    window: Tensor
    fine_window: Tensor

    def __init__(self, config: StemConfig) -> None:
        super().__init__()
        self.config = config
        mel = torch.from_numpy(mel_filters(SAMPLE_RATE, WINDOW, config.mels).copy())
        self.register_buffer("filters", mel / mel.sum(dim=1, keepdim=True).clamp(min=1e-9), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.register_buffer("fine_window", torch.hann_window(FINE_WINDOW), persistent=False)
        self.condition = nn.Sequential(nn.Linear(Z_SIZE + LABELS + 1, _CONDITION), nn.SiLU())
        self.embed = nn.Conv1d(config.mels + 1, config.width, _KERNEL, padding=_KERNEL // 2)
        self.blocks = nn.ModuleList(_Block(config.width, config.hidden, config.blocks) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        bins, fine = WINDOW // 2 + 1, FINE_WINDOW // 2 + 1
        self.filter_head = nn.Linear(config.width, 2 * bins)
        self.residual_head = nn.Linear(config.width, _FINE * fine)
        # The filter begins as an identity (-55 dB): even a small turn of every phase is heard.
        for head, spread in ((self.filter_head, 3e-5), (self.residual_head, 1e-3)):
            nn.init.normal_(head.weight, std=spread)
            nn.init.zeros_(head.bias)

    @property
    def context(self) -> int:
        """Samples before and after a piece that decide on it, a whole number of hops."""
        frames = (_KERNEL // 2) * (1 + self.config.blocks)
        return frames * HOP + 2 * WINDOW

    def forward(self, stem: Tensor, z: Tensor, labels: Tensor, drums: Tensor, noise: Tensor) -> Tensor:
        """Stems (batch, n) from additive stems (batch, n); n a whole number of hops.

        Args:
            stem: what the notes sum to.
            z: (batch, Z_SIZE).
            labels: (batch, LABELS).
            drums: (batch,) 1 for a kit.
            noise: (batch, n) white noise of variance 1, the raw material of the residual.
        """
        spectrum = torch.stft(stem, WINDOW, HOP, window=self.window, pad_mode="constant", return_complex=True)
        magnitude = spectrum.abs()
        power = magnitude.square().mean(dim=1)
        level = 0.5 * torch.log(power + 1e-8)
        mel = torch.log(self.filters @ magnitude + 1e-4) - level.unsqueeze(1)
        x = torch.cat([mel / 4.0, level.unsqueeze(1) / 4.0], dim=1)
        condition = self.condition(torch.cat([z, labels, drums.unsqueeze(1)], dim=1))
        x = self.embed(x).transpose(1, 2)
        for block in self.blocks:
            x = block(x, condition)
        x = self.norm(x)
        gain, turn = self.filter_head(x).float().transpose(1, 2).chunk(2, dim=1)
        filtered = spectrum * torch.polar(torch.exp(_LOG_GAIN * torch.tanh(gain)), math.pi * torch.tanh(turn))
        body = torch.istft(filtered, WINDOW, HOP, window=self.window, length=stem.shape[1])
        return body + self._residual(x, level, noise)

    def _residual(self, x: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        start, highest = _RESIDUAL
        # Level of the stem per bin of its spectrum, as if it were noise: the residual is relative to that.
        shape = self.residual_head(x).float() * 4.0 + start
        shape = torch.minimum(shape, torch.full_like(shape, highest)) + level.unsqueeze(2)
        batch, frames, _ = shape.shape
        fine = shape.view(batch, frames * _FINE, -1).transpose(1, 2)
        raw = torch.stft(
            noise, FINE_WINDOW, FINE_HOP, window=self.fine_window, pad_mode="constant", return_complex=True
        )
        # The last frame stands at the end of the stem, where only its first quarter is needed.
        fine = fine[..., : raw.shape[-1]]
        # A Hann window of N samples gives white noise of variance 1 a spectrum of root mean square sqrt(3 N / 8).
        shaped = raw * torch.exp(fine) / math.sqrt(3 * WINDOW / 8)
        return torch.istft(shaped, FINE_WINDOW, FINE_HOP, window=self.fine_window, length=noise.shape[1])
