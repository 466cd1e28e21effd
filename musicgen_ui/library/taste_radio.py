"""What to make next for a person: mostly what should be liked, now and then something that nobody can foretell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from musicgen_ui.library.taste_examples import Example
from musicgen_ui.library.taste_features import BLOCKS, block, recipe_features
from musicgen_ui.library.taste_model import TasteModel
from musicgen_ui.library.taste_reasons import Why, proposal_title, why
from musicgen_ui.library.taste_styles import crossed, from_everywhere, near, tour_stop
from musicgen_ui.recipe import LIMITS, TIMBRE_SYNTHS, Recipe
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.timbre import Timbre, TimbrePoint

REASONS = ("tour", "taste", "new")
"""A stop of the tour, what should be liked, and something new."""

EVERYWHERE, NEAR, CROSSED, STOPS = 60, 60, 24, 11
"""Candidates of each origin."""

BOLDNESS = 0.3
"""Share of the posterior's width by which what should be liked is drawn: the posterior of 115 weights is so wide that
whole draws would still be guessing after fifty likes."""

NEW_EVERY = 6
"""One proposal in so many is something new."""

TOUR_STOPS = 4
"""Verdicts before which every other proposal is a stop of the tour."""

UNLIKELY, SURE = 0.4, 0.85
"""Chances between which something is tried that is new: the rest is known well enough, to be wrong or to be right."""

REMEMBERED = 12
"""Proposals that the next one should differ from."""

PLACE_SIZE = len(SLIDERS) + len(BLOCKS["genre"]) + len(BLOCKS["lead"])
"""Numbers by which it is told whether two proposals differ."""

_TOO_NEAR, _NEARNESS = 1.2, 1.5
_OTHER_TIMBRE = 0.15


@dataclass(frozen=True)
class Proposal:
    """What to make next.

    Attributes:
        recipe: exactly what, with a fresh seed.
        reason: one of REASONS.
        chance: how probably it is liked, 0 to 1; a half while nothing is known.
        spread: standard deviation of its log odds: how little is known.
        why: the reason in words, and the liked clips that speak for it.
    """

    recipe: Recipe
    reason: str
    chance: float
    spread: float
    why: Why

    @property
    def title(self) -> str:
        """What to call the clip."""
        return proposal_title(self.recipe)

    @property
    def surprising(self) -> bool:
        """Whether it was not chosen to be liked."""
        return self.reason == "new"


def propose(
    model: TasteModel,
    examples: Sequence[Example],
    generator: np.random.Generator,
    *,
    recent: Sequence[Mapping[str, Any]] = (),
    base: Recipe | None = None,
    stops: Sequence[Style] = (),
) -> Proposal:
    """The next clip for a person.

    Args:
        model: what is believed of the taste.
        examples: what it was learned from, the latest last.
        generator: of all that is drawn; the seed of the recipe is drawn from it too.
        recent: what :func:`remembered` made of the last proposals, the latest last.
        base: length and engines; its style, seed, source and timbre are replaced. None for the defaults.
        stops: styles that the tour visits; without any, every genre where it is at home.

    Returns:
        A recipe that is none of the recent ones.
    """
    base = base or Recipe()
    said = sum(example.told for example in examples)
    number = len(recent) and int(recent[-1].get("number", 0)) + 1
    if not examples or (said < TOUR_STOPS and number % 2 == 0):
        stop = number if not examples else number // 2
        recipe = _finished(tour_stop(stop, generator, stops), base, generator, Timbre())
        return _told(recipe, "tour", model, examples)
    recipes = _candidates(examples, base, generator, stops)
    features = np.array([recipe_features(recipe) for recipe in recipes])
    fresh = _freshness(features, recent)
    since = next((age for age, old in enumerate(reversed(recent)) if old.get("reason") == "new"), len(recent))
    if since >= NEW_EVERY - 1:
        return _told(recipes[_newest(model, features, examples, fresh)], "new", model, examples)
    drawn = model.draw(features, generator, BOLDNESS)
    # What lies too near to the last ones must be better by as much as the candidates differ at all.
    worth = drawn - (1.0 - fresh) * 2.0 * max(float(drawn.std()), 1e-6)
    return _told(recipes[int(np.argmax(worth))], "taste", model, examples)


def remembered(proposal: Proposal, number: int) -> dict[str, Any]:
    """Plain JSON value of what the page and the next proposals must know of this one."""
    place = _place(recipe_features(proposal.recipe)[None])[0]
    return {
        "number": number,
        "reason": proposal.reason,
        "seed": proposal.recipe.seed,
        "title": proposal.title,
        "chance": round(proposal.chance, 3),
        "why": proposal.why.to_dict(),
        "features": [round(float(v), 2) for v in place],
    }


def _candidates(
    examples: Sequence[Example], base: Recipe, generator: np.random.Generator, stops: Sequence[Style]
) -> list[Recipe]:
    """Recipes of every origin, each with its own seed."""
    styles = [from_everywhere(generator) for _ in range(EVERYWHERE)]
    styles += [tour_stop(number, generator, stops) for number in range(STOPS)]
    liked = [example for example in examples if example.liked]
    if liked:
        weight = np.array([example.weight for example in liked])
        chosen = generator.choice(len(liked), (NEAR + 2 * CROSSED), p=weight / weight.sum())
        parents = [liked[i].style for i in chosen]
        styles += [near(style, generator) for style in parents[:NEAR]]
        pairs = zip(parents[NEAR : NEAR + CROSSED], parents[NEAR + CROSSED :], strict=True)
        styles += [crossed(first, second, generator) for first, second in pairs]
    return [_finished(style, base, generator, _timbre(base, generator)) for style in styles]


def _timbre(base: Recipe, generator: np.random.Generator) -> Timbre:
    """Now and then another timbre than the instruments' own, where the synthesizer can."""
    low, high = LIMITS["seed"]
    seed, other = int(generator.integers(low, high + 1)), generator.random() < _OTHER_TIMBRE
    if not other or base.synth not in TIMBRE_SYNTHS:
        return Timbre()
    return Timbre(a=TimbrePoint("random", seed))


