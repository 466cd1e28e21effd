"""What a clip sounds like: its genre, who plays and in which metre, by a small classifier over ``genre_features``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from musicgen_ui.audio import rhythm, tonality
from musicgen_ui.audio.genre_features import genre_features
from musicgen_ui.audio.networks import FeatureNetwork, load_networks, sigmoid, softmax
from musicgen_ui.audio.spectral import mono
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import Pitches
from musicgen_ui.audio.waveform import resample
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import GENRES

GENRE_WEIGHTS = Path(__file__).resolve().parents[2] / "checkpoints" / "genre.safetensors"
"""Written by ``train genre``; beside the other models, and in their manifest."""

CLEAR = 0.4
"""Probability below which the most probable genre is not said to be heard."""

FARTHEST = 4.0
"""Standard deviations beyond which a feature says no more: what is far from all music must not be called anything."""


@dataclass(frozen=True)
class Impression:
    """What a clip sounds like.

    Attributes:
        genres: genre to calibrated probability; they sum to 1.
        parts: part to the probability that it plays.
        waltz: probability that the metre is 3/4 rather than 4/4.
    """

    genres: Mapping[str, float]
    parts: Mapping[str, float]
    waltz: float


@dataclass(frozen=True)
class GenreClassifier:
    """Features of a clip to an Impression.

    Attributes:
        genres: what the first outputs stand for; after them come one for each part and one for the metre.
        network: features to logits, already divided by the calibration's temperature.
    """

    genres: tuple[str, ...]
    network: FeatureNetwork

    def __call__(self, features: np.ndarray) -> Impression:
        """Judges (features,) of ``genre_features``."""
        mean, scale = self.network.mean, self.network.scale
        logits = self.network(np.clip(features, mean - FARTHEST * scale, mean + FARTHEST * scale))
        count = len(self.genres)
        genres = dict(zip(self.genres, softmax(logits[:count]).tolist(), strict=True))
        *parts, waltz = sigmoid(logits[count:]).tolist()
        return Impression(genres, dict(zip(PARTS, parts, strict=True)), waltz)


def hear_genre(
    samples: np.ndarray,
    pulse: Pulse,
    pitches: Pitches,
    beat: tuple[float, float] | None,
    classifier: GenreClassifier | None = None,
) -> Impression | None:
    """Genre, parts and metre.

    Args:
        samples: (n,) at 22 050 Hz, not silent.
        pulse: envelopes of the same clip.
        pitches: soft piano roll of the same clip.
        beat: tempo in beats per minute and seconds to the first beat; None where there is none.
        classifier: None for the shipped one.

    Returns:
        None where there is no beat, because that is no music of any genre here.
    """
    if beat is None:
        return None
    return (classifier or load_genre())(genre_features(samples, pulse, pitches, *beat))


def clip_features(samples: np.ndarray, sample_rate: int, bpm: float) -> np.ndarray:
    """The classifier's features of a clip whose tempo is known.

    Args:
        samples: (channels, n) or (n,), not silent.
        sample_rate: in Hz.
        bpm: tempo as the Listener hears it.
    """
    networks = load_networks()
    mixed = mono(resample(np.atleast_2d(samples), sample_rate, rhythm.SAMPLE_RATE))
    mixed = mixed - mixed.mean()
    pitches = tonality.hear_pitches(resample(mixed, rhythm.SAMPLE_RATE, tonality.SAMPLE_RATE), networks["pitch"])
    pulse = rhythm.hear_pulse(mixed, pitches)
    return genre_features(mixed, pulse, pitches, bpm, rhythm.first_beat(pulse, bpm, networks["beat"]))


def named_genre(probabilities: Mapping[str, float]) -> str | None:
    """The most probable genre; None where nothing is clear."""
    if not probabilities:
        return None
    best = max(probabilities, key=probabilities.__getitem__)
    return best if probabilities[best] >= CLEAR else None


def blend_distance(asked: Mapping[str, float], heard: Mapping[str, float]) -> float:
    """How far what is heard is from the blend that was asked for, 0 (the same) to 1 (nothing in common).

    Half the sum of absolute differences (total variation) of two sets of weights that each sum to 1.

    Raises:
        ValueError: one of them has no weight.
    """
    totals = [sum(weights.values()) for weights in (asked, heard)]
    if min(totals) <= 0:
        raise ValueError("a blend needs weights that sum to more than 0")
    shares = [
        {name: weight / total for name, weight in weights.items()}
        for weights, total in zip((asked, heard), totals, strict=True)
    ]
    names = set(asked) | set(heard)
    return 0.5 * sum(abs(shares[0].get(name, 0.0) - shares[1].get(name, 0.0)) for name in names)


def save_genre(path: Path, classifier: GenreClassifier, card: Mapping[str, Any] | None = None) -> None:
    """Writes a classifier in float16 with its model card; equal classifiers give equal bytes."""
    arrays = {
        field.name: np.ascontiguousarray(getattr(classifier.network, field.name), dtype=np.float16)
        for field in fields(FeatureNetwork)
        if getattr(classifier.network, field.name).size
    }
    description = {"genres": list(classifier.genres), "card": dict(card or {})}
    # One metadata key, as in every checkpoint: several are written in random order.
    path.write_bytes(save(arrays, metadata={"checkpoint": json.dumps(description, sort_keys=True)}))


@lru_cache(maxsize=2)
def load_genre(path: Path = GENRE_WEIGHTS) -> GenreClassifier:
    """Reads what :func:`save_genre` wrote.

    Raises:
        RequestError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            genres = tuple(json.loads((file.metadata() or {})["checkpoint"])["genres"])
            names = file.keys()
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in names}
        features, outputs = arrays["linear"].shape
        if set(genres) - set(GENRES) or outputs != len(genres) + len(PARTS) + 1:
            raise ValueError("its genres are not those of this release")
        nothing = {
            "hidden": np.zeros((features, 0), np.float32),
            "bias": np.zeros(0, np.float32),
            "out": np.zeros((0, outputs), np.float32),
        }
        return GenreClassifier(genres, FeatureNetwork(**(nothing | arrays)))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise RequestError(path.name, f"the genre classifier cannot be read ({str(error)[:80]})") from None
