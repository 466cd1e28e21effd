"""The composers' control: attention over the style tokens and over the same place in earlier bars."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class BarMemory:
    """What the attention keeps while composing: keys and values by step, and those of the style tokens."""

    token_keys: Tensor
    token_values: Tensor
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)


class BarAttention(nn.Module):
    """Attention (Vaswani et al. 2017) from a step to the style tokens and to its own place in the bars before.

    The key of an earlier step is the composer's state just before that step was written, its value is what was then
    written: a step that finds itself in a situation it has been in before can bring back what followed. That is what
    lets bars return.

    Args:
        state: width of the composer's state.
        content: width of a row's embedding and of the style tokens.
        heads: number of attention heads.
        bars: how many bars back it can see; 0 leaves the style tokens.
    """

    def __init__(self, state: int, content: int, heads: int, bars: int) -> None:
        super().__init__()
        self.heads, self.bars = heads, bars
        self.normal = nn.LayerNorm(state)
        self.query = nn.Linear(state, content)
        self.key = nn.Linear(state, content)
        self.value = nn.Linear(content, content)
        self.token_key = nn.Linear(content, content)
        self.token_value = nn.Linear(content, content)
        self.distance = nn.Parameter(torch.zeros(heads, bars + 1))  # index 0 is not used: a bar never sees itself
        self.out = nn.Linear(content, state)

    def _split(self, x: Tensor) -> Tensor:
        """(…, content) → (…, heads, width of a head)."""
        return x.unflatten(-1, (self.heads, -1))

    def forward(self, state: Tensor, content: Tensor, tokens: Tensor, steps_per_bar: int) -> Tensor:
        """Teacher-forced pass.

        Args:
            state: (batch, steps, state) before each step is written.
            content: (batch, steps, content) embedding of what was written on each step.
            tokens: (batch, tokens, content).
            steps_per_bar: rows a bar; steps must hold whole bars.

        Returns:
            (batch, steps, state) to be added to the state.
        """
        bars = state.shape[1] // steps_per_bar
        normal = self.normal(state)
        # (batch, steps, heads, d) → (batch, bars, place, heads, d)
        q, k, v = (
            self._split(x).unflatten(1, (bars, steps_per_bar))
            for x in (self.query(normal), self.key(normal), self.value(content))
        )
        scale = q.shape[-1] ** -0.5
        scores = torch.einsum("bqphd,bkphd->bphqk", q, k) * scale
        back = torch.arange(bars, device=state.device)
        back = back[:, None] - back[None, :]  # bars from key to query
        visible = (back > 0) & (back <= self.bars)
        bias = self.distance[:, back.clamp(0, self.bars)]  # (heads, q, k)
        scores = (scores + bias.to(scores.dtype)).masked_fill(~visible, float("-inf"))
        token_keys, token_values = self._split(self.token_key(tokens)), self._split(self.token_value(tokens))
        token_scores = torch.einsum("bqphd,bshd->bphqs", q, token_keys) * scale
        weights = torch.cat([scores, token_scores], dim=-1).float().softmax(dim=-1).to(v.dtype)
        out = torch.einsum("bphqk,bkphd->bqphd", weights[..., :bars], v)
        out = out + torch.einsum("bphqs,bshd->bqphd", weights[..., bars:], token_values)
        return self.out(out.flatten(3).flatten(1, 2))

    def start(self, tokens: Tensor) -> BarMemory:
        """Memory before the first step. tokens (batch, tokens, content)."""
        return BarMemory(self._split(self.token_key(tokens)), self._split(self.token_value(tokens)))

    def step(self, state: Tensor, memory: BarMemory, steps_per_bar: int) -> Tensor:
        """One step of :meth:`forward`: state (batch, state) → (batch, state). Remembers the step's key."""
        normal = self.normal(state)
        q = self._split(self.query(normal))  # (batch, heads, d)
        now = len(memory.keys)
        bar, place = divmod(now, steps_per_bar)
        first = max(0, bar - self.bars)
        earlier = range(first * steps_per_bar + place, now, steps_per_bar)
        none = q.new_zeros(q.shape[0], 0, *q.shape[1:])
        k = torch.stack([memory.keys[i] for i in earlier], dim=1) if earlier else none
        v = torch.stack([memory.values[i] for i in earlier], dim=1) if earlier else none
        scale = q.shape[-1] ** -0.5
        back = bar - torch.arange(first, bar, device=state.device)
        scores = torch.einsum("bhd,bkhd->bhk", q, k) * scale + self.distance[:, back]
        token_scores = torch.einsum("bhd,bshd->bhs", q, memory.token_keys) * scale
        weights = torch.cat([scores, token_scores], dim=-1).softmax(dim=-1)
        bars = len(earlier)
        out = torch.einsum("bhk,bkhd->bhd", weights[..., :bars], v)
        out = out + torch.einsum("bhs,bshd->bhd", weights[..., bars:], memory.token_values)
        memory.keys.append(self._split(self.key(normal)))
        return self.out(out.flatten(1))

    def remember(self, content: Tensor, memory: BarMemory) -> None:
        """Stores what was written on the step whose key :meth:`step` has just stored. content (batch, content)."""
        memory.values.append(self._split(self.value(content)))
