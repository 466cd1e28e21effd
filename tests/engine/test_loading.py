"""Loading refuses what was not shipped, says what it loaded, and gives a studio that works."""

from __future__ import annotations

import re
import shutil

import pytest

from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import Recipe


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped checkpoints, to be broken."""
    return shutil.copytree(CHECKPOINTS, tmp_path / "checkpoints")


def test_it_says_what_it_loaded_in_how_many_seconds():
    lines = []
    studio = Studio.load(device="cpu", log=lines.append)
    for what in ("libraries", "checksums", "composer lstm on cpu", "SoundFont", "warm-up"):
        assert any(re.fullmatch(rf"{what}.*: \d+\.\d\d s", line) for line in lines), what
    assert re.fullmatch(r"ready in \d+\.\d s", lines[-1])
    assert studio.device == "cpu"
    assert COMPOSER in studio.checkpoints
    result = studio.generate(Recipe(seed=1, bars=1))
    assert result.clip.samples.shape == (2, result.score.samples())


def test_a_changed_composer_is_refused(copy):
    data = bytearray((copy / COMPOSER).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / COMPOSER).write_bytes(data)
    with pytest.raises(RequestError, match=f"{COMPOSER}: .*damaged"):
        Studio.load(device="cpu", checkpoints=copy)


@pytest.mark.parametrize("name", [COMPOSER, "measures.json", "manifest.json"])
def test_a_missing_file_is_refused_by_name(copy, name):
    (copy / name).unlink()
    with pytest.raises(RequestError, match=name):
        Studio.load(device="cpu", checkpoints=copy)


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(RequestError, match="manifest"):
        Studio.load(device="cpu", checkpoints=tmp_path / "nowhere")


def test_a_missing_and_a_damaged_soundfont_are_refused(tmp_path):
    with pytest.raises(RequestError, match="soundfont"):
        Studio.load(device="cpu", soundfont=tmp_path / "missing.sf2")
    (tmp_path / "damaged.sf2").write_bytes(b"RIFF\x10\x00\x00\x00sfbk" + bytes(20))
    with pytest.raises(RequestError, match="soundfont"):
        Studio.load(device="cpu", soundfont=tmp_path / "damaged.sf2")
