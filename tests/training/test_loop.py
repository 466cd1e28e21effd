"""The loop: a resumed run equals an uninterrupted one, the best weights are kept, faults are told in one sentence."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import nn

from musicgen_ui.errors import RequestError
from musicgen_ui.training.loop import LoopConfig, fit

CONFIG = LoopConfig(steps=12, learning_rate=0.05, warmup=2, evaluate_every=3, bf16=False, threads=1)


def batches(step: int) -> torch.Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(step))


def objective(network, batch, step):
    loss = (network(batch)[:, 0] - batch.sum(dim=1)).square().mean()
    return loss, {"loss": float(loss.detach())}


def validate(model):
    with torch.inference_mode():
        return {"loss": float(objective(model, batches(10_000), 0)[0])}


def model() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Linear(3, 1)


def run(path, config=CONFIG, objective=objective, validate=validate, log=lambda line: None):
    return fit(model(), batches, objective, validate, state_path=path, config=config, log=log)


def test_it_learns_and_logs(tmp_path):
    lines = []
    best, progress, numbers = run(tmp_path / "a.safetensors", replace(CONFIG, steps=60), log=lines.append)
    assert numbers["loss"] == progress.best < 0.05
    torch.testing.assert_close(best["weight"], torch.ones(1, 3), atol=0.2, rtol=0)
    assert "ETA" in lines[-1]
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(3, 61, 3))


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole, *_ = run(tmp_path / "whole.safetensors")

    class InterruptedRunError(Exception):
        pass

    def interrupted(network, batch, step):
        if step == 7:
            raise InterruptedRunError
        return objective(network, batch, step)

    with pytest.raises(InterruptedRunError):
        run(tmp_path / "parts.safetensors", objective=interrupted)
    lines = []
    resumed, progress, _ = run(tmp_path / "parts.safetensors", log=lines.append)
    assert lines[0].startswith("resumed at step 6")
    assert progress.step == 12
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def test_the_best_weights_are_kept_and_it_stops_early(tmp_path):
    scores = iter([0.5, 0.1, 0.7, 0.8, 0.9, 0.2])
    seen = []

    def scripted(net):
        seen.append(net.weight.detach().clone())
        return {"loss": next(scores)}

    best, progress, numbers = run(tmp_path / "b.safetensors", replace(CONFIG, steps=100, patience=3), validate=scripted)
    assert numbers["loss"] == 0.1
    assert torch.equal(best["weight"], seen[1])
    assert progress.step == 15


def test_a_loss_that_is_not_finite_is_one_sentence(tmp_path):
    def broken(network, batch, step):
        return network(batch).sum() * float("nan"), {}

    with pytest.raises(RequestError, match="the loss is not finite at step 0"):
        run(tmp_path / "c.safetensors", objective=broken)


def test_another_models_state_is_refused(tmp_path):
    run(tmp_path / "d.safetensors")
    with pytest.raises(RequestError, match="of another model"):
        fit(
            nn.Linear(3, 2),
            batches,
            objective,
            validate,
            state_path=tmp_path / "d.safetensors",
            config=CONFIG,
            log=print,
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_absent_gpu_is_one_sentence(tmp_path):
    with pytest.raises(RequestError, match="cuda was asked for"):
        run(tmp_path / "e.safetensors", replace(CONFIG, device="cuda"))
