"""What is made from the clip on the page, or from a person's file: the right order, and one sentence otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import Source
from musicgen_ui.style import Style
from musicgen_ui.ui.clip import Made, Order, source_words
from musicgen_ui.ui.handlers import Page
from musicgen_ui.ui.orders import SEEDS
from musicgen_ui.ui.settings import PAGE_CONTROLS, from_style, from_timbre
from musicgen_ui.ui.song import Song, open_song, song_html

OUTPUTS = ("status", "heading", "downloads", "meters", "tried", "made", "clip", "stream", "seed")
TOKEN = "a" * 32
PAGE = from_style(Style(density=0.9)) | from_timbre()
PAGE |= {"bars": 16, "seed": 7, "composer": "lstm", "synth": "soundfont", "takes": 1, "rounds": 0}
PAGE |= {"form": "AABA", "intro": True, "ending": "open"}
MELODY = Score(90.0, "3/4", 4, {"lead": tuple(Note(float(beat), 60 + beat, 1.0, 90) for beat in range(12))})


@pytest.fixture
def page(services) -> Page:
    return Page(services, {name: name for name in OUTPUTS})


@pytest.fixture
def made() -> Made:
    before = Recipe(bars=8, seed=5, composer="lstm", synth="soundfont", ending="loop")
    return Made(Order(before, "Sunny pop"), replace(MELODY, bars=8))


@pytest.fixture
def song(tmp_path: Path) -> Song:
    score_to_midi(MELODY, tmp_path / "My <tune>.mid")
    return open_song(tmp_path / "My <tune>.mid")


def press(call: Callable, *more) -> dict:
    return list(call(*(PAGE[name] for name in PAGE_CONTROLS), *more, TOKEN))[-1]


def state(update: dict) -> str:
    return re.search(r'data-state="(\w+)"', update["status"])[1]


def test_continue_asks_for_new_bars_after_the_clip_with_the_sliders_as_they_stand(page, studio, made) -> None:
    last = press(page.go_on, made, 12)
    assert state(last) == "done"
    recipe, given = studio.orders[-1]
    assert recipe.source == Source("continue", made.order.recipe)
    assert (recipe.bars, recipe.form, recipe.intro, recipe.ending) == (12, "free", False, "open")
    assert recipe.style.density == 0.9
    assert recipe.seed != 7, "new bars want a new seed"
    assert recipe.seed < SEEDS
    assert given is None
    assert "continued" in last["heading"]
    assert last["heading"].startswith('<div class="clip-heading"><h2 translate="no">Sunny pop')
    assert "seed" not in last, "the seed beside Generate is Generate's"


def test_a_clip_can_be_made_from_a_clip_that_was_made_from_a_file(page, studio, song) -> None:
    first = press(page.accompany, song, ["lead"])["made"]
    press(page.go_on, first, 8)
    recipe, given = studio.orders[-1]
    assert recipe.source.first.midi_sha256 == song.music.sha256
    assert given == song.music.score, "its notes go along"
    assert studio.bases[-1] == first.score, "what is shown need not be written again"
    assert first.order.base is None


def test_regenerate_counts_bars_from_one_and_keeps_the_ending(page, studio, made) -> None:
    press(page.renew, made, 3, 4, ["bass", "lead"])
    recipe, _ = studio.orders[-1]
    assert recipe.source == Source("regenerate", made.order.recipe, None, ("lead", "bass"), (2, 4))
    assert recipe.ending == "loop"
    press(page.renew, made, 1, 8, ["drums"])
    assert studio.orders[-1][0].source.bars is None, "every bar is no choice of bars"


def test_accompany_keeps_what_was_ticked(page, studio, song) -> None:
    last = press(page.accompany, song, ["lead"])
    recipe, given = studio.orders[-1]
    assert recipe.source == Source("accompany", None, song.music.sha256, ("lead",))
    assert given == song.music.score
    assert "lead kept" in last["heading"]
    assert '<h2 translate="no">My &lt;tune&gt;' in last["heading"]


def test_what_is_kept_is_played_and_a_single_line_is_the_part_that_was_named(page, studio, song, tmp_path) -> None:
    (tmp_path / "x.mid").write_bytes(song.data.replace(b"lead", b"solo"))
    song = open_song(tmp_path / "x.mid")
    values = PAGE | {"bass_on": False, "ending": "close"}
    list(page.accompany(*(values[name] for name in PAGE_CONTROLS), song, ["bass"], TOKEN))
    recipe, given = studio.orders[-1]
    assert recipe.style.parts["bass"].on
    assert recipe.ending == "open", "a person's music ends as it ends"
    assert given.notes("bass") == song.music.score.notes("lead")
    assert not given.notes("lead")


def test_a_file_can_be_continued(page, studio, song) -> None:
    press(page.go_on_from_file, song, 4)
    recipe, _ = studio.orders[-1]
    assert (recipe.source.action, recipe.bars) == ("continue", 4)


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("go_on", (None, 8), "clip: there is none here to work on; press Generate first"),
        ("go_on", ("made", 0), "bars: must be from 1 to 128, not 0"),
        ("go_on", ("made", None), "bars: must be a whole number"),
        ("renew", (None, 1, 2, []), "clip: there is none here"),
        ("renew", ("made", 5, 4, []), "to bar: must be from 5 to 8, not 4"),
        ("renew", ("made", 1, 9, []), "to bar: must be from 1 to 8, not 9"),
        ("renew", ("made", 0, 9, []), "from bar: must be from 1 to 8, not 0"),
        ("renew", ("made", 1, 8, []), "bars and parts: name the bars or the parts to write anew"),
        ("renew", ("made", 1, 2, ["kazoo"]), "is not one of lead"),
        ("accompany", (None, ["lead"]), "MIDI file: there is none yet; choose one first"),
        ("accompany", ("song", ["lead", "bass"]), "MIDI file: it has no notes for bass that could be kept"),
        ("accompany", ("song", []), "keep: name at least one part to keep"),
        ("accompany", ("song", ["lead", "chords", "bass", "drums"]), "leaves nothing to write"),
        ("go_on_from_file", (None, 8), "MIDI file: there is none yet"),
        ("go_on_from_file", ("song", 1.5), "bars: must be a whole number"),
    ],
)
def test_bad_input_is_one_sentence_and_makes_nothing(page, studio, made, song, name, more, sentence) -> None:
    values = {"made": made, "song": song}
    update = press(getattr(page, name), *(values.get(value) if isinstance(value, str) else value for value in more))
    assert set(update) == {"status"}
    assert state(update) == "error"
    assert sentence in update["status"]
    assert studio.orders == []


def test_a_chain_of_clips_ends_with_a_sentence_about_the_clip(page, made) -> None:
    recipe = made.order.recipe
    for seed in range(8):
        recipe = Recipe(seed=seed, source=Source("continue", recipe))
    update = press(page.go_on, Made(Order(recipe), made.score), 4)
    assert state(update) == "error"
    assert "clip: was made from a clip 8 times over" in update["status"]


def test_a_file_is_told_in_a_few_words_and_its_name_cannot_do_harm(song) -> None:
    assert (song.parts, song.kept) == (("lead",), ("lead",))
    html = song_html(song)
    assert "4 bars, 3/4, 90 BPM" in html
    assert "lead 12 notes" in html
    assert "My &lt;tune&gt;" in html


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "there is no file"),
        (b"", "empty"),
        (b"RIFF", "not a MIDI"),
        (b"MThd" + bytes(4_000_001), "larger than 4"),
    ],
)
def test_a_file_that_is_no_midi_file_is_refused_in_one_sentence(tmp_path: Path, data, reason: str) -> None:
    path = None
    if data is not None:
        path = tmp_path / "x.mid"
        path.write_bytes(data)
    with pytest.raises(RequestError, match=f"^MIDI file: .*{reason}"):
        open_song(path)


def test_what_became_of_other_music_in_words() -> None:
    clip = Recipe()
    assert source_words(Source("regenerate", clip, None, ("lead",), (4, 8))) == "bars 5 to 8 written anew for lead"
    assert source_words(Source("regenerate", clip, None, (), (4, 5))) == "bar 5 written anew"
    assert source_words(Source("regenerate", clip, None, ("bass", "drums"))) == "bass and drums written anew"
