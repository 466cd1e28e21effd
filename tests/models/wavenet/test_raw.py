"""The raw-audio model: causal in audio, conditioned on all that it is told, exact tables, a faithful checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicgen_ui.models import checkpoint
from musicgen_ui.models.wavenet.excitation import EXCITATION, TONE_SIZE
from musicgen_ui.models.wavenet.frames import FRAME_FEATURES, HOP
from musicgen_ui.models.wavenet.mu_law import CLASSES, SILENCE
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig

CONFIG = RawWaveNetConfig(
    residual=8,
    skip=12,
    dilations=(1, 2, 4, 8) * 2,
    frame_hidden=10,
    frame_width=6,
    instrument_width=3,
    programs=(0, 73, 33),
    lows=(24, 48, 24),
    highs=(96, 96, 60),
    gains=(1.0, 2.0, 0.5),
)
FRAMES = 4
STEPS = FRAMES * HOP


@pytest.fixture
def model() -> RawWaveNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return RawWaveNet(CONFIG).eval()


@pytest.fixture
def inputs() -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [
        torch.randint(0, CLASSES, (2, STEPS), generator=draw),
        torch.randn(2, STEPS, EXCITATION, generator=draw),
        torch.randn(2, FRAMES, FRAME_FEATURES, generator=draw),
        torch.tensor([0, 2]),
        torch.tensor([[0.0], [0.7]]),
    ]


@torch.no_grad()
def test_a_sample_alters_nothing_but_the_receptive_field_after_it(model, inputs):
    before = model(*inputs)
    at = 70
    changed = inputs[0].clone()
    changed[0, at] = (changed[0, at] + 100) % CLASSES
    differs = (model(changed, *inputs[1:]) != before).any(dim=-1)
    assert not differs[1].any()
    where = torch.nonzero(differs[0]).flatten()
    # The prediction of sample t sees the samples before it.
    assert where[0] == at + 1
    # Rectifiers may hide the last of them; the stack's own tests reach them.
    assert at + CONFIG.stack.receptive_field // 2 < where[-1] <= at + CONFIG.stack.receptive_field


@torch.no_grad()
def test_excitation_acts_at_once_and_only_forward(model, inputs):
    before = model(*inputs)
    changed = inputs[1].clone()
    changed[0, 70] += 1.0
    where = torch.nonzero((model(inputs[0], changed, *inputs[2:]) != before)[0].any(dim=-1)).flatten()
    assert where[0] == 70
    assert where[-1] < 70 + CONFIG.stack.receptive_field


@torch.no_grad()
def test_the_guess_is_the_excitation_filtered_and_knows_nothing_of_the_past(model, inputs):
    _, guess = model.with_guess(*inputs)
    _, other = model.with_guess((inputs[0] + 9) % CLASSES, *inputs[1:])
    torch.testing.assert_close(guess, other)
    _, twice = model.with_guess(inputs[0], 2.0 * inputs[1], *inputs[2:])
    torch.testing.assert_close(twice, 2.0 * guess)
    features = model.features(*inputs[1:])
    assert features.shape == (2, STEPS, CONFIG.features)
    torch.testing.assert_close(features[..., :EXCITATION], inputs[1])
    assert features[..., EXCITATION:].abs().max() <= 1.0


@torch.no_grad()
@pytest.mark.parametrize("which", [2, 3, 4])
def test_frames_instrument_and_c_are_heard(model, inputs, which):
    changed = list(inputs)
    changed[which] = (inputs[which] + 1) % 3 if which == 3 else inputs[which] + 1.0
    assert (model(*changed) - model(*inputs)).abs().max() > 1e-3


@torch.no_grad()
def test_conditioning_is_what_the_stack_adds(model, inputs):
    table = model.conditioning(*inputs[2:])
    assert table.shape == (2, FRAMES, CONFIG.layers, 2 * CONFIG.residual)
    local = model.local(*inputs[2:])
    torch.testing.assert_close(table.flatten(2), model.stack.conditioning(local, None))


@torch.no_grad()
def test_one_sample_after_another_gives_the_same_logits(model, inputs):
    classes, excitation, *told = inputs
    local = model.local(*told)
    features = model.features(excitation, *told)
    cache = model.stack.start(2)
    before = torch.full((2,), SILENCE)
    rows = []
    for t in range(STEPS):
        x = model.previous(before) + model.excite(features[:, t])
        rows.append(model.head(model.stack.step(cache, x, local[:, t // HOP])))
        before = classes[:, t]
    torch.testing.assert_close(torch.stack(rows, dim=1), model(*inputs), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_neighbouring_classes_begin_alike(model):
    for weight in (model.previous.weight, model.logits.weight):
        near = (weight[1:] - weight[:-1]).norm(dim=1).mean()
        far = (weight[CLASSES // 2 :] - weight[: CLASSES // 2]).norm(dim=1).mean()
        assert near < 0.4 * far


@torch.no_grad()
def test_a_checkpoint_gives_the_model_back(model, inputs, tmp_path):
    path = tmp_path / "raw.safetensors"
    checkpoint.save(path, model, CONFIG, {"model": "raw-audio WaveNet"})
    loaded = checkpoint.load_into(path, RawWaveNet, RawWaveNetConfig, "cpu")
    assert loaded.config == CONFIG
    torch.testing.assert_close(loaded(*inputs), model(*inputs), atol=2e-2, rtol=2e-2)


def test_every_instrument_has_its_own_tones(model):
    model.tone_rows.copy_(torch.arange(CONFIG.pitches)[:, None].expand(-1, TONE_SIZE))
    found = [model.tones(i)(p).cents for i, p in ((0, 24), (0, 96), (1, 48), (2, 24), (2, 60), (2, 90), (1, 10))]
    assert found == [0.0, 72.0, 73.0, 122.0, 158.0, 158.0, 73.0]


def test_a_vocabulary_of_unequal_columns_is_refused():
    with pytest.raises(ValueError, match="of one length"):
        replace(CONFIG, gains=(1.0,))


def test_the_model_that_ships_is_small():
    model = RawWaveNet(RawWaveNetConfig())
    assert sum(p.numel() for p in model.parameters()) < 320_000
