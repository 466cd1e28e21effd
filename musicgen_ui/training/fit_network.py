"""Fits one of the Listener's small networks: regression, ridge regression, or the choice among candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from musicgen_ui.audio.networks import FURTHEST, FeatureNetwork

Group = tuple[np.ndarray, int | None]
"""(choices, features) and the index of the right choice, None where none is right."""

_CONSTANT = 1e-4  # a feature that spreads less is not scaled up: half precision could not hold its mean


def standard(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of (rows, features), as they are stored."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    scale = np.where(deviation < _CONSTANT, 1.0, deviation)
    return mean.astype(np.float16).astype(np.float64), scale.astype(np.float16).astype(np.float64)


def _standardised(features: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.clip((features - mean) / scale, -FURTHEST, FURTHEST).astype(np.float32))


class _Layers(torch.nn.Module):
    """The trainable twin of ``FeatureNetwork``, over features that are standardised already."""

    def __init__(self, features: int, units: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(features, units) if units else None
        self.out = torch.nn.Linear(units, outputs, bias=False) if units else None
        self.linear = torch.nn.Linear(features, outputs)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(x)
        straight = self.linear(x)
        return straight if self.hidden is None else straight + self.out(self.dropout(torch.relu(self.hidden(x))))

    def exported(self, mean: np.ndarray, scale: np.ndarray) -> FeatureNetwork:
        features, outputs = self.linear.in_features, self.linear.out_features
        empty = self.hidden is None
        arrays = (
            np.zeros((features, 0)) if empty else self.hidden.weight.detach().numpy().T,
            np.zeros(0) if empty else self.hidden.bias.detach().numpy(),
            np.zeros((0, outputs)) if empty else self.out.weight.detach().numpy().T,
            self.linear.weight.detach().numpy().T,
            self.linear.bias.detach().numpy(),
        )
        return FeatureNetwork(mean, scale, *arrays)


def fit_regression(  # noqa: PLR0913 - what decides on a fit is much
    features: np.ndarray,
    targets: np.ndarray,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    units: int,
    epochs: int,
    seed: int,
    dropout: float = 0.0,
    batch: int = 1024,
    outputs: int | None = None,
) -> tuple[FeatureNetwork, float]:
    """A network from (rows, features) to (rows, targets), and its last epoch's mean loss."""
    mean, scale = standard(features)
    x = _standardised(features, mean, scale)
    y = torch.from_numpy(targets.astype(np.float32))
    torch.manual_seed(seed)
    outputs = targets.shape[1] if outputs is None else outputs
    net = _Layers(features.shape[1], units, outputs, dropout)
    loss = _train(net, len(x), batch, epochs, lambda rows: loss_of(net(x[rows]), y[rows]))
    return net.exported(mean, scale), loss


def fit_ridge(features: np.ndarray, targets: np.ndarray, strength: float = 30.0) -> tuple[FeatureNetwork, float]:
    """Linear least squares with an L2 penalty on the standardised weights; and its mean square error."""
    mean, scale = standard(features)
    x = (features - mean) / scale
    centre, middle = x.mean(axis=0), targets.mean(axis=0)  # the stored mean is rounded
    x = x - centre
    weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (targets - middle))
    nothing = np.zeros((x.shape[1], 0)), np.zeros(0), np.zeros((0, targets.shape[1]))
    network = FeatureNetwork(mean, scale, *nothing, weights, middle - centre @ weights)
    return network, float(np.square(network(features) - targets).mean())


def fit_choice(
    groups: Sequence[Group], *, units: int, epochs: int, seed: int, dropout: float = 0.2
) -> tuple[FeatureNetwork, float]:
    """A network that scores each group's choices, fitted so that a softmax picks the right one.

    A group may have None for its answer: then "none of these", whose score is always 0, is right.
    """
    rows = np.concatenate([features for features, _ in groups])
    mean, scale = standard(rows)
    most = max(len(features) for features, _ in groups)
    refusable = any(answer is None for _, answer in groups)
    x = torch.zeros(len(groups), most, rows.shape[1])
    absent = torch.full((len(groups), most), -1e9)
    for i, (features, _) in enumerate(groups):
        x[i, : len(features)] = _standardised(features, mean, scale)
        absent[i, : len(features)] = 0.0
    y = torch.tensor([most if answer is None else answer for _, answer in groups])
    torch.manual_seed(seed)
    net = _Layers(rows.shape[1], units, 1, dropout if units else 0.0)

    def loss_of(batch: torch.Tensor) -> torch.Tensor:
        scores = net(x[batch])[..., 0] + absent[batch]
        if refusable:
            scores = torch.cat([scores, torch.zeros(len(batch), 1)], dim=1)
        return functional.cross_entropy(scores, y[batch])

    loss = _train(net, len(x), 64, epochs, loss_of)
    return net.exported(mean, scale), loss


def _train(net: _Layers, count: int, batch: int, epochs: int, loss_of: Callable[[torch.Tensor], torch.Tensor]) -> float:
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    net.train()
    mean = 0.0
    for _ in range(epochs):
        losses = []
        for rows in torch.randperm(count).split(batch):
            loss = loss_of(rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        schedule.step()
        mean = float(np.mean(losses))
    net.eval()
    return mean


def fit_measures(
    features: np.ndarray, targets: np.ndarray, *, units: int, epochs: int, seed: int, dropout: float = 0.2
) -> tuple[FeatureNetwork, float]:
    """A network from clips (rows, features) to raw measures (rows, targets), by Huber's loss in standard deviations.

    A target that is not finite is left out.
    """
    middle, spread = np.nanmean(targets, axis=0), np.nanstd(targets, axis=0) + 1e-6
    network, loss = fit_regression(
        features,
        (targets - middle) / spread,
        _measure_loss,
        units=units,
        epochs=epochs,
        seed=seed,
        dropout=dropout,
        batch=64,
    )
    raw = replace(
        network,
        out=network.out * spread,
        linear=network.linear * spread,
        out_bias=network.out_bias * spread + middle,
    )
    return raw, loss


def _measure_loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    known = torch.isfinite(target)
    return functional.huber_loss(out[known], target[known], delta=0.5)
