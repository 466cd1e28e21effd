"""Training of the raw-audio WaveNet: the likelihood of each sample's class, given the true ones before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musicgen_ui.models import checkpoint
from musicgen_ui.models.wavenet.frames import HOP
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.training.loop import LoopConfig, Progress, fit, rank_and_world
from musicgen_ui.training.raw_lines import NARROW, NONE, WIDE, LineFolder, RawBatch
from musicgen_ui.training.rehearsal import free_running, load_written, rehearse, save_written

_BATCHES, _VALIDATION = 5, 6
"""Purposes of random numbers."""

_NAMES = {
    "loss": "free_running_log_mel_db",
    "true": "nats_per_sample",
    "disturbed": "nats_per_sample_disturbed_past",
    "guess": "guess_error_energy_share",
}
"""Numbers of a validation as the card names them."""


@dataclass(frozen=True)
class RawTraining:
    """Settings.

    Attributes:
        start: checkpoint of the same sizes to go on from; empty for random weights.
        batch: stretches of a batch.
        samples: of a stretch that are predicted; a whole number of frames.
        context: samples before them that are only listened to.
        wide: steps with wide disturbances of the past; narrow ones follow, see ``raw_lines``.
        rehearsals: steps at which the model writes some lines itself; from then on half of the stretches are of these.
        temperatures: of the rehearsals.
        validation: stretches of each held-out line.
        free_seconds: of a held-out line that the model writes by itself at a validation.
        loop: schedule.
    """

    start: str = ""
    batch: int = 4
    samples: int = 4096
    context: int = 512
    wide: int = 2400
    rehearsals: tuple[int, ...] = (3900, 4800)
    temperatures: tuple[float, ...] = (0.35, 0.6, 0.8)
    validation: int = 1
    free_seconds: float = 0.75
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1_000_000,
            minutes=80.0,
            learning_rate=5e-3,
            warmup=150,
            weight_decay=1e-4,
            evaluate_every=400,
            patience=100_000,
            threads=1,
            ema=0.999,
        )
    )


def train(audio: Path, out: Path, config: RawTraining, log: Callable[[str], None]) -> dict[str, float]:
    """Trains on a folder of lines and writes ``out``; an unfinished run resumes from the state file beside it.

    Returns:
        the held-out numbers of what was written.

    Raises:
        RequestError: no lines, or the loss is not finite.
    """
    folder = LineFolder(audio)
    torch.manual_seed(config.loop.seed)
    model = RawWaveNet(design(folder))
    if config.start:
        model.load_state_dict(checkpoint.load_tensors(Path(config.start))[0])
    model.tone_rows.copy_(torch.from_numpy(np.concatenate(folder.tones)))
    log(f"{sum(p.numel() for p in model.parameters())} parameters, {len(folder.lines)} lines")
    written = out.with_suffix(".written.npz")
    folder.written = load_written(written)

    def step_objective(network: nn.Module, batch: RawBatch, step: int) -> tuple[Tensor, dict[str, float]]:
        if step in config.rehearsals:
            log(f"step {step}: rehearsal")
            folder.written |= rehearse(model, folder, config.temperatures, (config.loop.seed, step))
            save_written(written, folder.written)
        return objective(network, batch, config.context)

    best, progress, numbers = fit(
        _WithGuess(model),
        lambda step: training_batch(folder, config, step),
        step_objective,
        lambda network: validate(network, folder, config),
        state_path=out.with_suffix(".state.safetensors"),
        config=config.loop,
        log=log,
    )
    if rank_and_world()[0] == 0:
        write(out, model, best, card_of(folder, config, progress, numbers, model))
        log(f"wrote {out}")
    return numbers


def design(folder: LineFolder) -> RawWaveNetConfig:
    """The model that speaks the folder's vocabulary of instruments."""
    return RawWaveNetConfig(
        programs=folder.programs, lows=folder.lows, highs=folder.highs, gains=tuple(round(g, 6) for g in folder.gains)
    )


