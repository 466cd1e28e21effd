from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.audio.genre import Impression
from musicgen_ui.engine.match import folded_tempo, genre_blend, match, playing
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import GENRES, SLIDERS, Style

RATE = 22_050
HEARD = {
    "tempo": 96.123,
    "mood": 0.2,
    "energy": 0.7,
    "density": 0.4,
    "syncopation": 0.31416,
    "complexity": 0.9,
    "brightness": 0.55,
    "space": 0.1,
    "key": "D minor",
    "genre": "jazz",
}


def noise(seconds: float = 4.0, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(0).standard_normal((2, int(seconds * RATE))).astype(np.float32)


def impression(waltz: float = 0.1, **parts: float) -> Impression:
    genres = dict.fromkeys(GENRES, 0.01) | {"jazz": 0.6, "blues": 0.3}
    return Impression(genres, dict.fromkeys(PARTS, 0.9) | parts, waltz)


def matched(heard=HEARD, sounds=None, samples=None):
    return match(
        noise() if samples is None else samples,
        RATE,
        lambda samples, rate: SimpleNamespace(values=heard, impression=sounds or impression()),
    )


def test_everything_that_is_heard_is_set():
    result = matched(sounds=impression(drums=0.01, waltz=0.9))
    style = result.style
    assert result.unheard == ()
    assert {key: getattr(style, key) for key in SLIDERS} == {key: round(HEARD[key], 4) for key in SLIDERS} | {
        "tempo": 96.12
    }
    assert (style.key, style.metre) == ("D minor", "3/4")
    assert style.genre == {"jazz": pytest.approx(2 / 3, abs=0.01), "blues": pytest.approx(1 / 3, abs=0.01)}
    assert style.active_parts == ("lead", "chords", "bass")


def test_what_cannot_be_heard_keeps_its_default_and_is_named():
    heard = HEARD | {"space": None, "key": None, "mood": None}
    result = matched(heard)
    assert set(result.unheard) == {"space", "key", "mood"}
    assert (result.style.space, result.style.key, result.style.mood) == (Style().space, "auto", Style().mood)
    assert result.style.energy == 0.7


def test_without_a_beat_genre_metre_and_parts_are_not_told():
    result = match(noise(), RATE, lambda *_: SimpleNamespace(values=HEARD | {"tempo": None}, impression=None))
    assert set(result.unheard) == {"tempo", "genre", "metre", "parts"}
    assert result.style.active_parts == PARTS
    assert result.style.genre == {}


def test_a_genre_that_does_not_stand_out_is_not_set():
    even = Impression(dict.fromkeys(GENRES, 1 / len(GENRES)), dict.fromkeys(PARTS, 0.9), 0.1)
    result = matched(sounds=even)
    assert result.style.genre == {}
    assert "genre" in result.unheard


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        pytest.param(noise(2.9), "too short", id="short"),
        pytest.param(np.zeros((2, 5 * RATE)), "silent", id="silent"),
        pytest.param(np.full(5 * RATE, 0.5), "silent", id="offset"),
    ],
)
def test_silence_and_snippets_are_refused_in_one_sentence(samples, sentence):
    with pytest.raises(RequestError, match=sentence) as error:
        matched(samples=samples)
    assert error.value.argument == "FILE"


@pytest.mark.parametrize(
    ("heard", "set_to"), [(96.0, 96.0), (52.0, 104.0), (190.0, 95.0), (60.0, 60.0), (180.0, 180.0), (20.0, 80.0)]
)
def test_the_tempo_is_folded_by_octaves(heard, set_to):
    assert folded_tempo(heard) == set_to


def test_a_blend_names_three_genres_at_most():
    blend = genre_blend({"pop": 0.3, "rock": 0.25, "jazz": 0.2, "folk": 0.19, "game": 0.06})
    assert set(blend) == {"pop", "rock", "jazz"}
    assert sum(blend.values()) == pytest.approx(1.0, abs=0.015)
    assert list(blend.values()) == sorted(blend.values(), reverse=True)


def test_some_part_always_plays():
    assert playing(dict.fromkeys(PARTS, 0.9) | {"bass": 0.01}) == dict.fromkeys(PARTS, True) | {"bass": False}
    silent = dict.fromkeys(PARTS, 0.01) | {"chords": 0.02}
    assert [part for part, on in playing(silent).items() if on] == ["chords"]
