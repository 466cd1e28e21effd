"""Losses of the VAE-GAN's first stage: notes against their analysed partials, z against its priors."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from musicgen_ui.models.vae_gan.note_network import Envelopes
from musicgen_ui.training.vae_gan_notes import NoteTargets

_QUIET = 1e-4
"""Amplitude, relative to the note's loudest partial, below which nobody hears the difference (-80 dB)."""

WEIGHTS = {"log": 0.5, "linear": 1.0, "complex": 0.7, "noise": 0.2, "bend": 0.1, "release": 0.2}
"""Of the parts of :func:`note_losses`."""


def note_losses(envelopes: Envelopes, targets: NoteTargets, knots: Tensor, known: Tensor) -> dict[str, Tensor]:
    """How far N notes are from their analysis, by kind; scalars.

    ``linear`` is the spectral convergence of the partials' magnitudes and ``complex`` that of their phasors, which
    decides how notes that share a frequency add up; it counts where the instrument is known, since only then
    are there start phases to speak of. ``log`` is the distance in nepers, where a quiet partial counts as a loud one.

    Args:
        envelopes: of N notes.
        targets: their analysis.
        knots: (T,) seconds.
        known: (N,) 1 where the instrument was told.
    """
    weight = knot_weights(knots)
    w = weight[None, :, None]
    target, made = targets.amplitude, envelopes.log_amplitude.exp()
    floor = _QUIET * target.amax(dim=(1, 2), keepdim=True) + 1e-7
    log = (w * _apart(envelopes.log_amplitude, target, floor)).sum(dim=1).mean()
    energy = (w * target.square()).sum(dim=(1, 2)) + 1e-12
    linear = ((w * (made - target).square()).sum(dim=(1, 2)) / energy).add(1e-6).sqrt()
    cosine = envelopes.phasor[..., 0] * torch.cos(targets.angle) + envelopes.phasor[..., 1] * torch.sin(targets.angle)
    apart = made.square() + target.square() - 2 * made * target * cosine
    whole = ((w * apart).sum(dim=(1, 2)).clamp(min=0.0) / energy).add(1e-6).sqrt()
    noise = _apart(envelopes.log_noise, targets.noise, floor)
    loudness = target.square().sum(dim=2) * weight
    bend = (loudness * (envelopes.bend - targets.bend).abs()).sum(dim=1) / (loudness.sum(dim=1) + 1e-12)
    return {
        "log": log,
        # The root of a sum grows without bound where the network is far off; a note counts at most so much.
        "linear": linear.clamp(max=4.0).mean(),
        "complex": (whole.clamp(max=4.0) * known).sum() / known.sum().clamp(min=1.0),
        "noise": (w * noise).sum(dim=1).mean(),
        "bend": bend.mean() / 20.0,
        "release": (envelopes.log_release - torch.log(targets.release)).abs().mean(),
    }


def knot_weights(knots: Tensor) -> Tensor:
    """(T,) what each knot counts, 1 in all.

    Most notes of a score are short: what comes first matters most, and the attack more than its time says.
    """
    weight = torch.gradient(knots)[0] * torch.exp(-knots / 0.9)
    return (weight / weight.sum() + 0.25 / len(knots)) / 1.25


def _apart(made: Tensor, target: Tensor, floor: Tensor) -> Tensor:
    """Nepers between a level and a target amplitude. Below the floor all is equal, but only where the target is.

    A partial that few instruments have is silent in most notes; the way back up must never be flat.
    """
    apart = made - torch.log(torch.maximum(target, floor))
    return torch.where(target > floor, apart.abs(), F.relu(apart))


def weighted(losses: dict[str, Tensor]) -> Tensor:
    """The sum that is minimised."""
    return torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()


def divergence(mean: Tensor, log_variance: Tensor, prior_mean: Tensor, prior_log_std: Tensor) -> Tensor:
    """KL(q || p) of diagonal Gaussians by dimension, (batch, Z_SIZE) nats."""
    spread = torch.exp(log_variance - 2 * prior_log_std)
    distance = ((mean - prior_mean) * torch.exp(-prior_log_std)).square()
    return 0.5 * (spread + distance - 1.0) - 0.5 * log_variance + prior_log_std


def to_standard(prior_mean: Tensor, prior_log_std: Tensor) -> Tensor:
    """KL(p || N(0, 1)) of the instruments' priors, mean over dimensions: keeps draws from N(0, 1) meaningful."""
    return divergence(prior_mean, 2 * prior_log_std, torch.zeros_like(prior_mean), torch.zeros_like(prior_mean)).mean()


def recognition(z: Tensor, prior_mean: Tensor, prior_log_std: Tensor, instrument: Tensor) -> Tensor:
    """Cross-entropy of the instrument given z under the mixture of priors (instruments, Z_SIZE), per dimension of z."""
    distance = (z.unsqueeze(1) - prior_mean) * torch.exp(-prior_log_std)
    logits = -0.5 * distance.square().sum(dim=2) - prior_log_std.sum(dim=1)
    return F.cross_entropy(logits / math.sqrt(z.shape[1]), instrument)
