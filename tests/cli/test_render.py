"""``render``, and the timbre options that it shares with ``generate``, over a small fake studio."""

from __future__ import annotations

import json

import numpy as np
import pretty_midi
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.music.midi import score_from_midi
from musicgen_ui.timbre import Timbre, TimbrePoint


def test_render_plays_the_file_with_its_own_instruments(loaded, song, tmp_path):
    assert main(["render", str(song), "--style", "space=0.9", "--out", str(tmp_path / "out")]) == 0
    score = score_from_midi(song)
    assert {part: loaded.synthesizer.programs[part] for part in score.parts} == dict(score.programs)
    values = json.loads((tmp_path / "out" / "clip.json").read_text(encoding="utf-8"))
    assert values["asked"]["tempo"] == pytest.approx(100.0)
    assert values["asked"]["density"] is None
    assert values["recipe"]["style"]["space"] == 0.9
    assert len(values["recipe"]["midi_sha256"]) == 64


def test_render_takes_other_instruments_and_fewer_parts(loaded, song, tmp_path):
    part = next(iter(score_from_midi(song).parts))
    argv = ["render", str(song), "--parts", part, "--instrument", f"{part}=cello", "--out", str(tmp_path / "out")]
    assert main(argv) == 0
    assert loaded.synthesizer.programs[part] == 42
    assert [path.stem for path in (tmp_path / "out" / "stems").iterdir()] == [part]


def timbre_in(folder) -> Timbre:
    values = json.loads((folder / "clip.json").read_text(encoding="utf-8"))
    return Timbre.from_dict(values["recipe"].get("timbre", {}))


@pytest.mark.parametrize("command", ["generate", "render"])
def test_a_recording_lends_its_timbre(command, loaded, song, tmp_path):
    wave = 0.5 * np.sin(np.arange(2 * 48_000, dtype=np.float32) * 0.05)
    write_wav(tmp_path / "voice.wav", wave[None, :], 48_000)
    argv = [command] + ([str(song)] if command == "render" else ["--bars", "1"])
    argv += ["--synth", "vaegan", "--timbre", str(tmp_path / "voice.wav"), "--out", str(tmp_path / "out")]
    assert main(argv) == 0
    assert loaded.synthesizer.timbre.a.z[0] == pytest.approx(2.0, abs=0.01)
    assert timbre_in(tmp_path / "out") == loaded.synthesizer.timbre


@pytest.mark.parametrize("command", ["generate", "render"])
def test_a_timbre_at_random(command, loaded, song, tmp_path):
    argv = [command] + ([str(song)] if command == "render" else ["--bars", "1"])
    assert main([*argv, "--synth", "vaegan", "--timbre-seed", "9", "--out", str(tmp_path / "out")]) == 0
    assert loaded.synthesizer.timbre == timbre_in(tmp_path / "out") == Timbre(TimbrePoint("random", 9))


def test_render_merges_eight_tracks_and_tells_what_it_leaves_out(loaded, tmp_path, capsys):
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    band = (("Drums", 0, 42), ("Bass", 33, 36), ("Melody", 73, 76), ("Piano", 0, 60), ("Guitar", 25, 64),
            ("Strings", 48, 67), ("Timpani", 47, 41), ("Choir", 52, 71))  # fmt: skip
    for name, program, pitch in band:
        track = pretty_midi.Instrument(program, is_drum=name == "Drums", name=name)
        track.notes = [pretty_midi.Note(90, pitch, beat / 2, beat / 2 + 0.4) for beat in range(16)]
        midi.instruments.append(track)
    midi.write(str(tmp_path / "song.mid"))
    assert main(["render", str(tmp_path / "song.mid"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == "no part can play 1 of 8 tracks: Timpani\n"
    score = score_from_midi(tmp_path / "out" / "clip.mid")
    assert sum(len(score.notes(part)) for part in score.parts) == 7 * 16
    assert loaded.synthesizer.programs["lead"] == 73
