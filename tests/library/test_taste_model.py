"""A belief about a taste: what it must learn, what it must not claim, and what it must never depend on."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.library.taste_features import NAMES, SIZE, block
from musicgen_ui.library.taste_model import PRODUCTS, SQUARES, TERMS, TasteModel, expand, prior_widths

TEMPO, MOOD = NAMES.index("tempo"), NAMES.index("mood")


def clips(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.standard_normal((count, SIZE))


def ranked(model: TasteModel, features: np.ndarray, worth: np.ndarray) -> float:
    return float(np.corrcoef(model.score(features)[0], worth)[0, 1])


def test_terms_are_named_once():
    assert len(set(TERMS)) == len(TERMS) == expand(np.zeros(SIZE)).shape[1] == len(prior_widths())


def test_nothing_is_claimed_of_somebody_who_said_nothing(rng):
    model = TasteModel.fit(np.zeros((0, SIZE)), np.zeros(0), np.zeros(0))
    np.testing.assert_allclose(model.chance(clips(rng, 5)), 0.5)
    assert not model.weights.any()
    np.testing.assert_allclose(model.deviations, prior_widths())


def test_a_plain_taste_is_found_among_everything_else(rng):
    seen, other = clips(rng, 60), clips(rng, 200)
    model = TasteModel.fit(seen, (seen[:, TEMPO] - seen[:, MOOD] > 0) * 1.0, np.ones(60))
    assert ranked(model, other, other[:, TEMPO] - other[:, MOOD]) > 0.8
    order = np.argsort(-np.abs(model.weights))
    assert set(order[:2]) == {TEMPO, MOOD}
    assert model.weights[TEMPO] > 0 > model.weights[MOOD]


@pytest.mark.parametrize(
    ("liking", "terms"),
    [
        pytest.param(lambda x: 0.8 - x[:, TEMPO] ** 2, SQUARES, id="a sweet spot"),
        pytest.param(lambda x: x[:, TEMPO] * x[:, MOOD], PRODUCTS, id="two that belong together"),
        pytest.param(lambda x: x[:, block("genre").start], block("genre"), id="a genre"),
    ],
)
def test_other_shapes_of_taste_are_found_too(rng, liking, terms):
    seen, other = clips(rng, 250), clips(rng, 200)
    model = TasteModel.fit(seen, (liking(seen) > 0) * 1.0, np.ones(250))
    assert ranked(model, other, liking(other)) > 0.6
    assert int(np.argmax(np.abs(model.weights))) in range(terms.start, terms.stop)


def test_what_was_seen_narrows_the_belief_and_what_was_not_does_not(rng):
    seen = np.zeros((40, SIZE))
    seen[:, TEMPO] = rng.standard_normal(40)
    model = TasteModel.fit(seen, (seen[:, TEMPO] > 0) * 1.0, np.ones(40))
    assert model.weights[TEMPO] / model.deviations[TEMPO] > 2.0
    waltz = NAMES.index("3/4 time")
    assert model.deviations[waltz] == pytest.approx(prior_widths()[waltz], rel=1e-6)
    assert model.weights[waltz] == 0.0


def test_more_verdicts_make_surer(rng):
    seen, other = clips(rng, 200), clips(rng, 50)
    liked = (seen[:, TEMPO] > 0) * 1.0
    few, many = (TasteModel.fit(seen[:n], liked[:n], np.ones(n)) for n in (8, 200))
    doubt = [np.abs(model.chance(other) - 0.5).mean() for model in (few, many)]
    assert doubt[0] < doubt[1]


def test_a_weight_of_two_is_the_same_as_saying_it_twice(rng):
    seen = clips(rng, 12)
    liked = (rng.random(12) < 0.5) * 1.0
    twice = TasteModel.fit(np.repeat(seen, 2, axis=0), np.repeat(liked, 2), np.ones(24))
    heavy = TasteModel.fit(seen, liked, np.full(12, 2.0))
    np.testing.assert_allclose(heavy.mean, twice.mean, atol=1e-5)


def test_the_order_of_events_plays_no_role(rng):
    seen, order = clips(rng, 30), rng.permutation(30)
    liked, weight = (seen[:, MOOD] > 0) * 1.0, rng.uniform(0.2, 1.0, 30)
    one = TasteModel.fit(seen, liked, weight)
    other = TasteModel.fit(seen[order], liked[order], weight[order])
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)


def test_likes_and_dislikes_are_mirror_images(rng):
    seen = clips(rng, 25)
    liked = (seen[:, MOOD] > 0.3) * 1.0
    one, other = (TasteModel.fit(seen, y, np.ones(25)) for y in (liked, 1.0 - liked))
    np.testing.assert_allclose(one.mean, -other.mean, atol=1e-6)


@pytest.mark.parametrize("liked", [0.0, 1.0])
def test_one_kind_of_verdict_alone_is_borne(rng, liked):
    model = TasteModel.fit(clips(rng, 15), np.full(15, liked), np.ones(15))
    chance = model.chance(clips(rng, 20))
    assert np.isfinite(model.mean).all()
    assert ((chance > 0.5) == bool(liked)).mean() > 0.8


def test_the_pulls_of_the_examples_are_the_belief(rng):
    seen, weight = clips(rng, 40), rng.uniform(0.1, 1.0, 40)
    liked = (seen[:, TEMPO] > 0) * 1.0
    model = TasteModel.fit(seen, liked, weight)
    np.testing.assert_allclose(model.pulls(seen, liked, weight).sum(axis=0), model.mean, atol=1e-4)


def test_draws_lie_about_the_mean_as_wide_as_the_belief(rng):
    seen, other = clips(rng, 20), clips(rng, 3)
    model = TasteModel.fit(seen, (seen[:, TEMPO] > 0) * 1.0, np.ones(20))
    score, spread = model.score(other)
    drawn = np.array([model.draw(other, np.random.default_rng(i)) for i in range(800)])
    np.testing.assert_allclose(drawn.mean(axis=0), score, atol=float(spread.max()) / 6)
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.15)
    np.testing.assert_allclose(model.draw(other, np.random.default_rng(0), boldness=0.0), score)
