"""The prior of z given the style: where the encoder puts pieces that were made with such a style."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.style import GENRES

_ANCHORS = 5
_MODES = 3
FEATURES = len(CONDITION_SLIDERS) * (_ANCHORS + 1) + len(GENRES) + 1 + _MODES + len(METRES) + len(PARTS)


class LatentPrior(nn.Module):
    """p(z | c), a Gaussian whose mean is linear in features of the style and whose covariance is full and shared.

    A piece's z and its style say partly the same (how dense, which mode), so a z drawn without regard to c
    contradicts it, and the decoder answers with thin music. A conditional prior (Sohn et al. 2015) draws z that fit.
    It is fitted in closed form when the composer has been trained; until then it is the standard normal.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(FEATURES, latent))
        self.register_buffer("factor", torch.eye(latent))

    def forward(self, condition: Condition, noise: Tensor) -> Tensor:
        """Z (batch, latent) of standard normal noise (batch, latent): mean(c) + L noise."""
        return features(condition) @ self.weight + noise @ self.factor.T

    @torch.no_grad()
    def fit(self, inputs: Tensor, z: Tensor, ridge: float = 1.0) -> float:
        """Least squares for the mean, then the covariance of what is left.

        Args:
            inputs: (n, FEATURES) of the sections' conditions.
            z: (n, latent) samples of their posteriors.
            ridge: strength of the regularisation.

        Returns:
            share of the variance of z that the style explains.
        """
        x, y = inputs.double(), z.double()
        gram = x.T @ x + ridge * torch.eye(x.shape[1], dtype=torch.double)
        weight = torch.linalg.solve(gram, x.T @ y)
        rest = y - x @ weight
        covariance = rest.T @ rest / len(rest) + 1e-4 * torch.eye(y.shape[1], dtype=torch.double)
        self.weight.copy_(weight)
        self.factor.copy_(torch.linalg.cholesky(covariance))
        return float(1 - rest.var(dim=0).sum() / y.var(dim=0).sum())


def features(condition: Condition) -> Tensor:
    """(batch, FEATURES): each slider's place between anchors, or that it is unknown, and the choices one-hot."""
    place = condition.sliders.clamp(0, 1).unsqueeze(-1) * (_ANCHORS - 1)
    anchors = torch.arange(_ANCHORS, device=place.device, dtype=place.dtype)
    known = condition.known.unsqueeze(-1).to(place.dtype)
    hats = (1 - (place - anchors).abs()).clamp(min=0) * known
    sliders = torch.cat([hats, 1 - known], dim=-1).flatten(1)
    any_genre = (condition.genre.sum(dim=-1, keepdim=True) <= 0).to(place.dtype)
    mode = nn.functional.one_hot(condition.mode, _MODES).to(place.dtype)
    metre = nn.functional.one_hot(condition.metre, len(METRES)).to(place.dtype)
    return torch.cat([sliders, condition.genre, any_genre, mode, metre, condition.active.to(place.dtype)], dim=-1)
