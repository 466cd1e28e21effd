"""Timbres survive JSON and links, say what they change, and refuse everything else in one sentence."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.timbre import MAX_SEED, TIMBRE_PARTS, Z_LIMIT, Z_SIZE, Timbre, TimbrePoint

OWN = TimbrePoint()
RANDOM = TimbrePoint("random", 7)
RECORDED = TimbrePoint("recorded", z=tuple(np.linspace(-8, 8, Z_SIZE).tolist()))

points = st.one_of(
    st.just(OWN),
    st.builds(TimbrePoint, st.just("random"), st.integers(0, MAX_SEED)),
    st.builds(
        TimbrePoint,
        st.just("recorded"),
        z=st.tuples(*[st.floats(-Z_LIMIT, Z_LIMIT)] * Z_SIZE),
    ),
)
timbres = st.builds(Timbre, points, points, st.floats(0, 1), st.lists(st.sampled_from(TIMBRE_PARTS)))


@settings(max_examples=100, deadline=None)
@given(timbres)
def test_json_gives_the_timbre_back(timbre):
    assert Timbre.from_dict(json.loads(json.dumps(timbre.to_dict(), allow_nan=False))) == timbre


@settings(max_examples=40, deadline=None)
@given(timbres)
def test_a_link_gives_the_timbre_back(timbre):
    recipe = Recipe(synth="vaegan", timbre=timbre)
    assert Recipe.from_code(recipe.to_code()) == recipe


def test_the_default_takes_no_room():
    assert Timbre().to_dict() == {}
    assert "timbre" not in Recipe().to_dict()
    assert "timbre" not in RenderRecipe("0" * 64).to_dict()


def test_two_recordings_still_fit_into_a_link():
    noisy = [
        TimbrePoint("recorded", z=tuple(np.random.default_rng(seed).uniform(-8, 8, Z_SIZE).tolist())) for seed in (1, 2)
    ]
    code = Recipe(synth="vaegan", timbre=Timbre(*noisy, 0.37, ("bass",))).to_code()
    assert len(code) < 900


def test_z_keeps_two_decimals_and_no_negative_zero():
    point = TimbrePoint("recorded", z=(0.12345, -0.001, *[7.999] * (Z_SIZE - 2)))
    assert point.z[:3] == (0.12, 0.0, 8.0)
    assert str(point.z[1]) == "0.0"
    assert TimbrePoint.from_dict({"kind": "recorded", "z": list(point.z)}) == point


def test_what_changes_nothing_says_so():
    assert Timbre().is_own
    assert Timbre(OWN, RANDOM, 0.0).is_own
    assert Timbre(RANDOM, OWN, 1.0).is_own
    assert Timbre(RANDOM, RANDOM, 0.5, ()).is_own
    assert not Timbre(RANDOM).is_own
    assert not Timbre(OWN, RANDOM, 0.01).is_own
    assert not Timbre(OWN, RECORDED, 1.0).is_own


def test_parts_keep_their_order_and_count_once():
    assert Timbre(parts=["bass", "lead", "bass"]).parts == ("lead", "bass")


def test_random_names_are_readable_and_many_and_numbers_follow_the_seed():
    names = {TimbrePoint("random", seed).name for seed in range(1024)}
    assert len(names) == 1024
    assert all(name.replace(" ", "").isalpha() for name in names)
    np.testing.assert_array_equal(RANDOM.noise(), TimbrePoint("random", 7).noise())
    draws = np.stack([TimbrePoint("random", seed).noise() for seed in range(500)])
    assert draws.shape == (500, Z_SIZE)
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1) < 0.02


def test_fixed_instruments_refuse_a_timbre_that_they_would_ignore():
    for make in (Recipe, lambda **values: RenderRecipe("0" * 64, **values)):
        assert make(synth="soundfont", timbre=Timbre(OWN, RANDOM, 0.0))
        with pytest.raises(RequestError, match="timbre: soundfont plays fixed instruments"):
            make(synth="soundfont", timbre=Timbre(RANDOM))
        with pytest.raises(RequestError, match="timbre"):
            make(synth="vaegan", timbre={"morph": 0.5})


BAD = [
    None,
    [],
    "own",
    {"c": {}},
    {"a": None},
    {"a": {"kind": "loud"}},
    {"a": {"kind": ["own"]}},
    {"a": {"kind": "own", "seed": 3}},
    {"a": {"kind": "own", "colour": 3}},
    {"a": {"kind": "random", "seed": -1}},
    {"a": {"kind": "random", "seed": 2**32}},
    {"a": {"kind": "random", "seed": 1.5}},
    {"a": {"kind": "random", "seed": True}},
    {"a": {"kind": "random", "seed": "7"}},
    {"a": {"kind": "random", "seed": 10**400}},
    {"a": {"kind": "random", "z": [0.0] * Z_SIZE}},
    {"a": {"kind": "recorded"}},
    {"a": {"kind": "recorded", "z": [0.0] * (Z_SIZE - 1)}},
    {"a": {"kind": "recorded", "z": [0.0] * (Z_SIZE - 1) + [8.01]}},
    {"a": {"kind": "recorded", "z": [0.0] * (Z_SIZE - 1) + [float("nan")]}},
    {"a": {"kind": "recorded", "z": [None] * Z_SIZE}},
    {"a": {"kind": "recorded", "z": {"0": 1}}},
    {"a": {"kind": "recorded", "z": ""}},
    {"a": {"kind": "recorded", "z": "A" * 85}},
    {"a": {"kind": "recorded", "z": "é" * 86}},
    {"a": {"kind": "recorded", "z": "/w8" * 28 + "AA"}},
    {"a": {"kind": "recorded", "z": "_38" * 28 + "_w"}},
    {"morph": 1.01},
    {"morph": float("nan")},
    {"morph": "half"},
    {"morph": None},
    {"morph": True},
    {"parts": "lead"},
    {"parts": ["drums"]},
    {"parts": [["lead"]]},
    {"parts": 3},
]


@pytest.mark.parametrize("values", BAD, ids=lambda value: repr(value)[:60])
def test_anything_else_is_refused_in_one_sentence(values):
    with pytest.raises(RequestError) as caught:
        Timbre.from_dict(values)
    assert caught.value.argument == "timbre"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["a", "b", "morph", "parts"]), json_values, st.sampled_from([None, "kind", "seed", "z"]))
def test_no_json_value_crashes(name, value, inner):
    with suppress(RequestError):
        Timbre.from_dict({name: value if inner is None else {"kind": "recorded", inner: value}})
