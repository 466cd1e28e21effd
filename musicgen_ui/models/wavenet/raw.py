"""The raw-audio WaveNet (van den Oord et al. 2016): one sample after another, told by the score what sounds.

Two things tell it the score: frames (which note, how loud, since when) condition every layer, and an excitation of
sines of the sounding note enters beside the sample before, so that pitch and onset are exact by construction, as in
neural source-filter models (Wang et al. 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from musicgen_ui.models.wavenet.config import WaveNetConfig
from musicgen_ui.models.wavenet.frames import EXCITATION, FRAME_FEATURES, HOP
from musicgen_ui.models.wavenet.mu_law import CLASSES, SILENCE
from musicgen_ui.models.wavenet.stack import WaveNetStack

CONDITIONS = ("brightness",)
"""The labels in c, see ``models.vae_gan.condition``."""


@dataclass(frozen=True)
class RawWaveNetConfig:
    """Sizes of the model and its vocabulary of instruments.

    Attributes:
        residual, skip, dilations, kernel: of the stack.
        classes: of a sample.
        excitation, frame_features, conditions: features a sample, a frame, a request.
        frame_hidden, frame_width: channels inside and after the network that reads the frames.
        instrument_width: of an instrument's embedding.
        hop: samples a frame.
        programs: General MIDI programs that it has learned, in the order of the embedding.
        lows, highs: lowest and highest pitch that each was learned on.
        gains: what each instrument's sound was multiplied by before it was coded; output is divided by it.
    """

    residual: int = 32
    skip: int = 64
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256) * 2
    kernel: int = 2
    classes: int = CLASSES
    excitation: int = EXCITATION
    frame_features: int = FRAME_FEATURES
    conditions: int = len(CONDITIONS)
    frame_hidden: int = 96
    frame_width: int = 64
    instrument_width: int = 16
    hop: int = HOP
    programs: tuple[int, ...] = (0,)
    lows: tuple[int, ...] = (24,)
    highs: tuple[int, ...] = (96,)
    gains: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if not len(self.programs) == len(self.lows) == len(self.highs) == len(self.gains):
            raise ValueError("programs, lows, highs and gains must be of one length")

    @property
    def stack(self) -> WaveNetConfig:
        """The stack's own configuration: its input comes at its width already."""
        return WaveNetConfig(
            inputs=0,
            residual=self.residual,
            skip=self.skip,
            dilations=self.dilations,
            kernel=self.kernel,
            local=self.frame_width,
        )

    @property
    def layers(self) -> int:
        return len(self.dilations)


class RawWaveNet(nn.Module):
    """Distribution of each sample's class, given those before it and the score.

    Attributes:
        previous: class of the sample before to the stack's input.
        excite: excitation to the same.
        stack: the dilated convolutions.
        hidden, logits: the two layers after the skips, each after a rectifier.
    """

    def __init__(self, config: RawWaveNetConfig) -> None:
        super().__init__()
        self.config = config
        self.previous = nn.Embedding(config.classes, config.residual)
        self.excite = nn.Linear(config.excitation, config.residual, bias=False)
        self.instrument = nn.Embedding(len(config.programs), config.instrument_width)
        width = config.frame_features + config.instrument_width + config.conditions
        self.frame_net = nn.Sequential(
            nn.Conv1d(width, config.frame_hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(config.frame_hidden, config.frame_hidden, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(config.frame_hidden, config.frame_width, 1),
        )
        self.stack = WaveNetStack(config.stack)
        self.hidden = nn.Linear(config.skip, config.skip)
        self.logits = nn.Linear(config.skip, config.classes)
        with torch.no_grad():
            # What the past tells is learned first; the sines begin no weaker, lest they be left unheard.
            self.excite.weight.mul_(2.0)
            # Classes are points on a line: neighbours begin alike, which takes minutes to learn from nothing.
            for weight in (self.previous.weight, self.logits.weight):
                weight.copy_(_smooth(weight))

    def forward(self, classes: Tensor, excitation: Tensor, frames: Tensor, instrument: Tensor, c: Tensor) -> Tensor:
        """Logits of every sample, given the true ones before it.

        Args:
            classes: (B, T) int64 of the samples themselves; they are shifted here.
            excitation: (B, T, E).
            frames: (B, T / hop, F).
            instrument: (B,) int64, index into the config's programs.
            c: (B, C), see CONDITIONS.

        Returns:
            (B, T, classes).
        """
        before = torch.cat([torch.full_like(classes[:, :1], SILENCE), classes[:, :-1]], dim=1)
        x = self.previous(before) + self.excite(excitation)
        return self.head(self.stack(x, self.local(frames, instrument, c), None))

    def head(self, skips: Tensor) -> Tensor:
        """(..., skip) of the stack to logits (..., classes)."""
        return self.logits(torch.relu(self.hidden(torch.relu(skips))))

    def local(self, frames: Tensor, instrument: Tensor, c: Tensor) -> Tensor:
        """What the score tells the stack in each frame: (B, frames, frame_width)."""
        steady = torch.cat([self.instrument(instrument), c], dim=-1)
        features = torch.cat([frames, steady[:, None].expand(-1, frames.shape[1], -1)], dim=-1)
        return self.frame_net(features.transpose(1, 2)).transpose(1, 2)

    def conditioning(self, frames: Tensor, instrument: Tensor, c: Tensor) -> Tensor:
        """What is added before the gate of every layer: (B, frames, layers, 2 residual), without the layer's bias."""
        config = self.config
        table = self.stack.local(self.local(frames, instrument, c))
        return table.view(*table.shape[:2], config.layers, 2 * config.residual)


def _smooth(weight: Tensor) -> Tensor:
    """Random weights (classes, channels) of the same spread that go smoothly from class to class."""
    classes, channels = weight.shape
    place = (torch.arange(classes, dtype=torch.float32) + 0.5) / classes
    orders = torch.arange(1, 17, dtype=torch.float32)
    basis = torch.cos(math.pi * place[:, None] * orders)
    mixed = basis @ (torch.randn(len(orders), channels) / orders[:, None])
    return mixed / mixed.std() * weight.std() * 0.9 + 0.1 * weight
