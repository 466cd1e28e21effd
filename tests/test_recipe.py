"""Recipes survive JSON and links, and refuse everything else by name."""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import ENDINGS, FORMS
from musicgen_ui.music.instruments import CHOICES
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.theory import KEYS
from musicgen_ui.recipe import (
    CODE_PREFIX,
    COMPOSERS,
    LIMITS,
    SYNTHS,
    Recipe,
    RenderRecipe,
    require_available,
)
from musicgen_ui.source import Source
from musicgen_ui.style import AUTO, EFFECTS, GENRES, SLIDERS, PartSetting, Style


def numbers(slider):
    return st.floats(slider.low, slider.high, allow_nan=False)


def part_settings(part):
    return st.builds(PartSetting, st.booleans(), st.floats(-24, 6), st.sampled_from([AUTO, *CHOICES[part]]))


styles = st.builds(
    Style,
    **{key: numbers(slider) for key, slider in (SLIDERS | EFFECTS).items()},
    key=st.sampled_from([AUTO, *KEYS]),
    metre=st.sampled_from(list(METRES)),
    genre=st.dictionaries(st.sampled_from(GENRES), st.floats(0.01, 100), max_size=len(GENRES)),
    parts=st.fixed_dictionaries({part: part_settings(part) for part in PARTS}).filter(
        lambda parts: any(setting.on for setting in parts.values())
    ),
)
recipes = st.builds(
    Recipe,
    style=styles,
    composer=st.sampled_from(COMPOSERS),
    synth=st.sampled_from(SYNTHS),
    form=st.sampled_from(FORMS),
    ending=st.sampled_from(ENDINGS),
    checkpoints=st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.just("0f" * 32), max_size=3),
    **{name: st.integers(*limits) for name, limits in LIMITS.items()},
)


def pack(text: bytes) -> str:
    """A share code that holds any text."""
    return CODE_PREFIX + base64.urlsafe_b64encode(zlib.compress(text)).decode("ascii").rstrip("=")


def code_of(value) -> str:
    """A share code that holds any JSON value."""
    return pack(json.dumps(value).encode("ascii"))


@settings(max_examples=60, deadline=None)
@given(recipes)
def test_json_and_code_give_the_recipe_back(recipe):
    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe
    assert Recipe.from_code(recipe.to_code()) == recipe


@pytest.mark.parametrize(
    "weights",
    [pytest.param([2] + [1] * 10, id="rounds-up"), pytest.param([0.9] + [1 / 70] * 7, id="rounds"), [1, 1e-9]],
)
def test_a_blend_does_not_drift_when_it_is_read_again(weights):
    recipe = Recipe(style=Style(genre=dict(zip(GENRES, weights, strict=False))))
    assert Recipe.from_code(recipe.to_code()) == recipe


def test_equal_recipes_give_equal_text_whatever_the_order():
    one = Recipe(checkpoints={"b": "0" * 64, "a": "1" * 64}, style=Style(genre={"rock": 2, "pop": 2}))
    two = Recipe(checkpoints={"a": "1" * 64, "b": "0" * 64}, style=Style(genre={"pop": 1, "rock": 1}))
    assert one.to_json() == two.to_json()
    assert one.to_code() == two.to_code()


def test_code_needs_no_escaping_in_a_link_and_is_short():
    code = Recipe(checkpoints={"composer_lstm": "0123456789abcdef" * 4}).to_code()
    assert code.startswith(CODE_PREFIX)
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(code) < 700