def _finished(style: Style, base: Recipe, generator: np.random.Generator, timbre: Timbre) -> Recipe:
    low, high = LIMITS["seed"]
    seed = int(generator.integers(low, high + 1))
    return replace(base, style=style, seed=seed, source=None, timbre=timbre, checkpoints={})


def _freshness(features: np.ndarray, recent: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(n,) 1 for what is far from all recent proposals, 0 for what is the same as one."""
    last = [old["features"] for old in recent[-REMEMBERED:]]
    if not last:
        return np.ones(len(features))
    distance = np.sqrt(np.square(_place(features)[:, None] - np.array(last)[None]).mean(axis=2)).min(axis=1)
    return 1.0 - np.exp(-np.square(distance / _TOO_NEAR) * _NEARNESS)


def _place(features: np.ndarray) -> np.ndarray:
    """Where clips lie as far as two that follow each other should differ: sliders, genre and lead."""
    return np.hstack(
        [features[:, block("sliders")], 0.7 * features[:, block("genre")], 0.5 * features[:, block("lead")]]
    )


def _newest(model: TasteModel, features: np.ndarray, examples: Sequence[Example], fresh: np.ndarray) -> int:
    """The candidate from everywhere of which least is known, far from all that was judged."""
    outside = features[:EVERYWHERE]
    _, spread = model.score(outside)
    judged = _place(np.array([example.features for example in examples]))
    distance = np.sqrt(np.square(_place(outside)[:, None] - judged[None]).mean(axis=2)).min(axis=1)
    worth = spread / max(float(spread.mean()), 1e-9) + distance / max(float(distance.mean()), 1e-9)
    worth = worth * fresh[:EVERYWHERE]
    chance = model.chance(outside)
    worth[(chance < UNLIKELY) | (chance > SURE)] -= 10.0
    return int(np.argmax(worth))


def _told(recipe: Recipe, reason: str, model: TasteModel, examples: Sequence[Example]) -> Proposal:
    features = recipe_features(recipe)
    chance, spread = float(model.chance(features)[0]), float(model.score(features)[1][0])
    return Proposal(recipe, reason, chance, spread, why(reason, recipe, model, examples))
