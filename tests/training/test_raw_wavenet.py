"""Training of the raw-audio WaveNet on a few synthetic lines: it learns, resumes, and its file says what it is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.audio.partials import KNOTS
from musicgen_ui.errors import RequestError
from musicgen_ui.models import checkpoint
from musicgen_ui.models.wavenet.excitation import PARTIALS, Tone
from musicgen_ui.models.wavenet.frames import HOP, RATE
from musicgen_ui.models.wavenet.mu_law import de_emphasis, decode
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.training import raw_wavenet
from musicgen_ui.training.loop import LoopConfig
from musicgen_ui.training.raw_lines import LOUD, NONE, WIDE, LineFolder
from musicgen_ui.training.raw_wavenet import RawTraining, train, training_batch
from musicgen_ui.training.rehearsal import load_written

CONFIG = RawTraining(
    batch=2,
    free_seconds=0.1,
    rehearsals=(),
    samples=512,
    context=64,
    loop=LoopConfig(
        steps=40, learning_rate=2e-2, warmup=2, evaluate_every=20, patience=99, bf16=False, threads=1, ema=0.5
    ),
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A model that trains in a second."""

    def design(folder: LineFolder) -> RawWaveNetConfig:
        vocabulary = {"programs": folder.programs, "lows": folder.lows, "highs": folder.highs, "gains": folder.gains}
        return RawWaveNetConfig(8, 8, (1, 2, 4), frame_hidden=8, frame_width=8, instrument_width=2, **vocabulary)

    monkeypatch.setattr(raw_wavenet, "design", design)


