"""Fits the Listener's small networks to scores that were rendered for it: pitches, tempo, beat, steps, key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from musicgen_ui.audio.networks import FeatureNetwork
from musicgen_ui.audio.rhythm import HOP as PULSE_HOP
from musicgen_ui.audio.rhythm import PHASES, phase_features, step_features, with_harmonic_change
from musicgen_ui.audio.rhythm import SAMPLE_RATE as PULSE_RATE
from musicgen_ui.audio.spectral import mono, onset_flux
from musicgen_ui.audio.tempo import Pulse, tempo_features
from musicgen_ui.audio.timbre import is_stereo, space_features
from musicgen_ui.audio.tonality import (
    FRAME_RATE,
    LOWEST_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Pitches,
    activations,
    hear_strength,
    key_features,
    pitch_features,
)
from musicgen_ui.audio.waveform import resample
from musicgen_ui.music.measures import onset_strength
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import KEYS
from musicgen_ui.training.listener_data import Example

Group = tuple[np.ndarray, int | None]
"""(choices, features) and the index of the right choice, None where none is right."""


@dataclass(frozen=True)
class Observation:
    """What the Listener's front end makes of an example, with the score that is the answer.

    Attributes:
        score: the answer.
        flux: (5, frames) of ``spectral.onset_flux``.
        strength: (PITCHES, frames) of ``tonality.activations``.
        space: (40,) of ``timbre.space_features``, or None for mono.
        rhythmic: False where there is no tempo to find.
        room: ``Style.space`` of the mix, or None where it is not known.
    """

    score: Score
    flux: np.ndarray
    strength: np.ndarray
    space: np.ndarray | None = None
    rhythmic: bool = True
    room: float | None = None


def observe(example: Example) -> Observation:
    """Runs the parts of the Listener that need no fitting."""
    samples = resample(example.samples, example.sample_rate, PULSE_RATE)
    flux = onset_flux(samples, PULSE_RATE, hop=PULSE_HOP)
    strength, _ = activations(resample(mono(samples), PULSE_RATE, SAMPLE_RATE))
    space = space_features(samples, PULSE_RATE) if is_stereo(samples) else None
    return Observation(example.score, flux, strength, space, example.rhythmic, example.space)


def fit_listener(
    observations: Sequence[Observation], *, seed: int = 0, log: Callable[[str], None] | None = None
) -> dict[str, FeatureNetwork]:
    """All networks, each fitted to the output of those before it.

    Args:
        observations: a thousand or more, of many pieces, one in ten without rhythm.
        seed: of the initial weights and the order of examples.
        log: told each network's final loss.
    """
    rng = np.random.default_rng(seed)
    networks: dict[str, FeatureNetwork] = {}

    def keep(name: str, fitted: tuple[FeatureNetwork, float]) -> None:
        networks[name], loss = fitted
        if log is not None:
            log(f"{name} {loss:.4f}")

    keep("pitch", fit_regression(*_pitch_cells(observations, rng), binary_loss, units=16, epochs=8, seed=seed))
    heard = [(seen, hear_strength(seen.strength, 0.0, networks["pitch"])) for seen in observations]
    clips = [_Clip(seen.score, seen.rhythmic, p, with_harmonic_change(seen.flux, p)) for seen, p in heard]
    played = [clip for clip in clips if clip.rhythmic]
    keep("tempo", fit_choice(_tempo_groups(clips), units=24, epochs=40, seed=seed))
    keep("beat", fit_choice(_beat_groups(played, rng), units=8, epochs=20, seed=seed))
    keep("step", fit_regression(*_step_rows(played), step_loss, units=24, epochs=12, seed=seed))
    keep("key", fit_choice(_key_groups(played), units=0, epochs=150, seed=seed))
    rooms = [seen for seen in observations if seen.space is not None and seen.room is not None]
    if rooms:
        features = np.stack([seen.space for seen in rooms])
        targets = np.array([[seen.room] for seen in rooms])
        keep("space", fit_ridge(features, targets))
    return networks


@dataclass(frozen=True)
class _Clip:
    score: Score
    rhythmic: bool
    pitches: Pitches
    pulse: Pulse


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


def fit_regression(
    features: np.ndarray,
    targets: np.ndarray,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    units: int,
    epochs: int,
    seed: int,
) -> tuple[FeatureNetwork, float]:
    """A network from (rows, features) to (rows, targets), and its last epoch's mean loss."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = torch.from_numpy(((features - mean) / scale).astype(np.float32))
    y = torch.from_numpy(targets.astype(np.float32))
    torch.manual_seed(seed)
    outputs = 3 if loss_of is step_loss else targets.shape[1]
    net = _Layers(features.shape[1], units, outputs, 0.0)
    loss = _train(net, len(x), 1024, epochs, lambda rows: loss_of(net(x[rows]), y[rows]))
    return net.exported(mean, scale), loss


