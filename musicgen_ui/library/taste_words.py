"""A taste in words: what is liked, what not, and what nobody knows yet; each with the clips that speak for it.

A phrase is a lead and words, each of them whole, so that a page can translate them one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from musicgen_ui.library.taste_examples import Example, stacked
from musicgen_ui.library.taste_features import BLOCKS, block
from musicgen_ui.library.taste_model import PRODUCTS, SQUARES, TERMS, TasteModel, prior_widths
from musicgen_ui.style import SLIDERS

DIRECTIONS = {
    "tempo": ("slower", "faster"),
    "mood": ("darker", "sunnier"),
    "energy": ("calmer", "more driving"),
    "density": ("sparser", "busier"),
    "syncopation": ("straighter", "more off-beat"),
    "complexity": ("simpler", "richer"),
    "brightness": ("warmer", "brighter"),
    "space": ("drier", "more roomy"),
}
"""Slider to what less and more of it is called."""

PLACES = {
    "tempo": ("a slow tempo", "a medium tempo", "a fast tempo"),
    "mood": ("a dark mood", "a mood between dark and sunny", "a sunny mood"),
    "energy": ("little energy", "a medium energy", "much energy"),
    "density": ("few notes", "a medium number of notes", "many notes"),
    "syncopation": ("a straight beat", "a beat that is a little off", "an off-beat feel"),
    "complexity": ("simple harmony", "harmony neither simple nor rich", "rich harmony"),
    "brightness": ("a warm sound", "a sound neither warm nor bright", "a bright sound"),
    "space": ("a dry room", "a medium room", "a large hall"),
}
"""Slider to what its lower, middle and upper third are called, for a taste that has a best place there."""

SURE = 0.85
"""Probability that a weight points where it seems to, from which on it is told."""

LIKELY = 0.75
"""The same, from which on it is told as a guess."""

MATTERS = 0.12
"""Log odds for each unit of a term, below which a taste hardly hangs on it."""

KNOWN_WIDTH = 0.6
"""What is left of the prior's width of a weight that counts as known: a slider may also be known not to matter."""

MOST_WORDS, MOST_UNSURE, MOST_CLIPS = 4, 3, 3

FEWEST = 3
"""Verdicts below which there is nothing to tell."""

_INSIDE = 0.9  # a best place further out is told as a direction


