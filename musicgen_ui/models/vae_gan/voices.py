"""From a note's envelopes to a voice: where its key is let go, how it rings out, and at which frequencies it sounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from musicgen_ui.audio.oscillators import Voices
from musicgen_ui.audio.partials import FRACTIONS
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.note_network import Envelopes

HOLD_KNOTS = (0.5, 1.5, 4.0, 10.0)
"""Seconds past the last knot, for notes that are held longer than any that was analysed."""

RELEASE_KNOTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0)
"""Time constants after the key is let go; then the voice ends (-61 dB)."""

_STEADY = 0.5
"""Nepers a second: what falls more slowly than this is sustained for ever."""


@dataclass(frozen=True)
class VoiceTensors:
    """As :class:`musicgen_ui.audio.oscillators.Voices`, in tensors; gradients flow through the last three."""

    start: Tensor
    position: Tensor
    cycles: Tensor
    speed: Tensor
    ratio: Tensor
    real: Tensor
    imaginary: Tensor
    noise: Tensor

    def numpy(self) -> Voices:
        """The values, for the compiled kernels."""
        return Voices(*(getattr(self, f.name).detach().cpu().numpy() for f in fields(self)))


def assemble(
    envelopes: Envelopes,
    knots: Tensor,
    *,
    start: Tensor,
    hold: Tensor,
    frequency: Tensor,
    ratio: Tensor,
    phase: Tensor,
) -> VoiceTensors:
    """Voices of N notes.

    From the moment that the key is let go, the amplitudes keep their proportions and decay together: as the volume
    envelope of a sampler does, and whatever the attack had reached by then.

    Args:
        envelopes: of the notes, over ``knots``.
        knots: (T,) seconds.
        start: (N,) samples.
        hold: (N,) samples until the key is let go.
        frequency: (N,) nominal, Hz.
        ratio: (N, K) frequency of each partial over the nominal.
        phase: (N, K) start phases.
    """
    amplitude = envelopes.log_amplitude.exp()
    cosine, sine = torch.cos(phase).unsqueeze(1), torch.sin(phase).unsqueeze(1)
    p, q = envelopes.phasor.unbind(dim=-1)
    values = torch.cat(
        [amplitude * (p * cosine - q * sine), amplitude * (p * sine + q * cosine), envelopes.log_noise.exp()], dim=2
    )
    held = (hold / SAMPLE_RATE).to(knots.dtype)
    values, times = _extended(values, knots)
    at_release = _at(values, times, held)
    before = times.unsqueeze(0) <= held.unsqueeze(1)
    sustained = torch.where(before.unsqueeze(2), values, at_release.unsqueeze(1))
    decay = torch.tensor(RELEASE_KNOTS, device=knots.device, dtype=knots.dtype)
    fall = torch.exp(-decay)
    fall[-1] = 0.0
    released = at_release.unsqueeze(1) * fall[None, :, None]
    values = torch.cat([sustained, released], dim=1)
    tail = held.unsqueeze(1) + decay * envelopes.log_release.exp().detach().unsqueeze(1)
    seconds = torch.cat([torch.minimum(times.unsqueeze(0), held.unsqueeze(1)), tail], dim=1).double()
    bend = torch.cat([envelopes.bend, envelopes.bend[:, -1:].expand(-1, len(HOLD_KNOTS))], dim=1).detach()
    cents = torch.cat([bend, bend[:, -1:].expand(-1, len(RELEASE_KNOTS))], dim=1)
    cents = torch.where(seconds >= held.unsqueeze(1), _at(bend.unsqueeze(2), times, held), cents).double()
    speed = frequency.double().unsqueeze(1) / SAMPLE_RATE * torch.exp(cents * (math.log(2.0) / 1200.0))
    position = seconds * SAMPLE_RATE
    turned = 0.5 * (speed[:, 1:] + speed[:, :-1]) * position.diff(dim=1)
    cycles = torch.cat([torch.zeros_like(turned[:, :1]), turned.cumsum(dim=1)], dim=1)
    k = phase.shape[1]
    return VoiceTensors(
        start=start.long(),
        position=position,
        cycles=cycles,
        speed=speed,
        ratio=ratio.float(),
        real=values[..., :k],
        imaginary=values[..., k : 2 * k],
        noise=values[..., 2 * k :],
    )


def steady_partials(grid: Tensor, count: int, drums: bool) -> tuple[Tensor, Tensor]:
    """Ratios and phases (count, K) of an instrument that no table knows: harmonic, with phases that keep peaks low.

    Schroeder's phases (1970) spread the energy of equally spaced partials over the period.
    """
    if drums:
        return grid.expand(count, -1), torch.zeros(count, len(grid), device=grid.device)
    order = torch.cat([torch.zeros(FRACTIONS, device=grid.device), grid[FRACTIONS:]])
    phase = -math.pi * order * (order - 1) / (len(grid) - FRACTIONS)
    return grid.expand(count, -1), phase.expand(count, -1)


def _extended(values: Tensor, knots: Tensor) -> tuple[Tensor, Tensor]:
    """The envelopes and knots with HOLD_KNOTS behind: what was falling at the end goes on falling."""
    level = values.detach().square().sum(dim=2) + 1e-14
    middle = int(torch.searchsorted(knots, knots[-1] - 0.8))
    slope = 0.5 * torch.log(level[:, -1] / level[:, middle]) / (knots[-1] - knots[middle])
    slope = torch.where(slope < -_STEADY, slope, torch.zeros_like(slope))
    past = torch.tensor(HOLD_KNOTS, device=knots.device, dtype=knots.dtype)
    gain = torch.exp(slope.unsqueeze(1) * past)
    return torch.cat([values, values[:, -1:] * gain.unsqueeze(2)], dim=1), torch.cat([knots, knots[-1] + past])


def _at(values: Tensor, times: Tensor, moment: Tensor) -> Tensor:
    """(N, C) values (N, T, C) at a moment (N,) of each, linear between times."""
    right = torch.searchsorted(times, moment.contiguous()).clamp(1, len(times) - 1)
    left = right - 1
    share = ((moment - times[left]) / (times[right] - times[left])).clamp(0.0, 1.0)[:, None]
    rows = torch.arange(len(values), device=values.device)
    return values[rows, left] * (1 - share) + values[rows, right] * share