def fit_ridge(features: np.ndarray, targets: np.ndarray, strength: float = 30.0) -> tuple[FeatureNetwork, float]:
    """Linear least squares with an L2 penalty on the standardised weights; and its mean square error."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    x, middle = (features - mean) / scale, targets.mean(axis=0)
    weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (targets - middle))
    nothing = np.zeros((x.shape[1], 0)), np.zeros(0), np.zeros((0, targets.shape[1]))
    network = FeatureNetwork(mean, scale, *nothing, weights, middle)
    return network, float(np.square(network(features) - targets).mean())


def fit_choice(
    groups: Sequence[Group], *, units: int, epochs: int, seed: int, dropout: float = 0.2
) -> tuple[FeatureNetwork, float]:
    """A network that scores each group's choices, fitted so that a softmax picks the right one.

    A group may have None for its answer: then "none of these", whose score is always 0, is right.
    """
    rows = np.concatenate([features for features, _ in groups])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    most = max(len(features) for features, _ in groups)
    refusable = any(answer is None for _, answer in groups)
    x = torch.zeros(len(groups), most, rows.shape[1])
    absent = torch.full((len(groups), most), -1e9)
    for i, (features, _) in enumerate(groups):
        x[i, : len(features)] = torch.from_numpy(((features - mean) / scale).astype(np.float32))
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


def binary_loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(out, target)


def step_loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Onset or none for every step; log strength and log power where there is one."""
    struck = (target[:, 0] > 0).float()
    onset = functional.binary_cross_entropy_with_logits(out[:, 0], struck)
    log_target = torch.log(torch.clamp(target, min=1e-3))
    miss = ((out[:, 1:] - log_target) ** 2).sum(dim=1)
    return onset + 0.5 * (miss * struck).sum() / struck.sum().clamp(min=1.0)


def sounding(score: Score, frames: int) -> np.ndarray:
    """(PITCHES, frames) 1 where a pitched note of the score sounds, in frames of ``tonality``."""
    roll = np.zeros((PITCHES, frames), dtype=np.float32)
    per_beat = 60.0 / score.tempo * FRAME_RATE
    for note in score.pitched:
        if 0 <= note.pitch - LOWEST_PITCH < PITCHES:
            start = int(note.onset * per_beat + 0.5)
            end = max(start + 1, int((note.onset + note.duration) * per_beat + 0.5))
            roll[note.pitch - LOWEST_PITCH, start:end] = 1.0
    return roll


def _pitch_cells(
    observations: Iterable[Observation], rng: np.random.Generator, cells: int = 600
) -> tuple[np.ndarray, np.ndarray]:
    features, targets = [], []
    for seen in observations:
        truth = sounding(seen.score, seen.strength.shape[1]).ravel()
        chosen = rng.choice(truth.size, min(cells, truth.size), replace=False)
        rows = pitch_features(seen.strength)
        features.append(rows.reshape(-1, rows.shape[-1])[chosen])
        targets.append(truth[chosen, None])
    return np.concatenate(features), np.concatenate(targets)


def _tempo_groups(clips: Iterable[_Clip]) -> list[Group]:
    groups: list[Group] = []
    for clip in clips:
        bpm, features = tempo_features(clip.pulse)
        if bpm.size == 0:
            continue
        miss = np.abs(np.log(bpm / clip.score.tempo))
        if not clip.rhythmic:
            groups.append((features, None))
        elif miss.min() < 0.02:
            groups.append((features, int(miss.argmin())))
    return groups


def _beat_groups(clips: Iterable[_Clip], rng: np.random.Generator) -> list[Group]:
    """Clips begin on a beat, so part of each is cut off to make the question fair."""
    groups: list[Group] = []
    for clip in clips:
        frames_per_beat = 60.0 / clip.score.tempo * clip.pulse.frame_rate
        cut = int(rng.integers(2 * int(frames_per_beat)))
        answer = round(-cut / frames_per_beat % 1.0 * PHASES) % PHASES
        rest = Pulse(clip.pulse.envelopes[:, cut:], clip.pulse.frame_rate)
        groups.append((phase_features(rest, clip.score.tempo), answer))
    return groups


def _step_rows(clips: Iterable[_Clip]) -> tuple[np.ndarray, np.ndarray]:
    features, targets = [], []
    for clip in clips:
        rows = step_features(clip.pulse, clip.pitches, clip.score.tempo, 0.0)
        truth = onset_strength(clip.score)
        count = min(len(rows), len(truth))
        features.append(rows[:count])
        targets.append(truth[:count])
    return np.concatenate(features), np.concatenate(targets)


def _key_groups(clips: Iterable[_Clip]) -> list[Group]:
    return [
        (key_features(clip.pitches), KEYS.index(clip.score.key))
        for clip in clips
        if clip.score.key is not None and clip.score.pitched
    ]
