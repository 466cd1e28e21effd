"""The LSTM composer: a conditional variational autoencoder whose decoder writes four parts step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from musicgen_ui.models import checkpoint
from musicgen_ui.models.attention import BarAttention, BarMemory
from musicgen_ui.models.composer import (
    BarEncoder,
    ComposerBatch,
    ComposerConfig,
    Position,
    kl_divergence,
    profile,
    shifted,
)
from musicgen_ui.models.condition import Condition, StyleEncoder
from musicgen_ui.models.latent import LatentPrior
from musicgen_ui.models.steps import RowEmbedding, StepHeads

_LAYERS = 2


@dataclass
class LSTMState:
    """Everything a composition in progress carries from one step to the next."""

    hidden: list[Tensor]
    cell: list[Tensor]
    content: Tensor
    summary: Tensor
    latent: Tensor
    memory: BarMemory


class LSTMComposer(nn.Module):
    """Two LSTM layers (Hochreiter & Schmidhuber 1997) started from (z, c), then one attention layer, then the heads.

    c enters the input of both layers, the heads' context and the attention's tokens; z enters the initial states and
    the first layer's input.
    """

    name = "lstm"

    def __init__(self, config: ComposerConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.width, config.hidden
        self.style = StyleEncoder(width)
        self.encoder = BarEncoder(config)
        self.prior = LatentPrior(config.latent)
        self.rows = RowEmbedding(width)
        self.position = Position(width)
        self.start_row = nn.Parameter(torch.zeros(1, 1, width))
        self.from_latent = nn.Linear(config.latent, width)
        self.initial = nn.Linear(config.latent + width, 2 * _LAYERS * hidden)
        self.input_norm = nn.LayerNorm(width)
        self.lstms = nn.ModuleList(
            [nn.LSTM(width if i == 0 else hidden, hidden, batch_first=True) for i in range(_LAYERS)]
        )
        self.condition_in = nn.ModuleList([nn.Linear(width, width if i == 0 else hidden) for i in range(_LAYERS)])
        self.attention = BarAttention(hidden, width, config.heads, config.memory_bars)
        self.to_context = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, width))
        self.condition_out = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = StepHeads(width, config.head_hidden)

    @classmethod
    def from_checkpoint(cls, path: Path, device: torch.device | str = "cpu") -> LSTMComposer:
        """A shipped composer, float32, in evaluation mode.

        Raises:
            RequestError: the file is missing, damaged or of another release.
        """
        return checkpoint.load_into(path, cls, ComposerConfig, device)

    def encode(self, batch: ComposerBatch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z for each section, (batch, latent) each."""
        return self.encoder(batch.table, batch.observed, batch.valid, _steps_per_bar(batch.condition))

    def contexts(self, batch: ComposerBatch, z: Tensor, keep: Tensor | None = None) -> Tensor:
        """Teacher-forced context of the heads before every step.

        Args:
            batch: the sections.
            z: (batch, latent).
            keep: (batch, steps) bool, rows that the decoder is told; the others are hidden from its input
                (word dropout, Bowman et al. 2016), which makes it ask z instead. None keeps all.

        Returns:
            (batch, steps, width); row t depends on rows < t only.
        """
        table = batch.table
        per_bar = _steps_per_bar(batch.condition)
        tokens, summary = self.style(batch.condition)
        content = self.rows(table, batch.observed)
        steps = torch.arange(table.shape[1], device=table.device)
        bar = batch.first_bar.unsqueeze(1) + steps // per_bar
        position = self.position(bar, batch.total_bars.unsqueeze(1).expand_as(bar), (steps % per_bar).expand_as(bar))
        told = content if keep is None else content * keep.unsqueeze(-1)
        x = shifted(told, self.start_row) + position + self.from_latent(z).unsqueeze(1)
        x = self.dropout(self.input_norm(x + self.condition_in[0](summary).unsqueeze(1)))
        hidden, cell = self._initial_state(z, summary)
        for i, lstm in enumerate(self.lstms):
            if i:
                x = self.dropout(x) + self.condition_in[i](summary).unsqueeze(1)
            x, _ = lstm(x, (hidden[i].unsqueeze(0).to(x.dtype), cell[i].unsqueeze(0).to(x.dtype)))
        x = x + self.attention(x, content, tokens, per_bar)
        return self.dropout(self.to_context(x)) + self.condition_out(summary).unsqueeze(1)

    def start(self, condition: Condition, z: Tensor) -> LSTMState:
        """State before the first step. z (batch, latent), condition of the same batch."""
        tokens, summary = self.style(condition)
        hidden, cell = self._initial_state(z, summary)
        content = self.start_row[:, 0].expand(z.shape[0], -1)
        return LSTMState(hidden, cell, content, summary, self.from_latent(z), self.attention.start(tokens))

    def step(self, state: LSTMState, bar: Tensor, total_bars: Tensor, place: Tensor, steps_per_bar: int) -> Tensor:
        """Context of the heads for the next step, (batch, width); equals the matching row of :meth:`contexts`."""
        x = state.content + self.position(bar, total_bars, place) + state.latent
        x = self.input_norm(x + self.condition_in[0](state.summary))
        for i, lstm in enumerate(self.lstms):
            if i:
                x = x + self.condition_in[i](state.summary)
            weights = (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0)
            state.hidden[i], state.cell[i] = torch.lstm_cell(x, (state.hidden[i], state.cell[i]), *weights)
            x = state.hidden[i]
        x = x + self.attention.step(x, state.memory, steps_per_bar)
        return self.to_context(x) + self.condition_out(state.summary)

    def wrote(self, state: LSTMState, row: Tensor, observed: Tensor) -> None:
        """Tells the state what was written on the step: row (batch, fields), observed (batch, 4)."""
        state.content = self.rows(row.unsqueeze(1), observed)[:, 0]
        self.attention.remember(state.content, state.memory)

    def forward(
        self, batch: ComposerBatch, noise: Tensor, keep: Tensor | None = None
    ) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor, Tensor]:
        """One teacher-forced pass of the autoencoder.

        Args:
            batch: the sections.
            noise: (batch, latent) standard normal, the reparametrisation noise of z.
            keep: as in :meth:`contexts`.

        Returns:
            the heads' losses (see :meth:`StepHeads.losses`), the KL divergence by dimension, (batch, latent) nats, and
            the mean cross-entropy of z's account of the section's :func:`profile`, (batch,) nats.
        """
        mean, log_variance = self.encode(batch)
        z = mean + noise * torch.exp(0.5 * log_variance)
        losses = self.heads.losses(self.contexts(batch, z, keep), batch.table, batch.observed, batch.valid)
        target, seen = profile(batch, _steps_per_bar(batch.condition))
        told = self.encoder.to_profile(z.to(losses["chord"][0].dtype)).float()
        cross_entropy = nn.functional.binary_cross_entropy_with_logits(told, target, reduction="none") * seen
        return losses, kl_divergence(mean, log_variance), cross_entropy.sum(dim=-1)

    def _initial_state(self, z: Tensor, summary: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        states = torch.tanh(self.initial(torch.cat([z.to(summary.dtype), summary], dim=-1)))
        pieces = list(states.chunk(2 * _LAYERS, dim=-1))
        return pieces[:_LAYERS], [2 * cell for cell in pieces[_LAYERS:]]


def _steps_per_bar(condition: Condition) -> int:
    """16 for 4/4, 12 for 3/4; a batch has one metre."""
    return 16 if int(condition.metre[0]) == 0 else 12
