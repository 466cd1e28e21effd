"""The note level: one network that writes a note's whole life, partial by partial, before any sample is made.

Differentiable additive synthesis (DDSP, Engel et al. 2020) decides on amplitudes frame after frame. Here a note is
written at once, on knots that lie close at the attack and wide later: forty times fewer evaluations, and each knows
the whole note. Frequencies and start phases of a known instrument are tables, measured and not learned; what
the network learns is how loud each partial is, and how its phase wanders (beating, chorus), over time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicgen_ui.models.vae_gan.condition import LABEL_RANGES
from musicgen_ui.models.vae_gan.config import LABELS, PITCHES, Z_SIZE, BranchConfig

_PITCH_BUMPS = 24
_SILENCE = -16.0
_VELOCITY_CURVE = list(LABEL_RANGES).index("velocity_curve")

VELOCITY_EXPONENT = 1.7
"""Amplitude goes with velocity to this power, as measured over the training audio (nine presets in ten: 1.6 to 1.9).

The network adds what differs; it sees most pitches at one or two velocities only, and would not find the law itself.
"""


@dataclass(frozen=True)
class Envelopes:
    """What N notes do over the T knots.

    Attributes:
        log_amplitude: (N, T, K) natural logarithm, velocity included.
        phasor: (N, T, K, 2) unit vector of each partial's phase beyond that of a steady partial.
        bend: (N, T) cents.
        log_noise: (N, T, B) natural logarithm of the root mean square of each band.
        log_release: (N,) natural logarithm of the time constant, in seconds, by which a key let go damps a note.
    """

    log_amplitude: Tensor
    phasor: Tensor
    bend: Tensor
    log_noise: Tensor
    log_release: Tensor


@dataclass(frozen=True)
class NoteBatch:
    """N notes to be written.

    Attributes:
        instrument: (N,) index into the branch's programs; any where ``known`` is 0.
        known: (N,) 1 where the instrument is told, 0 where its timbre is in z alone.
        pitch: (N,) MIDI number.
        velocity: (N,) MIDI number.
        z: (N, Z_SIZE).
        labels: (N, LABELS), see TimbreLabels.vector.
    """

    instrument: Tensor
    known: Tensor
    pitch: Tensor
    velocity: Tensor
    z: Tensor
    labels: Tensor


class _CodeBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.silu(self.up(self.norm(x))))


class _KnotBlock(nn.Module):
    """Convolution over the knots, modulated by the note's code."""

    def __init__(self, width: int, code: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 3, padding=1)
        self.down = nn.Conv1d(width, width, 1)
        self.modulate = nn.Linear(code, 2 * width)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.modulate(code).unsqueeze(-1).chunk(2, dim=1)
        return x + self.down(F.silu(self.mix(x) * (1 + scale) + shift))


class NoteNetwork(nn.Module):
    """Writes the envelopes of notes; see the module."""

    ratio: Tensor
    phase: Tensor

    def __init__(self, config: BranchConfig) -> None:
        super().__init__()
        self.config = config
        count = len(config.programs)
        self.prior_mean = nn.Parameter(torch.zeros(count, Z_SIZE))
        self.prior_log_std = nn.Parameter(torch.full((count, Z_SIZE), -1.0))
        self.instrument = nn.Embedding(count, 32)
        self.zone = nn.Embedding(count * PITCHES, config.zone)
        # Relative to the grid: float16 keeps small numbers exactly enough.
        self.register_buffer("ratio", torch.zeros(count, PITCHES, config.partials))
        self.register_buffer("phase", torch.zeros(count, PITCHES, config.partials))
        self.gain = nn.Parameter(torch.zeros(count, PITCHES, config.partials))
        inputs = Z_SIZE + 32 + config.zone + 1 + LABELS + _PITCH_BUMPS + 3
        self.code = nn.Sequential(
            nn.Linear(inputs, config.code), nn.SiLU(), _CodeBlock(config.code), _CodeBlock(config.code)
        )
        self.seed = nn.Linear(config.code, config.knots * config.seed)
        self.lift = nn.Conv1d(config.seed, config.width, 1)
        self.blocks = nn.ModuleList(_KnotBlock(config.width, config.code) for _ in range(2))
        self.head = nn.Conv1d(config.width, 3 * config.partials + config.bands + 1, 1)
        self.release = nn.Linear(config.code, 1)
        self._start()

    def _start(self) -> None:
        with torch.no_grad():
            nn.init.normal_(self.instrument.weight, std=0.3)
            nn.init.normal_(self.zone.weight, std=0.1)
            nn.init.normal_(self.prior_mean, std=0.5)
            k, b = self.config.partials, self.config.bands
            self.head.weight.mul_(0.3)
            self.head.bias.zero_()
            self.head.bias[:k] = -4.0 - 3.0 * torch.linspace(0, 1, k)
            self.head.bias[k : 2 * k] = 1.0  # phases begin where a steady partial's would be
            self.head.bias[3 * k : 3 * k + b] = -8.0
            self.release.bias.fill_(math.log(0.08))

    def forward(self, notes: NoteBatch) -> Envelopes:
        """The envelopes of a batch of notes."""
        config = self.config
        known = notes.known.unsqueeze(1)
        rows = notes.instrument * PITCHES + notes.pitch
        loudness = notes.velocity / 127.0
        inputs = torch.cat(
            [
                notes.z,
                self.instrument(notes.instrument) * known,
                self.zone(rows) * known,
                known,
                notes.labels,
                _bumps(notes.pitch),
                torch.stack([loudness, loudness.square(), torch.log(loudness)], dim=1),
            ],
            dim=1,
        )
        code = self.code(inputs)
        x = self.lift(self.seed(code).view(len(code), config.seed, config.knots))
        for block in self.blocks:
            x = block(x, code)
        out = self.head(F.silu(x)).float().transpose(1, 2)
        k, b = config.partials, config.bands
        curve = torch.exp2(notes.labels[:, _VELOCITY_CURVE])
        level = (VELOCITY_EXPONENT * curve * torch.log(loudness))[:, None, None]
        gain = (self.gain[notes.instrument, notes.pitch] * known).unsqueeze(1)
        return Envelopes(
            log_amplitude=(_floored(out[..., :k] + level) + gain).clamp(max=2.0),
            phasor=F.normalize(torch.stack([out[..., k : 2 * k], out[..., 2 * k : 3 * k]], dim=-1), dim=-1, eps=1e-4),
            bend=20.0 * out[..., -1],
            log_noise=_floored(out[..., 3 * k : 3 * k + b] + level).clamp(max=0.0),
            log_release=self.release(code).float().squeeze(1).clamp(math.log(0.004), math.log(3.0)),
        )

    def prior(self, instrument: Tensor, noise: Tensor | None = None) -> Tensor:
        """Z of instruments (N,): its mean, or with standard normal ``noise`` (N, Z_SIZE) a draw around it."""
        mean = self.prior_mean[instrument]
        return mean if noise is None else mean + self.prior_log_std[instrument].exp() * noise


def _floored(level: Tensor) -> Tensor:
    """Levels in nepers that hardly fall below silence and can come back: a hard limit would pass no gradient."""
    return _SILENCE + F.leaky_relu(level - _SILENCE, 0.05)


def _bumps(pitch: Tensor) -> Tensor:
    """(N, _PITCH_BUMPS) smooth one-hot code of MIDI numbers."""
    centres = torch.linspace(21.0, 108.0, _PITCH_BUMPS, device=pitch.device)
    return torch.exp(-0.5 * ((pitch.unsqueeze(1) - centres) / 4.0).square())
