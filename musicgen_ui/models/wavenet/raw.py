"""The raw-audio WaveNet (van den Oord et al. 2016): one sample after another, told by the score what sounds.

Two things tell it the score: frames (which note, how loud, since when) condition every layer, and an excitation that
has the pitch of the sounding note enters beside the sample before, so that pitch and onset are exact by construction,
as in neural source-filter models (Wang et al. 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musicgen_ui.models.wavenet.config import WaveNetConfig
from musicgen_ui.models.wavenet.excitation import BANDS, EXCITATION, TONE_SIZE, Tone
from musicgen_ui.models.wavenet.frames import FRAME_FEATURES, HOP
from musicgen_ui.models.wavenet.mu_law import CLASSES, SILENCE
from musicgen_ui.models.wavenet.stack import WaveNetStack

_CURVES = 12
"""Cosines in which the guess of a sample is handed on: a smooth code of its mu-law value."""

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

    @property
    def features(self) -> int:
        """Channels a sample that enter beside the sample before; see :meth:`RawWaveNet.features`."""
        return self.excitation + 1 + _CURVES

    @property
    def pitches(self) -> int:
        """Pitches of all instruments together."""
        return sum(high - low + 1 for low, high in zip(self.lows, self.highs, strict=True))


class RawWaveNet(nn.Module):
    """Distribution of each sample's class, given those before it and the score.

    Attributes:
        previous: class of the sample before to the stack's input.
        excite: features of the excitation to the same.
        filter: gains of the excitation's bands and of their quadratures in each frame, and a level.
        stack: the dilated convolutions.
        hidden, logits: the two layers after the skips, each after a rectifier.
        tone_rows: (pitches of all instruments, TONE_SIZE) their measured tones, which are not trained.
    """

    tone_rows: Tensor

    def __init__(self, config: RawWaveNetConfig) -> None:
        super().__init__()
        self.config = config
        self.previous = nn.Embedding(config.classes, config.residual)
        self.excite = nn.Linear(config.features, config.residual, bias=False)
        self.filter = nn.Linear(config.frame_width, 2 * len(BANDS) + 1)
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
        self.register_buffer("tone_rows", torch.zeros(config.pitches, TONE_SIZE))
        with torch.no_grad():
            # What the past tells is learned first; the tone begins no weaker, lest it be left unheard.
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
        return self.with_guess(classes, excitation, frames, instrument, c)[0]

    def with_guess(
        self, classes: Tensor, excitation: Tensor, frames: Tensor, instrument: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits as :meth:`forward` gives them, and the guess (B, T) that the features hold."""
        local = self.local(frames, instrument, c)
        guess = self._guess(excitation, local)
        before = torch.cat([torch.full_like(classes[:, :1], SILENCE), classes[:, :-1]], dim=1)
        # The guess is taught by its own loss: what comes after it reads it as it is.
        x = self.previous(before) + self.excite(self._features(excitation, guess.detach()))
        return self.head(self.stack(x, local, None)), guess

    def features(self, excitation: Tensor, frames: Tensor, instrument: Tensor, c: Tensor) -> Tensor:
        """What ``excite`` reads: the excitation and a first guess of the waveform; (B, T, config.features).

        The guess is the excitation through a filter that the frames set; it knows nothing of the past.
        """
        return self._features(excitation, self._guess(excitation, self.local(frames, instrument, c)))

    def _guess(self, excitation: Tensor, local: Tensor) -> Tensor:
        # Notes decay by factors, so one of the filter's outputs is the level's logarithm.
        gains, level = self.filter(local).float().split([2 * len(BANDS), 1], dim=-1)
        gains = gains * torch.exp(level.clamp(-8.0, 2.0) - 2.0)
        smooth = F.interpolate(gains.transpose(1, 2), size=excitation.shape[1], mode="linear").transpose(1, 2)
        return (smooth * excitation[..., : 2 * len(BANDS)]).sum(dim=-1)

    def _features(self, excitation: Tensor, guess: Tensor) -> Tensor:
        mu = self.config.classes - 1.0
        code = torch.sign(guess) * torch.log1p(mu * guess.abs().clamp(max=1.0)) / math.log1p(mu)
        orders = torch.arange(1, _CURVES + 1, device=guess.device)
        curves = torch.cos(0.5 * math.pi * (code.unsqueeze(-1) + 1.0) * orders)
        return torch.cat([excitation, code.unsqueeze(-1), curves], dim=-1)

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

    def tones(self, instrument: int) -> Callable[[int], Tone]:
        """Pitch to tone of an instrument (index into the programs); beyond its range the nearest pitch's."""
        config = self.config
        sizes = [high - low + 1 for low, high in zip(config.lows, config.highs, strict=True)]
        first, low = sum(sizes[:instrument]), config.lows[instrument]
        rows = self.tone_rows[first : first + sizes[instrument]].cpu().numpy()
        return lambda pitch: Tone.from_row(rows[min(max(pitch - low, 0), len(rows) - 1)])


def _smooth(weight: Tensor) -> Tensor:
    """Random weights (classes, channels) of the same spread that go smoothly from class to class."""
    classes, channels = weight.shape
    place = (torch.arange(classes, dtype=torch.float32) + 0.5) / classes
    orders = torch.arange(1, 17, dtype=torch.float32)
    basis = torch.cos(math.pi * place[:, None] * orders)
    mixed = basis @ (torch.randn(len(orders), channels) / orders[:, None])
    return mixed / mixed.std() * weight.std() * 0.9 + 0.1 * weight
