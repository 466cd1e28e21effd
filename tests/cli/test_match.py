from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.audio.genre import Impression
from musicgen_ui.audio.waveform import wav_bytes
from musicgen_ui.engine.ears import Ears
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import GENRES, SLIDERS

HEARD = dict.fromkeys(SLIDERS, 0.5) | {"tempo": 144.0, "key": "E minor", "space": None}


@pytest.fixture
def heard(monkeypatch):
    """A Listener and a classifier that always hear the same."""
    genres = dict.fromkeys(GENRES, 0.0) | {"jazz": 1.0}
    impression = Impression(genres, dict.fromkeys(PARTS, 1.0) | {"drums": 0.0}, 0.0)
    heard = SimpleNamespace(values=HEARD, impression=impression)
    monkeypatch.setattr(Ears, "load", classmethod(lambda cls, folder: cls({}, None)))
    monkeypatch.setattr(Ears, "listen", lambda self, samples, rate: heard)


def recording(path, seconds: float = 4.0, level: float = 0.1):
    noise = level * np.random.default_rng(0).standard_normal((2, int(seconds * 44_100)))
    path.write_bytes(wav_bytes(noise.astype(np.float32), 44_100))
    return str(path)


def test_a_clip_is_made_as_the_recording_sounds(loaded, heard, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["match", recording(tmp_path / "a.wav"), "--out", str(out), "--seed", "3", "--bars", "2"]) == 0
    recipe = json.loads((out / "clip.json").read_text(encoding="utf-8"))["recipe"]
    style = recipe["style"]
    assert (style["tempo"], style["key"], style["genre"]) == (144.0, "E minor", {"jazz": 1.0})
    assert [part for part in PARTS if style["parts"][part]["on"]] == ["lead", "chords", "bass"]
    assert (recipe["seed"], recipe["bars"]) == (3, 2)
    shown = capsys.readouterr().out
    assert "jazz 100%" in shown
    assert "not heard" in next(line for line in shown.splitlines() if line.startswith("space"))


def test_the_timbre_can_be_borrowed(loaded, heard, tmp_path):
    args = ["match", recording(tmp_path / "a.wav", 5.0), "--out", str(tmp_path / "out"), "--bars", "1", "--borrow"]
    assert main(args) == 0
    assert loaded.synthesizer.timbre.a.z[0] == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize(
    ("options", "seconds", "level", "words"),
    [
        (["--borrow", "--synth", "soundfont"], 4.0, 0.1, ("--borrow", "fixed instruments")),
        ([], 1.0, 0.1, ("a.wav", "too short")),
        ([], 4.0, 0.0, ("a.wav", "silent")),
        (["--composer", "harpist"], 4.0, 0.1, ("--composer",)),
    ],
)
def test_bad_input_is_one_sentence(loaded, heard, tmp_path, capsys, options, seconds, level, words):
    file = recording(tmp_path / "a.wav", seconds, level)
    assert main(["match", file, "--out", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert all(word in error for word in words)