def training_batch(folder: LineFolder, config: RawTraining, step: int) -> RawBatch:
    """The batch of a step: it depends on the seed, the step and the rehearsals. Instruments are equally frequent."""
    rng = np.random.default_rng([config.loop.seed, _BATCHES, step])
    numbers = folder.of("train")
    owners = np.array([folder.lines[number].instrument for number in numbers])
    chosen = rng.choice(len(folder.programs), config.batch, replace=config.batch > len(folder.programs))
    picked = [numbers[int(rng.choice(np.flatnonzero(owners == instrument)))] for instrument in chosen]
    written = np.array(sorted(folder.written), dtype=np.int64)
    for place in range(config.batch // 2 if len(written) else 0):
        picked[place] = int(rng.choice(written))
    return folder.batch(rng, picked, config.context + config.samples, WIDE if step < config.wide else NARROW)


class _WithGuess(nn.Module):
    """The model, called for its logits and its guess."""

    def __init__(self, model: RawWaveNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: RawBatch) -> tuple[Tensor, Tensor]:
        return self.model.with_guess(batch.given, batch.excitation, batch.frames, batch.instrument, batch.c)


def objective(model: nn.Module, batch: RawBatch, context: int) -> tuple[Tensor, dict[str, float]]:
    """Mean negative log-likelihood in nats a sample after the context, and the guess's error as share of the energy."""
    logits, guess = model(batch)
    nats = F.cross_entropy(logits[:, context:].flatten(0, 1).float(), batch.classes[:, context:].flatten())
    error = torch.square(guess - batch.target).mean(dim=1) / (torch.square(batch.target).mean(dim=1) + 1e-4)
    loss = nats + torch.log1p(error).mean()
    return loss, {"loss": float(loss.detach()), "nats": float(nats.detach()), "guess": float(error.detach().mean())}


@torch.no_grad()
def validate(model: _WithGuess, folder: LineFolder, config: RawTraining) -> dict[str, float]:
    """On held-out lines: nats a sample with the ``true`` past and with a ``disturbed`` one, error of the ``guess``.

    ``loss``, which decides, is what counts in the end: see :func:`rehearsal.free_running`. A model that relies less on
    its past predicts the true one's next sample worse, and writes better.
    """
    device = next(model.parameters()).device
    numbers = folder.of("validation") * config.validation
    length, found = config.context + config.samples, {}
    for name, wrong in (("true", NONE), ("disturbed", replace(NARROW, share=1.0))):
        rng = np.random.default_rng([config.loop.seed, _VALIDATION])
        total = {"nats": 0.0, "guess": 0.0}
        for first in range(0, len(numbers), config.batch):
            batch = folder.batch(rng, numbers[first : first + config.batch], length, wrong)
            numbers_of = objective(model, batch.to(device), config.context)[1]
            total = {key: value + numbers_of[key] * len(batch.classes) for key, value in total.items()}
        found[name] = total["nats"] / len(numbers)
        found["guess"] = total["guess"] / len(numbers)
    return {"loss": free_running(model.model, folder, config.free_seconds, config.loop.seed), **found}


def write(out: Path, model: RawWaveNet, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """The checkpoint, as float16."""
    finished = RawWaveNet(model.config)
    finished.load_state_dict({name.removeprefix("model."): value for name, value in weights.items()})
    checkpoint.save(out, finished, model.config, card)


def card_of(
    folder: LineFolder, config: RawTraining, progress: Progress, numbers: dict[str, float], model: RawWaveNet
) -> dict[str, Any]:
    """What the checkpoint says of itself."""
    device = config.loop.device
    seconds = sum(len(line.samples) for line in folder.lines if line.split == 0) / folder.facts["rate"]
    return {
        "model": "raw-audio WaveNet",
        "data": {"soundfont": folder.facts["soundfont"], "corpora": folder.facts["corpora"]},
        "audio_hours": round(seconds / 3600, 2),
        "parameters": sum(p.numel() for p in model.parameters()),
        "receptive_field_samples": model.config.stack.receptive_field,
        "steps": progress.step,
        "training_minutes": round(progress.elapsed / 60, 1),
        "hardware": f"{config.loop.threads} CPU threads" if device == "cpu" else torch.cuda.get_device_name(),
        "validation": {_NAMES[name]: round(value, 4) for name, value in numbers.items()},
        "training": asdict(config),
        "frame_samples": HOP,
    }
