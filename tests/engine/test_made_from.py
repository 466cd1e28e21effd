"""A clip made from a clip is made again from the innermost on, and sounds on with the seed of the first."""

from __future__ import annotations

import pytest

from musicgen_ui.engine.made_from import sound_seed, source_score
from musicgen_ui.engine.style_of_score import style_of_score
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import Source

FILE = Score(100.0, "4/4", 1, {"lead": (Note(0.0, 60, 1.0, 80),)})
OF_FILE = Recipe(seed=7, source=Source("accompany", midi_sha256="0" * 64, parts=("lead",)))
OF_CLIP = Recipe(seed=8, source=Source("regenerate", recipe=OF_FILE, bars=(0, 1)))


def made(recipe, given):
    """A studio that keeps count in the tempo, and composes at 50."""
    if recipe.source is None:
        return Score(50.0, "4/4", 1, {})
    return Score(source_score(made, recipe, given).tempo + 1, "4/4", 1, {})


def test_a_chain_is_made_again_from_its_beginning():
    assert made(OF_CLIP, FILE).tempo == 102.0
    assert made(Recipe(source=Source("continue", recipe=Recipe())), None).tempo == 51.0


def test_a_file_must_be_handed_in():
    with pytest.raises(RequestError, match="must be handed in"):
        source_score(made, OF_CLIP, None)


def test_the_sound_keeps_the_seed_of_the_first_clip():
    assert sound_seed(Recipe(seed=3)) == 3
    assert sound_seed(OF_FILE) == 7
    assert sound_seed(OF_CLIP) == 7


def test_the_style_of_a_score_is_what_was_measured():
    measured = {"mood": 0.8, "density": 1.2, "energy": 0.3}
    style = style_of_score(Score(300.0, "3/4", 1, FILE.parts, key="Eb major"), measured)
    assert (style.tempo, style.metre, style.key) == (180.0, "3/4", "Eb major")
    assert (style.mood, style.density, style.energy, style.complexity) == (0.8, 1.0, 0.3, 0.4)
    assert style.active_parts == ("lead",)


def test_a_lone_part_only_tells_its_mood():
    style = style_of_score(FILE, {"mood": 0.8, "density": 0.1}, whole=False)
    assert (style.mood, style.density, style.key, len(style.active_parts)) == (0.8, 0.5, "auto", 4)
