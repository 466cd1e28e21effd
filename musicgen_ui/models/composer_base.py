"""The frame of every composer: a conditional variational autoencoder that writes rows step by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

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
from musicgen_ui.models.pointer import BarPointer, PointerMemory, Recall
from musicgen_ui.models.steps import RowEmbedding, StepHeads
from musicgen_ui.models.takes import chosen


class Context(NamedTuple):
    """What the heads read before a step.

    Attributes:
        vector: (…, width).
        recall: what earlier bars had here; None for a composer without a pointer.
    """

    vector: Tensor
    recall: Recall | None


class Inputs(NamedTuple):
    """What a network over steps is given.

    Attributes:
        told: (batch, steps, width) embedding of the step before, or (batch, width) for one step.
        position: the same shape with the position's width, where the step itself is.
        latent: (batch, latent) z.
        summary: (batch, width) c.
    """

    told: Tensor
    position: Tensor
    latent: Tensor
    summary: Tensor


@dataclass
class ComposerState:
    """Everything a composition in progress carries from one step to the next."""

    network: Any
    content: Tensor
    summary: Tensor
    latent: Tensor
    memory: BarMemory
    pointer: PointerMemory | None


class ComposerBase(nn.Module, ABC):
    """Style and z condition a causal network over steps; attention and a pointer over earlier bars; then the heads.

    A subclass says what the network is, by :meth:`states` for whole sections and :meth:`begin` and :meth:`advance` for
    one step after the other; both must agree.

    Args:
        config: sizes.
        state: width of the network's states.
        position: width of the position's embedding.
        encoder: sizes of q(z | section) where they differ from ``config``'s.
    """

    name: str
    training_only = ("encoder.to_profile.",)
    """Tensors under these prefixes serve a loss only; a checkpoint does without them."""

    def __init__(
        self, config: ComposerConfig, *, state: int, position: int, encoder: ComposerConfig | None = None
    ) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.style = StyleEncoder(width)
        self.encoder = BarEncoder(encoder or config)
        self.prior = LatentPrior(config.latent)
        self.rows = RowEmbedding(width)
        self.position = Position(position)
        self.start_row = nn.Parameter(torch.zeros(1, 1, width))
        self.attention = BarAttention(state, width, config.heads, config.memory_bars)
        self.pointer = BarPointer(state, config.memory_bars) if config.pointer else None
        self.to_context = nn.Sequential(nn.LayerNorm(state), nn.Linear(state, width))
        self.condition_out = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = StepHeads(width, config.head_hidden, pointer=config.pointer, last_notes=config.last_notes)

    @abstractmethod
    def states(self, inputs: Inputs) -> Tensor:
        """(batch, steps, state) before each step is written; row t depends on inputs up to t."""

    @abstractmethod
    def begin(self, latent: Tensor, summary: Tensor) -> Any:
        """The network's memory before the first step."""

    @abstractmethod
    def advance(self, network: Any, inputs: Inputs) -> Tensor:
        """(batch, state) of the next step; the memory moves on."""

    def encode(self, batch: ComposerBatch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z for each section, (batch, latent) each."""
        return self.encoder(batch.table, batch.observed, batch.valid, steps_per_bar(batch.condition))

    def contexts(self, batch: ComposerBatch, z: Tensor, keep: Tensor | None = None) -> Context:
        """Teacher-forced context of the heads before every step.

        Args:
            batch: the sections.
            z: (batch, latent).
            keep: (batch, steps) bool, rows that the decoder is told; the others are hidden from its input
                (word dropout, Bowman et al. 2016), which makes it ask z instead. None keeps all.

        Returns:
            vectors (batch, steps, width) and their recall; row t depends on rows < t only.
        """
        table = batch.table
        per_bar = steps_per_bar(batch.condition)
        tokens, summary = self.style(batch.condition)
        content = self.rows(table, batch.observed)
        steps = torch.arange(table.shape[1], device=table.device)
        bar = batch.first_bar.unsqueeze(1) + steps // per_bar
        position = self.position(bar, batch.total_bars.unsqueeze(1).expand_as(bar), (steps % per_bar).expand_as(bar))
        told = content if keep is None else content * keep.unsqueeze(-1)
        x = self.states(Inputs(shifted(told, self.start_row), position, z, summary))
        recall = None if self.pointer is None else self.pointer(x, table, batch.observed, per_bar)
        x = x + self.attention(x, content, tokens, per_bar)
        return Context(self.dropout(self.to_context(x)) + self.condition_out(summary).unsqueeze(1), recall)

    def start(self, condition: Condition, z: Tensor) -> ComposerState:
        """State before the first step. z (batch, latent), condition of the same batch."""
        tokens, summary = self.style(condition)
        content = self.start_row[:, 0].expand(z.shape[0], -1)
        pointer = None if self.pointer is None else self.pointer.start(condition.active)
        return ComposerState(self.begin(z, summary), content, summary, z, self.attention.start(tokens), pointer)

    def step(self, state: ComposerState, bar: Tensor, total_bars: Tensor, place: Tensor, per_bar: int) -> Context:
        """Context of the heads for the next step, (batch, width); equals the matching row of :meth:`contexts`."""
        position = self.position(bar, total_bars, place)
        x = self.advance(state.network, Inputs(state.content, position, state.latent, state.summary))
        recall = None if self.pointer is None else self.pointer.step(x, state.pointer, per_bar)
        x = x + self.attention.step(x, state.memory, per_bar)
        return Context(self.to_context(x) + self.condition_out(state.summary), recall)

    def wrote(self, state: ComposerState, row: Tensor, observed: Tensor, per_bar: int) -> None:
        """Tells the state what was written on the step: row (batch, fields), observed (batch, 4)."""
        state.content = self.rows(row.unsqueeze(1), observed)[:, 0]
        self.attention.remember(state.content, state.memory)
        if self.pointer is not None:
            self.pointer.remember(row, state.pointer, per_bar)

    def select(self, state: ComposerState, index: Tensor) -> ComposerState:
        """The state in which each take goes on from another: index (batch,), within those asked for the same."""
        return chosen(state, index)

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
        losses = self.heads.losses(*self.contexts(batch, z, keep), batch.table, batch.observed, batch.valid)
        target, seen = profile(batch, steps_per_bar(batch.condition))
        told = self.encoder.to_profile(z.to(losses["chord"][0].dtype)).float()
        cross_entropy = nn.functional.binary_cross_entropy_with_logits(told, target, reduction="none") * seen
        return losses, kl_divergence(mean, log_variance), cross_entropy.sum(dim=-1)


def steps_per_bar(condition: Condition) -> int:
    """16 for 4/4, 12 for 3/4; a batch has one metre."""
    return 16 if int(condition.metre[0]) == 0 else 12
