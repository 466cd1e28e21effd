"""A taste in words: what is sure is said, what is not is said to be unsure."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.library.taste_examples import Example, stacked
from musicgen_ui.library.taste_features import BLOCKS, NAMES, SIZE, block, recipe_features
from musicgen_ui.library.taste_model import TERMS, TasteModel
from musicgen_ui.library.taste_reasons import ADJECTIVES, GUESS, LEADS, why
from musicgen_ui.library.taste_words import DIRECTIONS, FEWEST, PLACES, inspected, phrases
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import SLIDERS, Style

TEMPO, MOOD, ENERGY = (NAMES.index(name) for name in ("tempo", "mood", "energy"))


def told_by(rng: np.random.Generator, likes, count: int = 120) -> tuple[TasteModel, list[Example]]:
    features = np.clip(rng.standard_normal((count, SIZE)), -2.0, 2.0)
    liked = likes(features) > 0
    examples = [
        Example(str(number), features[number], Style(), bool(liked[number]), 1.0, True, number)
        for number in range(count)
    ]
    return TasteModel.fit(*stacked(examples)), examples


def words(found, lead: str) -> set[str]:
    return {word for phrase in found if phrase.lead == lead for word in phrase.words}


def test_every_slider_has_its_words():
    assert set(DIRECTIONS) == set(PLACES) == set(ADJECTIVES) == set(SLIDERS)
    for table in (DIRECTIONS, PLACES, ADJECTIVES):
        every = [word for entry in table.values() for word in entry]
        assert len(set(every)) == len(every)


def test_directions_are_said(rng):
    model, examples = told_by(rng, lambda x: -x[:, TEMPO] - x[:, MOOD])
    assert {"slower", "darker"} <= words(phrases(model, examples), "You like")


def test_a_best_place_is_said_instead_of_a_direction(rng):
    model, examples = told_by(rng, lambda x: 0.7 - (x[:, TEMPO] - 0.2) ** 2)
    found = phrases(model, examples)
    assert "a medium tempo" in words(found, "Best with")
    assert not words(found, "You like") & {"slower", "faster"}


def test_genres_are_said_both_ways(rng):
    jazz, rock = (NAMES.index(name) for name in ("jazz", "rock"))
    model, examples = told_by(rng, lambda x: x[:, jazz] - x[:, rock])
    found = phrases(model, examples)
    assert "jazz" in words(found, "More")
    assert "rock" in words(found, "Less")


def test_things_that_belong_together_are_said(rng):
    def likes(x: np.ndarray) -> np.ndarray:
        return np.minimum(x[:, TEMPO], x[:, ENERGY]) + 0.3

    model, examples = told_by(rng, likes, 400)
    found = phrases(model, examples)
    assert {"faster", "more driving"} <= words(found, "You like")
    assert words(found, "Above all when it is both") == {"faster", "more driving"}


def test_what_nobody_knows_is_said_and_nothing_else_after_three_verdicts(rng):
    model, examples = told_by(rng, lambda x: x[:, TEMPO], FEWEST)
    found = phrases(model, examples)
    assert words(found, "You like") == set()
    assert words(found, "Not sure yet about") <= {*SLIDERS, "genre"}
    assert words(found, "Not sure yet about")
    assert phrases(model, examples[: FEWEST - 1]) == []


def test_nothing_is_both_said_and_unsure(rng):
    model, examples = told_by(rng, lambda x: x[:, TEMPO] - x[:, ENERGY], 40)
    found = phrases(model, examples)
    terms = {term for phrase in found[:-1] for term in phrase.terms}
    assert found[-1].lead == "Not sure yet about"
    assert not terms & set(found[-1].words)


def test_the_clips_behind_a_phrase_point_its_way(rng):
    model, examples = told_by(rng, lambda x: x[:, TEMPO])
    phrase = phrases(model, examples)[0]
    assert phrase.words[0] == "faster"
    for clip in phrase.clips:
        example = examples[int(clip)]
        assert (example.features[TEMPO] > 0) == example.liked
    assert phrase.text == f"You like {', '.join(phrase.words)}."
    assert set(phrase.to_dict()) == {"lead", "words", "clips", "terms"}


def test_inspection_lists_the_largest_first_with_its_doubt(rng):
    model, _ = told_by(rng, lambda x: x[:, TEMPO])
    listed = inspected(model)
    assert listed[0]["name"] == "tempo"
    assert [abs(entry["weight"]) for entry in listed] == sorted((abs(e["weight"]) for e in listed), reverse=True)
    assert all(0.5 <= entry["sure"] <= 1.0 and entry["deviation"] > 0 for entry in listed)
    assert {entry["name"] for entry in listed} <= set(TERMS)


def test_where_nothing_is_sure_a_proposal_is_a_guess(rng):
    model, examples = told_by(rng, lambda x: rng.standard_normal(len(x)), 2)
    told = why("taste", Recipe(style=Style(tempo=66, genre={"folk": 1.0})), model, examples)
    assert told.text == f"{GUESS}: folk, slow"


def test_of_nobody_everything_is_unsure():
    assert inspected(TasteModel.unknown()) == []
    assert phrases(TasteModel.unknown(), []) == []


@pytest.mark.parametrize("reason", sorted(LEADS))
def test_every_proposal_has_a_reason(rng, reason):
    model, examples = told_by(rng, lambda x: -x[:, TEMPO] + x[:, block("genre").start + BLOCKS["genre"].index("jazz")])
    recipe = Recipe(style=Style(tempo=66, genre={"jazz": 1.0}))
    told = why(reason, recipe, model, examples)
    assert told.lead == LEADS[reason]
    assert "jazz" in told.words
    assert told.text.startswith(LEADS[reason])
    if reason == "taste":
        assert "slower" in told.words
        pulls = recipe_features(recipe)
        assert pulls.shape == (SIZE,)
        assert all(examples[int(clip)].liked for clip in told.clips)
