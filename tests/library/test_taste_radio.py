"""The radio: it begins with a tour, follows the taste, tries something new, and never plays the same twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.library.taste_examples import Example, stacked
from musicgen_ui.library.taste_features import recipe_features
from musicgen_ui.library.taste_model import TasteModel
from musicgen_ui.library.taste_radio import (
    NEW_EVERY,
    PLACE_SIZE,
    REASONS,
    REMEMBERED,
    Proposal,
    propose,
    remembered,
)
from musicgen_ui.library.taste_reasons import LEADS, proposal_title
from musicgen_ui.library.taste_styles import from_everywhere
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import Source
from musicgen_ui.style import GENRES, Style
from musicgen_ui.timbre import Timbre, TimbrePoint


def judged(rng: np.random.Generator, count: int, likes) -> list[Example]:
    """What somebody with a plain taste says of clips from everywhere."""
    examples = []
    for number in range(count):
        style = from_everywhere(rng)
        features = recipe_features(Recipe(style=style))
        examples.append(Example(str(number), features, style, bool(likes(style)), 1.0, True, number))
    return examples


def play(examples: list[Example], count: int, base: Recipe | None = None) -> list[Proposal]:
    generator, recent, proposals = np.random.default_rng(5), [], []
    model = TasteModel.fit(*stacked(examples))
    for number in range(count):
        proposals.append(propose(model, examples, generator, recent=recent[-REMEMBERED:], base=base))
        recent.append(remembered(proposals[-1], number))
    return proposals


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return judged(np.random.default_rng(440), 60, slow_and_dark)


@pytest.fixture(scope="module")
def proposals(examples) -> list[Proposal]:
    """Two dozen in a row for somebody whose taste is known."""
    return play(examples, 24)


def slow_and_dark(style: Style) -> bool:
    return style.tempo < 110 and style.mood < 0.5


def test_for_somebody_unknown_it_tours_the_genres():
    proposals = play([], len(GENRES))
    assert {p.reason for p in proposals} == {"tour"}
    assert {genre for p in proposals for genre in p.recipe.style.genre} == set(GENRES)
    assert all(p.chance == pytest.approx(0.5) and p.why.lead == LEADS["tour"] for p in proposals)


def test_after_a_like_or_two_tour_and_taste_take_turns(rng):
    reasons = [p.reason for p in play(judged(rng, 2, slow_and_dark), 6)]
    assert reasons[::2] == ["tour"] * 3
    assert "tour" not in reasons[1::2]


def test_what_it_chooses_is_what_is_liked(proposals):
    chosen = [p for p in proposals if p.reason == "taste"]
    assert np.mean([slow_and_dark(p.recipe.style) for p in chosen]) >= 0.8
    assert np.mean([p.chance for p in chosen]) > 0.7
    assert all(p.why.lead == LEADS["taste"] and p.why.words for p in chosen)
    words = {word for p in chosen for word in p.why.words}
    assert words & {"slower", "a slow tempo"}
    assert words & {"darker", "a dark mood", "minor"}


def test_the_clips_that_speak_for_it_are_liked_ones(examples, proposals):
    liked = {example.clip for example in examples if example.liked}
    assert all(p.why.clips and set(p.why.clips) <= liked for p in proposals if p.reason == "taste")


def test_one_in_six_is_something_new_and_says_so(proposals):
    new = [p.surprising for p in proposals]
    assert sum(new) >= 0.15 * len(new)
    assert new[NEW_EVERY - 1 :: NEW_EVERY] == [True] * 4
    assert {p.why.lead for p in proposals if p.surprising} == {LEADS["new"]}
    assert {p.reason for p in proposals} <= set(REASONS)


def test_it_never_plays_the_same_twice_nor_much_the_same_in_a_row(proposals):
    assert len({p.recipe.seed for p in proposals}) == 24
    assert len({p.recipe.to_json() for p in proposals}) == 24
    places = np.array([remembered(p, 0)["features"] for p in proposals])
    assert places.shape == (24, PLACE_SIZE)
    assert np.sqrt(np.square(np.diff(places, axis=0)).mean(axis=1)).min() > 0.3


def test_length_and_engines_are_the_persons(rng):
    source = Source("continue", Recipe())
    base = replace(Recipe(bars=32, composer="lstm", synth="soundfont", takes=2, ending="loop", seed=9), source=source)
    for proposal in play(judged(rng, 12, slow_and_dark), 8, base):
        recipe = proposal.recipe
        kept = (recipe.bars, recipe.composer, recipe.synth, recipe.takes, recipe.ending)
        assert kept == (32, "lstm", "soundfont", 2, "loop")
        assert recipe.source is None
        assert recipe.timbre.is_own  # the SoundFont has no other
        assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_the_same_seed_proposes_the_same(examples, proposals):
    assert [p.recipe for p in play(examples, 3)] == [p.recipe for p in proposals[:3]]


def test_somebody_who_likes_nothing_still_gets_something(rng):
    proposals = play(judged(rng, 20, lambda style: False), 8)
    assert {p.reason for p in proposals} == {"taste", "new"}
    assert all(not p.why.clips for p in proposals)


@pytest.mark.parametrize(
    ("style", "title"),
    [
        (Style(tempo=64, mood=0.1, genre={"jazz": 1}), "Slow, dark jazz"),
        (Style(tempo=176, genre={"game": 0.6, "rock": 0.4}), "Fast game music and rock"),
        (Style(space=0.5), "Music"),
    ],
)
def test_titles(style, title):
    assert proposal_title(Recipe(style=style)) == title


def test_titles_say_nothing_of_a_timbre_but_the_recipe_holds_it():
    recipe = Recipe(timbre=Timbre(a=TimbrePoint("random", 3)), style=Style(genre={"pop": 1}))
    assert proposal_title(recipe).lower().endswith("pop")
