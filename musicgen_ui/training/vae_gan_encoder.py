"""Stage 3 of the VAE-GAN: the encoder alone, on sounds whose timbre is known because the generator made them.

Recordings of presets show the encoder some ninety points of the timbre space. What it is asked about in the app lies
between them: borrowed timbres, morphs. So it also learns from stems made there, while it keeps naming the presets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from musicgen_ui.models.vae_gan.encoder import features
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of
from musicgen_ui.models.vae_gan.timbre_space import AggregatePrior, morphed
from musicgen_ui.training.loop import check_finite
from musicgen_ui.training.vae_gan import VAE
from musicgen_ui.training.vae_gan_losses import recognition
from musicgen_ui.training.vae_gan_passages import Passage, read_passages


@dataclass(frozen=True)
class EncoderTraining:
    """Settings of stage 3.

    Attributes:
        made: stems that are made, and ``samples`` of each.
        drawn: share of them whose timbre is drawn from the aggregate prior; the others lie between two presets.
        batch: of made stems, and as many passages.
        frames: of log-mel in a crop.
    """

    made: int = 3500
    samples: int = 72 * 1024
    drawn: float = 0.3
    batch: int = 32
    frames: int = 128
    steps: int = 2500
    learning_rate: float = 8e-4
    recognition: float = 0.2
    seed: int = 0


def tune_encoder(model: VAE, audio: Path, config: EncoderTraining, log: Callable[[str], None]) -> dict[str, float]:
    """Trains the encoder; the generator stays as it is. Left alone where there are fewer than two instruments.

    Returns:
        root mean square error of z on made stems that it did not learn from, before and after.
    """
    network = model.generator.network(drums=False)
    passages = [p for p in read_passages(audio, "train") if not p.drums]
    if len(network.config.programs) < 2 or not passages:
        return {}
    device = network.prior_mean.device
    mels, timbres = make_stems(model, passages, config)
    held = max(1, len(mels) // 8)
    log(f"{len(mels)} stems made to tune the encoder")
    heard = [p.mel(model.encoder.config.mels).astype(np.float32) for p in passages]
    instruments = torch.tensor([instrument_of(network, p.program) for p in passages], device=device)
    labels = torch.from_numpy(np.stack([p.labels.vector() for p in passages])).to(device)
    mean, log_std = network.prior_mean.detach(), network.prior_log_std.detach()
    optimiser = torch.optim.AdamW(model.encoder.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    before = _error(model, mels[:held], timbres[:held])
    model.encoder.train()
    for step in range(config.steps):
        rng = np.random.default_rng([config.seed, 4, step])
        rows = rng.integers(held, len(mels), config.batch)
        real = rng.integers(0, len(heard), config.batch)
        crops = np.stack(
            [_crop(rng, mels[i], config.frames) for i in rows] + [_crop(rng, heard[i], config.frames) for i in real]
        )
        found, _, told = model.encoder(torch.from_numpy(crops).to(device))
        made, kept = found.split(config.batch)
        instrument = instruments[torch.from_numpy(real).to(device)]
        loss = (made - timbres[rows].to(device)).square().mean() + (kept - mean[instrument]).square().mean()
        loss = loss + config.recognition * recognition(kept, mean, log_std, instrument)
        loss = loss + 0.1 * F.l1_loss(told[config.batch :], labels[torch.from_numpy(real).to(device)])
        check_finite("loss", loss.detach(), step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 250 == 0:
            log(f"encoder step {step + 1} loss {float(loss.detach()):.4f}")
    model.encoder.eval()
    after = _error(model, mels[:held], timbres[:held])
    log(f"encoder: error of z on made stems {before:.3f}, then {after:.3f}")
    return {"z_error_before": before, "z_error": after}


@torch.no_grad()
def make_stems(model: VAE, passages: Sequence[Passage], config: EncoderTraining) -> tuple[list[np.ndarray], Tensor]:
    """Log-mels of stems that the generator plays with timbres between the presets, and those timbres (n, Z_SIZE)."""
    rng = np.random.default_rng([config.seed, 5])
    network, generator = model.generator.network(drums=False), model.generator
    space = AggregatePrior.of(generator)
    count = len(network.config.programs)
    mels, timbres = [], []
    for _ in range(config.made):
        passage = passages[int(rng.integers(len(passages)))]
        if rng.random() < config.drawn:
            z = space.draw(torch.from_numpy(rng.standard_normal(network.prior_mean.shape[1]).astype(np.float32)))
        else:
            i, j = rng.choice(count, 2, replace=False)
            z = morphed(network.prior_mean[i], network.prior_mean[j], float(rng.random()))
        first = int(rng.integers(max(1, len(passage.pcm) - config.samples)))
        notes, _ = passage.crop(first, config.samples)
        sound = Sound(0, z, 0.0, passage.labels)
        additive = generator.additive(False, notes, sound, first, config.samples)
        if float(additive.abs().max()) > 1e-4:
            stem = generator.finish(additive.unsqueeze(0), [sound], [False], first)[0]
            mels.append(features(stem.float().cpu().numpy(), model.encoder.config.mels))
            timbres.append(z)
    return mels, torch.stack(timbres)


@torch.inference_mode()
def _error(model: VAE, mels: Sequence[np.ndarray], timbres: Tensor) -> float:
    model.encoder.eval()
    device = timbres.device
    found = torch.stack([model.encoder(torch.from_numpy(mel).unsqueeze(0).to(device))[0][0] for mel in mels])
    return float((found - timbres).square().mean().sqrt())


def _crop(rng: np.random.Generator, mel: np.ndarray, frames: int) -> np.ndarray:
    start = int(rng.integers(max(1, mel.shape[1] - frames + 1)))
    piece = mel[:, start : start + frames]
    return np.pad(piece, ((0, 0), (0, frames - piece.shape[1])), mode="wrap")
