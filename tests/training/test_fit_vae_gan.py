"""The whole training: three stages, two files that load, and an encoder that learns from what the generator makes."""

from __future__ import annotations

import json

import pytest
import torch

from musicgen_ui.models.checkpoint import describe, load_into
from musicgen_ui.models.vae_gan.config import EncoderConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.encoder import TimbreEncoder
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.training.adversarial import AdversarialConfig
from musicgen_ui.training.fit_vae_gan import ENCODER, VAEGANTraining, train
from musicgen_ui.training.loop import LoopConfig
from musicgen_ui.training.vae_gan import VAE, NoteTraining, train_notes
from musicgen_ui.training.vae_gan_encoder import EncoderTraining, tune_encoder
from musicgen_ui.training.vae_gan_stems import StemTraining

pytestmark = pytest.mark.usefixtures("tiny_branches")

CONFIG = VAEGANTraining(
    notes=NoteTraining(
        timbres=(4, 2),
        notes=(3, 3),
        frames=48,
        encoder=EncoderConfig(mels=16, width=16),
        loop=LoopConfig(steps=6, warmup=2, evaluate_every=3, patience=99, bf16=False, threads=1, ema=0.5),
    ),
    stems=StemTraining(
        batch=2,
        samples=8 * 1024,
        judged=4 * 1024,
        loop=AdversarialConfig(
            steps=2, adversarial_after=0.5, judge_every=1, warmup=1, evaluate_every=2, bf16=False, threads=1
        ),
    ),
    inverse=EncoderTraining(made=24, samples=16 * 1024, batch=8, frames=32, steps=40, learning_rate=3e-3),
)


@pytest.fixture
def audio(write_audio, tmp_path):
    folder = write_audio(tmp_path / "audio")
    (folder / "render.json").write_text(json.dumps({"soundfont": {"licence": "MIT"}, "corpora": {"x": ["CC0"]}}))
    return folder


def test_three_stages_leave_two_files_that_say_what_they_are(audio, tmp_path):
    lines: list[str] = []
    out = tmp_path / "run" / "vaegan.safetensors"
    out.parent.mkdir()
    numbers = train(audio, out, CONFIG, lines.append)
    assert {"convergence", "log", "z_error"} <= set(numbers)
    card = describe(out)["card"]
    assert card["data"]["soundfont"]["licence"] == "MIT"
    assert card["note_steps"] == 6
    assert card["presets"] == 2
    assert card["kits"] == 1
    generator = load_into(out, Generator, VAEGANConfig, "cpu")
    assert generator.network(drums=False).config.programs == (0, 40)
    encoder = load_into(out.with_name(ENCODER), TimbreEncoder, EncoderConfig, "cpu")
    assert encoder.config.mels == 16


def test_the_encoder_alone_is_tuned(audio, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model, _ = train_notes(audio, tmp_path / "v.safetensors", CONFIG.notes, lambda line: None)
    assert isinstance(model, VAE)
    with torch.no_grad():
        # Two presets that are far apart, and sound it: there is something to be found.
        model.generator.network(drums=False).prior_mean.mul_(3.0)
    before = {name: value.clone() for name, value in model.generator.state_dict().items()}
    numbers = tune_encoder(model, audio, CONFIG.inverse, lambda line: None)
    assert numbers["z_error"] < 0.9 * numbers["z_error_before"]
    assert all(torch.equal(value, before[name]) for name, value in model.generator.state_dict().items())
