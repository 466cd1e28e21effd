"""Loading refuses what was not shipped, says what it loaded, and gives a studio that works."""

from __future__ import annotations

import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.engine import loading
from musicgen_ui.engine.loading import CHECKPOINTS, TIMBRE_ENCODER, VAEGAN
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import COMPOSERS, SYNTHS, Recipe

LSTM = "composer_lstm.safetensors"
OTHERS = ("composer_wavenet.safetensors", "wavenet.safetensors")


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped checkpoints, to be broken."""
    return shutil.copytree(CHECKPOINTS, tmp_path / "checkpoints")


def test_it_says_what_it_loaded_in_how_many_seconds():
    lines = []
    studio = Studio.load(device="cpu", log=lines.append)
    kinds = [*(f"composer {name} on cpu" for name in COMPOSERS), *(f"warm-up of {name}" for name in SYNTHS)]
    for what in ("libraries", "checksums", "SoundFont", "synthesizer wavenet on cpu", *kinds):
        assert any(re.fullmatch(rf"{what}.*: \d+\.\d\d s", line) for line in lines), what
    assert re.fullmatch(r"ready in \d+\.\d s", lines[-1])
    assert studio.device == "cpu"
    assert LSTM in studio.checkpoints
    assert studio.synths == SYNTHS
    assert studio.composers == COMPOSERS
    for synth, composer in zip(SYNTHS, (*COMPOSERS, "lstm"), strict=True):
        result = studio.generate(Recipe(seed=1, bars=1, composer=composer, synth=synth))
        assert result.clip.samples.shape == (2, result.score.samples())
        assert result.clip.samples.any()


class Neural:
    """A stand-in for the neural synthesizer."""

    @classmethod
    def load(cls, folder, device, *, bf16=False):
        assert (folder / VAEGAN).read_bytes() == b"weights"
        return cls()

    def render(self, score, programs, *, style, timbre, seed, hook):
        return {part: np.full(score.samples(), 0.1, dtype=np.float32) for part in score.parts}


@pytest.fixture
def neural(copy, monkeypatch):
    """A folder with the files of the neural synthesizer, which a stand-in reads."""
    monkeypatch.setattr(loading, "SYNTHS", ("vaegan", "soundfont"))
    monkeypatch.setitem(sys.modules, "musicgen_ui.engine.neural", SimpleNamespace(NeuralSynthesizer=Neural))
    for name in (VAEGAN, TIMBRE_ENCODER):
        (copy / name).write_bytes(b"weights")
    # These files are no checkpoints: what is checked here is who reads them.
    monkeypatch.setattr("musicgen_ui.models.checkpoint.verify_manifest", lambda folder: {})
    return copy


def test_the_neural_synthesizer_comes_first_and_both_are_warm(neural):
    lines = []
    studio = Studio.load(device="cpu", checkpoints=neural, log=lines.append)
    assert studio.synths == ("vaegan", "soundfont")
    assert any(line.startswith("synthesizer vaegan on cpu: ") for line in lines)


@pytest.mark.parametrize("name", [VAEGAN, TIMBRE_ENCODER])
def test_a_missing_part_of_the_neural_synthesizer_is_one_sentence(neural, name):
    (neural / name).unlink()
    with pytest.raises(RequestError, match=rf"^{name}: is missing from .* the neural synthesizer needs it$"):
        Studio.load(device="cpu", checkpoints=neural)


def test_a_changed_composer_is_refused(copy):
    data = bytearray((copy / LSTM).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / LSTM).write_bytes(data)
    with pytest.raises(RequestError, match=f"{LSTM}: .*damaged"):
        Studio.load(device="cpu", checkpoints=copy)


@pytest.mark.parametrize("name", [LSTM, *OTHERS, "measures.json", "manifest.json"])
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
