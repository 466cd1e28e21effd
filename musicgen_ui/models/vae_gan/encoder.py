"""From a recording to its timbre: convolutions over the log-mel spectrogram, pooling over time, a Gaussian over z."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicgen_ui.audio.spectral import log_mel
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE, EncoderConfig

WINDOW, HOP = 2048, 512
SHORTEST_FRAMES = 32
QUIET_DB = -60.0
"""A frame whose loudest band lies this far below the loudest of all says nothing of the timbre."""


class TimbreEncoder(nn.Module):
    """q(z | recording), and the labels that it hears."""

    training_only = ("log_variance.", "labels.")
    """A recording's timbre is the mean; a checkpoint does without the rest."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.layers = nn.ModuleList(
            [
                nn.Conv1d(config.mels, w, 5, stride=2, padding=2),
                nn.Conv1d(w, w + w // 2, 5, stride=2, padding=2),
                nn.Conv1d(w + w // 2, 2 * w, 3, stride=2, padding=1),
            ]
        )
        self.norms = nn.ModuleList(nn.GroupNorm(8, layer.out_channels) for layer in self.layers)
        self.pooled = nn.Linear(6 * w, 2 * w)
        self.mean = nn.Linear(2 * w, Z_SIZE)
        self.log_variance = nn.Linear(2 * w, Z_SIZE)
        self.labels = nn.Linear(2 * w, LABELS)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log-variance of z, (batch, Z_SIZE) each, and the labels that it hears, (batch, LABELS).

        Args:
            mel: (batch, mels, frames), see :func:`features`.
        """
        x = mel
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.silu(norm(layer(x)))
        x = torch.cat([x.mean(dim=2), x.amax(dim=2), x.std(dim=2)], dim=1)
        x = F.silu(self.pooled(x))
        return self.mean(x).float(), self.log_variance(x).float().clamp(-8.0, 3.0), self.labels(x).float()

    @torch.inference_mode()
    def encode(self, samples: np.ndarray) -> np.ndarray:
        """The mean of z, (Z_SIZE,) float32, of mono samples (n,) at 44.1 kHz."""
        mel = torch.from_numpy(features(samples, self.config.mels)).unsqueeze(0)
        return self(mel.to(self.pooled.weight.device))[0][0].cpu().numpy()


def features(samples: np.ndarray, mels: int) -> np.ndarray:
    """Log-mel of the frames that sound: (mels, frames) float32, about -1 to 1, at least SHORTEST_FRAMES frames."""
    decibels = log_mel(samples, SAMPLE_RATE, n_fft=WINDOW, hop=HOP, n_mels=mels)
    sounding = decibels[:, decibels.max(axis=0) > QUIET_DB]
    if sounding.shape[1] < SHORTEST_FRAMES:
        repeats = -(-SHORTEST_FRAMES // max(1, sounding.shape[1]))
        sounding = np.tile(sounding if sounding.shape[1] else decibels[:, :1], (1, repeats))
    return sounding / 40.0 + 1.0
