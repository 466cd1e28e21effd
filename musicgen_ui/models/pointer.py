"""Copying from earlier bars: which of them the music is in again, and what that bar had at this place.

A pointer network over bars (Vinyals et al. 2015) with the mixture of See et al. 2017: every choice of a step is drawn
from (1 - g) · what the network makes up + g · what the bars pointed at did here. Attention over embeddings alone has to
learn to decode the very note again; a pointer brings it back exactly from the first training step on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS

RECALLED = (COLUMN["chord"], COLUMN["bass_pitch"], COLUMN["lead_pitch"], COLUMN["drums"], *NOTE_COLUMNS)
"""Columns of a row that can be copied."""

_PLACE = {FIELDS[column].name: place for place, column in enumerate(RECALLED)}

COMPARED = ("chord", "bass_pitch", "lead_pitch", "chords_note0", "drums")
"""Columns by which a step is compared with the same step of an earlier bar."""

_PARTS = tuple(PARTS.index(part) for part in ("bass", "lead", "chords", "drums"))
"""Parts of the compared columns after the first."""

WINDOWS = (4, 16)
"""Steps of the recent past in which agreement is counted."""

AGREEMENTS = len(COMPARED) * len(WINDOWS)
_WIDTH = 64
_TINY = 1e-9


@dataclass(frozen=True)
class Recall:
    """What earlier bars had at the place of each step.

    Attributes:
        weights: (…, bars) how much each earlier bar is pointed at: they sum to 1, or are all 0 where there is none.
        rows: (…, bars, len(RECALLED)) int64, what those bars had.
        agreement: (…, AGREEMENTS) how far the recent past agrees with what led there, by column and window.
    """

    weights: Tensor
    rows: Tensor
    agreement: Tensor

    def at(self, mask: Tensor) -> Recall:
        """Only the steps where a boolean mask is True, flat."""
        return Recall(self.weights[mask], self.rows[mask], self.agreement[mask])

    def share(self, column: str, values: Tensor) -> Tensor:
        """Weight of the bars that had ``values`` (…) in a column."""
        return (self.weights * (self.rows[..., _PLACE[column]] == values.unsqueeze(-1))).sum(dim=-1)

    def distribution(self, column: str, classes: int) -> Tensor:
        """(…, classes) weight of every value of a column."""
        zero = self.weights.new_zeros(*self.weights.shape[:-1], classes)
        return zero.scatter_add(-1, self.rows[..., _PLACE[column]], self.weights)

    def given(self, column: str, values: Tensor) -> Recall:
        """Pointing at only those bars that had ``values`` (…) in a column; at none if no such bar is left."""
        weights = self.weights * (self.rows[..., _PLACE[column]] == values.unsqueeze(-1))
        total = weights.sum(dim=-1, keepdim=True)
        return Recall(torch.where(total > _TINY, weights / total.clamp(min=_TINY), 0.0), self.rows, self.agreement)


class CopyGate(nn.Module):
    """g, how likely a choice is a copy: from what the composer holds and from how well the bars agree."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Linear(width + AGREEMENTS, 1)
        nn.init.zeros_(self.net.weight)
        nn.init.constant_(self.net.bias, -2.0)

    def logits(self, held: Tensor, recall: Recall) -> Tensor:
        """(…,) log-odds of a copy; minus infinity where there is nothing to copy."""
        logit = self.net(torch.cat([held, recall.agreement.to(held.dtype)], dim=-1)).squeeze(-1).float()
        return logit.masked_fill(recall.weights.sum(dim=-1) <= 0, -torch.inf)

    def nats(self, held: Tensor, recall: Recall, logits: Tensor, column: str, target: Tensor) -> Tensor:
        """Summed negative log-likelihood of targets (n,) under the mixture. logits (n, classes) of the network."""
        gate = self.logits(held, recall)
        own = logits.float().log_softmax(dim=-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
        copied = recall.share(column, target).clamp(min=_TINY).log()
        mixed = torch.logaddexp(
            nn.functional.logsigmoid(-gate) + own, nn.functional.logsigmoid(gate).clamp(min=-1e4) + copied
        )
        return -mixed.sum()

    def mixture(self, held: Tensor, recall: Recall, logits: Tensor, column: str) -> Tensor:
        """(n, classes) log-probabilities of the mixture; impossible classes stay minus infinity."""
        gate = torch.sigmoid(self.logits(held, recall)).unsqueeze(-1)
        own = logits.float().softmax(dim=-1)
        return ((1 - gate) * own + gate * recall.distribution(column, logits.shape[-1])).log()


@dataclass
class PointerMemory:
    """What the pointer keeps while composing.

    Attributes:
        observed: (batch, 4) bool.
        keys: (batch, width) of every step.
        rows: (batch, len(RECALLED)) of every step that was written.
        same: (batch, bars, columns) for every step that was written, where it agreed with the earlier bars.
    """

    observed: Tensor
    keys: list[Tensor] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    same: list[Tensor] = field(default_factory=list)


class BarPointer(nn.Module):
    """Points from a step at its own place in earlier bars.

    A bar's score is the likeness of the composer's states, plus a learned value for its distance, plus what the
    agreement of the recent past says: if the last steps went as in that bar, the next one may too.

    Args:
        state: width of the composer's state.
        bars: how many bars back it can see.
    """

    def __init__(self, state: int, bars: int) -> None:
        super().__init__()
        self.bars = bars
        self.normal = nn.LayerNorm(state)
        self.query = nn.Linear(state, _WIDTH)
        self.key = nn.Linear(state, _WIDTH)
        self.distance = nn.Parameter(torch.zeros(bars + 1))  # index 0 is not used: a bar never points at itself
        self.agreement = nn.Parameter(torch.full((AGREEMENTS,), 4.0 / len(COMPARED)))

    def forward(self, state: Tensor, table: Tensor, observed: Tensor, steps_per_bar: int) -> Recall:
        """Teacher-forced pass.

        Args:
            state: (batch, steps, state) before each step is written; steps must hold whole bars.
            table: (batch, steps, fields).
            observed: (batch, 4) bool.
            steps_per_bar: rows a bar.

        Returns:
            For (batch, steps): step t points at the rows t - steps_per_bar, t - 2 steps_per_bar … before it.
        """
        bars = table.shape[1] // steps_per_bar
        lags = min(self.bars, bars - 1)
        if lags < 1:
            return self._nothing(table.shape[:2], table.device)
        normal = self.normal(state)
        q, k = (x.unflatten(1, (bars, steps_per_bar)) for x in (self.query(normal), self.key(normal)))
        lag = torch.arange(1, lags + 1, device=table.device)
        source = torch.arange(bars, device=table.device).unsqueeze(1) - lag  # (bars, lags): the bar pointed at
        by_bar = torch.einsum("bqpd,bkpd->bpqk", q, k).float() * _WIDTH**-0.5
        likeness = by_bar.gather(-1, source.clamp(min=0).expand(*by_bar.shape[:2], -1, -1))
        likeness = likeness.transpose(1, 2).flatten(1, 2)  # (batch, steps, lags)
        recalled = table[..., list(RECALLED)]
        rows = torch.stack([_delayed(recalled, int(n) * steps_per_bar) for n in lag], dim=2)
        visible = (source >= 0).repeat_interleave(steps_per_bar, dim=0)  # (steps, lags)
        # Steps before the start agree with nothing.
        same = self._same(recalled.unsqueeze(2), rows, observed[:, None, None]) * visible.unsqueeze(-1)
        return self._recall(likeness, _recent(same), visible.expand_as(likeness), rows)

    def start(self, observed: Tensor) -> PointerMemory:
        """Memory before the first step. observed (batch, 4) bool."""
        return PointerMemory(observed)

    def step(self, state: Tensor, memory: PointerMemory, steps_per_bar: int) -> Recall:
        """One step of :meth:`forward`: state (batch, state). Remembers the step's key."""
        normal = self.normal(state)
        query = self.query(normal)
        back = self._back(len(memory.keys), steps_per_bar)
        memory.keys.append(self.key(normal))
        if not back:
            return self._nothing(state.shape[:1], state.device)
        rows = torch.stack([memory.rows[i] for i in back], dim=1)
        likeness = torch.einsum("bd,bkd->bk", query, torch.stack([memory.keys[i] for i in back], dim=1)) * _WIDTH**-0.5
        windows = [torch.stack(memory.same[-window:]).sum(dim=0) / window for window in WINDOWS]
        agreement = torch.cat(windows, dim=-1)[:, : len(back)]
        return self._recall(likeness.float(), agreement, torch.ones_like(likeness, dtype=torch.bool), rows)

    def remember(self, row: Tensor, memory: PointerMemory, steps_per_bar: int) -> None:
        """Stores what was written on the step whose key :meth:`step` has just stored. row (batch, fields)."""
        row = row[:, list(RECALLED)]
        back = self._back(len(memory.rows), steps_per_bar)
        same = self.distance.new_zeros(len(row), self.bars, len(COMPARED))
        if back:
            earlier = torch.stack([memory.rows[i] for i in back], dim=1)
            same[:, : len(back)] = self._same(row.unsqueeze(1), earlier, memory.observed[:, None])
        memory.rows.append(row)
        memory.same.append(same)

    def _back(self, now: int, steps_per_bar: int) -> list[int]:
        """The steps that lie whole bars before a step, the nearest first."""
        return [now - lag * steps_per_bar for lag in range(1, min(self.bars, now // steps_per_bar) + 1)]

    def _recall(self, likeness: Tensor, agreement: Tensor, visible: Tensor, rows: Tensor) -> Recall:
        """Scores of the bars → where to point. agreement (…, bars, AGREEMENTS)."""
        scores = likeness + self.distance[1 : likeness.shape[-1] + 1] + agreement @ self.agreement
        scores = scores.masked_fill(~visible, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1) * visible
        return Recall(weights, rows, (weights.unsqueeze(-1) * agreement).sum(dim=-2))

    @staticmethod
    def _nothing(shape: torch.Size, device: torch.device) -> Recall:
        """Recall where no bar lies before."""
        rows = torch.zeros(*shape, 1, len(RECALLED), dtype=torch.long, device=device)
        return Recall(torch.zeros(*shape, 1, device=device), rows, torch.zeros(*shape, AGREEMENTS, device=device))

    @staticmethod
    def _same(now: Tensor, earlier: Tensor, observed: Tensor) -> Tensor:
        """Where rows agree, by compared column, (…, bars, columns) float; a part that is not observed never does."""
        columns = [_PLACE[name] for name in COMPARED]
        # Harmony is always observed.
        seen = torch.cat([torch.ones_like(observed[..., :1]), observed[..., list(_PARTS)]], dim=-1)
        return ((now[..., columns] == earlier[..., columns]) & seen).float()


def _delayed(x: Tensor, steps: int) -> Tensor:
    """X (batch, steps, …) later in time, zeros in front."""
    return torch.cat([torch.zeros_like(x[:, :steps]), x[:, : x.shape[1] - steps]], dim=1)


def _recent(same: Tensor) -> Tensor:
    """Agreement (batch, steps, bars, columns) → means over the windows that end just before each step."""
    total = nn.functional.pad(same.cumsum(dim=1), (0, 0, 0, 0, 1, 0))  # total[:, t] holds the steps before t
    means = []
    for window in WINDOWS:
        early = nn.functional.pad(total, (0, 0, 0, 0, window, 0))[:, : total.shape[1]]
        means.append((total - early)[:, : same.shape[1]] / window)
    return torch.cat(means, dim=-1)
