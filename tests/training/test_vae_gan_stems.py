"""Stage 2: whole stems, spectral and adversarial, and the held-out set that it shows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.config import EncoderConfig, StemConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.discriminators import Discriminators
from musicgen_ui.training.adversarial import AdversarialConfig
from musicgen_ui.training.vae_gan import VAE
from musicgen_ui.training.vae_gan_notes import NoteFolder
from musicgen_ui.training.vae_gan_passages import read_passages
from musicgen_ui.training.vae_gan_samples import HeldOut, spectral_losses
from musicgen_ui.training.vae_gan_stems import StemBatches, StemTraining, decode, train_stems

pytestmark = pytest.mark.usefixtures("tiny_branches")

MELS = 16
CONFIG = StemTraining(
    batch=2,
    samples=8 * 1024,
    judged=4 * 1024,
    loop=AdversarialConfig(
        steps=2, adversarial_after=0.5, judge_every=1, warmup=1, evaluate_every=2, bf16=False, threads=1
    ),
)


@pytest.fixture
def audio(write_audio, tmp_path):
    return write_audio(tmp_path / "audio")


@pytest.fixture
def model(audio) -> VAE:
    folder = NoteFolder(audio, MELS)
    sizes = VAEGANConfig(
        folder.configs["pitched"], folder.configs["drums"], StemConfig(width=8, hidden=12, blocks=1, mels=MELS)
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return VAE(sizes, EncoderConfig(mels=MELS, width=16))


def test_passages_of_a_split(audio):
    train, validation = (read_passages(audio, split) for split in ("train", "validation"))
    assert [p.timbre for p in validation] == ["p000v0", "p040v0", "k000v0", "p000v1"]
    assert len(train) == 8
    assert {p.program for p in read_passages(audio, "test", unseen=True)} == {73}
    assert train[0].audio.dtype == np.float32
    assert np.abs(train[0].audio).max() == pytest.approx(0.3, abs=0.1)


def test_a_crop_hears_what_sounds_in_it(audio):
    passage = read_passages(audio, "train")[0]
    assert [note.start for note in passage.notes] == [0, 6400, 12_800]
    notes, samples = passage.crop(3000, 4000)
    assert [note.start for note in notes] == [0, 6400]
    assert np.array_equal(samples, passage.audio[3000:7000])


def test_spectral_losses_are_zero_for_equals_and_one_for_silence():
    sound = 0.1 * torch.randn(2, 16_384, generator=torch.Generator().manual_seed(1))
    assert float(spectral_losses(sound, sound)["convergence"]) == 0
    assert float(spectral_losses(sound, sound)["log"]) == 0
    assert float(spectral_losses(0 * sound, sound)["convergence"]) == pytest.approx(1.0, abs=1e-3)


def test_half_of_the_pieces_come_from_the_prior(audio):
    batches = StemBatches(read_passages(audio, "train"), replace(CONFIG, batch=8), MELS)
    steps = [batches(step) for step in range(60)]
    prior = np.concatenate([step.from_prior for step in steps])
    known = np.concatenate([step.known for step in steps])
    assert prior.mean() == pytest.approx(0.5, abs=0.06)
    assert known[prior].all()
    assert known[~prior].mean() == pytest.approx(1 - CONFIG.hidden, abs=0.08)
    presets = {(p.drums, p.program) for step in steps for p, _ in step.pieces}
    assert presets == {(False, 0), (False, 40), (True, 0)}


def test_batches_depend_on_the_step_alone(audio):
    passages = read_passages(audio, "train")
    first, again = (StemBatches(passages, CONFIG, MELS)(3) for _ in range(2))
    assert torch.equal(first.noise, again.noise)
    assert torch.equal(first.mels, again.mels)
    assert [(p.timbre, at) for p, at in first.pieces] == [(p.timbre, at) for p, at in again.pieces]


def test_encoder_and_both_levels_of_the_generator_learn_together(audio, model):
    batches = StemBatches(read_passages(audio, "train"), replace(CONFIG, batch=6), MELS)
    drawn = (batches(step) for step in range(50))
    batch = next(b for b in drawn if len({p.drums for p, _ in b.pieces}) == 2 and 1 < sum(b.from_prior) < 5)
    stems, notes_only, targets, z, kl = decode(model, batch, CONFIG.samples)
    assert stems.shape == notes_only.shape == targets.shape == (6, CONFIG.samples)
    assert z.shape == kl.shape == (6, 32)
    for row, (passage, first) in zip(targets, batch.pieces, strict=True):
        assert np.array_equal(row.numpy(), passage.audio[first : first + CONFIG.samples])
    losses = spectral_losses(stems, targets)
    (losses["convergence"] + losses["log"]).backward()
    generator = model.generator
    for part in (
        model.encoder.mean.weight,
        model.encoder.layers[0].weight,
        generator.notes["pitched"].head.weight,
        generator.notes["drums"].head.weight,
        generator.notes["pitched"].prior_mean,
        generator.stem.filter_head.weight,
        generator.stem.residual_head.weight,
    ):
        assert part.grad is not None
        assert torch.isfinite(part.grad).all()
        assert part.grad.norm() > 0


def test_a_spectral_and_an_adversarial_step_leave_something_to_hear_and_see(audio, model, tmp_path, monkeypatch):
    judged = []
    forward = Discriminators.forward
    monkeypatch.setattr(
        Discriminators, "forward", lambda self, sound, z: (judged.append(sound.shape), forward(self, sound, z))[1]
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lines = []
    numbers = train_stems(model, audio, tmp_path / "v.safetensors", CONFIG, lines.append)
    assert np.isfinite(list(numbers.values())).all()
    # The second step: real and made for the generator, real and made for the judges.
    assert judged == [(2, CONFIG.judged)] * 4
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert any(name.startswith("encoder.") for name in moved)
    assert any(name.startswith("generator.notes.") for name in moved)
    assert any(name.startswith("generator.stem.") for name in moved)
    assert "generator.notes.pitched.ratio" not in moved
    assert "adversarial" in lines[-1]
    shown = tmp_path / "v" / "step_000002"
    assert (shown / "spectrograms.png").stat().st_size > 5000
    waves = sorted(path.name for path in shown.glob("*.wav"))
    assert waves == sorted(
        f"{timbre}_{kind}.wav"
        for timbre in ("p000v0", "p040v0", "k000v0", "p000v1")
        for kind in ("target", "stem", "notes")
    )
    resumed = []
    train_stems(model, audio, tmp_path / "v.safetensors", CONFIG, resumed.append)
    assert any(line.startswith("resumed at step 2") for line in resumed)


def test_the_held_out_set_is_always_played_from_the_prior(audio, model):
    held_out = HeldOut(read_passages(audio, "validation"), count=2)
    assert [p.timbre for p in held_out.passages] == ["p000v0", "p000v1"]
    model.eval()
    first = held_out.measure(model.generator)
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.add_(1.0)
    assert held_out.measure(model.generator) == first
    assert set(first) == {"convergence", "log", "note_level"}
    stem, notes = held_out.play(model.generator, held_out.passages[0])
    assert len(stem) == len(notes) <= 4 * SAMPLE_RATE


def test_numbers_that_are_none_stop_it(audio, model, tmp_path):
    with torch.no_grad():
        model.generator.notes["pitched"].head.bias.fill_(float("nan"))
        model.generator.notes["drums"].head.bias.fill_(float("nan"))
    with pytest.raises(RequestError, match="is not finite at step 0"):
        train_stems(model, audio, tmp_path / "v.safetensors", CONFIG, lambda line: None)


def test_passages_that_are_too_short_are_one_sentence(audio, model, tmp_path):
    with pytest.raises(RequestError, match="holds no passage of"):
        train_stems(model, audio, tmp_path / "v.safetensors", replace(CONFIG, samples=2**20), lambda line: None)
