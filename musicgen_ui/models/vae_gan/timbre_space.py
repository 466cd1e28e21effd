"""The space of timbres: where instruments lie in it, draws from it, and paths through it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from musicgen_ui.models.vae_gan.config import Z_SIZE
from musicgen_ui.models.vae_gan.generator import Generator


@dataclass(frozen=True)
class AggregatePrior:
    """The Gaussian with the mean and covariance of all pitched instruments' priors together.

    A draw lies where instruments are, but is none of them.

    Attributes:
        mean: (Z_SIZE,).
        factor: (Z_SIZE, Z_SIZE) lower Cholesky factor of the covariance.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def of(cls, generator: Generator) -> AggregatePrior:
        """Of a generator's tables."""
        network = generator.network(drums=False)
        means, spreads = network.prior_mean.detach().double(), network.prior_log_std.detach().double().exp()
        centred = means - means.mean(dim=0)
        covariance = centred.T @ centred / len(means) + torch.diag(spreads.square().mean(dim=0))
        jitter = 1e-6 * torch.eye(Z_SIZE, dtype=torch.float64, device=means.device)
        factor = torch.linalg.cholesky(covariance + jitter)
        return cls(means.mean(dim=0).float(), factor.float())

    def draw(self, noise: Tensor) -> Tensor:
        """(Z_SIZE,) the timbre that standard normal noise (Z_SIZE,) stands for."""
        return self.mean + self.factor @ noise.to(self.mean.device)


def morphed(a: Tensor, b: Tensor, share: float) -> Tensor:
    """A timbre on the way from a (share 0) to b (share 1), (Z_SIZE,).

    Spherical interpolation of the direction (White 2016) and linear of the length: halfway between two draws of a
    high-dimensional Gaussian lies another that is as likely as they are.
    """
    size_a, size_b = a.norm(), b.norm()
    if share <= 0.0 or share >= 1.0 or float(size_a) < 1e-6 or float(size_b) < 1e-6:
        return torch.lerp(a, b, min(1.0, max(0.0, share)))
    cosine = torch.clamp(torch.dot(a, b) / (size_a * size_b), -1.0, 1.0)
    angle = torch.arccos(cosine)
    if float(angle.sin()) < 1e-4:
        return torch.lerp(a, b, share)
    direction = (torch.sin((1 - share) * angle) * a / size_a + torch.sin(share * angle) * b / size_b) / torch.sin(angle)
    return direction * torch.lerp(size_a, size_b, share)
