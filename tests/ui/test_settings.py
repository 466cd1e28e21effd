"""Controls and Style say the same thing, both ways; presets are good settings and far apart."""

from __future__ import annotations

import itertools

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import EFFECTS, SLIDERS, Style
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import RECIPE_CONTROLS, STYLE_CONTROLS, from_style, to_recipe, to_style

REST = {"bars": 8, "seed": 3, "composer": "lstm", "synth": "soundfont", "takes": 1, "rounds": 0}


@pytest.mark.parametrize("style", [Style(), *(preset.style for preset in PRESETS.values())])
def test_style_to_controls_and_back_is_the_same_style(style: Style) -> None:
    values = from_style(style)
    assert tuple(values) == STYLE_CONTROLS
    assert to_style(values) == style


def test_recipe_takes_every_control_once() -> None:
    assert len(set(RECIPE_CONTROLS)) == len(RECIPE_CONTROLS)
    recipe = to_recipe(from_style(Style(tempo=77)) | REST)
    assert (recipe.style.tempo, recipe.bars, recipe.seed) == (77, 8, 3)


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