def test_a_whole_float_counts_as_a_whole_number():
    assert Recipe(bars=8.0).bars == 8
    assert isinstance(Recipe(bars=8.0).bars, int)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        pytest.param("seed", 10**5000, id="seed-huge"),
        ("seed", 1.5),
        ("seed", float("nan")),
        ("seed", float("inf")),
        ("seed", True),
        ("seed", "7"),
        ("seed", None),
        ("bars", 0),
        ("bars", 129),
        ("bars", 10_000),
        ("bars", [16]),
        ("takes", 0),
        ("takes", 17),
        ("rounds", -1),
        ("rounds", 5),
        ("composer", "rnn"),
        ("composer", None),
        ("composer", ["lstm"]),
        ("synth", "midi"),
        ("style", {"tempo": 100}),
        ("checkpoints", ["a"]),
        ("checkpoints", {"a": "0"}),
        ("checkpoints", {"../a": "0" * 64}),
        ("checkpoints", {f"m{n}": "0" * 64 for n in range(17)}),
        ("version", ""),
        ("version", "1\n2"),
    ],
)
def test_a_bad_field_is_refused_by_name(field, value):
    with pytest.raises(RequestError) as caught:
        Recipe(**{field: value})
    assert caught.value.argument == field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "argument"),
    [
        (None, "recipe"),
        ([1], "recipe"),
        ({"tempo": 100}, "recipe"),
        ({"style": 3}, "style"),
        ({"style": {"loudness": 1}}, "loudness"),
        ({"style": {"tempo": 1e9}}, "tempo"),
        ({"style": {"metre": []}}, "metre"),
        ({"style": {"key": "H major"}}, "key"),
        ({"style": {"genre": {"polka": 1}}}, "genre"),
        ({"style": {"parts": {"lead": {"instrument": "kazoo"}}}}, "lead instrument"),
        ({"style": {"parts": {part: {"on": False} for part in PARTS}}}, "parts"),
    ],
)
def test_a_bad_object_is_refused_by_name(values, argument):
    with pytest.raises(RequestError) as caught:
        Recipe.from_dict(values)
    assert caught.value.argument == argument


GOOD = Recipe(seed=7).to_code()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("", id="empty"),
        pytest.param(None, id="none"),
        pytest.param(7, id="number"),
        pytest.param(GOOD[len(CODE_PREFIX) :], id="no-prefix"),
        pytest.param("m9." + GOOD[len(CODE_PREFIX) :], id="other-version"),
        pytest.param(GOOD[:-9], id="cut"),
        pytest.param(GOOD[:40] + "AAAA" + GOOD[44:], id="changed"),
        pytest.param(GOOD + "AAAAAAAA", id="longer"),
        pytest.param(GOOD + "\n", id="newline"),
        pytest.param(GOOD + "=", id="padding"),
        pytest.param(GOOD[:30] + " " + GOOD[30:], id="space"),
        pytest.param(CODE_PREFIX, id="no-body"),
        pytest.param(CODE_PREFIX + "é" * 8, id="not-ascii"),
        pytest.param(CODE_PREFIX + "A" * 5000, id="long"),
        pytest.param(code_of([0] * 100_000), id="bomb"),
        pytest.param(code_of({"style": {"tempo": 1e999}}), id="infinite"),
        pytest.param(code_of({"seed": -1}), id="bad-seed"),
        pytest.param(code_of([]), id="not-an-object"),
        pytest.param(code_of({"a": "b"}), id="unknown-field"),
        pytest.param(pack(b"[" * 16_000), id="deep"),
        pytest.param(pack(b'{"seed":' + b"9" * 9_000 + b"}"), id="huge-number"),
    ],
)
def test_a_malformed_code_is_one_sentence_about_the_link(code):
    with pytest.raises(RequestError) as caught:
        Recipe.from_code(code)
    assert caught.value.argument == "share link"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_crashes_the_decoder(text):
    for code in (text, CODE_PREFIX + text):
        with pytest.raises(RequestError, match="share link"):
            Recipe.from_code(code)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(Style().to_dict())), json_values)
def test_no_value_of_a_style_field_crashes_the_decoder(name, value):
    with suppress(RequestError):
        recipe = Recipe.from_code(code_of({"style": {name: value}}))
        assert Recipe.from_code(recipe.to_code()) == recipe


