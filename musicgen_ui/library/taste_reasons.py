"""Why a proposal was made, in words, and what to call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musicgen_ui.library.taste_examples import Example, stacked
from musicgen_ui.library.taste_features import NAMES, block, recipe_features
from musicgen_ui.library.taste_model import SQUARES, TasteModel, expand
from musicgen_ui.library.taste_words import DIRECTIONS, PLACES
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import SLIDERS

LEADS = {"tour": "To get to know you", "taste": "Because you like", "new": "Something new"}
"""How each reason begins."""

GUESS = "It may be for you"
"""How it begins where nothing is sure enough to be a reason."""

ADJECTIVES = {
    "tempo": ("slow", "fast"),
    "mood": ("dark", "sunny"),
    "energy": ("calm", "driving"),
    "density": ("sparse", "busy"),
    "syncopation": ("straight", "off-beat"),
    "complexity": ("simple", "rich"),
    "brightness": ("warm", "bright"),
    "space": ("dry", "roomy"),
}
"""Slider to what music with little and with much of it is called."""

MUSIC = {"classical": "classical music", "dance": "dance music", "game": "game music"}
"""Genres whose names are no nouns."""

_MOST_WORDS, _MOST_CLIPS = 3, 3
_COUNTS = 0.1
_SURE = 0.5  # standard deviations that a weight lies off zero, below which it is no reason
_PLAIN = 0.55
_FAR = 1.5


@dataclass(frozen=True)
class Why:
    """The reason of a proposal.

    Attributes:
        lead: one of LEADS, or GUESS.
        words: what is liked about it, or what it is, the strongest first.
        clips: ids of liked clips that speak for it, the strongest first.
    """

    lead: str
    words: tuple[str, ...]
    clips: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In one line."""
        return f"{self.lead}: {', '.join(self.words)}" if self.words else self.lead

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value."""
        return {"lead": self.lead, "words": list(self.words), "clips": list(self.clips)}


def why(reason: str, recipe: Recipe, model: TasteModel, examples: Sequence[Example]) -> Why:
    """Why a recipe is proposed.

    Args:
        reason: ``tour``, ``taste`` or ``new``.
        recipe: the proposal.
        model: what is believed of the taste.
        examples: what that was learned from.
    """
    if reason != "taste":
        return Why(LEADS[reason], (*_genres(recipe), *_adjectives(recipe)[:1]))
    features = recipe_features(recipe)
    words, speaking = _liked_of(features, model), _speaking(features, model, examples)
    if not words:
        return Why(GUESS, (*_genres(recipe), *_adjectives(recipe)[:1]), speaking)
    return Why(LEADS[reason], words, speaking)


def proposal_title(recipe: Recipe) -> str:
    """What to call a clip: ``Slow, dark jazz``."""
    music = " and ".join(MUSIC.get(genre, genre) for genre in _genres(recipe)[:2]) or "music"
    title = f"{', '.join(_adjectives(recipe)[:2])} {music}".strip()
    return title[:1].upper() + title[1:]


def _liked_of(features: np.ndarray, model: TasteModel) -> tuple[str, ...]:
    """What of a clip speaks most for it, by the most probable weights."""
    sure = np.abs(model.weights) > _SURE * model.deviations
    worth = model.weights * sure * expand(features)[0]
    found = []
    for i, key in enumerate(SLIDERS):
        slope, square = worth[i], worth[SQUARES.start + i]
        if slope >= square:
            found.append((slope, DIRECTIONS[key][int(features[i] > 0)]))
        else:
            found.append((square, PLACES[key][0 if features[i] < -0.6 else 2 if features[i] > 0.6 else 1]))
    minor = block("mode").start
    found.append((worth[minor], "minor" if features[minor] > 0 else "major"))
    for name in ("genre", "metre", "lead", "chords"):
        there = [i for i in range(*block(name).indices(len(NAMES))) if features[i] > 0.5]
        found.extend((worth[i], NAMES[i]) for i in there)
    return tuple(word for strength, word in sorted(found, reverse=True)[:_MOST_WORDS] if strength > _COUNTS)


def _speaking(features: np.ndarray, model: TasteModel, examples: Sequence[Example]) -> tuple[str, ...]:
    """Liked clips that pull the taste towards these features, those that are like it before others."""
    if not examples:
        return ()
    pulls = model.pulls(*stacked(examples)) @ model.design(features)[0]
    sliders = block("sliders")
    near = np.array([np.square(example.features[sliders] - features[sliders]).mean() for example in examples])
    worth = pulls * np.exp(-near / _FAR) * [example.liked for example in examples]
    order = np.argsort(-worth, kind="stable")[:_MOST_CLIPS]
    return tuple(examples[i].clip for i in order if worth[i] > 0)


def _genres(recipe: Recipe) -> list[str]:
    """Of the style, the foremost first."""
    return sorted(recipe.style.genre, key=lambda genre: -recipe.style.genre[genre])


def _adjectives(recipe: Recipe) -> list[str]:
    """What the sliders say that stand furthest from their middle, the furthest first."""
    found = []
    for key, slider in SLIDERS.items():
        place = 2.0 * (getattr(recipe.style, key) - slider.low) / (slider.high - slider.low) - 1.0
        if abs(place) >= _PLAIN:
            found.append((abs(place), ADJECTIVES[key][int(place > 0)]))
    return [word for _, word in sorted(found, reverse=True)]
