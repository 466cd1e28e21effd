"""Fits the genre classifier: multinomial logistic regression on the features of sections played for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from musicgen_ui.audio.genre import FARTHEST, GenreClassifier, clip_features
from musicgen_ui.audio.networks import FeatureNetwork
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import GENRES
from musicgen_ui.training.evaluate_listener import Listen
from musicgen_ui.training.genre_data import Labelled
from musicgen_ui.training.listener_data import Play

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Weights of the squared coefficients that are tried, of which the validation split chooses."""


@dataclass(frozen=True)
class HeardSection:
    """A section that was played, and what the front end made of its sound.

    Attributes:
        labelled: the section and its genre.
        features: (features,) of ``audio.genre_features``.
    """

    labelled: Labelled
    features: np.ndarray


def hear_labelled(sections: Iterable[Labelled], play: Play, listen: Listen, *, seed: int = 0) -> Iterator[HeardSection]:
    """Plays sections and hears them as the Listener would; those in which it finds no beat are left out.

    Args:
        sections: to be played.
        play: synthesizer and mixer.
        listen: the Listener, for the tempo.
        seed: of the bands and of the noise in the sound.
    """
    for number, labelled in enumerate(sections):
        samples, sample_rate = play(labelled.score, labelled.style, seed * 1_000_003 + number)
        bpm = listen(samples, sample_rate).values["tempo"]
        if bpm is not None:
            yield HeardSection(labelled, clip_features(samples, sample_rate, float(bpm)))


@dataclass(frozen=True)
class Table:
    """Sections as arrays.

    Attributes:
        features: (sections, features).
        genre: (sections,) index in GENRES.
        others: (sections, 5) bool: which of PARTS play, and whether the metre is 3/4.
    """

    features: np.ndarray
    genre: np.ndarray
    others: np.ndarray

    @classmethod
    def of(cls, heard: Sequence[HeardSection]) -> Table:
        """The table of sections that were heard."""
        scores = [h.labelled.score for h in heard]
        return cls(
            np.stack([h.features for h in heard]),
            np.array([GENRES.index(h.labelled.genre) for h in heard]),
            np.array([[*(bool(score.notes(part)) for part in PARTS), score.metre == "3/4"] for score in scores]),
        )


def fit_genre(train: Table, validation: Table) -> tuple[GenreClassifier, dict[str, float]]:
    """A calibrated classifier and what it reaches on the validation split.

    Args:
        train: sections to fit to; every genre counts the same, whatever its number of sections.
        validation: of other songs; they choose the penalty and the temperature (Guo et al. 2017, On calibration of
            modern neural networks).

    Returns:
        Classifier, and ``penalty``, ``temperature``, ``nats`` and ``accuracy`` of the genre, and the accuracy of
        each other output, on the validation split.
    """
    mean, scale = train.features.mean(axis=0), train.features.std(axis=0) + 1e-6
    x, held_out = (np.clip((t.features - mean) / scale, -FARTHEST, FARTHEST) for t in (train, validation))
    genre = _fit_head(x, train.genre, held_out, validation.genre, len(GENRES))
    numbers = {"penalty": genre.penalty, "temperature": genre.temperature, "nats": genre.nats}
    numbers["accuracy"] = genre.accuracy
    weights, biases = [genre.weights], [genre.bias]
    for column, name in enumerate((*PARTS, "waltz")):
        head = _fit_head(x, train.others[:, column].astype(int), held_out, validation.others[:, column].astype(int), 2)
        weights.append(head.weights[:, 1:] - head.weights[:, :1])
        biases.append(head.bias[1:] - head.bias[:1])
        numbers[name] = head.accuracy
    nothing = np.zeros((len(mean), 0)), np.zeros(0), np.zeros((0, len(GENRES) + len(PARTS) + 1))
    network = FeatureNetwork(mean, scale, *nothing, np.concatenate(weights, axis=1), np.concatenate(biases))
    return GenreClassifier(GENRES, network), numbers


@dataclass(frozen=True)
class _Head:
    """One question's weights (features, classes) and bias (classes,), calibrated, and how it did held out."""

    weights: np.ndarray
    bias: np.ndarray
    penalty: float
    temperature: float
    nats: float
    accuracy: float


def _fit_head(x: np.ndarray, labels: np.ndarray, held_out: np.ndarray, truth: np.ndarray, classes: int) -> _Head:
    """The penalty that does best on the held-out rows, at the temperature that does best there."""
    heads = []
    for penalty in PENALTIES:
        weights, bias = logistic_regression(x, labels, classes, penalty)
        logits = held_out @ weights + bias
        temperature = fit_temperature(logits, truth)
        nats, accuracy = _nats(logits / temperature, truth), float((logits.argmax(axis=1) == truth).mean())
        heads.append(_Head(weights / temperature, bias / temperature, penalty, temperature, nats, accuracy))
    return min(heads, key=lambda head: head.nats)


def logistic_regression(
    x: np.ndarray, labels: np.ndarray, classes: int, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features, classes) and bias (classes,) of least mean cross-entropy, every class counting the same.

    Args:
        x: (rows, features), standardised.
        labels: (rows,) class of each row.
        classes: how many there are.
        penalty: of the weights' sum of squares.
    """
    counts = np.bincount(labels, minlength=classes)
    rows, truth = torch.from_numpy(x.astype(np.float64)), torch.from_numpy(labels)
    balance = torch.from_numpy(1.0 / np.maximum(counts, 1.0) / max((counts > 0).sum(), 1))[truth]
    weights = torch.zeros(x.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=300, history_size=20, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        nats = functional.cross_entropy(rows @ weights + bias, truth, reduction="none")
        value = (balance * nats).sum() + penalty * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights.detach().numpy(), bias.detach().numpy()


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What logits (rows, classes) are best divided by, to the nearest of 61 steps between a fifth and five."""
    candidates = np.geomspace(0.2, 5.0, 61)
    return float(min(candidates, key=lambda t: _nats(logits / t, labels)))


def _nats(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean cross-entropy."""
    top = logits.max(axis=1, keepdims=True)
    chosen = logits[np.arange(len(labels)), labels]
    return float((np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0] - chosen).mean())
