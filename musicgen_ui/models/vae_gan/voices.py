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

RELEASE_FALL = (0.0, 0.12, 0.25, 0.4, 0.55, 0.75, 1.0, 1.35, 1.8, 2.4, 3.2, 4.2, 5.5, 7.0)
RELEASE_SECONDS = (0.0, 0.006, 0.014, 0.025, 0.04, 0.06, 0.09, 0.13, 0.19, 0.28, 0.42, 0.65, 1.1, 2.2)
"""Knots after the key is let go: so many time constants, or so many seconds, whichever comes first.

A strong damper is followed closely, and under a weak one the note's own decay is. At the last the voice ends.
"""

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

    From the moment that the key is let go, all amplitudes decay together, as under the volume envelope of a sampler:
    what was falling by itself goes on falling, and what the attack had not reached by then is never reached.

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
    damping = envelopes.log_release.exp().detach().unsqueeze(1)
    falls, seconds = (
        torch.tensor(row, device=knots.device, dtype=knots.dtype) for row in (RELEASE_FALL, RELEASE_SECONDS)
    )
    after = torch.minimum(falls * damping, seconds)
    fall = torch.exp(-after / damping)
    fall = torch.cat([fall[:, :-1], torch.zeros_like(fall[:, -1:])], dim=1)
    tail = held.unsqueeze(1) + after
    ringing = torch.stack([_at(values, times, moment) for moment in tail.unbind(dim=1)], dim=1)
    released = _no_louder(ringing, at_release.unsqueeze(1), phase.shape[1]) * fall.unsqueeze(2)
    values = torch.cat([sustained, released], dim=1)
    seconds = torch.cat([torch.minimum(times.unsqueeze(0), held.unsqueeze(1)), tail], dim=1).double()
    bend = torch.cat([envelopes.bend, envelopes.bend[:, -1:].expand(-1, len(HOLD_KNOTS))], dim=1).detach()
    cents = torch.cat([bend, bend[:, -1:].expand(-1, len(RELEASE_FALL))], dim=1)
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


def _no_louder(values: Tensor, limit: Tensor, partials: int) -> Tensor:
    """Values (N, R, 2 K + B), each partial and band brought down to its level in ``limit`` (N, 1, 2 K + B)."""

    def scaled(level: Tensor, most: Tensor) -> Tensor:
        return (most / (level + 1e-12)).clamp(max=1.0).detach()

    real, imaginary, noise = values.split([partials, partials, values.shape[2] - 2 * partials], dim=2)
    top_real, top_imaginary, top_noise = limit.split([partials, partials, limit.shape[2] - 2 * partials], dim=2)
    gain = scaled(torch.hypot(real, imaginary), torch.hypot(top_real, top_imaginary))
    return torch.cat([real * gain, imaginary * gain, noise * scaled(noise, top_noise)], dim=2)


def _at(values: Tensor, times: Tensor, moment: Tensor) -> Tensor:
    """(N, C) values (N, T, C) at a moment (N,) of each, linear between times."""
    right = torch.searchsorted(times, moment.contiguous()).clamp(1, len(times) - 1)
    left = right - 1
    share = ((moment - times[left]) / (times[right] - times[left])).clamp(0.0, 1.0)[:, None]
    rows = torch.arange(len(values), device=values.device)
    return values[rows, left] * (1 - share) + values[rows, right] * share
