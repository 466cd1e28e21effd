"""Stage 4: trains a composer on prepared corpora."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.sections import SECTION_BARS, Section, SectionSampler
from musicgen_ui.data.tables import TablePiece, load_tables
from musicgen_ui.errors import RequestError
from musicgen_ui.models import checkpoint
from musicgen_ui.models.composer import ComposerBatch, ComposerConfig
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.composers import COMPOSERS
from musicgen_ui.models.condition import Condition
from musicgen_ui.models.latent import features
from musicgen_ui.models.steps import HEADS
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.scale import UnitScale, load_score_scales
from musicgen_ui.training.batches import collate
from musicgen_ui.training.loop import LoopConfig, fit, rank_and_world


@dataclass(frozen=True)
class ComposerTraining:
    """Everything that decides a run.

    Attributes:
        model: sizes; their type says which composer it is.
        start: checkpoint of the same composer to go on from, as far as its tensors fit; empty for random weights.
        beta: weight of the KL term once warm; ``free_nats`` a dimension cost nothing.
        kl_warmup: steps over which beta rises from 0.
        account: weight of the loss by which z tells the section's profile, see ``models.composer.profile``.
        word_dropout: chance that the decoder is not told a row.
        slider_dropout: chance that a slider, the genre or the mode is not told.
        prior_batches: batches of sections from which p(z | c) is fitted at the end.
    """

    model: ComposerConfig = field(default_factory=ComposerConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    start: str = ""
    batch: int = 32
    beta: float = 0.2
    kl_warmup: int = 600
    free_nats: float = 0.25
    account: float = 3.0
    word_dropout: float = 0.2
    slider_dropout: float = 0.12
    validation_sections: int = 256
    prior_batches: int = 300


def train(data: Path, out: Path, config: ComposerTraining, log: Callable[[str], None]) -> dict[str, float]:
    """Trains on what ``prepare`` wrote and ships the best weights.

    Args:
        data: folder of ``prepare``.
        out: the checkpoint, ``.safetensors``; the resumable state and the CSV log lie beside it.
        config: the run.
        log: told one line at a time.

    Returns:
        validation numbers of the shipped weights.

    Raises:
        RequestError: there is no prepared data, or training fails.
    """
    if not (Path(data) / "measures.json").is_file():
        raise RequestError("--data", f"{data} holds no prepared corpora; run `prepare` first")
    torch.manual_seed(config.loop.seed)  # initial weights and dropout; requests never come here
    pieces, vocabulary = load_tables(data)
    scales = load_score_scales(Path(data) / "measures.json")
    train_pieces = [p for p in pieces if p.split == "train"]
    log(
        f"{len(train_pieces)} training pieces, {sum(p.bars for p in train_pieces)} bars, "
        f"drum vocabulary {len(vocabulary.masks)}"
    )
    model_config = replace(config.model, drum_masks=vocabulary.masks)
    model = build(model_config)
    if config.start:
        log(f"{Path(config.start).name}: {start_from(model, Path(config.start)):.0%} of the parameters taken over")
    log(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    sampler = SectionSampler(train_pieces)
    held_out = validation_batches([p for p in pieces if p.split == "validation"], scales, vocabulary, config)

    def batches(step: int) -> ComposerBatch:
        rng = np.random.default_rng([config.loop.seed, step])
        batch = collate(sampler.draw(rng, config.batch), scales, vocabulary)
        return replace(batch, condition=drop_controls(batch.condition, config.slider_dropout, rng))

    def objective(network: nn.Module, batch: ComposerBatch, step: int) -> tuple[Tensor, dict[str, float]]:
        generator = torch.Generator().manual_seed(hash_seed(config.loop.seed, step))
        noise = torch.randn(len(batch.observed), model_config.latent, generator=generator).to(batch.table.device)
        keep = (torch.rand(batch.valid.shape, generator=generator) >= config.word_dropout).to(batch.table.device)
        losses, kl, account = network(batch, noise, keep)
        beta = config.beta * min(1.0, step / config.kl_warmup)
        steps = batch.valid.sum()
        nats = sum(total for total, _ in losses.values()) / steps
        # Free bits by dimension (Kingma et al. 2016): z may carry that much before it is charged.
        charged = kl.mean(dim=0).clamp(min=config.free_nats).sum() * len(kl) / steps
        loss = nats + beta * charged + config.account * account.sum() / steps
        numbers = {"loss": nats, "kl": kl.sum(dim=1).mean(), "account": account.mean()}
        return loss, {name: float(value.detach()) for name, value in numbers.items()}

    best, progress, numbers = fit(
        model,
        batches,
        objective,
        lambda net: validate(net, held_out),
        state_path=Path(out).with_suffix(".state.safetensors"),
        config=config.loop,
        log=log,
    )
    if rank_and_world()[0] == 0:
        model.load_state_dict(best)
        explained = fit_prior(model, batches, config)
        numbers = validate(model, held_out)
        log(f"prior of z: the style explains {explained:.0%}; " + " ".join(f"{k} {v:.3f}" for k, v in numbers.items()))
        card = {
            "model": type(model).__name__,
            "corpora": corpora_card(PieceStore(data), train_pieces),
            "steps": progress.step,
            "batch": config.batch,
            "section_bars": SECTION_BARS,
            "minutes": round(progress.elapsed / 60, 1),
            "hardware": f"{config.loop.threads} CPU threads"
            if config.loop.device == "cpu"
            else torch.cuda.get_device_name(),
            "parameters": sum(p.numel() for p in model.parameters()),
            "validation": {k: round(v, 4) for k, v in numbers.items()},
            "training": {k: v for k, v in asdict(config).items() if k not in ("model", "start")},
        }
        checkpoint.save(Path(out), model, model_config, card)
        log(f"wrote {out}")
    return numbers


def build(config: ComposerConfig) -> ComposerBase:
    """The composer that a configuration is of."""
    return next(kind for kind, of in COMPOSERS.values() if of is type(config))(config)


def start_from(model: nn.Module, path: Path) -> float:
    """Takes over what fits from a checkpoint; returns the share of the parameters that did.

    Raises:
        RequestError: the file is missing or damaged.
    """
    stored, _ = checkpoint.load_tensors(path)
    own = model.state_dict()
    fitting = {name: value.float() for name, value in stored.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(fitting, strict=False)
    return sum(value.numel() for value in fitting.values()) / sum(value.numel() for value in own.values())


def fit_prior(model: ComposerBase, batches: Callable[[int], ComposerBatch], config: ComposerTraining) -> float:
    """Fits p(z | c) to the encoder's posteriors of training sections; returns the share of z that c explains."""
    device = next(model.parameters()).device
    model.eval()
    inputs, samples = [], []
    with torch.inference_mode():
        for step in range(config.prior_batches):
            batch = batches(step).to(device)
            mean, log_variance = model.encode(batch)
            noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(hash_seed(config.loop.seed, step)))
            samples.append((mean + noise.to(device) * torch.exp(0.5 * log_variance)).cpu())
            inputs.append(features(batch.condition).cpu())
    explained = model.to("cpu").prior.fit(torch.cat(inputs), torch.cat(samples))
    model.to(device)
    return explained


