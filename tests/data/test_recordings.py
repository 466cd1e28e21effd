"""A person's recordings: found, aligned with their MIDI, cut, and refused with a reason where they do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.data.recordings import find_offset, pairs, read_recording
from musicgen_ui.data.render import AudioConfig
from musicgen_ui.data.render_folder import audio_path, prepare_recordings
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score

RATE = 44_100
CONFIG = AudioConfig(passage_seconds=2.0)


def melody(seed: int, part: str = "lead") -> Score:
    """16 beats at 100 a minute of notes on no grid: two of them agree nowhere."""
    rng = np.random.default_rng(seed)
    onsets = np.cumsum(rng.integers(6, 24, 30)) / 24
    onsets = onsets[onsets < 15]
    low = 36 if part == "drums" else 55
    columns = (onsets.tolist(), rng.integers(low, low + 20, len(onsets)).tolist())
    notes = tuple(Note(onset, pitch, 0.25, 90) for onset, pitch in zip(*columns, strict=True))
    return Score(100.0, "4/4", 4, {part: notes}, programs={part: 0 if part == "drums" else 24})


def plucked(score: Score, part: str = "lead", late: float = 0.0, rate: int = RATE) -> np.ndarray:
    """The notes as decaying tones; ``late`` seconds of silence first, or as much cut off."""
    sound = np.zeros(round(12 * rate))
    time = np.arange(round(0.4 * rate)) / rate
    for note in score.notes(part):
        start = round(note.onset * 0.6 * rate)
        frequency = 440.0 * 2 ** ((note.pitch - 69) / 12)
        sound[start : start + len(time)] += 0.2 * np.exp(-time / 0.1) * np.sin(2 * np.pi * frequency * time)
    shift = round(late * rate)
    return np.concatenate([np.zeros(shift), sound]) if shift >= 0 else sound[-shift:]


def write_pair(folder, name: str, score: Score, sound: np.ndarray, rate: int = RATE, suffix: str = "wav") -> None:
    score_to_midi(score, folder / f"{name}.mid")
    soundfile.write(folder / f"{name}.{suffix}", sound, rate)


@pytest.mark.parametrize("late", [0.0, 0.7331, -0.41, 1.9])
def test_the_offset_is_found_to_eight_milliseconds(late):
    score = melody(1)
    notes = [PlayedNote(round(n.onset * 0.6 * RATE), 0, n.pitch, n.velocity) for n in score.notes("lead")]
    sound = plucked(score, late=late).astype(np.float32)
    assert find_offset(sound, notes) / RATE == pytest.approx(late, abs=0.008)


@pytest.mark.parametrize("wrong", ["another melody", "three seconds late", "silence"])
def test_a_recording_of_something_else_is_refused(wrong):
    score = melody(1)
    notes = [PlayedNote(round(n.onset * 0.6 * RATE), 0, n.pitch, n.velocity) for n in score.notes("lead")]
    sounds = {
        "another melody": plucked(melody(2)),
        "three seconds late": plucked(score, late=3.0),
        "silence": np.zeros(10 * RATE),
    }
    with pytest.raises(RequestError, match="does not sound like its MIDI"):
        find_offset(sounds[wrong].astype(np.float32), notes)


def test_recordings_become_timbres_with_passages_and_no_notes(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    score = melody(1)
    write_pair(source, "guitar", score, plucked(score, late=0.3, rate=48_000), 48_000, "flac")
    write_pair(source, "drums", melody(3, "drums"), plucked(melody(3, "drums"), "drums"))
    write_pair(source, "wrong", melody(4), plucked(melody(5)))
    (source / "alone.mid").write_bytes((source / "wrong.mid").read_bytes())
    lines = []
    refused = dict(prepare_recordings(source, out, CONFIG, log=lines.append))
    assert set(refused) == {"alone.mid", "wrong.wav"}
    assert "no recording" in refused["alone.mid"]
    assert "does not sound like" in refused["wrong.wav"]
    assert len(lines) == 2
    rows = {row["program"]: row for row in map(json.loads, (out / "timbres.jsonl").read_text().splitlines())}
    assert rows[24]["family"] == "guitar"
    assert rows[0]["drums"] is True
    with np.load(audio_path(out, rows[24]["id"]), allow_pickle=False) as file:
        arrays = dict(file)
    assert len(arrays["note_table"]) == 0
    assert arrays["amplitude"].shape[0] == 0
    assert arrays["passage_audio"].shape[1] == CONFIG.passage_samples
    assert len(set(arrays["passage_split"].tolist())) == 1
    # Sound begins where the rows say that notes begin.
    for passage, start in arrays["passage_notes"][:, :2].tolist():
        sound = arrays["passage_audio"][passage] * arrays["passage_scale"][passage]
        if 1024 < start < CONFIG.passage_samples - 2048:
            assert np.std(sound[start : start + 1024]) > 1.2 * np.std(sound[start - 1024 : start - 256])


def test_recordings_are_added_once_and_kept(tmp_path):
    write_pair(tmp_path, "a", melody(1), plucked(melody(1)))
    for _ in range(2):
        prepare_recordings(tmp_path, tmp_path / "out", CONFIG)
    assert len((tmp_path / "out" / "timbres.jsonl").read_text().splitlines()) == 1
    with pytest.raises(RequestError, match="another config"):
        prepare_recordings(tmp_path, tmp_path / "out", AudioConfig(passage_seconds=3.0))


def test_several_instruments_need_a_part(tmp_path):
    lead, drums = melody(1), melody(2, "drums")
    both = Score(100.0, "4/4", 4, {**lead.parts, **drums.parts}, programs={"lead": 24, "drums": 8})
    write_pair(tmp_path, "band", both, plucked(lead))
    files = (tmp_path / "band.wav", tmp_path / "band.mid")
    with pytest.raises(RequestError, match="plays 2 instruments"):
        read_recording(*files, CONFIG.passage_samples)
    with pytest.raises(RequestError, match="no track for the part bass"):
        read_recording(*files, CONFIG.passage_samples, "bass")
    recording = read_recording(*files, CONFIG.passage_samples, "lead")
    assert (recording.program, recording.drums) == (24, False)
    assert len(recording.sounds) >= 2


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(RequestError, match="not a folder"):
        pairs(tmp_path / "none")
    with pytest.raises(RequestError, match="holds no"):
        pairs(tmp_path)
