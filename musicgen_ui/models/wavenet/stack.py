"""The WaveNet stack (van den Oord et al. 2016): dilated causal gated convolutions with residual and skip paths.

Channels come last: a tap of a convolution is then a plain matrix product over (batch, time, channels), which a
processor runs faster than a convolution of so few channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musicgen_ui.models.wavenet.config import WaveNetConfig


@dataclass
class WaveNetCache:
    """A generation in progress: what each layer was given so far (Le Paine et al. 2016, fast WaveNet generation).

    Attributes:
        queues: for each layer (batch, (kernel - 1) * dilation, residual), written round and round.
        step: steps done.
        globals_: (batch, layers * 2 * residual) what the global conditioning adds, or None.
    """

    queues: list[Tensor]
    step: int
    globals_: Tensor | None


class WaveNetStack(nn.Module):
    """From time steps to the sum of the skip paths; output t reads inputs t - receptive_field + 1 … t only.

    Layer i computes, with x its input, d its dilation and R residual channels,
    h = W_i [x(t - (kernel-1) d), …, x(t - d), x(t)] + b_i + local_i(t) + global_i; g = tanh(h[:R]) · sigmoid(h[R:]);
    it adds one linear map of g to x and another to the sum. Local and global conditioning reach every layer.
    """

    def __init__(self, config: WaveNetConfig) -> None:
        super().__init__()
        self.config = config
        residual, skip, layers = config.residual, config.skip, config.layers
        self.input = nn.Linear(config.inputs, residual) if config.inputs else None
        self.dilated = nn.ModuleList([nn.Linear(config.kernel * residual, 2 * residual) for _ in range(layers)])
        # The last layer's residual path would lead nowhere.
        last = layers - 1
        self.out = nn.ModuleList([nn.Linear(residual, skip if i == last else residual + skip) for i in range(layers)])
        self.local = nn.Linear(config.local, layers * 2 * residual, bias=False) if config.local else None
        self.globals_ = nn.Linear(config.globals_, layers * 2 * residual, bias=False) if config.globals_ else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, local: Tensor | None = None, globals_: Tensor | None = None) -> Tensor:
        """The whole sequence at once.

        Args:
            x: (batch, steps, inputs); (batch, steps, residual) where ``inputs`` is 0.
            local: (batch, frames, local); ``steps`` is a whole number of times ``frames``, and each frame holds for as
                many steps.
            globals_: (batch, globals_).

        Returns:
            (batch, steps, skip): the sum of the skip paths over the square root of their number.
        """
        condition = self.conditioning(local, globals_)
        # Split at once: the gradient of a slice would be a tensor of zeros as large as the whole, for every layer.
        added = None if condition is None else condition.unsqueeze(2).chunk(self.config.layers, dim=-1)
        if self.input is not None:
            x = self.input(x)
        steps = x.shape[1]
        total: Tensor | None = None
        for i, dilation in enumerate(self.config.dilations):
            entering = self.dropout(x)
            past = (self.config.kernel - 1) * dilation
            padded = F.pad(entering, (0, 0, past, 0))
            taps = [padded[:, tap * dilation : tap * dilation + steps] for tap in range(self.config.kernel)]
            h = self.dilated[i](torch.cat(taps, dim=-1))
            if added is not None:  # (batch, frames, 1, 2 residual) each
                h = (h.unflatten(1, (added[i].shape[1], -1)) + added[i]).flatten(1, 2)
            x, total = self._leave(i, x, h, total)
        return total / math.sqrt(self.config.layers)

    def conditioning(self, local: Tensor | None, globals_: Tensor | None) -> Tensor | None:
        """What all conditioning adds to the gates of every layer.

        Args:
            local: (batch, frames, local) or None.
            globals_: (batch, globals_) or None.

        Returns:
            (batch, frames, layers * 2 * residual), one frame where there is no local conditioning; None for neither.
        """
        pieces = []
        if self.local is not None:
            pieces.append(self.local(local))
        if self.globals_ is not None:
            pieces.append(self.globals_(globals_).unsqueeze(1))
        return sum(pieces) if pieces else None

    def start(self, batch: int, globals_: Tensor | None = None) -> WaveNetCache:
        """A cache before the first step.

        Args:
            batch: sequences that are written side by side.
            globals_: (batch, globals_), which holds for the whole generation.
        """
        like = self.dilated[0].weight
        past = self.config.kernel - 1
        queues = [like.new_zeros(batch, past * d, self.config.residual) for d in self.config.dilations]
        return WaveNetCache(queues, 0, None if self.globals_ is None else self.globals_(globals_))

    def step(self, cache: WaveNetCache, x: Tensor, local: Tensor | None = None) -> Tensor:
        """One more step; equals the matching row of :meth:`forward`.

        Args:
            cache: what :meth:`start` gave; it moves on.
            x: (batch, inputs), or (batch, residual) where ``inputs`` is 0.
            local: (batch, local).

        Returns:
            (batch, skip).
        """
        condition = cache.globals_
        if self.local is not None:
            added = self.local(local)
            condition = added if condition is None else condition + added
        if self.input is not None:
            x = self.input(x)
        width = 2 * self.config.residual
        total: Tensor | None = None
        for i, (dilation, queue) in enumerate(zip(self.config.dilations, cache.queues, strict=True)):
            # The queue's place for this step holds the oldest input; the others follow every `dilation` places.
            length = queue.shape[1]
            places = [(cache.step + tap * dilation) % length for tap in range(self.config.kernel - 1)]
            h = self.dilated[i](torch.cat([*(queue[:, place] for place in places), x], dim=-1))
            if length:
                queue[:, places[0]] = x
            if condition is not None:
                h = h + condition[..., i * width : (i + 1) * width]
            x, total = self._leave(i, x, h, total)
        cache.step += 1
        return total / math.sqrt(self.config.layers)

    def _leave(self, i: int, x: Tensor, h: Tensor, total: Tensor | None) -> tuple[Tensor, Tensor]:
        """Gate, residual path and skip path of layer i: its input and pre-activation → next input, new sum."""
        tanh, gate = h.chunk(2, dim=-1)
        out = self.out[i](torch.tanh(tanh) * torch.sigmoid(gate))
        skip = out
        if i < self.config.layers - 1:
            step, skip = out.split([self.config.residual, self.config.skip], dim=-1)
            x = x + step
        return x, skip if total is None else total + skip