def hash_seed(seed: int, step: int) -> int:
    """One 63-bit seed a step."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)


def drop_controls(condition: Condition, chance: float, rng: np.random.Generator) -> Condition:
    """Hides each slider, the genre and the mode with a chance, so that the model learns what to do without them."""
    batch = len(condition.mode)
    known = condition.known & torch.from_numpy(rng.random(condition.known.shape) >= chance)
    genre = condition.genre * torch.from_numpy((rng.random((batch, 1)) >= chance).astype(np.float32))
    mode = condition.mode * torch.from_numpy((rng.random(batch) >= chance).astype(np.int64))
    return replace(condition, known=known, genre=genre, mode=mode)


def validation_batches(
    pieces: Sequence[TablePiece], scales: Mapping[str, UnitScale], vocabulary: DrumVocabulary, config: ComposerTraining
) -> list[ComposerBatch]:
    """A fixed set of held-out sections, drawn as in training but with every part and control."""
    rng = np.random.default_rng(config.loop.seed + 1)
    sampler = SectionSampler(pieces, part_dropout=0.0)
    count = max(1, config.validation_sections // config.batch)
    drawn: list[list[Section]] = [sampler.draw(rng, config.batch) for _ in range(count)]
    return [collate(sections, scales, vocabulary) for sections in drawn]


@torch.inference_mode()
def validate(model: ComposerBase, batches: Sequence[ComposerBatch]) -> dict[str, float]:
    """Nats a step by head with z from the posterior's mean; ``loss`` is the total with z from the prior."""
    device = next(model.parameters()).device
    model.eval()
    totals = {name: [0.0, 0.0] for name in HEADS}
    posterior = prior = steps = divergence = sections = 0.0
    for index, held_out in enumerate(batches):
        batch = held_out.to(device)
        generator = torch.Generator().manual_seed(index)
        noise = torch.randn(len(batch.observed), model.config.latent, generator=generator).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            losses, kl, _ = model(batch, torch.zeros_like(noise))
            z = model.prior(batch.condition, noise)
            from_prior = model.heads.losses(*model.contexts(batch, z), batch.table, batch.observed, batch.valid)
        for name, (total, count) in losses.items():
            totals[name][0] += float(total)
            totals[name][1] += float(count)
        posterior += sum(float(t) for t, _ in losses.values())
        prior += sum(float(t) for t, _ in from_prior.values())
        divergence += float(kl.sum())
        sections += len(kl)
        steps += float(batch.valid.sum())
    model.train()
    by_head = {name: total / max(count, 1.0) for name, (total, count) in totals.items()}
    return {"loss": prior / steps, "posterior": posterior / steps, "kl": divergence / sections} | by_head


def corpora_card(store: PieceStore, pieces: Sequence[TablePiece]) -> dict[str, Any]:
    """Corpus → pieces used and licence, for the checkpoint's card."""
    licences = {info.id: info.licence for info in store.index()}
    card: dict[str, Any] = {}
    for piece in pieces:
        entry = card.setdefault(piece.corpus, {"pieces": 0, "licences": []})
        entry["pieces"] += 1
        if licences[piece.id] not in entry["licences"]:
            entry["licences"].append(licences[piece.id])
    return card
