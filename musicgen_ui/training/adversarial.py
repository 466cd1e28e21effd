"""The training loop of a generator against discriminators: two optimisers, one schedule, resumable at any step."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from musicgen_ui.errors import RequestError
from musicgen_ui.models.checkpoint import load_tensors, save_tensors
from musicgen_ui.training.loop import MovingAverage, check_finite, rank_and_world


@dataclass(frozen=True)
class AdversarialConfig:
    """How long and how fast.

    Attributes:
        steps: of the whole run.
        minutes: stop after that much wall time, 0 for never; the schedule then follows the clock.
        adversarial_after: share of the run without discriminators.
        judge_every: generator steps for each step of the discriminators.
        learning_rate, judge_rate: peaks of the generator's and the discriminators' rates; cosine to a twentieth.
        slow_rate: share of the rate for what was trained before.
        clip: largest gradient norm of either.
        evaluate_every: steps between validations and saves.
        worse: by which factor the validation loss may rise over its best once the discriminators are there; weights
            beyond that are not kept.
        ema: decay of the moving average of the weights that is validated and kept.
    """

    steps: int = 20_000
    minutes: float = 0.0
    adversarial_after: float = 0.4
    judge_every: int = 2
    learning_rate: float = 4e-4
    judge_rate: float = 2e-4
    slow_rate: float = 0.1
    warmup: int = 50
    clip: float = 1.0
    evaluate_every: int = 250
    worse: float = 1.05
    ema: float = 0.995
    seed: int = 0
    device: str = "cpu"
    bf16: bool = True
    threads: int = 2


GeneratorLoss = Callable[[Any, bool], tuple[Tensor, dict[str, Tensor], Any]]
"""``(batch, adversarial) -> (loss, numbers, what the discriminators are shown)``."""


@dataclass
class _Run:
    """Where a run stands."""

    step: int = 0
    elapsed: float = 0.0
    best: float = math.inf
    numbers: dict[str, float] = field(default_factory=dict)


def fit_adversarial(  # noqa: PLR0913 - two models, two losses
    model: nn.Module,
    judges: nn.Module,
    batches: Callable[[int], Any],
    generator_loss: GeneratorLoss,
    judges_loss: Callable[[Any], Tensor],
    validate: Callable[[int], dict[str, float]],
    *,
    state_path: Path,
    config: AdversarialConfig,
    log: Callable[[str], None],
    slow: tuple[str, ...] = (),
) -> dict[str, float]:
    """Trains both; afterwards ``model`` has the weights that are worth keeping.

    Without discriminators the best validation loss decides. With them the latest weights are kept as long as the
    validation loss has not risen by more than ``worse``: what discriminators improve, distances do not show.

    Args:
        model: the generator with whatever is trained beside it.
        judges: the discriminators.
        batches: step → batch, of nothing but the step.
        generator_loss: see GeneratorLoss.
        judges_loss: takes the third value of ``generator_loss``.
        validate: step → numbers with ``loss``; sees the averaged weights.
        state_path: ``.safetensors`` file to resume from; a CSV log lies beside it.
        config: the schedule.
        log: told one line at a time.
        slow: prefixes of the parameters that were trained before and are only tuned, at ``config.slow_rate``.

    Raises:
        RequestError: a loss is not finite, or CUDA was asked for and is absent.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise RequestError("--device", "cuda was asked for, but this machine has none")
    rank, world = rank_and_world()
    torch.set_num_threads(config.threads)
    model.to(config.device)
    judges.to(config.device)
    makers = torch.optim.AdamW(
        _groups(model, slow, config), lr=config.learning_rate, betas=(0.8, 0.95), weight_decay=1e-4
    )
    critics = torch.optim.AdamW(judges.parameters(), lr=config.judge_rate, betas=(0.8, 0.95), weight_decay=1e-4)
    average = MovingAverage(model, config.ema)
    run, best = _Run(), _weights(model)
    modules = {"model": model, "judges": judges}
    optimisers = {"makers": makers, "critics": critics}
    if state_path.exists():
        run, best = _restore(state_path, modules, optimisers, average)
        log(f"resumed at step {run.step}, best {run.best:.4f}")
    if world > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if config.device == "cuda" else "gloo")
    began, before = time.monotonic(), run.elapsed
    recent: dict[str, list[float]] = {}
    while (done := _done(run, config)) < 1:
        rate = min(1.0, (run.step + 1) / config.warmup) * (0.05 + 0.475 * (1 + math.cos(math.pi * done)))
        adversarial = done >= config.adversarial_after
        batch = batches(run.step * world + rank)
        with torch.autocast(config.device, torch.bfloat16, enabled=config.bf16):
            loss, numbers, shown = generator_loss(batch, adversarial)
        numbers["gradient"] = _advance(loss, model, makers, config.learning_rate * rate, config, run.step, world)
        average.update(run.step)
        if adversarial and run.step % config.judge_every == 0:
            with torch.autocast(config.device, torch.bfloat16, enabled=config.bf16):
                judged = judges_loss(shown)
            _advance(judged, judges, critics, config.judge_rate * rate, config, run.step, world)
            numbers["judges"] = judged
        run.step += 1
        run.elapsed = before + time.monotonic() - began
        for name, value in (numbers | {"loss": loss}).items():
            recent.setdefault(name, []).append(float(value.detach()))
        if run.step % config.evaluate_every == 0 or _done(run, config) >= 1:
            with average.applied():
                found = validate(run.step)
                if found["loss"] <= run.best * (config.worse if adversarial else 1.0):
                    best, run.numbers = _weights(model), found
            run.best = min(run.best, found["loss"])
            means = {name: sum(values) / len(values) for name, values in recent.items()}
            recent.clear()
            if rank == 0:
                _save(state_path, modules, optimisers, average, run, best)
                _write_log(state_path.with_suffix(".csv"), run, means, found)
                shown_numbers = " ".join(f"{k} {v:.3f}" for k, v in found.items())
                stage = "adversarial" if adversarial else "spectral"
                log(f"step {run.step} {stage} train {means['loss']:.4f} | {shown_numbers} | {run.elapsed / 60:.1f} min")
    if world > 1:
        torch.distributed.destroy_process_group()
    model.load_state_dict(best)
    return run.numbers


