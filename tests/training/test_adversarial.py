"""The loop of a generator against discriminators."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from musicgen_ui.errors import RequestError
from musicgen_ui.training.adversarial import AdversarialConfig, fit_adversarial
from musicgen_ui.training.loop import MovingAverage

CONFIG = AdversarialConfig(
    steps=20,
    adversarial_after=0.5,
    judge_every=2,
    learning_rate=0.02,
    judge_rate=0.01,
    warmup=2,
    evaluate_every=5,
    ema=0.5,
    bf16=False,
    threads=1,
)


class StoppedError(Exception):
    pass


class Duel:
    """Learns y = 2 x against a judge of y; writes down what is asked of it."""

    def __init__(self, scores=None):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.model, self.judges = nn.Linear(1, 1), nn.Linear(1, 1)
        self.scores = iter(scores) if scores else None
        self.stages: list[bool] = []
        self.judged = 0
        self.seen: list[dict[str, torch.Tensor]] = []
        self.broken_at = (-1, -1)

    def batch(self, step):
        return torch.randn(8, 1, generator=torch.Generator().manual_seed(step))

    def generator_loss(self, batch, adversarial):
        self.stages.append(adversarial)
        made = self.model(batch)
        loss = (made - 2 * batch).square().mean()
        numbers = {"distance": loss}
        if adversarial:
            fooled = (1 - self.judges(made)).square().mean()
            loss, numbers = loss + 0.1 * fooled, numbers | {"fooled": fooled}
        if len(self.stages) - 1 == self.broken_at[0]:
            loss = loss * float("nan")
        return loss, numbers, (2 * batch, made.detach())

    def judges_loss(self, shown):
        self.judged += 1
        real, made = shown
        loss = (1 - self.judges(real)).square().mean() + self.judges(made).square().mean()
        return loss * float("inf") if self.judged - 1 == self.broken_at[1] else loss

    def validate(self, step):
        self.seen.append({name: value.clone() for name, value in self.model.state_dict().items()})
        if self.scores:
            return {"loss": next(self.scores)}
        with torch.no_grad():
            batch = self.batch(10_000)
            return {"loss": float((self.model(batch) - 2 * batch).square().mean())}

    def fit(self, path, config=CONFIG, log=lambda line: None):
        return fit_adversarial(
            self.model,
            self.judges,
            self.batch,
            self.generator_loss,
            self.judges_loss,
            self.validate,
            state_path=path,
            config=config,
            log=log,
        )


def test_judges_come_when_it_is_their_time(tmp_path):
    duel = Duel()
    before = duel.judges.weight.clone()
    duel.fit(tmp_path / "a.safetensors")
    assert duel.stages == [False] * 10 + [True] * 10
    assert duel.judged == 5
    assert not torch.equal(duel.judges.weight, before)


def test_without_judges_they_are_left_alone(tmp_path):
    duel = Duel()
    before = duel.judges.weight.clone()
    duel.fit(tmp_path / "a.safetensors", replace(CONFIG, adversarial_after=1.0))
    assert not any(duel.stages)
    assert duel.judged == 0
    assert torch.equal(duel.judges.weight, before)


def test_it_learns_and_logs(tmp_path):
    lines, duel = [], Duel()
    numbers = duel.fit(tmp_path / "a.safetensors", replace(CONFIG, steps=200, learning_rate=0.1), lines.append)
    assert numbers["loss"] < 0.1
    assert float(duel.model.weight.detach()) == pytest.approx(2.0, abs=0.3)
    assert "spectral" in lines[0]
    assert "adversarial" in lines[-1]
    assert (tmp_path / "a.csv").read_text().count("\n") == 41


@pytest.mark.parametrize("stop", [5, 15], ids=["spectral", "adversarial"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, stop):
    whole, parts, resumed = Duel(), Duel(), Duel()
    whole.fit(tmp_path / "whole.safetensors")

    def interrupt(line):
        if line.startswith(f"step {stop} "):
            raise StoppedError

    with pytest.raises(StoppedError):
        parts.fit(tmp_path / "parts.safetensors", log=interrupt)
    lines = []
    resumed.fit(tmp_path / "parts.safetensors", log=lines.append)
    assert lines[0].startswith(f"resumed at step {stop}")
    for name in ("model", "judges"):
        for key, value in getattr(whole, name).state_dict().items():
            assert torch.equal(getattr(resumed, name).state_dict()[key], value), key


def test_before_the_judges_the_best_is_kept(tmp_path):
    duel = Duel(scores=[0.5, 0.2, 0.9, 0.8])
    numbers = duel.fit(tmp_path / "a.safetensors", replace(CONFIG, adversarial_after=1.0))
    assert numbers["loss"] == 0.2
    assert torch.equal(duel.model.weight.detach(), duel.seen[1]["weight"])


def test_with_judges_the_latest_that_is_not_much_worse_is_kept(tmp_path):
    duel = Duel(scores=[0.3, 0.2, 0.205, 0.4])
    numbers = duel.fit(tmp_path / "a.safetensors")
    assert numbers["loss"] == 0.205
    assert torch.equal(duel.model.weight.detach(), duel.seen[2]["weight"])


def test_averaged_weights_are_validated_and_kept(tmp_path):
    averaged, latest = Duel(), Duel()
    for duel, ema in ((averaged, 0.9), (latest, 0.0)):
        duel.fit(tmp_path / f"{ema}.safetensors", replace(CONFIG, steps=5, ema=ema))
        assert torch.equal(duel.seen[0]["weight"], duel.model.weight.detach())
    assert not torch.equal(averaged.seen[0]["weight"], latest.seen[0]["weight"])


def test_the_moving_average():
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    average = MovingAverage(model, 0.75)
    expected = 0.0
    for step in range(40):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update(step)
        decay = min(0.75, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    with average.applied():
        assert float(model.weight.detach()) == pytest.approx(expected)
    assert float(model.weight.detach()) == 39.0
    none = MovingAverage(model, 0.0)
    none.update(0)
    with none.applied():
        assert float(model.weight.detach()) == 39.0


@pytest.mark.parametrize("broken_at", [(3, -1), (-1, 1)], ids=["generator", "judges"])
def test_a_loss_that_is_not_finite_is_one_sentence(tmp_path, broken_at):
    duel = Duel()
    duel.broken_at = broken_at
    with pytest.raises(RequestError, match="the loss is not finite at step"):
        duel.fit(tmp_path / "a.safetensors")


def test_a_gradient_that_is_not_finite_leaves_the_weights_alone(tmp_path):
    """The root of nothing has a value, but no slope."""
    duel = Duel()
    before = duel.model.weight.detach().clone()
    duel.generator_loss = lambda batch, adversarial: ((0 * duel.model(batch)).sum().sqrt(), {}, ())
    with pytest.raises(RequestError, match="the gradient is not finite at step 0"):
        duel.fit(tmp_path / "a.safetensors")
    assert torch.equal(duel.model.weight.detach(), before)


def test_another_models_state_is_refused(tmp_path):
    Duel().fit(tmp_path / "a.safetensors")
    other = Duel()
    other.model = nn.Linear(1, 3)
    with pytest.raises(RequestError, match="of another model"):
        other.fit(tmp_path / "a.safetensors")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_absent_gpu_is_one_sentence(tmp_path):
    with pytest.raises(RequestError, match="cuda was asked for"):
        Duel().fit(tmp_path / "a.safetensors", replace(CONFIG, device="cuda"))
