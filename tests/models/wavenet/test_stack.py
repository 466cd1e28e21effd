"""The stack is causal, sees exactly its receptive field, and its cache changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from musicgen_ui.models.wavenet.config import WaveNetConfig
from musicgen_ui.models.wavenet.stack import WaveNetStack

CONFIGS = {
    "powers of two, twice": WaveNetConfig(3, 8, 6, (1, 2, 4, 8, 1, 2, 4, 8), local=5, globals_=4),
    "one layer": WaveNetConfig(3, 4, 4, (3,)),
    "three taps": WaveNetConfig(3, 6, 5, (1, 3, 2), kernel=3, globals_=4),
    "one tap": WaveNetConfig(3, 6, 5, (1, 1), kernel=1, local=5),
    "no input layer": WaveNetConfig(0, 6, 5, (1, 2, 4), local=5),
}


def stack_of(config: WaveNetConfig) -> WaveNetStack:
    stack = WaveNetStack(config).double().eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return stack


def inputs_of(
    config: WaveNetConfig, steps: int, frames: int | None = None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    generator = torch.Generator().manual_seed(4)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    local = noise(2, frames or steps, config.local) if config.local else None
    return (
        noise(2, steps, config.inputs or config.residual),
        local,
        noise(2, config.globals_) if config.globals_ else None,
    )


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_one_changed_input_alters_exactly_one_receptive_field(config: WaveNetConfig) -> None:
    field = config.receptive_field
    at, steps = 5, 5 + field + 7
    stack, (x, local, globals_) = stack_of(config), inputs_of(config, steps)
    changed = x.clone()
    changed[:, at] += 1.0
    with torch.no_grad():
        moved = (stack(x, local, globals_) != stack(changed, local, globals_)).any(dim=-1)
    expected = torch.zeros(2, steps, dtype=torch.bool)
    # With gaps between its taps a stack need not look at every step of its field, but never beyond it.
    expected[:, at : at + field] = True
    assert not (moved & ~expected).any()
    assert moved[:, [at, at + field - 1]].all()
    if list(config.dilations[:4]) == [1, 2, 4, 8]:
        assert torch.equal(moved, expected)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_cached_steps_equal_the_whole_pass(config: WaveNetConfig) -> None:
    steps = 2 * config.receptive_field + 3
    stack, (x, local, globals_) = stack_of(config), inputs_of(config, steps)
    with torch.no_grad():
        whole = stack(x, local, globals_)
        cache = stack.start(2, globals_)
        rows = [stack.step(cache, x[:, t], None if local is None else local[:, t]) for t in range(steps)]
    torch.testing.assert_close(torch.stack(rows, dim=1), whole, rtol=0, atol=1e-10)


def test_cached_steps_equal_the_whole_pass_in_single_precision() -> None:
    config = CONFIGS["powers of two, twice"]
    stack, (x, local, globals_) = stack_of(config).float(), inputs_of(config, 80)
    x, local, globals_ = x.float(), local.float(), globals_.float()
    with torch.no_grad():
        whole = stack(x, local, globals_)
        cache = stack.start(2, globals_)
        rows = [stack.step(cache, x[:, t], local[:, t]) for t in range(80)]
    torch.testing.assert_close(torch.stack(rows, dim=1), whole, rtol=1e-5, atol=1e-5)


def test_equals_the_textbook_convolutions() -> None:
    """An oracle from torch's own dilated convolutions, in their (batch, channels, time) layout."""
    config = WaveNetConfig(3, 6, 5, (1, 2, 4, 1, 2), kernel=3, local=5, globals_=4)
    stack, (x, local, globals_) = stack_of(config), inputs_of(config, 40)
    with torch.no_grad():
        signal = stack.input(x).mT
        condition = stack.local(local) + stack.globals_(globals_).unsqueeze(1)
        total = 0
        for i, dilation in enumerate(config.dilations):
            weight = stack.dilated[i].weight.unflatten(1, (3, 6)).permute(0, 2, 1)
            h = nn.functional.conv1d(
                nn.functional.pad(signal, (2 * dilation, 0)), weight, stack.dilated[i].bias, dilation=dilation
            )
            h = h + condition[..., 12 * i : 12 * i + 12].mT
            out = stack.out[i]((torch.tanh(h[:, :6]) * torch.sigmoid(h[:, 6:])).mT).mT
            total = total + out[:, -5:]
            signal = signal + out[:, :6] if i < 4 else signal
        torch.testing.assert_close(stack(x, local, globals_), total.mT / 5**0.5)


def test_a_frame_holds_for_its_steps() -> None:
    config = CONFIGS["powers of two, twice"]
    stack, (x, local, globals_) = stack_of(config), inputs_of(config, 24, frames=6)
    with torch.no_grad():
        held = stack(x, local.repeat_interleave(4, dim=1), globals_)
        torch.testing.assert_close(stack(x, local, globals_), held)


def test_conditioning_reaches_every_layer() -> None:
    config = CONFIGS["powers of two, twice"]
    stack, (x, local, globals_) = stack_of(config), inputs_of(config, 30)
    for weight in (stack.local.weight, stack.globals_.weight):
        stack.zero_grad()
        stack(x, local, globals_).square().sum().backward()
        assert (weight.grad.unflatten(0, (config.layers, -1)).abs().sum(dim=(1, 2)) > 0).all()


def test_receptive_field_is_a_property_of_the_config() -> None:
    assert WaveNetConfig(1, 4, 4, tuple(2**i for i in range(10)) * 2).receptive_field == 2047
    assert WaveNetConfig(1, 4, 4, (1, 2, 4), kernel=3).receptive_field == 15
    with pytest.raises(ValueError, match="positive"):
        WaveNetConfig(1, 4, 4, (1, 0))
