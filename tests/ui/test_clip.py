"""A clip as the page shows it: its sections, its seam, its genres, and what it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style
from musicgen_ui.ui.clip import Order, make, seam_words

SEAM = {"step_db": -3.0, "level_percentile": 0.63, "spectral_percentile": 0.4, "hidden": True}
ENGINES = {"composer": "lstm", "synth": "soundfont", "takes": 1}


def shown(studio, **values):
    return make(studio, Order(Recipe(**(ENGINES | {"bars": 8} | values))), lambda *_: None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "seam: inaudible, no click, change at the 63rd percentile of its beats"),
        ({"level_percentile": 0.12}, "change at the 40th percentile"),
        ({"spectral_percentile": 0.912}, "change at the 91st percentile"),
        ({"hidden": False, "step_db": 4.4}, "seam: can be heard, a step 4 dB above the clip's own, change"),
    ],
)
def test_the_seam_in_words(change: dict, words: str) -> None:
    assert words in seam_words(SEAM | change)


def test_a_loop_is_marked_for_the_player_and_its_seam_is_told(studio, cache: Path) -> None:
    loop, open_end = shown(studio, ending="loop"), shown(studio, ending="open")
    assert "data-loop=yes" in loop.waveform
    assert "seam: " in loop.heading
    assert "data-loop" not in open_end.waveform
    assert "seam: " not in open_end.heading


def test_sections_are_named_where_there_are_several(studio, cache: Path) -> None:
    assert "section-names" not in shown(studio).roll
    assert shown(studio, form="AABA").roll.count("flex-grow") == 4


def test_genres_are_shown_as_they_are_heard_beside_the_blend(studio, cache: Path) -> None:
    html = shown(studio, style=Style(genre={"pop": 0.75, "jazz": 0.25})).meters
    assert "pop 75 %, jazz 25 %" in html
    assert "spot on: pop 70 %, rock 20 %" in html


def test_another_clip_can_be_made_from_what_is_kept(studio, cache: Path) -> None:
    clip = shown(studio, bars=4, seed=9)
    assert (clip.made.score.bars, clip.made.order.recipe.seed) == (4, 9)
