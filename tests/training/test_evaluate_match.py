from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.audio.likeness import SLIDER_NAMES, Fingerprint
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style
from musicgen_ui.timbre import Z_SIZE, TimbrePoint
from musicgen_ui.training.evaluate_match import Recording, evaluate_match, merged, ranks, summary

TEMPI = np.linspace(60, 180, 8)


def recordings() -> list[Recording]:
    """Their only sample is their tempo."""
    return [Recording(f"piece/{n}", np.full((1, 1), tempo), 44_100) for n, tempo in enumerate(TEMPI)]


def match(samples, rate):
    return SimpleNamespace(style=Style(tempo=float(samples[0, 0])), unheard=("space",))


def describe(samples, rate) -> Fingerprint:
    x = float(samples[0, 0])
    rng = np.random.default_rng(int(x))
    values = dict.fromkeys(SLIDER_NAMES, x / 180) | {"tempo": x, "key": "C major"}
    return Fingerprint(values, {"pop": x / 180, "jazz": 1 - x / 180}, {"lead": 1.0}, rng.standard_normal(4))


def generate(recipe: Recipe):
    return SimpleNamespace(clip=SimpleNamespace(samples=np.full((2, 1), recipe.style.tempo), sample_rate=44_100))


def recipe(style: Style, seed: int) -> Recipe:
    return Recipe(style=style, seed=seed)


def test_a_studio_that_does_as_it_is_told_is_always_recognised():
    report = evaluate_match(generate, match, describe, recordings(), recipe)
    assert report["all"] == {"top-1": 1.0, "top-5": 1.0, "place": 1.0}
    assert report["tempo alone"]["top-1"] == 1.0
    assert [row["place"] for row in report["each"]] == [1] * 8
    assert report["each"][0]["unheard"] == ["space"]
    assert report["key alone"]["top-1"] == 0.0, "all keys are alike: a distance that tells nothing wins nothing"


def test_a_studio_that_ignores_the_style_is_not():
    def deaf(wanted: Recipe):
        return generate(replace(wanted, style=Style(tempo=120.0)))

    report = evaluate_match(deaf, match, describe, recordings(), recipe)
    assert report["all"]["top-1"] <= 2 / 8


def test_the_timbre_is_borrowed_from_the_recording_itself():
    seen = []

    def borrow(samples, rate):
        return TimbrePoint("recorded", z=(float(samples[0, 0]) / 180, *[0.0] * (Z_SIZE - 1)))

    def remember(wanted: Recipe):
        seen.append(wanted.timbre.a.z[0])
        return generate(wanted)

    evaluate_match(remember, match, describe, recordings(), recipe, borrow=borrow)
    np.testing.assert_allclose(seen, TEMPI / 180, atol=0.006)  # points are rounded


def test_places():
    distance = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.3, 0.3, 0.3]])
    assert ranks(distance).tolist() == [1, 2, 3]
    assert summary(np.array([1, 2, 6, 7])) == {"top-1": 0.25, "top-5": 0.5, "place": 4.0}


def test_sets_are_merged_by_their_means():
    one, other = ({"recordings": 20, "all": {"top-1": x, "top-5": 1.0, "place": 2.0}, "each": [x]} for x in (0.4, 0.6))
    report = merged([one, other])
    assert report["all"]["top-1"] == pytest.approx(0.5)
    assert (report["recordings"], report["sets"], report["each"]) == (20, 2, [0.4, 0.6])
