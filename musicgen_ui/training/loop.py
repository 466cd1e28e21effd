"""The training loop that every model shares: schedule, precision, logging, resuming, early stopping, several GPUs."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from musicgen_ui.errors import RequestError
from musicgen_ui.models.checkpoint import load_tensors, save_tensors


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps of the whole schedule.
        minutes: stop after that much wall time in this run, 0 for never. The schedule then follows the clock, so that
            the learning rate has reached its end when the time is up.
        learning_rate: peak; linear warm-up over ``warmup`` steps, then cosine to a twentieth.
        clip: largest gradient norm.
        evaluate_every: steps between validations and saves.
        patience: validations without a new best before it stops.
        seed: of the initial weights, the batches and the noise.
        device: ``cpu`` or ``cuda``.
        bf16: autocast to bfloat16.
        threads: CPU threads.
        ema: decay of the moving average of the weights that is validated and kept; 0 for the weights themselves.
    """

    steps: int = 4000
    minutes: float = 0.0
    learning_rate: float = 2e-3
    warmup: int = 150
    weight_decay: float = 0.01
    clip: float = 1.0
    evaluate_every: int = 200
    patience: int = 8
    seed: int = 0
    device: str = "cpu"
    bf16: bool = True
    threads: int = 2
    ema: float = 0.0


@dataclass
class Progress:
    """Where a run stands; saved with the weights."""

    step: int = 0
    elapsed: float = 0.0
    best: float = math.inf
    stale: int = 0


Objective = Callable[[nn.Module, Any, int], tuple[Tensor, dict[str, float]]]
"""``(model, batch, step) -> (loss, numbers to log)``."""


