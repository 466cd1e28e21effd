"""Endpoints that make clips from other music, over a real server: what comes back, and one sentence for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe

REST = {"composer": "lstm", "synth": "soundfont", "takes": 1, "bars": 4}
BEFORE = Recipe(seed=5, **REST).to_dict()


@pytest.fixture
def client(serve, studio) -> Client:
    return Client(serve(studio), verbose=False)


@pytest.fixture
def tune(tmp_path: Path) -> str:
    notes = tuple(Note(float(beat), 60 + beat, 1.0, 90) for beat in range(8))
    score_to_midi(Score(90.0, "4/4", 2, {"lead": notes, "bass": (Note(0.0, 36, 4.0, 90),)}), tmp_path / "tune.mid")
    return str(tmp_path / "tune.mid")


def told(files: tuple) -> dict:
    return json.loads(Path(files[2]).read_text("utf-8"))["recipe"]


def test_accompany_keeps_the_melody_of_a_file(client: Client, studio, tune: str) -> None:
    recipe = told(client.predict(handle_file(tune), density=0.9, **REST, api_name="/accompany"))
    assert recipe["source"]["action"] == "accompany"
    assert recipe["source"]["parts"] == ["lead"]
    assert recipe["style"]["density"] == 0.9
    assert studio.orders[-1][1].notes("lead")
    recipe = told(client.predict(handle_file(tune), keep=["bass", "lead"], **REST, api_name="/accompany"))
    assert recipe["source"]["parts"] == ["lead", "bass"]


def test_a_clip_is_continued_and_mended_by_its_recipe(client: Client, studio, tune: str) -> None:
    more = told(
        client.predict(recipe=BEFORE, bars=6, seed=9, style={"energy": 0.9}, file=None, api_name="/continue_clip")
    )
    assert more["source"]["recipe"] == BEFORE
    assert (more["bars"], more["seed"], more["style"]["energy"], more["composer"]) == (6, 9, 0.9, "lstm")
    mended = told(client.predict(recipe=more, bars=[2, 3], parts=["drums"], seed=1, file=None, api_name="/regenerate"))
    assert mended["source"]["bars"] == [2, 3]
    assert mended["source"]["parts"] == ["drums"]
    assert mended["source"]["recipe"]["source"]["recipe"] == BEFORE
    kept = told(client.predict(handle_file(tune), **REST, api_name="/accompany"))
    again = told(client.predict(recipe=kept, bars=2, file=handle_file(tune), api_name="/continue_clip"))
    assert again["source"]["recipe"]["source"]["midi_sha256"] == kept["source"]["midi_sha256"]
    assert studio.orders[-1][1] is not None


def test_what_cannot_be_is_one_sentence(client: Client, studio, tune: str, tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"no music")
    write_wav(tmp_path / "still.wav", np.full((1, 99_999), 0.01, np.float32), 44_100)
    bad, file = handle_file(tmp_path / "bad.mid"), handle_file(tune)
    for endpoint, arguments, sentence in (
        ("/accompany", {"file": bad}, "MIDI file: is not a MIDI file"),
        ("/accompany", {"file": file, "keep": ["kazoo"]}, "keep: 'kazoo' is not one of"),
        ("/accompany", {"file": file, "keep": 3}, "keep: parts must be a list"),
        ("/continue_clip", {}, "recipe: give the recipe of a clip, or a MIDI file"),
        ("/continue_clip", {"recipe": BEFORE, "bars": 0}, "bars: must be from 1 to 128, not 0"),
        ("/continue_clip", {"recipe": BEFORE, "seed": -1}, "seed: must be from 0"),
        ("/continue_clip", {"recipe": BEFORE, "style": {"volume": 1}}, "volume: there is no such slider"),
        ("/continue_clip", {"recipe": BEFORE, "style": [1]}, "style: must be an object"),
        ("/continue_clip", {"recipe": BEFORE, "file": file}, "file: is given, but the clip was made without"),
        ("/continue_clip", {"recipe": {"bars": "x"}}, "bars: must be a whole number"),
        ("/continue_clip", {"recipe": [1]}, "recipe: must be an object"),
        ("/regenerate", {"recipe": BEFORE}, "bars and parts: name the bars or the parts"),
        ("/regenerate", {"recipe": BEFORE, "bars": [3, 1]}, "bars and parts: bars must rise"),
        ("/match", {"file": handle_file(tmp_path / "bad.mid")}, "recording: "),
        ("/match", {"file": handle_file(tmp_path / "still.wav")}, "recording: is silent"),
    ):
        with pytest.raises(AppError) as caught:
            client.predict(**({"file": None} | arguments), api_name=endpoint)
        text = str(caught.value)
        assert text.startswith(sentence), (endpoint, arguments, text)
        assert "\n" not in text
    assert studio.orders == []


def test_match_gives_arguments_of_generate(client: Client, tmp_path: Path) -> None:
    wave = 0.4 * np.sin(np.arange(60_000, dtype=np.float32) * 0.07)
    write_wav(tmp_path / "voice.wav", wave[None, :], 44_100)
    found = client.predict(handle_file(tmp_path / "voice.wav"), api_name="/match")
    assert found["controls"]["tempo"] == 93
    assert found["unheard"] == ["space"]
    assert found["genres"]["jazz"] == 0.6
    recipe = told(client.predict(**(REST | found["controls"]), api_name="/generate"))
    assert recipe["style"]["genre"] == {"jazz": 0.75, "pop": 0.25}