def test_provenance_replaces_what_a_link_claimed():
    made = Recipe(version="0.0.1", checkpoints={"old": "0" * 64}).with_provenance({"new": "1" * 64})
    assert made.checkpoints == {"new": "1" * 64}
    assert made.version != "0.0.1"


def test_engines_that_are_not_loaded_are_refused_with_those_that_are():
    loaded = ["lstm"], ["vaegan", "soundfont"]
    for synth in loaded[1]:
        require_available("lstm", synth, *loaded)
        require_available(None, synth, *loaded)
    with pytest.raises(RequestError, match=r"composer: wavenet is not loaded; available: lstm$"):
        require_available("wavenet", "soundfont", *loaded)
    with pytest.raises(RequestError, match=r"synth: wavenet is not loaded; available: vaegan, soundfont$"):
        require_available("lstm", "wavenet", *loaded)


def test_one_engine_is_the_default_everywhere():
    assert Recipe().synth == RenderRecipe("0" * 64).synth == SYNTHS[0] == "vaegan"
    assert Recipe().composer == COMPOSERS[0] == "wavenet"


OLD_CODE = (
    "m1.eNqVUdtuwjAM_ZXJzxEDjcHWNz4lNIZGTePITqtViH-fnXUfwJNv5xzfHnD1LNB9OegH7MdCMVeNH09N0FRIkKGDJHUCB0xzDlo9OBDEAN1ZnbomVAJc"
    "Od6HmlEUsN99_vET_sS6WuLoIGCWLdJy4Lig-XsHmJHvraCD3DFzU7xRGi334aBQMe-sY42oQLi8TTET61ATVoPD8f1oEVEw5MlBpij_DYrntpauK83GLJXn"
    "CXNVqp8rKTfhgmkjUIZOAWh3GIjDq6SguFc5CX14iaIcKb7H7UhS2lMOhpE191R8jQZu966o74Tu-2TlJV7Zq7AJPhu6DtpM7ME30saK9yPqBqq7IEvTgf1O"
    "xeH5C-DYsis"
)
"""A link made by the release before there were timbres."""


def test_a_link_from_before_timbres_still_gives_its_recipe():
    style = Style(tempo=96, energy=0.8, key="A minor", genre={"pop": 0.7, "folk": 0.3})
    made = {"composer": "lstm", "synth": "soundfont", "version": "0.1.0"}
    expected = Recipe(style=style, seed=7, bars=8, takes=3, rounds=1, **made)
    assert Recipe.from_code(OLD_CODE) == expected


def test_a_render_recipe_is_json_too():
    recipe = RenderRecipe("0" * 64, seed=3)
    assert json.loads(recipe.to_json()) == recipe.to_dict()
    with pytest.raises(RequestError, match="synth"):
        RenderRecipe("0" * 64, synth="kazoo")


def test_what_a_clip_was_made_from_survives_a_link():
    first = Recipe(seed=1, form="AABA", intro=True, bars=24)
    second = Recipe(seed=2, source=Source("regenerate", recipe=first, parts=("lead",), bars=(4, 8)), bars=24)
    third = Recipe(seed=3, source=Source("continue", recipe=second), ending="loop")
    assert Recipe.from_code(third.to_code()) == third
    assert Recipe.from_dict(json.loads(third.to_json())).source.recipe.source.recipe == first
    assert "source" not in first.to_dict()


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("form", {"form": "sonata"}),
        ("ending", {"ending": 3}),
        ("intro", {"intro": 1}),
        ("intro", {"intro": True, "bars": 2}),
        ("source", {"source": {"action": "continue"}}),
        ("source", {"source": "MIDI"}),
    ],
)
def test_a_bad_form_or_source_is_refused_by_name(argument, values):
    with pytest.raises(RequestError) as caught:
        Recipe.from_dict(values)
    assert caught.value.argument == argument