def _groups(model: nn.Module, slow: tuple[str, ...], config: AdversarialConfig) -> list[dict[str, Any]]:
    """Parameters by how fast they learn."""
    named = list(model.named_parameters())
    tuned = [p for name, p in named if slow and name.startswith(slow)]
    free = [p for name, p in named if not (slow and name.startswith(slow))]
    return [{"params": tuned, "share": config.slow_rate}, {"params": free, "share": 1.0}]


def _done(run: _Run, config: AdversarialConfig) -> float:
    by_clock = run.elapsed / (60 * config.minutes) if config.minutes else 0.0
    return max(run.step / config.steps, by_clock)


def _advance(
    loss: Tensor,
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    rate: float,
    config: AdversarialConfig,
    step: int,
    world: int,
) -> Tensor:
    """One step down; returns the norm of the gradient."""
    check_finite("loss", loss.detach(), step)
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if world > 1:
        for parameter in module.parameters():
            # A parameter that this process's batch did not use still takes part.
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= world
    norm = nn.utils.clip_grad_norm_(module.parameters(), config.clip)
    check_finite("gradient", norm, step)
    optimiser.step()
    return norm


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def _write_log(path: Path, run: _Run, means: dict[str, float], found: dict[str, float]) -> None:
    row = {"step": run.step, "seconds": round(run.elapsed, 1)} | {k: round(v, 5) for k, v in found.items()}
    names = ["step", "seconds", *found, "training"]
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        if new:
            writer.writeheader()
        writer.writerow(row | {"training": " ".join(f"{k}={v:.4f}" for k, v in sorted(means.items()))})


def _save(
    path: Path,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Optimizer],
    average: MovingAverage,
    run: _Run,
    best: dict[str, Tensor],
) -> None:
    tensors = {f"best.{k}": v.contiguous() for k, v in best.items()}
    tensors |= {f"average.{k}": v.cpu().contiguous() for k, v in average.shadow.items()}
    for name, module in modules.items():
        tensors |= {f"{name}.{k}": v.detach().cpu().contiguous() for k, v in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for index, slots in optimiser.state_dict()["state"].items():
            tensors |= {
                f"{name}.{index}.{slot}": torch.as_tensor(v).detach().cpu().contiguous() for slot, v in slots.items()
            }
    save_tensors(path, {k: v.clone() for k, v in tensors.items()}, {"run": vars(run)})


def _restore(
    path: Path,
    modules: dict[str, nn.Module],
    optimisers: dict[str, torch.optim.Optimizer],
    average: MovingAverage,
) -> tuple[_Run, dict[str, Tensor]]:
    tensors, description = load_tensors(path)

    def group(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    try:
        for name, module in modules.items():
            module.load_state_dict(group(f"{name}."))
    except RuntimeError:
        raise RequestError(path.name, "the saved run is of another model; choose another --out or delete it") from None
    for name, value in group("average.").items():
        average.shadow[name].copy_(value)
    for name, optimiser in optimisers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in group(f"{name}.").items():
            index, slot = key.split(".")
            state.setdefault(int(index), {})[slot] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return _Run(**description["run"]), group("best.")
