"""The shelf: what is put there comes back, is found whole or not at all, and is packed as promised."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.float_wav import float_wav_bytes, read_float_wav
from musicgen_ui.audio.waveform import Clip, read_audio, wav_bytes, wav_comment
from musicgen_ui.engine import shelve as shelving
from musicgen_ui.engine.pipeline import Result
from musicgen_ui.engine.recipe_file import read_recipe
from musicgen_ui.engine.shelve import load_shelved, shelve
from musicgen_ui.engine.stems_zip import write_stems_zip
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import read_comment
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.recipe import Recipe, RenderRecipe

FILES = ["clip.json", "clip.mid", "clip.wav", "dry/bass.wav", "dry/lead.wav", "master.wav", "score.json"]


@pytest.fixture
def result(rng):
    notes = tuple(Note(beat + 1 / 3, 60 + beat % 12, 0.7, 90) for beat in range(8))
    score = Score(
        181.7, "4/4", 2, {"lead": notes, "bass": notes}, (Chord(0.0, 4.0, 5, "min7"),), "F minor", {"lead": 11}
    )
    stems = {part: rng.uniform(-1.2, 1.2, score.samples()).astype(np.float32) for part in score.parts}
    return Result(
        recipe=Recipe(seed=7, bars=2),
        score=score,
        stems=stems,
        clip=Clip(np.stack([0.4 * stem for stem in stems.values()]).astype(np.float32)),
        asked={"tempo": 120.0, "key": "C major"},
        heard={"tempo": 119.9, "key": None},
        seconds={"compose": 0.1},
        rounds=({"error": 0.1, "adjusted": {"density": 0.5}},),
        gain={"before": 0.2},
        genres={"pop": 0.75},
        checkpoints={"composer": "0" * 64},
    )


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_comes_back(result, tmp_path):
    digest = shelve(result, tmp_path / "a" / "clip", "烟雾 Smoky")
    folder = tmp_path / "a" / "clip"
    assert names(folder) == FILES
    assert digest == hashlib.sha256((folder / "clip.wav").read_bytes()).hexdigest()
    back = load_shelved(folder)
    assert (back.score, back.recipe, back.rounds) == (result.score, result.recipe, result.rounds)
    for name in ("asked", "heard", "genres", "seconds", "gain", "seam", "checkpoints"):
        assert getattr(back, name) == getattr(result, name)
    for part, samples in result.stems.items():
        np.testing.assert_array_equal(back.stems[part], samples)
    np.testing.assert_allclose(back.clip.samples, result.clip.samples, atol=2.0**-24)


def test_the_files_hold_the_contract(result, tmp_path):
    digest = shelve(result, tmp_path, "Smoky")
    text = result.recipe.to_json()
    assert (tmp_path / "clip.wav").read_bytes() == wav_bytes(result.clip.samples, 44_100, 16, comment=text)
    assert wav_comment((tmp_path / "master.wav").read_bytes()) == read_comment(tmp_path / "clip.mid") == text
    facts = json.loads((tmp_path / "clip.json").read_text(encoding="utf-8"))
    assert (facts["title"], facts["hash"], facts["heard"]["tempo"]) == ("Smoky", digest, 119.9)
    assert facts["score"]["key"] == "F minor"
    assert "told" in facts
    assert read_audio(tmp_path / "dry" / "lead.wav")[0].shape == (1, result.score.samples())


def test_the_same_result_gives_the_same_bytes_and_replaces_what_was_there(result, tmp_path):
    shelve(replace(result, stems={**result.stems, "drums": result.stems["lead"]}), tmp_path, "x")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mel.png").write_bytes(b"kept")
    shelve(result, tmp_path, "x")
    shelve(result, tmp_path / "other", "x")
    assert names(tmp_path / "other") == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert not (tmp_path / "dry" / "drums.wav").exists()
    assert (tmp_path / "pictures" / "mel.png").exists()


def test_a_clip_from_a_midi_file_comes_back(result, tmp_path):
    recipe = RenderRecipe("ab" * 32, seed=3)
    shelve(replace(result, recipe=recipe), tmp_path, "x")
    assert load_shelved(tmp_path).recipe == recipe


@pytest.mark.parametrize("name", FILES[:1] + FILES[3:])
def test_missing_or_damaged_files_are_one_sentence(result, tmp_path, name):
    shelve(result, tmp_path, "x")
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(RequestError, match="can be made again from its recipe"):
        load_shelved(tmp_path)
    with pytest.raises(RequestError, match="can be made again"):
        load_shelved(tmp_path / "nowhere")


def test_a_stop_halfway_leaves_no_clip_that_looks_whole(result, tmp_path, monkeypatch):
    def full(*args, **how):
        raise OSError(28, "No space left on device")

    shelve(result, tmp_path, "old")
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    monkeypatch.setattr(shelving, "score_to_midi", full)
    with pytest.raises(RequestError, match="shelf: a clip cannot be kept there"):
        shelve(result, tmp_path, "new")
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
    monkeypatch.undo()
    monkeypatch.setattr(shelving, "CLIP", "missing/clip.wav")
    with pytest.raises(RequestError, match="cannot be kept"):
        shelve(result, tmp_path, "new")
    monkeypatch.undo()
    load_shelved(tmp_path)


def test_the_zip_holds_dry_and_mixed_stems_and_the_recipe(result, tmp_path):
    shelve(result, tmp_path, "x")
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "lead.wav").write_bytes(wav_bytes(result.clip.samples, 44_100, 24))
    for name in ("a.zip", "b.zip"):
        write_stems_zip(tmp_path, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert read_recipe(tmp_path / "a.zip") == result.recipe
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["recipe.json", "dry/lead.wav", "dry/bass.wav", "mixed/lead.wav"]
        dry, _ = read_audio(archive.read("dry/lead.wav"))
        np.testing.assert_allclose(dry[0], np.clip(result.stems["lead"], -1, 1), atol=2.0**-23)
        assert archive.read("mixed/lead.wav") == (tmp_path / "mixed" / "lead.wav").read_bytes()
    with pytest.raises(RequestError, match="stems are gone or damaged"):
        write_stems_zip(tmp_path / "nowhere", tmp_path / "c.zip")


def test_float_files_keep_every_bit_and_are_read_by_others(rng, tmp_path):
    samples = (3 * rng.standard_normal((2, 501))).astype(np.float32)
    (tmp_path / "a.wav").write_bytes(float_wav_bytes(samples, 48_000))
    np.testing.assert_array_equal(read_float_wav(tmp_path / "a.wav"), samples)
    other, rate = read_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(other, samples)
    assert rate == 48_000
    with pytest.raises(ValueError, match="finite"):
        float_wav_bytes(np.full((1, 3), np.inf, np.float32), 48_000)
