"""What lands on disk: the promised files, the same bytes each time, all or nothing."""

from __future__ import annotations

import errno
import json
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip, read_audio, wav_comment
from musicgen_ui.engine import export
from musicgen_ui.engine.pipeline import Result
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_from_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.timbre import Z_SIZE, Timbre, TimbrePoint


@pytest.fixture
def result(rng):
    notes = tuple(Note(float(beat), 60 + beat % 12, 1.0, 90) for beat in range(8))
    score = Score(120.0, "4/4", 2, {"lead": notes, "bass": notes}, key="C major", programs={"lead": 11, "bass": 33})
    samples = score.samples()
    stems = {part: rng.uniform(-0.5, 0.5, samples).astype(np.float32) for part in score.parts}
    clip = Clip(np.stack(list(stems.values())))
    return Result(
        recipe=Recipe(seed=7, bars=2),
        score=score,
        stems=stems,
        clip=clip,
        asked={"tempo": 120.0, "key": "C major"},
        heard={"tempo": 119.9, "key": None},
        seconds={"compose": 0.1},
        rounds=({"error": 0.1, "adjusted": {"density": 0.5}},),
        checkpoints={"composer": "0" * 64},
    )


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


WRITTEN = ["clip.json", "clip.mid", "clip.wav", "stems/bass.wav", "stems/lead.wav"]


def test_the_promised_files_are_written(result, tmp_path):
    out = export.save(result, tmp_path / "a" / "b")
    assert names(out) == WRITTEN
    samples, rate = read_audio(out / "clip.wav")
    assert (rate, samples.shape) == (44_100, (2, result.score.samples()))
    np.testing.assert_allclose(samples, result.clip.samples, atol=1 / 32768)
    stem, _ = read_audio(out / "stems" / "lead.wav")
    np.testing.assert_allclose(stem[0], result.stems["lead"], atol=1 / 32768)
    assert score_from_midi(out / "clip.mid").tempo == pytest.approx(120.0)


def test_clip_json_holds_the_contract(result, tmp_path):
    out = export.save(result, tmp_path / "out")
    values = json.loads((out / "clip.json").read_text(encoding="utf-8"))
    assert Recipe.from_dict(values["recipe"]) == result.recipe
    assert values["asked"] == {"tempo": 120.0, "key": "C major"}
    assert values["heard"] == {"tempo": 119.9, "key": None}
    assert values["seconds"] == {"compose": 0.1}
    assert values["checkpoints"] == {"composer": "0" * 64}
    assert values["rounds"] == [{"error": 0.1, "adjusted": {"density": 0.5}}]


def test_the_timbre_is_kept_where_it_changes_something(result, tmp_path):
    out = export.save(result, tmp_path / "plain")
    assert "timbre" not in json.loads((out / "clip.json").read_text(encoding="utf-8"))["recipe"]
    timbre = Timbre(TimbrePoint("random", 5), TimbrePoint("recorded", z=(0.5,) * Z_SIZE), 0.25, ("lead",))
    recipe = replace(result.recipe, synth="vaegan", timbre=timbre)
    out = export.save(replace(result, recipe=recipe), tmp_path / "changed")
    values = json.loads((out / "clip.json").read_text(encoding="utf-8"))
    assert values["recipe"]["timbre"]["a"] == {"kind": "random", "seed": 5}
    assert Recipe.from_dict(values["recipe"]) == recipe
    assert Recipe.from_dict(json.loads(wav_comment((out / "clip.wav").read_bytes()))) == recipe


def test_the_wav_carries_its_recipe(result, tmp_path):
    out = export.save(result, tmp_path / "out")
    assert Recipe.from_dict(json.loads(wav_comment((out / "clip.wav").read_bytes()))) == result.recipe


def test_the_same_result_gives_the_same_bytes(result, tmp_path):
    one, two = export.save(result, tmp_path / "one"), export.save(result, tmp_path / "two")
    for name in WRITTEN:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_a_second_clip_replaces_the_first_and_leaves_foreign_files(result, tmp_path):
    out = tmp_path / "out"
    export.save(result, out)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "stems" / "drums.wav").write_bytes(b"left over from an earlier clip")
    (out / "stems" / "mine.wav").write_bytes(b"mine")
    export.save(result, out)
    assert names(out) == sorted([*WRITTEN, "notes.txt", "stems/mine.wav"])


def test_a_full_disk_leaves_nothing_behind(result, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "score_to_midi", full)
    with pytest.raises(RequestError, match=r"--out: .* cannot be written \(No space left on device\)"):
        export.save(result, tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_keeps_the_clip_that_was_there(result, tmp_path, monkeypatch):
    out = export.save(result, tmp_path / "out")
    before = {name: (out / name).read_bytes() for name in names(out)}

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "score_to_midi", full)
    with pytest.raises(RequestError, match="--out"):
        export.save(result, out)
    assert {name: (out / name).read_bytes() for name in names(out)} == before


@pytest.mark.parametrize("where", ["file", "file/below", "x" * 300, "blocked"])
def test_a_place_that_can_hold_no_folder_is_refused(result, tmp_path, where):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "blocked" / "clip.wav").mkdir(parents=True)
    before = names(tmp_path)
    with pytest.raises(RequestError, match=r"^--out: ") as caught:
        export.save(result, tmp_path / where)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == before


def test_a_folder_without_permission_is_refused(result, tmp_path, monkeypatch):
    # Root may write anywhere, so permission is denied by hand.
    monkeypatch.setattr(export.os, "access", lambda *_: False)
    with pytest.raises(RequestError, match="cannot be written"):
        export.save(result, tmp_path / "out")
    assert not list(tmp_path.iterdir())
