"""Training of the VAE-GAN. Stage 1: encoder and note level together, on analysed notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from musicgen_ui.audio.partials import DRUM_KNOTS, KNOTS
from musicgen_ui.models.vae_gan.config import Z_SIZE, EncoderConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.encoder import TimbreEncoder
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.note_network import NoteBatch
from musicgen_ui.training.loop import LoopConfig, Progress, fit
from musicgen_ui.training.vae_gan_gains import fit_gains
from musicgen_ui.training.vae_gan_losses import divergence, note_losses, recognition, to_standard, weighted
from musicgen_ui.training.vae_gan_notes import NoteFolder, NoteTargets, Timbre

BRANCHES = ("pitched", "drums")
_KNOTS = {"pitched": KNOTS, "drums": DRUM_KNOTS}


@dataclass(frozen=True)
class NoteTraining:
    """Settings of stage 1.

    Attributes:
        timbres: of a batch, by branch.
        notes: of each timbre in a batch, by branch.
        frames: of log-mel that the encoder hears.
        free_nats: of each dimension of z that are not charged (Kingma et al. 2016).
        beta: weight of the divergence, reached after ``beta_steps``.
        hidden: share of the posterior's notes that are not told their instrument.
    """

    timbres: tuple[int, int] = (20, 4)
    notes: tuple[int, int] = (5, 8)
    frames: int = 256
    free_nats: float = 0.1
    beta: float = 0.02
    beta_steps: int = 1500
    hidden: float = 0.5
    standard: float = 0.02
    recognition: float = 0.1
    attributes: float = 0.1
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=40_000, learning_rate=1e-3, evaluate_every=400, patience=1000, weight_decay=1e-4, ema=0.999
        )
    )


class VAE(nn.Module):
    """Encoder and generator, updated together."""

    def __init__(self, config: VAEGANConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        self.generator = Generator(config)
        self.encoder = TimbreEncoder(encoder)

    def forward(self, batch: NoteStep) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor]]:
        """Losses of the notes by branch, and of z."""
        notes: dict[str, dict[str, Tensor]] = {}
        parts: dict[str, list[Tensor]] = {}
        for name, part in batch.parts.items():
            network = self.generator.notes[name]
            mean, log_variance, labels = self.encoder(part.mel)
            prior_mean, prior_log_std = network.prior_mean[part.instrument], network.prior_log_std[part.instrument]
            heard = mean + part.noise * torch.exp(0.5 * log_variance)
            drawn = network.prior(part.instrument, part.noise)
            # Half of the timbres sound as the encoder heard them, half as the prior has it: both must be right.
            z = torch.where(part.from_prior.unsqueeze(1) > 0, drawn, heard)[part.owner]
            made = network(
                NoteBatch(
                    part.instrument[part.owner],
                    part.known,
                    part.targets.pitch,
                    part.targets.velocity,
                    z,
                    part.labels[part.owner],
                )
            )
            notes[name] = note_losses(made, part.targets, part.knots, part.known)
            found = {
                "kl": divergence(mean, log_variance, prior_mean, prior_log_std),
                "standard": to_standard(network.prior_mean, network.prior_log_std),
                "recognition": recognition(heard, network.prior_mean, network.prior_log_std, part.instrument),
                "attributes": (labels - part.labels).abs().mean(),
            }
            for key, value in found.items():
                parts.setdefault(key, []).append(value)
        return notes, {
            key: torch.cat([v.reshape(-1, *v.shape[1:]) for v in values]) if key == "kl" else sum(values)
            for key, values in parts.items()
        }


@dataclass
class BranchStep:
    """A batch of one branch: M timbres, N notes.

    Attributes:
        mel: (M, mels, frames). instrument: (M,). labels: (M, LABELS). noise: (M, Z_SIZE). from_prior: (M,) 0 or 1.
        owner: (N,) the note's timbre. known: (N,). targets: of N notes. knots: (T,).
    """

    mel: Tensor
    instrument: Tensor
    labels: Tensor
    noise: Tensor
    from_prior: Tensor
    owner: Tensor
    known: Tensor
    targets: NoteTargets
    knots: Tensor


@dataclass
class NoteStep:
    """A batch of both branches."""

    parts: dict[str, BranchStep]

    def to(self, device: torch.device) -> NoteStep:
        """The batch on a device."""
        moved = {}
        for name, part in self.parts.items():
            values = {
                key: value.to(device) if isinstance(value, Tensor) else value for key, value in vars(part).items()
            }
            targets = NoteTargets(*(value.to(device) for value in vars(part.targets).values()))
            moved[name] = BranchStep(**(values | {"targets": targets}))
        return NoteStep(moved)


class NoteBatches:
    """Draws batches: instruments alike, the neutral timbre of each more often than one of its variants."""

    def __init__(self, folder: NoteFolder, config: NoteTraining) -> None:
        self._folder, self._config = folder, config
        self._by: dict[str, dict[int, list[Timbre]]] = {name: {} for name in BRANCHES}
        for timbre in folder.timbres:
            branch = self._by["drums" if timbre.drums else "pitched"]
            branch.setdefault(timbre.instrument, []).append(timbre)

    def __call__(self, step: int, *, held_out: bool = False) -> NoteStep:
        """The batch of a step; depends on nothing but the step and the seed."""
        config = self._config
        rng = np.random.default_rng([config.loop.seed, step, int(held_out)])
        parts = {}
        for name, timbres, notes in zip(BRANCHES, config.timbres, config.notes, strict=True):
            drawn = [self._draw(rng, self._by[name]) for _ in range(timbres)] if self._by[name] else []
            drawn = [timbre for timbre in drawn if timbre.notes[1] > timbre.notes[0]]
            if drawn:
                parts[name] = self._part(rng, name, drawn, notes)
        return NoteStep(parts)

    def _draw(self, rng: np.random.Generator, instruments: dict[int, list[Timbre]]) -> Timbre:
        keys = sorted(instruments)
        timbres = instruments[keys[int(rng.integers(len(keys)))]]
        if rng.random() < 0.4:
            return timbres[0]
        return timbres[int(rng.integers(len(timbres)))]

    def _part(self, rng: np.random.Generator, name: str, drawn: list[Timbre], notes: int) -> BranchStep:
        config = self._config
        mels = []
        for timbre in drawn:
            mel = timbre.mels[int(rng.integers(len(timbre.mels)))]
            frames = min(config.frames, mel.shape[1])
            start = int(rng.integers(mel.shape[1] - frames + 1))
            crop = mel[:, start : start + frames].astype(np.float32)
            mels.append(np.pad(crop, ((0, 0), (0, config.frames - frames)), mode="wrap"))
        rows = np.concatenate([rng.integers(*timbre.notes, notes) for timbre in drawn])
        owner = np.repeat(np.arange(len(drawn)), notes)
        from_prior = (rng.random(len(drawn)) < 0.5).astype(np.float32)
        known = np.where(from_prior > 0, 1.0, (rng.random(len(drawn)) >= config.hidden).astype(np.float32))[owner]
        return BranchStep(
            mel=torch.from_numpy(np.stack(mels)),
            instrument=torch.tensor([timbre.instrument for timbre in drawn]),
            labels=torch.from_numpy(np.stack([timbre.labels.vector() for timbre in drawn])),
            noise=torch.from_numpy(rng.standard_normal((len(drawn), Z_SIZE)).astype(np.float32)),
            from_prior=torch.from_numpy(from_prior),
            owner=torch.from_numpy(owner),
            known=torch.from_numpy(known.astype(np.float32)),
            targets=self._folder.targets(name, rows),
            knots=torch.from_numpy(_KNOTS[name].astype(np.float32)),
        )


def objective_of(config: NoteTraining) -> Callable[[nn.Module, NoteStep, int], tuple[Tensor, dict[str, float]]]:
    """The loss of a step, for :func:`musicgen_ui.training.loop.fit`."""

    def objective(model: nn.Module, batch: NoteStep, step: int) -> tuple[Tensor, dict[str, float]]:
        notes, z = model(batch)
        charged = z["kl"].mean(dim=0).clamp(min=config.free_nats).sum()
        beta = config.beta * min(1.0, step / config.beta_steps)
        loss = sum(weighted(losses) for losses in notes.values())
        loss = loss + beta * charged + config.standard * z["standard"]
        loss = loss + config.recognition * z["recognition"] + config.attributes * z["attributes"]
        numbers = {"loss": loss, "kl": z["kl"].sum(dim=1).mean(), "recognition": z["recognition"]}
        numbers |= {f"{branch}_{kind}": v for branch, losses in notes.items() for kind, v in losses.items()}
        return loss, {name: float(value.detach()) for name, value in numbers.items()}

    return objective


@torch.inference_mode()
def validate(model: VAE, batches: NoteBatches, count: int = 6) -> dict[str, float]:
    """Mean losses over fixed batches that are drawn apart from those of training, z from the prior."""
    model.eval()
    device = next(model.parameters()).device
    totals: dict[str, float] = {}
    for index in range(count):
        batch = batches(index, held_out=True).to(device)
        for part in batch.parts.values():
            part.from_prior = torch.ones_like(part.from_prior)
            part.known = torch.ones_like(part.known)
        notes, z = model(batch)
        values = {f"{b}_{kind}": float(v) for b, losses in notes.items() for kind, v in losses.items()}
        values["loss"] = sum(float(weighted(losses)) for losses in notes.values())
        values["kl"] = float(z["kl"].sum(dim=1).mean())
        for name, value in values.items():
            totals[name] = totals.get(name, 0.0) + value / count
    model.train()
    return {"loss": totals.pop("loss")} | totals


def train_notes(audio: Path, out: Path, config: NoteTraining, log: Callable[[str], None]) -> tuple[VAE, Progress]:
    """Stage 1: encoder and note networks on the analysed notes of a folder; resumes from ``out``'s state file.

    Raises:
        RequestError: no training audio, or the loss is not finite.
    """
    torch.manual_seed(config.loop.seed)
    folder = NoteFolder(audio, config.encoder.mels)
    log(f"{len(folder.timbres)} timbres, " + ", ".join(f"{len(a.pitch)} {n} notes" for n, a in folder.arrays.items()))
    model = VAE(VAEGANConfig(folder.configs["pitched"], folder.configs["drums"]), config.encoder)
    folder.fill_tables(dict(model.generator.notes.items()))
    if not any(timbre.notes[1] > timbre.notes[0] for timbre in folder.timbres):
        log("no analysed notes: the note level learns from whole stems alone")
        return model, Progress()
    batches = NoteBatches(folder, config)
    best, progress, _ = fit(
        model,
        batches,
        objective_of(config),
        lambda net: validate(net, batches),
        state_path=Path(out).with_suffix(".notes.safetensors"),
        config=config.loop,
        log=log,
    )
    model.load_state_dict(best)
    if "pitched" in folder.arrays:
        # Not the drums: a channel of noise has no level of its own that holds for a whole hit.
        before, after = fit_gains(model.generator.network(drums=False), folder, "pitched")
        log(f"gains of the partials: mean error of the notes {before:.3f}, then {after:.3f}")
    return model, progress
