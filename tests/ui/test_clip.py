"""A clip as the page shows it: its sections, its seam, its genres, and what it was made from."""

from __future__ import annotations

import hashlib

import pytest

from musicgen_ui.errors import Cancelled
from musicgen_ui.library.clip import Missing
from musicgen_ui.library.people import key_of
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style
from musicgen_ui.ui.clip import Order, make, seam_words

SEAM = {"step_db": -3.0, "level_percentile": 0.63, "spectral_percentile": 0.4, "hidden": True}
ENGINES = {"composer": "lstm", "synth": "soundfont", "takes": 1}


PERSON = key_of("f" * 32)


def shown(services, *, person=None, preview=None, **values):
    order = Order(Recipe(**(ENGINES | {"bars": 8} | values)))
    return make(services, order, lambda *_: None, person, preview)


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


def test_a_loop_is_marked_for_the_player_and_its_seam_is_told(services) -> None:
    loop, open_end = shown(services, ending="loop"), shown(services, ending="open")
    assert loop.clip.loop
    assert "seam: " in loop.heading
    assert not open_end.clip.loop
    assert "seam: " not in open_end.heading


def test_a_clip_goes_on_the_shelf_and_into_the_library_of_who_made_it(services) -> None:
    clip = shown(services, person=PERSON, seed=11).clip
    assert services.library.clips.get(PERSON, clip.id) == clip
    assert hashlib.sha256((services.shelf.folder(clip.id) / "clip.wav").read_bytes()).hexdigest() == clip.hash
    assert Recipe.from_code(clip.code).seed == 11
    assert (clip.kept, clip.origin, clip.title) == (False, "made", "Any genre")


def test_a_clip_that_nobody_made_is_in_no_library(services) -> None:
    clip = shown(services).clip
    with pytest.raises(Missing):
        services.library.clips.get(PERSON, clip.id)


def test_the_clip_is_heard_while_it_is_made(services) -> None:
    heard = []
    clip = shown(services, preview=heard.append).clip
    assert heard[-1].last
    assert heard[-1].begin + heard[-1].samples.shape[1] == pytest.approx(clip.seconds * 44_100, abs=50)


def test_whoever_waits_for_another_clip_can_still_be_stopped(services) -> None:
    def stop(*_) -> None:
        raise Cancelled("stopped")

    services.lane.acquire()
    with pytest.raises(Cancelled):
        make(services, Order(Recipe(**ENGINES)), stop, None)
    services.lane.release()


def test_genres_are_shown_as_they_are_heard_beside_the_blend(services) -> None:
    html = shown(services, style=Style(genre={"pop": 0.75, "jazz": 0.25})).meters
    assert "pop 75 %, jazz 25 %" in html
    assert "spot on: pop 70 %, rock 20 %" in html


def test_another_clip_can_be_made_from_what_is_kept(services) -> None:
    clip = shown(services, bars=4, seed=9)
    assert (clip.made.score.bars, clip.made.order.recipe.seed) == (4, 9)
