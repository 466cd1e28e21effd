"""Stage 1: it learns, a resumed run equals an uninterrupted one, and faults are told in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE, EncoderConfig
from musicgen_ui.training.loop import LoopConfig
from musicgen_ui.training.vae_gan import NoteBatches, NoteTraining, train_notes, validate
from musicgen_ui.training.vae_gan_notes import NoteFolder

pytestmark = pytest.mark.usefixtures("tiny_branches")

CONFIG = NoteTraining(
    timbres=(4, 2),
    notes=(3, 3),
    frames=48,
    beta_steps=10,
    encoder=EncoderConfig(mels=16, width=16),
    loop=LoopConfig(
        steps=30, learning_rate=4e-3, warmup=2, evaluate_every=10, patience=99, bf16=False, threads=1, ema=0.5
    ),
)


@pytest.fixture
def audio(write_audio, tmp_path):
    return write_audio(tmp_path / "audio")


def test_training_lowers_the_loss_and_goes_on_where_it_was_stopped(audio, tmp_path):
    lines = []
    model, progress = train_notes(audio, tmp_path / "whole.safetensors", CONFIG, lines.append)
    assert progress.step == 30
    batches = NoteBatches(NoteFolder(audio, 16), CONFIG)
    untrained, _ = train_notes(
        audio, tmp_path / "none.safetensors", replace(CONFIG, loop=replace(CONFIG.loop, steps=1)), print
    )
    before, after = (validate(net, batches)["loss"] for net in (untrained, model))
    assert after < 0.9 * before
    gains = next(line for line in lines if line.startswith("gains of the partials"))
    coarse, fine = (float(word.strip(",")) for word in gains.split() if word[0].isdigit())
    assert fine < coarse
    assert (tmp_path / "whole.notes.csv").is_file()

    class StoppedError(Exception):
        pass

    def stop(line):
        if line.startswith("step 20"):
            raise StoppedError

    with pytest.raises(StoppedError):
        train_notes(audio, tmp_path / "parts.safetensors", CONFIG, stop)
    lines.clear()
    resumed, _ = train_notes(audio, tmp_path / "parts.safetensors", CONFIG, lines.append)
    assert any(line.startswith("resumed at step 20") for line in lines)
    for (name, one), other in zip(model.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_numbers_that_are_none_stop_it(write_audio, tmp_path):
    def broken(spec, arrays):
        arrays["amplitude"] = np.full_like(arrays["amplitude"], np.nan)
        return arrays

    folder = write_audio(tmp_path / "broken", broken)
    with pytest.raises(RequestError, match="the loss is not finite at step 0"):
        train_notes(folder, tmp_path / "out.safetensors", CONFIG, print)


def test_batches_depend_on_the_step_alone(audio):
    batches = NoteBatches(NoteFolder(audio, 16), CONFIG)
    first, again = (NoteBatches(NoteFolder(audio, 16), CONFIG)(7) for _ in range(2))
    assert torch.equal(first.parts["pitched"].mel, again.parts["pitched"].mel)
    assert torch.equal(first.parts["drums"].targets.amplitude, again.parts["drums"].targets.amplitude)
    assert not torch.equal(batches(8).parts["pitched"].noise, first.parts["pitched"].noise)
    assert not torch.equal(batches(7, held_out=True).parts["pitched"].noise, first.parts["pitched"].noise)


def test_shapes_and_owners(audio):
    part = NoteBatches(NoteFolder(audio, 16), CONFIG)(1).parts["pitched"]
    assert part.mel.shape == (4, 16, 48)
    assert part.noise.shape == (4, Z_SIZE)
    assert part.labels.shape == (4, LABELS)
    assert part.owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert part.targets.pitch.shape == part.known.shape == (12,)


def test_half_comes_from_the_prior_which_always_knows_its_instrument(audio):
    batches = NoteBatches(NoteFolder(audio, 16), CONFIG)
    parts = [batches(step).parts["pitched"] for step in range(150)]
    prior = torch.cat([part.from_prior for part in parts])
    assert float(prior.mean()) == pytest.approx(0.5, abs=0.07)
    known = torch.cat([part.known for part in parts])
    owned = torch.cat([part.from_prior[part.owner] for part in parts])
    assert torch.all(known[owned > 0] == 1)
    assert float(known[owned == 0].mean()) == pytest.approx(1 - CONFIG.hidden, abs=0.07)
