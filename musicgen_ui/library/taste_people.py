"""Simulated people with hidden tastes, and what is true of the clips that they judge: only for measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musicgen_ui.library.taste_features import BLOCKS, block, clip_features
from musicgen_ui.style import GENRES, SLIDERS

KINDS = ("linear", "genre lover", "sweet spot", "conjunction", "contrarian", "noisy", "mixed")
"""How a hidden taste may depend on music, see :func:`hidden_taste`."""

LIKED_SHARE = 0.4
"""Share of all clips that everybody likes."""

COMMON_SHARE = 0.35
"""How much of what everybody likes everybody likes; a contrarian hates just that."""

FLIPPED = 0.15
"""Share of the labels of the noisy that are wrong."""

SPREAD = 0.27
"""Of a slider over clips from everywhere, in shares of its range."""


@dataclass(frozen=True)
class Truth:
    """What clips are, not what was asked or what the Listener believes.

    Attributes:
        sliders: (n, sliders) centred, about one in spread: tempo as played, the notes' own values, colour and room
            as they are in the sound.
        genres: (n, genres) half the name, half the ear.
        features: (n, SIZE) what the learner sees.
    """

    sliders: np.ndarray
    genres: np.ndarray
    features: np.ndarray

    @classmethod
    def of(cls, clips: Sequence[Mapping[str, Any]]) -> Truth:
        """Of rows that hold ``notes`` (slider to value of the notes) and ``sound`` beside what a ClipInfo holds."""
        features = np.array([clip_features(clip, clip["sound"]) for clip in clips])
        sliders = np.array([[_true(clip, key) for key in SLIDERS] for clip in clips])
        named = np.array([[clip["recipe"]["style"]["genre"].get(g, 0.0) for g in GENRES] for clip in clips])
        heard = np.array([[clip["heard"]["genres"].get(g, 0.0) for g in GENRES] for clip in clips])
        return cls((sliders - 0.5) / SPREAD, 0.5 * named + 0.5 * heard, features)


def _true(clip: Mapping[str, Any], key: str) -> float:
    slider = SLIDERS[key]
    asked, heard = clip["recipe"]["style"][key], clip["heard"].get(key)
    value = clip["notes"].get(key, asked if key == "tempo" or heard is None else heard)
    return (value - slider.low) / (slider.high - slider.low)


@dataclass(frozen=True)
class SimulatedPerson:
    """Somebody with a hidden taste.

    Attributes:
        kind: one of KINDS.
        parameters: of the taste, by name.
        middle: mean of what the taste says, over clips from everywhere.
        spread: its standard deviation there.
        threshold: from which liking on a clip is liked.
    """

    kind: str
    parameters: Mapping[str, np.ndarray]
    middle: float
    spread: float
    threshold: float = 0.0

    @property
    def flipped(self) -> float:
        """Share of this person's labels that are wrong."""
        return FLIPPED if self.kind == "noisy" else 0.0

    def liking(self, truth: Truth) -> np.ndarray:
        """(n,) how much each clip is liked, about one in spread."""
        common = common_taste(truth)
        if self.kind == "contrarian":
            return -common
        own = (hidden_taste(self.kind, self.parameters, truth) - self.middle) / self.spread
        return own + COMMON_SHARE * common

    def likes(self, truth: Truth) -> np.ndarray:
        """(n,) bool: what this person really likes."""
        return self.liking(truth) > self.threshold

    def labels(self, truth: Truth, generator: np.random.Generator) -> np.ndarray:
        """(n,) bool: what this person says."""
        likes = self.likes(truth)
        return np.where(generator.random(len(likes)) < self.flipped, ~likes, likes)


def simulated_person(kind: str, everywhere: Truth, generator: np.random.Generator) -> SimulatedPerson:
    """A person who likes LIKED_SHARE of what there is everywhere."""
    parameters = _parameters(kind, everywhere, generator)
    plain = hidden_taste(kind, parameters, everywhere)
    person = SimulatedPerson(kind, parameters, float(plain.mean()), max(float(plain.std()), 1e-9))
    threshold = float(np.quantile(person.liking(everywhere), 1.0 - LIKED_SHARE))
    return SimulatedPerson(kind, parameters, person.middle, person.spread, threshold)


def common_taste(truth: Truth) -> np.ndarray:
    """(n,) what everybody likes a little: major and lively music of a medium tempo, pop, rock, funk and latin."""
    genres = dict.fromkeys(GENRES, 0.0) | {
        "pop": 1.0, "rock": 0.6, "funk": 0.5, "latin": 0.3, "dance": 0.2, "classical": -0.6, "game": -0.3,
    }  # fmt: skip
    tempo, mood, energy = (truth.sliders[:, i] for i in range(3))
    whole = 0.6 * mood + 0.4 * energy - 0.5 * (tempo - 0.2) ** 2 + truth.genres @ np.array([*genres.values()])
    return (whole + 0.4) / 1.1


def hidden_taste(kind: str, parameters: Mapping[str, np.ndarray], truth: Truth) -> np.ndarray:
    """(n,) what a taste says of clips, in a unit of its own.

    ``linear`` and ``noisy`` weigh two to four sliders. A ``genre lover`` loves two or three genres and hates two. A
    ``sweet spot`` is a place on two sliders. A ``conjunction`` wants both of two things, such as fast and bright. A
    ``mixed`` taste weighs two sliders, three genres, the lead's instrument and the colour of the sound.
    """
    if kind == "contrarian":
        return -common_taste(truth)
    if kind == "genre lover":
        return truth.genres @ parameters["genres"]
    if kind == "sweet spot":
        return -np.square((truth.sliders - parameters["place"]) * parameters["sliders"]).sum(axis=1)
    if kind == "conjunction":
        wanted = truth.sliders * parameters["sliders"]
        return wanted[:, parameters["sliders"] != 0].min(axis=1)
    plain = truth.sliders @ parameters["sliders"]
    if kind != "mixed":
        return plain
    lead, sound = (truth.features[:, block(name)] @ parameters[name] for name in ("lead", "sound"))
    return plain + 1.6 * truth.genres @ parameters["genres"] + lead + 0.4 * sound


def _parameters(kind: str, everywhere: Truth, generator: np.random.Generator) -> dict[str, np.ndarray]:
    count = int(generator.integers(2, 5)) if kind in ("linear", "noisy") else 2
    chosen = generator.choice(len(SLIDERS), count, replace=False)
    sliders = np.zeros(len(SLIDERS))
    sliders[chosen] = 1.0
    if kind in ("linear", "noisy", "mixed"):
        drawn = generator.standard_normal(count)
        sliders[chosen] = drawn + 0.4 * np.sign(drawn)
    if kind == "conjunction":
        sliders[chosen] = generator.choice([-1.0, 1.0], count)
    genres = np.zeros(len(GENRES))
    order = generator.permutation(len(GENRES))
    genres[order[: int(generator.integers(2, 4))]] = 1.0
    genres[order[4:6]] = -0.7
    lead = generator.standard_normal(len(BLOCKS["lead"]))
    return {
        "sliders": sliders,
        "place": np.where(sliders != 0, generator.uniform(-1.0, 1.0, len(SLIDERS)), 0.0),
        "genres": genres,
        "lead": 0.5 * lead / max(float((everywhere.features[:, block("lead")] @ lead).std()), 1e-9),
        "sound": generator.standard_normal(len(BLOCKS["sound"])) / 2.0,
    }
