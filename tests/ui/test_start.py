"""Files that a person brings: read or refused, and recordings that move the sliders."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.ui import start
from musicgen_ui.ui.song import open_song
from musicgen_ui.ui.start import MATCHED


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    wave = 0.4 * np.sin(np.arange(60_000, dtype=np.float32) * 0.07)
    write_wav(tmp_path / "voice.wav", wave[None, :], 44_100)
    return tmp_path / "voice.wav"


def test_a_recording_moves_the_sliders_that_could_be_heard(studio, voice: Path) -> None:
    *values, preset, note, file = start._heard(studio, str(voice))
    moved = dict(zip(MATCHED, values, strict=True))
    assert (moved["tempo"], moved["energy"], moved["key"], moved["metre"]) == (93.0, 0.9, "D minor", "3/4")
    assert (moved["genre_jazz"], moved["genre_pop"], moved["genre_rock"]) == (75, 25, 0)
    assert moved["space"] == gr.skip(), "what was not heard stays where it was"
    assert preset == ""
    assert (moved["lead_on"], moved["drums_on"]) == (True, False)
    assert "Heard 93 BPM, D minor, pop and jazz, lead, chords, bass." in note
    assert "could not be told: space" in note
    assert file == gr.skip()


def test_a_recording_without_a_genre_leaves_the_blend(studio, voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = studio.match(np.ones((1, 9)), 44_100)
    deaf = type(found)(found.style.with_values(genre={}), ("tempo", "key", "genre", "parts"), {})
    monkeypatch.setattr(studio, "match", lambda samples, rate: deaf)
    *values, _, note, _ = start._heard(studio, str(voice))
    moved = dict(zip(MATCHED, values, strict=True))
    assert all(moved[name] == gr.skip() for name in MATCHED if name.startswith("genre_"))
    assert moved["bass_on"] == gr.skip()
    assert "tempo, key, genre, parts" in note


def test_a_refused_or_failing_recording_moves_nothing(studio, voice: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"nothing")

    class Broken:
        def match(self, samples, sample_rate):
            raise KeyError("secret")

    for engine, path in ((studio, tmp_path / "bad.wav"), (Broken(), voice)):
        *values, preset, note, file = start._heard(engine, str(path))
        assert all(value == gr.skip() for value in (*values, preset))
        assert 'role="alert"' in note
        assert "secret" not in note
        assert file is None


def test_a_midi_file_is_read_and_a_bad_one_leaves_the_earlier(tmp_path: Path) -> None:
    notes = (Note(0.0, 60, 1.0, 90), Note(2.0, 62, 1.0, 90))
    score_to_midi(Score(100.0, "4/4", 2, {"lead": notes, "bass": (Note(0.0, 36, 1.0, 90),)}), tmp_path / "a.mid")
    song, note, keep, file = start._read(str(tmp_path / "a.mid"))
    assert song.music.score.notes("lead")
    assert keep == ["lead"]
    assert "100 BPM" in note
    assert file == gr.skip()
    (tmp_path / "b.mid").write_bytes(b"MThd")
    song, note, keep, file = start._read(str(tmp_path / "b.mid"))
    assert song == keep == gr.skip()
    assert note.startswith('<p class="note" role="alert">MIDI file: ')
    assert file is None


def test_the_sliders_move_to_the_notes_of_a_file(studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tuple(Note(float(beat), 60 + beat, 1.0, 90) for beat in range(6))
    score_to_midi(Score(100.0, "3/4", 2, {"lead": notes}), tmp_path / "a.mid")
    monkeypatch.setattr(studio, "measure", lambda score: {"density": 0.25, "mood": 0.75})
    song = open_song(tmp_path / "a.mid")
    *values, preset, note = start._like(studio, song)
    moved = dict(zip(MATCHED, values, strict=True))
    assert (moved["tempo"], moved["metre"], moved["density"], moved["mood"]) == (100, "3/4", 0.25, 0.75)
    assert moved["energy"] == moved["genre_pop"] == gr.skip(), "notes say nothing of it"
    assert preset == ""
    assert "a" in note
    *values, _, note = start._like(studio, None)
    assert all(value == gr.skip() for value in values)
    assert "MIDI file: there is none yet" in note
