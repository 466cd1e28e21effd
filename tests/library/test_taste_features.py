"""Clips as numbers: what is unknown says nothing, and a recipe and its clip agree as far as both can."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.library.taste_features import (
    BLOCKS,
    NAMES,
    SIZE,
    SOUND_SIZE,
    block,
    clip_features,
    recipe_features,
    sound_of,
)
from musicgen_ui.library.taste_styles import crossed, from_everywhere, near, tour_stop
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.style import GENRES, SLIDERS, PartSetting, Style
from musicgen_ui.timbre import Timbre, TimbrePoint


def at(features: np.ndarray, name: str) -> float:
    return float(features[NAMES.index(name)])


def test_names_are_all_different_and_blocks_lie_side_by_side():
    assert len(set(NAMES)) == SIZE == len(NAMES)
    assert [i for name in BLOCKS for i in range(*block(name).indices(SIZE))] == list(range(SIZE))
    with pytest.raises(KeyError):
        block("smell")


def test_a_middling_style_of_which_nothing_is_heard_says_next_to_nothing():
    middle = {key: (slider.low + slider.high) / 2 for key, slider in SLIDERS.items()}
    features = recipe_features(Recipe(style=Style(**middle)))
    assert not features[block("sliders")].any()
    assert {name for name, value in zip(NAMES, features, strict=True) if value} <= {"minor key"}


def test_a_clip_heard_exactly_as_asked_is_its_recipe():
    style = Style(mood=0.2, genre={"jazz": 1}, parts={"lead": PartSetting(instrument="tenor sax")})
    recipe = Recipe(style=style, seed=4)
    heard = {**{key: getattr(style, key) for key in SLIDERS}, "genre": "jazz", "key": "C minor"}
    info = {"recipe": recipe.to_dict(), "heard": heard, "parts": {}, "key": "C minor"}
    np.testing.assert_allclose(clip_features(info), recipe_features(recipe))
    traits = {"style": style.to_dict(), "heard": heard, "parts": {}, "seconds": 9.0, "origin": "made"}
    np.testing.assert_allclose(clip_features(traits), recipe_features(recipe))


def test_the_ear_counts_for_the_colour_and_not_for_the_tempo():
    recipe = Recipe(style=Style(tempo=90, brightness=0.2)).to_dict()
    plain = clip_features({"recipe": recipe})
    heard = clip_features({"recipe": recipe, "heard": {"tempo": 180.0, "brightness": 0.9}})
    assert at(heard, "tempo") == at(plain, "tempo")
    assert at(heard, "brightness") > at(plain, "brightness") + 1.0


def test_of_somebodys_own_notes_only_the_ear_knows():
    recipe = RenderRecipe("0" * 64, Style(mood=0.9)).to_dict()
    heard = dict.fromkeys(SLIDERS) | {"mood": 0.1, "genres": {"folk": 0.8, "pop": 0.2}}
    features = clip_features({"recipe": recipe, "heard": heard, "parts": {"lead": "flute"}, "key": "D minor"})
    assert at(features, "mood") < -1.0
    assert at(features, "folk") > 2.0
    assert at(features, "pipes in the lead") > 0
    assert at(features, "minor key") == 1.0


def test_band_effects_engines_and_timbre_are_seen():
    parts = {"drums": PartSetting(on=False), "bass": PartSetting(instrument="synth bass 1")}
    style = Style(metre="3/4", drive=0.5, speed=2.0, parts=parts)
    features = recipe_features(Recipe(style=style, synth="soundfont"))
    for name in ("3/4 time", "drive", "tape speed", "electronic drums and bass", "sampled instruments"):
        assert at(features, name) > 0, name
    assert at(features, "drums") < 0
    assert at(features, "tempo") > at(recipe_features(Recipe(style=Style(metre="3/4"))), "tempo")
    other = recipe_features(Recipe(timbre=Timbre(a=TimbrePoint("random", 7))))
    assert np.abs(other[block("timbre")]).max() > 0.1
    assert not recipe_features(Recipe())[block("timbre")].any()


def test_the_sound_of_a_clip_is_a_few_numbers_that_tell_noise_from_tone(rng):
    time = np.arange(22_050) / 22_050
    tone = 0.5 * np.sin(2 * np.pi * 220 * time)
    noise = 0.1 * rng.standard_normal(22_050)
    sounds = [sound_of(np.stack([x, x]).astype(np.float32), 22_050) for x in (tone, noise)]
    assert all(len(sound) == SOUND_SIZE and np.isfinite(sound).all() for sound in sounds)
    assert np.abs(np.subtract(*sounds)).max() > 0.5
    assert np.isfinite(sound_of(np.zeros((2, 22_050), np.float32), 22_050)).all()
    info = {"recipe": Recipe().to_dict()}
    np.testing.assert_allclose(clip_features(info, sounds[0])[block("sound")], sounds[0])
    assert not clip_features(info, [1.0])[block("sound")].any()


def test_styles_from_everywhere_near_and_between_are_whole_and_finite(rng):
    styles = [from_everywhere(rng) for _ in range(60)]
    styles += [near(style, rng) for style in styles[:20]]
    styles += [crossed(a, b, rng) for a, b in zip(styles[:20], styles[20:40], strict=True)]
    features = np.array([recipe_features(Recipe(style=style)) for style in styles])
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 5.0
    everywhere = features[:60, block("sliders")]
    assert np.abs(everywhere.mean(axis=0)).max() < 0.5
    assert everywhere.std(axis=0).min() > 0.7
    assert {genre for style in styles[:60] for genre in style.genre} == set(GENRES)
    assert {style.metre for style in styles} == {"3/4", "4/4"}


def test_a_child_lies_between_its_parents(rng):
    one, other = Style(tempo=80, mood=0.1, genre={"jazz": 1}), Style(tempo=140, mood=0.9, genre={"rock": 1})
    for _ in range(20):
        child = crossed(one, other, rng)
        assert 80 <= child.tempo <= 140
        assert 0.1 <= child.mood <= 0.9
        assert child.genre in (one.genre, other.genre)


def test_the_tour_visits_every_genre_or_the_given_stops(rng):
    stops = [tour_stop(number, rng) for number in range(len(GENRES))]
    assert {genre for style in stops for genre in style.genre} == set(GENRES)
    mine = (Style(tempo=60, genre={"folk": 1}), Style(tempo=180, genre={"game": 1}))
    assert [tour_stop(number, rng, mine).genre for number in range(3)] == [{"folk": 1}, {"game": 1}, {"folk": 1}]