def rank_and_world() -> tuple[int, int]:
    """This process's rank and the number of processes, as torchrun sets them."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def fit(
    model: nn.Module,
    batches: Callable[[int], Any],
    objective: Objective,
    validate: Callable[[nn.Module], dict[str, float]],
    *,
    state_path: Path,
    config: LoopConfig,
    log: Callable[[str], None],
) -> tuple[dict[str, Tensor], Progress, dict[str, float]]:
    """Trains a model, resuming from ``state_path`` when it exists.

    Args:
        model: on the CPU; moved to the config's device.
        batches: step number → batch; must depend on nothing else, so that a resumed run sees the same data.
        objective: see Objective.
        validate: model → numbers; ``"loss"`` decides which weights are best.
        state_path: ``.safetensors`` file that holds everything needed to go on; a CSV log lies beside it.
        config: the schedule.
        log: told one line at a time.

    Returns:
        the best weights (float32, CPU), the progress, and the validation numbers of those weights.

    Raises:
        RequestError: the loss is not finite, or CUDA was asked for and is absent.
    """
    rank, world = rank_and_world()
    torch.set_num_threads(config.threads)
    device = _device(config, rank)
    model.to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    progress = Progress()
    best = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    best_numbers: dict[str, float] = {}
    average = MovingAverage(model, config.ema)
    if state_path.exists():
        progress, best, best_numbers = _restore(state_path, model, optimiser, average)
        log(f"resumed at step {progress.step}, best {progress.best:.4f}")
    network: nn.Module = model
    if world > 1:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        network = DistributedDataParallel(model, find_unused_parameters=True)
    autocast = torch.autocast(device.type, torch.bfloat16) if config.bf16 else nullcontext()
    started, before = time.monotonic(), progress.elapsed
    recent: dict[str, list[float]] = {}
    for batch in _ahead(batches, progress.step * world + rank, world):
        progress.elapsed = before + time.monotonic() - started
        done = _schedule(progress, config)
        if done >= 1 or progress.stale >= config.patience:
            break
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * _rate(progress.step, done, config)
        with autocast:
            loss, numbers = objective(network, batch.to(device), progress.step)
        check_finite("loss", loss.detach(), progress.step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        check_finite("gradient", norm, progress.step)
        optimiser.step()
        average.update(progress.step)
        progress.step += 1
        for name, value in (numbers | {"gradient": float(norm)}).items():
            recent.setdefault(name, []).append(value)
        if progress.step % config.evaluate_every == 0:
            with average.applied():
                found = validate(model)
                weights = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
            progress.stale += 1
            if found["loss"] < progress.best:
                progress.best, progress.stale, best, best_numbers = found["loss"], 0, weights, found
            means = {name: sum(values) / len(values) for name, values in recent.items()}
            recent.clear()
            if rank == 0:
                _save(state_path, model, optimiser, average, progress, best, best_numbers)
                _write_log(state_path.with_suffix(".csv"), progress, means, found)
                log(_line(progress, config, done, means, found))
    if world > 1:
        torch.distributed.destroy_process_group()
    return best, progress, best_numbers


def check_finite(name: str, value: Tensor, step: int) -> None:
    """Stops a run before it spoils its weights.

    Raises:
        RequestError: ``value`` is not finite.
    """
    if not math.isfinite(float(value)):
        raise RequestError("train", f"the {name} is not finite at step {step}; try a lower learning rate")


class MovingAverage:
    """Exponential moving average of a model's parameters (Polyak and Juditsky 1992).

    Attributes:
        shadow: parameter name to its average; empty when the decay is 0.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model, self._decay = model, decay
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the weights of a step in; early steps weigh more, so that the start is forgotten."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, parameter in self._model.named_parameters() if self.shadow else ():
            self.shadow[name].lerp_(parameter.detach(), 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside."""
        held = {name: p.detach().clone() for name, p in self._model.named_parameters()} if self.shadow else {}
        self._put(self.shadow)
        yield
        self._put(held)

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._model.named_parameters() if values else ():
            parameter.copy_(values[name])


def _device(config: LoopConfig, rank: int) -> torch.device:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise RequestError("--device", "cuda was asked for, but this machine has none")
    return torch.device("cuda", rank % torch.cuda.device_count()) if config.device == "cuda" else torch.device("cpu")


def _schedule(progress: Progress, config: LoopConfig) -> float:
    """Share of the run that is done, by steps or by the clock, whichever is further."""
    by_clock = progress.elapsed / (60 * config.minutes) if config.minutes else 0.0
    return max(progress.step / config.steps, by_clock)


def _rate(step: int, done: float, config: LoopConfig) -> float:
    warm = min(1.0, (step + 1) / config.warmup)
    return warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def _ahead(batches: Callable[[int], Any], first: int, stride: int) -> Iterator[Any]:
    """Batches ``first``, ``first + stride`` …, each made while the one before is in use."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        index = first
        coming = pool.submit(batches, index)
        while True:
            batch = coming.result()
            index += stride
            coming = pool.submit(batches, index)
            yield batch


def _line(progress: Progress, config: LoopConfig, done: float, means: dict[str, float], found: dict[str, float]) -> str:
    eta = progress.elapsed * (1 - done) / max(done, 1e-9)
    numbers = " ".join(f"{name} {value:.3f}" for name, value in found.items())
    clock = f"{progress.elapsed / 60:.1f} min, ETA {eta / 60:.0f} min"
    return f"step {progress.step}/{config.steps} train {means['loss']:.4f} | {numbers} | {clock}"


def _write_log(path: Path, progress: Progress, means: dict[str, float], found: dict[str, float]) -> None:
    row = {"step": progress.step, "seconds": round(progress.elapsed, 1)}
    row |= {f"train_{k}": round(v, 5) for k, v in means.items()} | {
        f"validation_{k}": round(v, 5) for k, v in found.items()
    }
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def _save(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage,
    progress: Progress,
    best: dict[str, Tensor],
    numbers: dict[str, float],
) -> None:
    tensors = {f"model.{k}": v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    tensors |= {f"best.{k}": v.contiguous() for k, v in best.items()}
    tensors |= {f"average.{k}": v.cpu().contiguous() for k, v in average.shadow.items()}
    for index, slots in optimiser.state_dict()["state"].items():
        tensors |= {
            f"optimiser.{index}.{slot}": torch.as_tensor(v).detach().cpu().contiguous() for slot, v in slots.items()
        }
    save_tensors(path, tensors, {"progress": vars(progress), "best": numbers})


def _restore(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: MovingAverage
) -> tuple[Progress, dict[str, Tensor], dict[str, float]]:
    tensors, description = load_tensors(path)

    def group(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    try:
        model.load_state_dict(group("model."))
    except RuntimeError:
        raise RequestError(path.name, "the saved run is of another model; choose another --out or delete it") from None
    for name, value in group("average.").items():
        average.shadow[name].copy_(value)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in group("optimiser.").items():
        index, slot = key.split(".")
        state.setdefault(int(index), {})[slot] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return Progress(**description["progress"]), group("best."), description["best"]