@dataclass(frozen=True)
class Phrase:
    """One thing that is known of a taste, or not.

    Attributes:
        lead: how it begins: ``You like``, ``You do not like``, ``Perhaps``, ``Best with``, ``More``, ``Less``,
            ``Above all when it is both`` or ``Not sure yet about``.
        words: what it is about, the strongest first.
        clips: ids of the clips whose verdicts speak for it most.
        terms: names of the weights behind it.
    """

    lead: str
    words: tuple[str, ...]
    clips: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """A sentence."""
        return f"{self.lead} {', '.join(self.words)}."

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value."""
        return {"lead": self.lead, "words": list(self.words), "clips": list(self.clips), "terms": list(self.terms)}


def phrases(model: TasteModel, examples: Sequence[Example]) -> list[Phrase]:
    """What is known of a taste, the plainest first; nothing while there are fewer than FEWEST verdicts."""
    if len(examples) < FEWEST:
        return []
    sure = _certainty(model)
    places = _best_places(model, sure)
    settled = {index - SQUARES.start for _, index in places}
    told: list[tuple[str, list[tuple[str, int]]]] = [
        ("You like", _directions(model, sure, settled, SURE)),
        ("Perhaps", _directions(model, sure, settled, LIKELY, SURE)),
        ("Best with", places),
        ("More", _named(model, sure, ("genre", "metre"), 1)),
        ("Less", _named(model, sure, ("genre", "metre"), -1)),
        ("You like", _named(model, sure, ("lead", "chords"), 1)),
        ("You do not like", _named(model, sure, ("lead", "chords"), -1)),
        ("Above all when it is both", _together(model, sure)),
    ]
    pulls = model.pulls(*stacked(examples))
    found = [
        Phrase(
            lead,
            tuple(word for word, _ in words),
            _speaking(pulls, model, examples, list(dict.fromkeys(index for _, index in words))),
            tuple(dict.fromkeys(TERMS[index] for _, index in words)),
        )
        for lead, words in told
        if words
    ]
    unsure = _unsure(model, {term for phrase in found for term in phrase.terms})
    return [*found, Phrase("Not sure yet about", unsure, (), unsure)] if unsure else found


def inspected(model: TasteModel) -> list[dict[str, Any]]:
    """Every weight that was moved or narrowed, the largest first, as plain JSON values.

    ``weight`` and ``deviation`` are in log odds for each unit of the term; ``sure`` is the probability that the weight
    points where it seems to.
    """
    weights, deviations, sure = model.weights, model.deviations, _certainty(model)
    order = np.argsort(-np.abs(weights), kind="stable")
    narrowed = deviations < 0.98 * prior_widths()
    return [
        {"name": TERMS[i], "weight": round(float(weights[i]), 3), "deviation": round(float(deviations[i]), 3),
         "sure": round(float(sure[i]), 3)}
        for i in order
        if abs(weights[i]) >= 0.01 or narrowed[i]
    ]  # fmt: skip


def _certainty(model: TasteModel) -> np.ndarray:
    """(terms,) probability that each weight has the sign that it seems to have."""
    return ndtr(np.abs(model.weights) / np.maximum(model.deviations, 1e-9))


def _directions(
    model: TasteModel, sure: np.ndarray, settled: set[int], low: float, high: float = 2.0
) -> list[tuple[str, int]]:
    """Sliders that are not ``settled`` and the mode, of which more or less is liked as surely as from low to high."""
    weights = model.weights
    minor = block("mode").start
    left = [i for i in (*range(len(SLIDERS)), minor) if i not in settled]
    known = [i for i in left if low <= sure[i] < high and abs(weights[i]) >= MATTERS]
    known.sort(key=lambda i: -abs(weights[i]))

    def word(i: int) -> str:
        if i == minor:
            return "minor" if weights[i] > 0 else "major"
        return DIRECTIONS[tuple(SLIDERS)[i]][int(weights[i] > 0)]

    return [(word(i), i) for i in known[:MOST_WORDS]]


def _best_places(model: TasteModel, sure: np.ndarray) -> list[tuple[str, int]]:
    """Sliders that have a best place inside their range: a square that surely falls, and a top that lies inside."""
    places = []
    for i, key in enumerate(SLIDERS):
        square, slope = model.weights[SQUARES.start + i] / 0.9, model.weights[i]
        if sure[SQUARES.start + i] < SURE or square > -MATTERS:
            continue
        top = -slope / (2.0 * square)
        if abs(top) < _INSIDE:
            places.append((-square, PLACES[key][0 if top < -0.6 else 2 if top > 0.6 else 1], SQUARES.start + i))
    return [(word, index) for _, word, index in sorted(places, reverse=True)[:MOST_WORDS]]


def _named(model: TasteModel, sure: np.ndarray, blocks: Sequence[str], sign: int) -> list[tuple[str, int]]:
    """Things that are there or not, and surely liked or disliked."""
    found = [
        (abs(model.weights[i]), TERMS[i], i)
        for name in blocks
        for i in range(*block(name).indices(len(TERMS)))
        if sign * model.weights[i] >= MATTERS / 2 and sure[i] >= SURE
    ]
    return [(word, index) for _, word, index in sorted(found, reverse=True)[:MOST_WORDS]]


def _together(model: TasteModel, sure: np.ndarray) -> list[tuple[str, int]]:
    """The pair of sliders that is surely more than the sum of its two, where both point somewhere themselves."""
    weights = model.weights
    best = max(range(PRODUCTS.start, PRODUCTS.stop), key=lambda i: abs(weights[i]) * (sure[i] >= SURE))
    if sure[best] < SURE or abs(weights[best]) < MATTERS:
        return []
    pair = [tuple(SLIDERS).index(name) for name in TERMS[best].split(" × ")]
    first, second = (int(np.sign(weights[i])) for i in pair)
    if first * second != np.sign(weights[best]):
        return []
    return [(DIRECTIONS[tuple(SLIDERS)[i]][int(weights[i] > 0)], best) for i in pair]


def _unsure(model: TasteModel, told: set[str]) -> tuple[str, ...]:
    """Names of the sliders, and ``genre``, that least is known of."""
    left = model.deviations / prior_widths()
    unknown = [
        (left[i], name)
        for i, name in enumerate(SLIDERS)
        if name not in told and f"{name} squared" not in told and left[i] > KNOWN_WIDTH
    ]
    if not any(genre in told for genre in BLOCKS["genre"]):
        unknown.append((float(left[block("genre")].mean()), "genre"))
    return tuple(name for _, name in sorted(unknown, reverse=True)[:MOST_UNSURE])


def _speaking(
    pulls: np.ndarray, model: TasteModel, examples: Sequence[Example], indices: Sequence[int]
) -> tuple[str, ...]:
    """Clips whose verdicts moved these weights to where they are."""
    columns = 1 + np.array(indices)
    strength = (pulls[:, columns] * np.sign(model.mean[columns]) * model.widths[np.array(indices)]).sum(axis=1)
    order = np.argsort(-strength, kind="stable")[:MOST_CLIPS]
    return tuple(examples[i].clip for i in order if strength[i] > 0)
