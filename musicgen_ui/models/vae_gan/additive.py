"""Additive synthesis that gradients pass through: the compiled kernel and its adjoint on a CPU, torch on a GPU."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from musicgen_ui.audio import oscillators
from musicgen_ui.models.vae_gan.voices import VoiceTensors

_AT_ONCE = 4_000_000
"""Partials times samples that the torch path holds at a time."""


def render(voices: VoiceTensors, bands: Tensor, first: int, length: int) -> Tensor:
    """Samples ``first`` to ``first + length`` of the sum of voices, (length,) float32, differentiable.

    Args:
        voices: V of them; gradients flow to ``real``, ``imaginary`` and ``noise``.
        bands: (B, NOISE_LENGTH) noise.
        first: any sample.
        length: samples.
    """
    if len(voices.start) == 0:
        return torch.zeros(length, device=bands.device)
    if bands.device.type == "cpu":
        return _Kernel.apply(voices.real, voices.imaginary, voices.noise, voices, bands, first, length)
    return render_torch(voices, bands, first, length)


class _Kernel(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        real: Tensor,
        imaginary: Tensor,
        noise: Tensor,
        voices: VoiceTensors,
        bands: Tensor,
        first: int,
        length: int,
    ) -> Tensor:
        ctx.voices, ctx.bands, ctx.first = voices.numpy(), bands.numpy(), first
        return torch.from_numpy(oscillators.render(ctx.voices, ctx.bands, first, length))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grads = oscillators.adjoint(ctx.voices, ctx.bands, ctx.first, grad.numpy())
        return *(torch.from_numpy(g) for g in grads), None, None, None, None


def render_torch(voices: VoiceTensors, bands: Tensor, first: int, length: int) -> Tensor:
    """:func:`render` in torch operations alone: what a GPU runs, and the reference of the kernel."""
    partials = voices.ratio.shape[1]
    step = max(256, _AT_ONCE // (partials * max(1, len(voices.start))))
    pieces = [_piece(voices, bands, first + begin, min(step, length - begin)) for begin in range(0, length, step)]
    return torch.cat(pieces)


def _piece(voices: VoiceTensors, bands: Tensor, first: int, length: int) -> Tensor:
    sample = torch.arange(first, first + length, device=bands.device)
    time = (sample.unsqueeze(0) - voices.start.unsqueeze(1)).double()
    sounding = (time >= 0) & (time < voices.position[:, -1:])
    left = (torch.searchsorted(voices.position.contiguous(), time.contiguous(), right=True) - 1).clamp(
        0, voices.position.shape[1] - 2
    )
    begin, end = voices.position.gather(1, left), voices.position.gather(1, left + 1)
    offset, span = time - begin, (end - begin).clamp(min=1e-9)
    slow, fast = voices.speed.gather(1, left), voices.speed.gather(1, left + 1)
    turned = voices.cycles.gather(1, left) + offset * (slow + 0.5 * (fast - slow) / span * offset)
    share = (offset / span).float().unsqueeze(2)

    def between(values: Tensor) -> Tensor:
        index = left.unsqueeze(2).expand(-1, -1, values.shape[2])
        return values.gather(1, index) * (1 - share) + values.gather(1, index + 1) * share

    # Whole turns are taken off in float64: a float32 angle of thousands of turns has lost its phase.
    angle = turned.unsqueeze(2) * voices.ratio.double().unsqueeze(1)
    angle = (2 * math.pi * (angle - angle.floor())).float()
    heard = voices.ratio.unsqueeze(1) * torch.maximum(slow, fast).float().unsqueeze(2) < 0.5
    tones = (between(voices.real) * torch.cos(angle) - between(voices.imaginary) * torch.sin(angle)) * heard
    hiss = between(voices.noise) * bands[:, sample % bands.shape[1]].T.unsqueeze(0)
    return ((tones.sum(dim=2) + hiss.sum(dim=2)) * sounding).sum(dim=0)
