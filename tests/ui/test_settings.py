"""Controls and Style say the same thing, both ways; presets are good settings and far apart."""

from __future__ import annotations

import itertools

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import EFFECTS, SLIDERS, Style
from musicgen_ui.timbre import Z_SIZE, Timbre, TimbrePoint
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import (
    FORM_CONTROLS,
    PAGE_CONTROLS,
    RECIPE_CONTROLS,
    STYLE_CONTROLS,
    TIMBRE_CONTROLS,
    from_style,
    from_timbre,
    page_recipe,
    to_recipe,
    to_style,
    to_timbre,
)

REST = {"bars": 8, "seed": 3, "composer": "lstm", "synth": "soundfont", "takes": 1, "rounds": 0, "timbre": {}}
REST |= {"form": "free", "intro": False, "ending": "close"}
ROLLED = TimbrePoint("random", 7)
SUNG = TimbrePoint("recorded", z=tuple(0.25 * i - 4 for i in range(Z_SIZE)))
TIMBRES = [
    Timbre(),
    Timbre(ROLLED, SUNG, 0.35, ("lead", "bass")),
    Timbre(TimbrePoint(), ROLLED, 1.0),
    Timbre(SUNG, SUNG, 0.5, ()),
]


@pytest.mark.parametrize("style", [Style(), *(preset.style for preset in PRESETS.values())])
def test_style_to_controls_and_back_is_the_same_style(style: Style) -> None:
    values = from_style(style)
    assert tuple(values) == STYLE_CONTROLS
    assert to_style(values) == style


def test_recipe_takes_every_control_once() -> None:
    assert len(set(RECIPE_CONTROLS)) == len(RECIPE_CONTROLS)
    recipe = to_recipe(from_style(Style(tempo=77)) | REST)
    assert (recipe.style.tempo, recipe.bars, recipe.seed) == (77, 8, 3)


@pytest.mark.parametrize(("form", "intro", "ending"), [("AABA", True, "loop"), ("verse-chorus", False, "open")])
def test_form_intro_and_ending_reach_the_recipe_and_its_code(form: str, intro: bool, ending: str) -> None:
    asked = {"form": form, "intro": intro, "ending": ending}
    page = from_style(Style()) | REST | from_timbre() | asked | {"bars": 16}
    recipe = Recipe.from_code(page_recipe(page).to_code())
    assert {name: getattr(recipe, name) for name in asked} == asked
    assert set(FORM_CONTROLS) == set(asked) <= set(PAGE_CONTROLS)


@pytest.mark.parametrize("bad", [{"form": "sonata"}, {"form": None}, {"intro": "yes"}, {"ending": ["loop"]}], ids=str)
def test_a_bad_form_names_its_control(bad: dict) -> None:
    with pytest.raises(RequestError, match=f"^{next(iter(bad))}: "):
        to_recipe(from_style(Style()) | REST | bad)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_share_code_gives_the_timbre_panel_back(timbre: Timbre) -> None:
    recipe = Recipe.from_code(Recipe(synth="vaegan", timbre=timbre).to_code())
    values = from_timbre(recipe.timbre)
    assert tuple(values) == TIMBRE_CONTROLS
    assert to_timbre(values) == timbre
    page = from_style(recipe.style) | REST | values | {"synth": "vaegan"}
    assert set(page) - {"timbre"} == set(PAGE_CONTROLS)
    assert page_recipe(page).timbre == timbre


def test_the_panel_keeps_a_roll_and_a_recording_while_another_kind_is_chosen() -> None:
    values = from_timbre(Timbre(SUNG))
    assert to_timbre(values | {"timbre_a_kind": "own"}) == Timbre()
    assert to_timbre(values | {"timbre_a_kind": "random", "timbre_a_seed": 7}) == Timbre(ROLLED)
    waiting = from_timbre() | {"timbre_b_kind": "recorded"}
    assert to_timbre(waiting) == Timbre(), "a slot that waits for a recording sounds as it is"


def test_fixed_instruments_ignore_the_panel_but_refuse_the_argument() -> None:
    values = from_style(Style()) | REST | from_timbre(Timbre(ROLLED))
    assert page_recipe(values).timbre == Timbre()
    assert page_recipe(values | {"synth": "vaegan"}).timbre == Timbre(ROLLED)
    with pytest.raises(RequestError, match="timbre: soundfont plays fixed instruments"):
        to_recipe(values | {"timbre": Timbre(ROLLED).to_dict()})


@pytest.mark.parametrize(
    "bad",
    [
        {"timbre_a_kind": "loud"},
        {"timbre_a_kind": None},
        {"timbre_a_kind": "random", "timbre_a_seed": -1},
        {"timbre_a_kind": "random", "timbre_a_seed": None},
        {"timbre_b_kind": "recorded", "timbre_b_z": "AAAA"},
        {"timbre_b_kind": "recorded", "timbre_b_z": {"a": 1}},
        {"timbre_morph": 101},
        {"timbre_morph": "half"},
        {"timbre_morph": True},
        {"timbre_lead": "yes"},
    ],
    ids=str,
)
def test_a_bad_value_of_the_panel_is_about_the_timbre(bad: dict) -> None:
    with pytest.raises(RequestError, match=r"^timbre: "):
        to_timbre(from_timbre() | bad)


def test_genre_sliders_at_zero_mean_any_and_others_are_shares() -> None:
    values = from_style(Style())
    assert to_style(values).genre == {}
    assert to_style(values | {"genre_pop": 30, "genre_jazz": 10}).genre == {"pop": 0.75, "jazz": 0.25}


@pytest.mark.parametrize("weight", [float("nan"), -1, True, "1", None])
def test_a_genre_weight_that_is_no_weight_is_refused(weight: object) -> None:
    with pytest.raises(RequestError, match="genre pop"):
        to_style(from_style(Style()) | {"genre_pop": weight})


def test_there_are_at_least_eight_presets_with_their_own_names() -> None:
    assert len(PRESETS) >= 8
    assert all(slug == preset.slug and preset.blurb for slug, preset in PRESETS.items())


def test_any_two_presets_differ_in_band_and_in_several_sliders() -> None:
    for one, other in itertools.combinations(PRESETS.values(), 2):
        moved = sum(
            abs(getattr(one.style, name) - getattr(other.style, name)) >= 0.1 * (slider.high - slider.low)
            for name, slider in (SLIDERS | EFFECTS).items()
        )
        band = sum(one.style.parts[part] != other.style.parts[part] for part in PARTS)
        assert moved >= 2, (one.name, other.name)
        assert band >= 2, (one.name, other.name)
