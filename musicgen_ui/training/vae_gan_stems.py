"""Stage 2 of the VAE-GAN: whole stems, first against spectra alone, then also against discriminators.

Encoder, note level and stem level are updated together; half of each batch decodes from the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.config import Z_SIZE
from musicgen_ui.models.vae_gan.discriminators import (
    Discriminators,
    adversarial_loss,
    discriminator_loss,
    feature_matching,
)
from musicgen_ui.models.vae_gan.encoder import features
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of
from musicgen_ui.models.vae_gan.timbre_space import morphed
from musicgen_ui.training.adversarial import AdversarialConfig, fit_adversarial
from musicgen_ui.training.vae_gan import VAE
from musicgen_ui.training.vae_gan_losses import divergence
from musicgen_ui.training.vae_gan_passages import Passage, read_passages
from musicgen_ui.training.vae_gan_samples import HeldOut, spectral_losses


@dataclass(frozen=True)
class StemTraining:
    """Settings of stage 2.

    Attributes:
        batch: stems in a batch.
        samples: of each, a whole number of hops.
        judged: of those, how many the discriminators are shown.
        adversarial, matching: weights of the two losses of the discriminators.
        note_level: weight of the spectral losses of the note level alone.
        beta, free_nats: of the divergence, as in stage 1.
        hidden: share of the posterior's stems whose instrument is not told.
        inversion: weight of the encoder's error on stems whose timbre is known because it made them: points between
            the instruments, which no recording shows it. It keeps morphs even and borrowed timbres close.
        inverted: such stems in a batch.
        loop: the schedule; until ``loop.adversarial_after`` there are no discriminators.
    """

    batch: int = 5
    samples: int = 48 * 1024
    judged: int = 16 * 1024
    adversarial: float = 1.0
    matching: float = 1.0
    note_level: float = 0.5
    beta: float = 0.002
    free_nats: float = 0.1
    hidden: float = 0.3
    inversion: float = 0.2
    inverted: int = 3
    loop: AdversarialConfig = field(default_factory=AdversarialConfig)


@dataclass(frozen=True)
class StemStep:
    """A batch of pieces: passages, the first sample of each, its other passage for the encoder, and random numbers."""

    step: int
    pieces: tuple[tuple[Passage, int], ...]
    mels: Tensor
    noise: Tensor
    from_prior: tuple[bool, ...]
    known: tuple[bool, ...]


class StemBatches:
    """Draws pieces: presets alike, as the encoder hears them in another passage of the same timbre."""

    def __init__(self, passages: Sequence[Passage], config: StemTraining, mels: int, frames: int = 256) -> None:
        self._config, self._frames = config, frames
        self._by: dict[tuple[bool, int], list[Passage]] = {}
        self._heard: dict[str, list[np.ndarray]] = {}
        for passage in passages:
            self._by.setdefault((passage.drums, passage.program), []).append(passage)
            self._heard.setdefault(passage.timbre, []).append(passage.mel(mels).astype(np.float16))

    def __call__(self, step: int) -> StemStep:
        """The batch of a step."""
        config = self._config
        rng = np.random.default_rng([config.loop.seed, 2, step])
        presets = sorted(self._by)
        pieces, mels, prior, known = [], [], [], []
        for _ in range(config.batch):
            passages = self._by[presets[int(rng.integers(len(presets)))]]
            passage = passages[int(rng.integers(len(passages)))]
            # Where something is played.
            note = passage.notes[int(rng.integers(len(passage.notes)))]
            last = max(0, len(passage.pcm) - config.samples)
            pieces.append((passage, int(np.clip(note.start - rng.integers(config.samples // 2), 0, last))))
            heard = self._heard[passage.timbre]
            mels.append(self._cut(rng, heard[int(rng.integers(len(heard)))]))
            prior.append(bool(rng.random() < 0.5))
            known.append(prior[-1] or bool(rng.random() >= config.hidden))
        noise = torch.from_numpy(rng.standard_normal((config.batch, Z_SIZE)).astype(np.float32))
        return StemStep(step, tuple(pieces), torch.from_numpy(np.stack(mels)), noise, tuple(prior), tuple(known))

    def _cut(self, rng: np.random.Generator, mel: np.ndarray) -> np.ndarray:
        frames = min(self._frames, mel.shape[1])
        start = int(rng.integers(mel.shape[1] - frames + 1))
        return np.pad(mel[:, start : start + frames].astype(np.float32), ((0, 0), (0, self._frames - frames)), "wrap")


def decode(model: VAE, batch: StemStep, samples: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Stems, note level alone and targets, each (batch, samples), the timbres (batch, Z_SIZE), and the divergence."""
    device = next(model.parameters()).device
    mean, log_variance, _ = model.encoder(batch.mels.to(device))
    heard = mean + batch.noise.to(device) * torch.exp(0.5 * log_variance)
    additive, targets, sounds, kl = [], [], [], []
    for i, (passage, first) in enumerate(batch.pieces):
        network = model.generator.network(passage.drums)
        instrument = instrument_of(network, passage.program)
        index = torch.tensor([instrument], device=device)
        z = network.prior(index, batch.noise[i : i + 1].to(device))[0] if batch.from_prior[i] else heard[i]
        sounds.append(Sound(instrument, z, float(batch.known[i]), passage.labels))
        notes, target = passage.crop(first, samples)
        additive.append(model.generator.additive(passage.drums, notes, sounds[-1], first, samples))
        targets.append(torch.from_numpy(target))
        kl.append(
            divergence(mean[i], log_variance[i], network.prior_mean[instrument], network.prior_log_std[instrument])
        )
    notes_only = torch.stack(additive)
    drums = [passage.drums for passage, _ in batch.pieces]
    stems = model.generator.finish(notes_only, sounds, drums, 0)
    z = torch.stack([sound.z for sound in sounds])
    return stems, notes_only, torch.stack(targets).to(device), z, torch.stack(kl)


