"""Drawing one class from logits: how bold, and which limits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SamplingConfig:
    """How bold the sampler is: softmax temperature, then the ``top_k`` best, then the smallest set of mass ``top_p``.

    ``rest_bias`` is taken off the logit of "nothing starts here" of lead, chords, bass and drums: what it writes itself
    is a little thinner than what it learned from, and thin bars breed thin bars.
    """

    rest_bias: float = 0.6
    temperature: float = 0.9
    lead_temperature: float = 0.8
    detail_temperature: float = 0.8
    top_k: int = 64
    top_p: float = 0.93


def pick(logits: Tensor, noise: Tensor, *, temperature: float, top_k: int, top_p: float, rest: bool = False) -> Tensor:
    """Samples a class from each row by inverting the cumulative distribution (top-p: Holtzman et al. 2020).

    Args:
        logits: (batch, classes); -inf is illegal.
        noise: (batch,) uniform in [0, 1).
        temperature: of the softmax.
        top_k: at most so many classes.
        top_p: and no more than it takes to hold that mass.
        rest: class 0 is "nothing": it keeps its probability, and the two limits choose among the others. On most
            steps nothing starts, so limits over all classes would take away the rarer onsets and empty the music.

    Returns:
        (batch,) int64.
    """
    # Rounding makes near ties fall the same way whatever the order in which a processor adds.
    p = torch.round(logits.double() / temperature, decimals=4).softmax(dim=-1)
    silent = p[:, :1] if rest else p.new_zeros(len(p), 1)
    ranked, order = p[:, int(rest) :].sort(dim=-1, descending=True, stable=True)
    whole = ranked.sum(dim=-1, keepdim=True).clamp(min=1e-300)
    keep = (ranked.cumsum(dim=-1) - ranked) < top_p * whole
    keep[:, top_k:] = False
    kept = ranked * keep
    mass = silent + (kept / kept.sum(dim=-1, keepdim=True).clamp(min=1e-300)).cumsum(dim=-1) * (1 - silent)
    threshold = noise.double().unsqueeze(-1)
    index = (mass <= threshold).sum(dim=-1, keepdim=True)
    # Rounding at the very end must not leave the kept set.
    index = torch.minimum(index, keep.sum(dim=-1, keepdim=True) - 1)
    chosen = order.gather(-1, index)[:, 0] + int(rest)
    return torch.where(threshold[:, 0] < silent[:, 0], 0, chosen)
