from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.style import GENRES
from musicgen_ui.training.evaluate_genre import (
    LEVELS,
    Guess,
    blend_recipes,
    confusion,
    evaluate_blends,
    evaluate_pure,
    judge_blend,
    pure_recipes,
)

NONE = dict.fromkeys(GENRES, 0.0)


def heard(**probabilities: float) -> dict[str, float]:
    return NONE | probabilities


def test_confusion_counts():
    report = confusion(
        [
            Guess("pop", heard(pop=0.9, jazz=0.1)),
            Guess("pop", heard(jazz=0.5, folk=0.3, pop=0.2)),
            Guess("jazz", heard(jazz=0.3, folk=0.29, pop=0.21)),
            Guess("folk", {}),
        ]
    )
    assert report["clips"] == 4
    assert report["top-1"] == 0.5
    assert report["top-3"] == 0.75
    assert report["named"] == 0.5
    assert report["right when named"] == 0.5
    assert report["confidence"] == pytest.approx((0.9 + 0.5 + 0.3) / 4)
    assert report["matrix"] == {"pop": {"pop": 1, "jazz": 1}, "jazz": {"jazz": 1}, "folk": {"-": 1}}
    assert report["recall"] == {"pop": 0.5, "jazz": 1.0, "folk": 0.0}


def test_pure_recipes_ask_every_genre_equally_and_differ_in_tempo():
    recipes = list(pure_recipes("lstm", "soundfont", seeds=3, bars=4))
    assert sorted(genre for genre, _ in recipes) == sorted(GENRES * 3)
    assert all(recipe.style.genre == {genre: 1.0} and recipe.bars == 4 for genre, recipe in recipes)
    assert len({recipe.style.tempo for _, recipe in recipes}) > 10
    assert recipes == list(pure_recipes("lstm", "soundfont", seeds=3, bars=4))


def test_the_recipes_of_a_blend_differ_only_in_the_blend():
    recipes = list(blend_recipes(("pop", "jazz"), "lstm", "soundfont", seeds=2, bars=4))
    assert [share for share, _ in recipes] == list(LEVELS) * 2
    assert recipes[0][1].style.genre == {"pop": 1.0}
    assert recipes[1][1].style.genre == {"pop": 0.75, "jazz": 0.25}
    assert len({recipe.style.with_values(genre={}).tempo for _, recipe in recipes[:5]}) == 1


def test_a_blend_that_moves_is_told_from_one_that_does_not():
    moving = [(s, heard(pop=0.8 * (1 - s), jazz=0.8 * s, folk=0.2)) for s in LEVELS] * 2
    report = judge_blend(("pop", "jazz"), moving)
    assert report["spearman"] == pytest.approx(1.0)
    assert report["share heard"] == {f"{s:g}": pytest.approx(s) for s in LEVELS}
    assert report["both"] == pytest.approx(0.8)
    assert report["distance"] == pytest.approx(0.2)
    assert report["distance of swapped"] > 0.4
    rng = np.random.default_rng(0)
    still = [(s, heard(pop=p, jazz=1 - p)) for s in LEVELS * 20 for p in [float(rng.uniform())]]
    assert abs(judge_blend(("pop", "jazz"), still)["spearman"]) < 0.3
    assert judge_blend(("pop", "jazz"), [(s, heard(pop=1.0)) for s in LEVELS])["spearman"] is None


def test_clips_are_generated_and_heard():
    def generate(recipe):
        # The first sample says which genre was asked for most, the second how much.
        name = max(recipe.style.genre, key=recipe.style.genre.get)
        samples = np.array([[GENRES.index(name), recipe.style.genre[name]]])
        return SimpleNamespace(clip=SimpleNamespace(samples=samples, sample_rate=44_100))

    def hear(samples, rate):
        assert rate == 44_100
        return heard(**{GENRES[int(samples[0, 0])]: float(samples[0, 1])})

    report = evaluate_pure(generate, hear, pure_recipes("lstm", "soundfont", seeds=1, bars=4))
    assert report["top-1"] == 1.0
    blends = evaluate_blends(
        generate, hear, [("pop", "jazz")], lambda pair: blend_recipes(pair, "lstm", "soundfont", seeds=1, bars=4)
    )
    assert blends["pop-jazz"]["spearman"] > 0.8
