"""From events to verdicts: what counts, for what, and how much."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.library.taste_examples import (
    EARLY_SKIP,
    FAINTEST,
    FULL_PLAY,
    HALF_LIFE_DAYS,
    KEPT,
    MOST_PLAYS,
    examples_of,
    stacked,
)
from musicgen_ui.library.taste_features import SIZE, block
from musicgen_ui.style import Style

DAY = 86_400_000
NOW = 1000 * DAY


def happened(*kinds: str, clip: str = "a", time: int = NOW, traits: object = None, share: float = 1.0) -> list:
    known = {"style": Style(mood=0.1).to_dict(), "heard": {}, "parts": {}, "seconds": 20.0, "origin": "made"}
    return [
        SimpleNamespace(clip=clip, kind=kind, time=time, at=20.0 * share, traits=known if traits is None else traits)
        for kind in kinds
    ]


@pytest.mark.parametrize(
    ("kinds", "share", "told", "verdict"),
    [
        (("like",), 1.0, True, 1.0),
        (("dislike",), 1.0, True, -1.0),
        (("like", "dislike"), 1.0, True, -1.0),
        (("like", "skip", "skip"), 0.1, True, 1.0),
        (("play",), 1.0, False, FULL_PLAY),
        (("play",) * 40, 1.0, False, FULL_PLAY * MOST_PLAYS),
        (("skip",), 0.1, False, -EARLY_SKIP),
        (("keep",), 1.0, False, KEPT),
        (("like", "neutral", "play"), 1.0, False, FULL_PLAY),
        (("play", "skip"), 0.9, False, FULL_PLAY),
    ],
)
def test_what_counts_and_how_much(kinds, share, told, verdict):
    (example,) = examples_of(happened(*kinds, share=share), NOW)
    assert example.told == told
    assert (1 if example.liked else -1) * example.weight == pytest.approx(verdict)
    assert example.style == Style(mood=0.1)


@pytest.mark.parametrize(
    ("kinds", "share"),
    [(("play",), 0.5), (("skip",), 0.6), (("neutral",), 1.0), (("keep", "unkeep"), 1.0), (("like", "neutral"), 0.5)],
)
def test_what_says_nothing_is_no_example(kinds, share):
    assert examples_of(happened(*kinds, share=share), NOW) == []


def test_a_play_of_unknown_length_says_nothing():
    for traits in ({"style": {}}, {"style": {}, "seconds": 0}, {"style": {}, "seconds": "long"}):
        assert examples_of(happened("play", traits=traits), NOW) == []


def test_what_is_recent_counts_more():
    events = [
        *happened("like", clip="ancient", time=NOW - 3000 * DAY),
        *happened("like", clip="old", time=NOW - round(HALF_LIFE_DAYS * DAY)),
        *happened("like", clip="new"),
    ]
    weight = {example.clip: example.weight for example in examples_of(events, NOW)}
    assert weight["new"] == 1.0
    assert weight["old"] == pytest.approx(0.5, rel=0.02)
    assert weight["ancient"] == FAINTEST


def test_among_many_the_later_ones_count_more_and_come_last():
    events = [e for number in range(300) for e in happened("dislike", clip=str(number), time=NOW + number)]
    examples = examples_of(events, NOW + 300)
    assert [example.clip for example in examples] == [str(number) for number in range(300)]
    weights = stacked(examples)[2]
    assert (np.diff(weights) >= 0).all()
    assert weights[-1] == pytest.approx(1.0)
    assert weights[0] < 0.2


def test_the_sound_of_a_clip_is_used_where_it_is_known():
    examples = examples_of(happened("like"), NOW, {"a": [1.0, -1.0, 0.5, 0.0, 2.0]})
    assert examples[0].features[block("sound")].tolist() == [1.0, -1.0, 0.5, 0.0, 2.0]


@pytest.mark.parametrize(
    "traits",
    [
        {"style": {"tempo": "fast"}},
        {"style": {"wobble": 1}},
        {"style": [1]},
        {"style": {}, "heard": [1]},
        {"style": {}, "parts": 3},
        {"recipe": {"style": {}, "timbre": {"morph": 9}}},
        {"style": {}, "heard": {"genres": {"pop": "much"}}},
    ],
)
def test_traits_that_are_none_are_passed_over(traits):
    good = happened("like", clip="good")
    assert [e.clip for e in examples_of(happened("like", traits=traits) + good, NOW)] == ["good"]


def test_odd_numbers_do_not_outweigh_the_rest():
    heard = {"mood": float("inf"), "energy": 1e300, "genres": {"pop": 1e30, "jazz": float("nan")}}
    (example,) = examples_of(happened("like", traits={"style": {}, "heard": heard}), NOW)
    assert np.isfinite(example.features).all()
    assert np.abs(example.features).max() <= 5.0


def test_nothing_is_stacked_of_nothing():
    features, liked, weight = stacked([])
    assert features.shape == (0, SIZE)
    assert liked.shape == weight.shape == (0,)
