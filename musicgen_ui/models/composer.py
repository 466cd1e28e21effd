"""What every composer shares: its batch, its inputs, its bar encoder and its configuration."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from musicgen_ui.models.condition import Condition
from musicgen_ui.models.steps import RowEmbedding
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS
from musicgen_ui.music.tokens import LOW

PHRASE = 8
"""Bars are counted within phrases of eight, and up to eight from either end of the piece."""


@dataclass(frozen=True)
class ComposerConfig:
    """Sizes of a composer.

    Attributes:
        width: embedding, condition and head width.
        hidden: recurrent state (LSTM) or channels (WaveNet).
        head_hidden: hidden layer of every head.
        latent: dimensions of z.
        heads: attention heads.
        memory_bars: how many bars back the attention sees, 0 for the style tokens alone.
        dropout: on the inputs and between layers, while training.
        pointer: choices may be copied from earlier bars, see ``models.pointer``.
        last_notes: heads are told what their part struck last, see ``models.last_note``.
        drum_masks: the drum vocabulary, most common first, silence at 0.
    """

    width: int = 320
    hidden: int = 512
    head_hidden: int = 256
    latent: int = 64
    heads: int = 4
    memory_bars: int = 16
    dropout: float = 0.15
    pointer: bool = False
    last_notes: bool = False
    drum_masks: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class ComposerBatch:
    """Sections of one metre, teacher-forced.

    Attributes:
        table: (batch, steps, fields) int64, whole bars, see ``models.fields``.
        observed: (batch, 4) bool.
        valid: (batch, steps) bool, False on padding after the end of a short section.
        first_bar: (batch,) index of the section's first bar in its piece.
        total_bars: (batch,) bars of the piece.
        condition: the style labels of the sections.
    """

    table: Tensor
    observed: Tensor
    valid: Tensor
    first_bar: Tensor
    total_bars: Tensor
    condition: Condition

    def to(self, device: torch.device | str) -> ComposerBatch:
        return ComposerBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


class Position(nn.Module):
    """Where a step is: place in the bar, bar in the phrase, bars from the start and to the end of the piece."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.place = nn.Embedding(16, width)
        self.phrase = nn.Embedding(PHRASE, width)
        self.from_start = nn.Embedding(PHRASE + 1, width)
        self.to_end = nn.Embedding(PHRASE + 1, width)

    def forward(self, bar: Tensor, total_bars: Tensor, place: Tensor) -> Tensor:
        """bar, total_bars, place: equal shapes (…) → (…, width)."""
        left = (total_bars - 1 - bar).clamp(0, PHRASE)
        return self.place(place) + self.phrase(bar % PHRASE) + self.from_start(bar.clamp(0, PHRASE)) + self.to_end(left)


class BarEncoder(nn.Module):
    """q(z | section): rows → bars → bidirectional GRU → mean and log-variance of z (Kingma & Welling 2014)."""

    def __init__(self, config: ComposerConfig) -> None:
        super().__init__()
        row = 64
        self.rows = RowEmbedding(config.width)
        self.squeeze = nn.Linear(config.width, row)
        self.bar = nn.Sequential(nn.Linear(16 * row, config.head_hidden), nn.GELU(), nn.Dropout(config.dropout))
        self.over_bars = nn.GRU(config.head_hidden, config.head_hidden, batch_first=True, bidirectional=True)
        self.to_latent = nn.Linear(2 * config.head_hidden, 2 * config.latent)
        self.to_profile = nn.Sequential(
            nn.Linear(config.latent, config.head_hidden), nn.GELU(), nn.Linear(config.head_hidden, PROFILE)
        )

    def forward(self, table: Tensor, observed: Tensor, valid: Tensor, steps_per_bar: int) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance, each (batch, latent)."""
        rows = self.squeeze(self.rows(table, observed)) * valid.unsqueeze(-1)
        bars = rows.unflatten(1, (-1, steps_per_bar))  # (batch, bars, place, row)
        bars = nn.functional.pad(bars, (0, 0, 0, 16 - steps_per_bar)).flatten(2)
        states, _ = self.over_bars(self.bar(bars))
        weight = valid[:, ::steps_per_bar].unsqueeze(-1).to(states.dtype)
        pooled = (states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        mean, log_variance = self.to_latent(pooled).float().chunk(2, dim=-1)
        return mean, log_variance.clamp(-8, 4)


PROFILE_GROUPS = ((0, 16), (1, 16), (2, 16), (3, 48), (0, 12), (1, 12), (2, 12))
"""(part, numbers) of each block of :func:`profile`."""
PROFILE = sum(size for _, size in PROFILE_GROUPS)


def profile(batch: ComposerBatch, steps_per_bar: int) -> tuple[Tensor, Tensor]:
    """What a section is like, whatever its order: how often each place of the bar is struck and each pitch class used.

    z is asked to tell this on the way (the bag-of-words loss of Zhao et al. 2017), without which a decoder this strong
    learns to ignore it.

    Returns:
        shares in [0, 1], (batch, PROFILE): places struck by lead, chords, bass and the three drum groups, then pitch
        classes of lead, chords and bass; and a mask of the same shape, False for parts that are not observed.
    """
    table, valid = batch.table, batch.valid.float()
    bars = valid[:, ::steps_per_bar].sum(dim=1).clamp(min=1)

    def places(struck: Tensor) -> Tensor:
        by_place = (struck.float() * valid).unflatten(1, (-1, steps_per_bar)).sum(dim=1) / bars.unsqueeze(-1)
        return nn.functional.pad(by_place, (0, 16 - steps_per_bar))

    def pitch_classes(pitches: Tensor, low: int) -> Tensor:
        """Pitches (batch, steps, voices), 0 for none."""
        one_hot = nn.functional.one_hot((pitches - 1 + low) % 12, 12) * (pitches > 0).unsqueeze(-1)
        counts = (one_hot.sum(dim=2) * valid.unsqueeze(-1)).sum(dim=1).float()
        return counts / counts.sum(dim=-1, keepdim=True).clamp(min=1)

    def column(name: str) -> Tensor:
        return table[..., COLUMN[name]]

    notes = table[..., list(NOTE_COLUMNS)]
    blocks = [
        places(column("lead_pitch") > 0),
        places(column("chords_note0") > 0),
        places(column("bass_pitch") > 0),
        *(places(column(f"drums_velocity{group}") > 0) for group in range(3)),
        pitch_classes(column("lead_pitch").unsqueeze(-1), LOW["lead"]),
        pitch_classes(notes, LOW["chords"]),
        pitch_classes(column("bass_pitch").unsqueeze(-1), LOW["bass"]),
    ]
    seen = [batch.observed[:, part : part + 1].expand(-1, size) for part, size in PROFILE_GROUPS]
    return torch.cat(blocks, dim=-1), torch.cat(seen, dim=-1)


def shifted(content: Tensor, start: Tensor) -> Tensor:
    """Content one step later, with the learned start row in front: what is known before each step is written."""
    return torch.cat([start.expand(content.shape[0], 1, -1).to(content.dtype), content[:, :-1]], dim=1)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) by dimension, in nats: -(1 + log s² - m² - s²) / 2."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())