def inversion_loss(model: VAE, batch: StemStep, config: StemTraining, step: int) -> Tensor:
    """How far the encoder is from the timbre of stems that were made between two instruments, mean squared."""
    rng = np.random.default_rng([config.loop.seed, 3, step])
    network = model.generator.network(drums=False)
    count = len(network.config.programs)
    pieces = [(passage, first) for passage, first in batch.pieces if not passage.drums][: config.inverted]
    if not pieces or count < 2:
        return torch.zeros(())
    device = network.prior_mean.device
    mels, timbres = [], []
    with torch.no_grad():
        for passage, first in pieces:
            i, j = rng.choice(count, 2, replace=False)
            z = morphed(network.prior_mean[i], network.prior_mean[j], float(rng.random()))
            notes, _ = passage.crop(first, config.samples)
            made = model.generator.additive(False, notes, Sound(int(i), z, 0.0), first, config.samples)
            if float(made.abs().max()) > 1e-4:
                timbres.append(z)
                mels.append(features(made.float().cpu().numpy(), model.encoder.config.mels))
    if not mels:
        return torch.zeros(())
    frames = min(mel.shape[1] for mel in mels)
    heard = torch.from_numpy(np.stack([mel[:, :frames] for mel in mels])).to(device)
    return (model.encoder(heard)[0] - torch.stack(timbres)).square().mean()


def train_stems(
    model: VAE, audio: Path, out: Path, config: StemTraining, log: Callable[[str], None], *, tuned: bool = False
) -> dict[str, float]:
    """Stage 2 on the passages of a folder; resumes from ``out``'s state file, and leaves the best weights in ``model``.

    ``tuned`` says that stage 1 has been there: note level and encoder then learn at a tenth of the rate.

    Returns:
        the held-out numbers of those weights.

    Raises:
        RequestError: no passage is long enough, or the loss is not finite.
    """
    mels = model.encoder.config.mels
    passages = [p for p in read_passages(audio, "train") if len(p.pcm) >= config.samples]
    if not passages:
        raise RequestError("--audio", f"{audio} holds no passage of {config.samples} samples to learn from")
    batches = StemBatches(passages, config, mels)
    held_out = HeldOut(read_passages(audio, "validation") or passages)
    judges = Discriminators(periods=config.loop.device == "cuda")
    log(
        f"{len(passages)} passages; before: "
        + " ".join(f"{k} {v:.3f}" for k, v in held_out.measure(model.generator).items())
    )

    def generator_loss(batch: StemStep, adversarial: bool) -> tuple[Tensor, dict[str, Tensor], tuple[Tensor, ...]]:
        stems, notes_only, targets, z, kl = decode(model, batch, config.samples)
        losses = spectral_losses(stems, targets)
        alone = spectral_losses(notes_only, targets)
        inverted = inversion_loss(model, batch, config, batch.step)
        numbers = {**losses, "inversion": inverted, "note_level": alone["convergence"], "kl": kl.sum(dim=1).mean()}
        loss = losses["convergence"] + losses["log"]
        loss = loss + config.note_level * (alone["convergence"] + 0.5 * alone["log"])
        loss = loss + config.inversion * inverted + config.beta * kl.mean(dim=0).clamp(min=config.free_nats).sum()
        if adversarial:
            place = (config.samples - config.judged) // 2
            shown = (stems[:, place : place + config.judged], targets[:, place : place + config.judged], z.detach())
            with torch.no_grad():
                real = judges(shown[1], shown[2])
            made = judges(shown[0], shown[2])
            fooled, matched = adversarial_loss(made), feature_matching(real, made)
            numbers |= {"adversarial": fooled, "matching": matched}
            loss = loss + config.adversarial * fooled + config.matching * matched
            return loss, numbers, (shown[0].detach(), *shown[1:])
        return loss, numbers, ()

    def judges_loss(shown: tuple[Tensor, ...]) -> Tensor:
        stems, targets, z = shown
        return discriminator_loss(judges(targets, z), judges(stems, z))

    def validate(step: int) -> dict[str, float]:
        found = held_out.measure(model.generator)
        held_out.write(model.generator, Path(out).with_suffix("") / f"step_{step:06d}")
        return {"loss": found["convergence"] + found["log"], **found}

    return fit_adversarial(
        model,
        judges,
        batches,
        generator_loss,
        judges_loss,
        validate,
        state_path=Path(out).with_suffix(".stems.safetensors"),
        config=config.loop,
        log=log,
        slow=("generator.notes.", "encoder.") if tuned else (),
    )