@pytest.fixture
def audio(tmp_path):
    """Two instruments that play sines of one pitch each, four lines of a third of a second."""
    folder = tmp_path / "lines"
    (folder / "audio").mkdir(parents=True)
    programs = [(33, 40, 0.8), (73, 69, 0.1)]
    first = np.eye(PARTIALS)[0]
    sine = Tone(first * np.sqrt(2.0), -first * np.pi / 2, np.zeros(PARTIALS), np.zeros(len(KNOTS)), 0.0)
    length = 84 * HOP
    for program, pitch, level in programs:
        time = np.arange(length - 320) / RATE
        tone = np.concatenate([np.zeros(320), np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time)])
        np.savez(
            folder / "audio" / f"p{program:03d}.npz",
            audio=np.tile(np.round(tone * 32767), (4, 1)).astype(np.int16),
            scale=np.full(4, level / 32767, np.float32),
            notes=np.array([(i, 320, length, pitch, 90) for i in range(4)], np.int32),
            tones=np.tile(sine.row(), (73, 1)),
            split=np.array([0, 0, 1, 2], np.uint8),
            brightness=np.array([0.0, 0.5, 0.0, 0.0], np.float32),
        )
    facts = {"rate": RATE, "soundfont": {"name": "x"}, "corpora": {"own": ["CC0"]}}
    facts["programs"] = [[program, 24, 96] for program, _, _ in programs]
    (folder / "lines.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def test_training_lowers_the_loss_and_goes_on_where_it_was_stopped(audio, tmp_path):
    lines: list[str] = []
    numbers = train(audio, tmp_path / "whole.safetensors", CONFIG, lines.append)
    start = train(audio, tmp_path / "none.safetensors", replace(CONFIG, loop=replace(CONFIG.loop, steps=1)), print)
    assert start == {}
    assert numbers["true"] < np.log(256) - 1.0
    half = replace(CONFIG, loop=replace(CONFIG.loop, steps=20))
    train(audio, tmp_path / "two.safetensors", half, lines.append)
    train(audio, tmp_path / "two.safetensors", CONFIG, lines.append)
    assert any("resumed at step 20" in line for line in lines)
    card = checkpoint.describe(tmp_path / "whole.safetensors")["card"]
    assert card["steps"] == 40
    assert card["data"]["corpora"] == {"own": ["CC0"]}
    assert card["validation"]["nats_per_sample"] == pytest.approx(numbers["true"], abs=1e-3)
    model = checkpoint.load_into(tmp_path / "whole.safetensors", RawWaveNet, RawWaveNetConfig, "cpu")
    assert model.config.programs == (33, 73)


def test_a_step_always_has_the_same_batch(audio):
    first, again = (training_batch(LineFolder(audio), CONFIG, 7) for _ in range(2))
    for name, value in vars(first).items():
        assert torch.equal(value, vars(again)[name]), name
    other = training_batch(LineFolder(audio), CONFIG, 8)
    later = training_batch(LineFolder(audio), replace(CONFIG, wide=7), 7)
    assert torch.equal(first.classes, later.classes)
    assert not torch.equal(first.given, other.given)


def test_a_disturbed_past_never_touches_the_target(audio):
    folder = LineFolder(audio)
    clean = folder.batch(np.random.default_rng(0), [0, 4], 640, NONE)
    assert torch.equal(clean.given, clean.classes)
    wrong = [folder.batch(np.random.default_rng(i), [0, 4], 640, replace(WIDE, share=1.0)) for i in range(8)]
    assert all(not torch.equal(b.given[i], b.classes[i]) for b in wrong for i in range(2))
    known = set(folder.classes[0].tolist()) | set(folder.classes[4].tolist())
    assert all(set(b.classes.flatten().tolist()) <= known for b in wrong)
    assert all(int(b.given.min()) >= 0 for b in wrong)
    assert all(int(b.given.max()) <= 255 for b in wrong)


def test_validation_tells_the_true_from_the_disturbed_past(audio, tmp_path):
    numbers = train(audio, tmp_path / "model.safetensors", CONFIG, print)
    assert numbers["true"] < numbers["disturbed"]
    assert 0.0 < numbers["loss"] < 60.0


def test_a_rehearsed_line_is_the_past_and_never_the_target(audio, tmp_path):
    out = tmp_path / "model.safetensors"
    lines: list[str] = []
    train(audio, out, replace(CONFIG, rehearsals=(3,), temperatures=(0.5,)), lines.append)
    assert "step 3: rehearsal" in lines
    folder = LineFolder(audio)
    folder.written = load_written(out.with_suffix(".written.npz"))
    assert sorted(folder.lines[number].instrument for number in folder.written) == [0, 1]
    number = next(iter(folder.written))
    assert folder.lines[number].split == 0
    batch = folder.batch(np.random.default_rng(0), [number], 640, WIDE)
    clean = folder.batch(np.random.default_rng(0), [number], 640, NONE)
    assert torch.equal(batch.classes, clean.classes)
    assert torch.equal(clean.given, clean.classes)
    assert set(batch.given[0].tolist()) <= set(folder.written[number].tolist())


def test_gains_bring_instruments_to_one_level_and_are_undone(audio):
    folder = LineFolder(audio)
    for number in (0, 4):
        line, gain = folder.lines[number], folder.gains[folder.lines[number].instrument]
        coded = decode(folder.classes[number])
        assert np.quantile(np.abs(coded), 0.999) == pytest.approx(LOUD, rel=0.05)
        back = de_emphasis(coded)[0] / gain
        assert np.sqrt(np.mean((back - line.sound) ** 2)) < 0.06 * np.sqrt(np.mean(line.sound**2))


def test_excitation_and_frames_go_with_the_samples(audio):
    folder = LineFolder(audio)
    batch = folder.batch(np.random.default_rng(3), [4], 60 * HOP, NONE)
    sound = de_emphasis(decode(batch.classes[0].numpy()))[0]
    sine = batch.excitation[0, :, 0].numpy()
    assert np.corrcoef(sound[800:], sine[800:])[0, 1] > 0.97
    assert batch.frames.shape[1] == 60


def test_a_folder_without_lines_is_told_in_one_sentence(tmp_path):
    with pytest.raises(RequestError, match="run prepare-lines first"):
        LineFolder(tmp_path)
