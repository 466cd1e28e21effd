"""The stem level begins as an identity, and a piece of it depends on its surroundings only as far as it says."""

import pytest
import torch

from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE, StemConfig
from musicgen_ui.models.vae_gan.stem import HOP, StemGenerator

TINY = StemConfig(width=8, hidden=12, blocks=2, mels=16)


def made(config=TINY, scale=1.0) -> StemGenerator:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        stem = StemGenerator(config).eval()
        with torch.no_grad():
            for head in (stem.filter_head, stem.residual_head):
                head.weight.mul_(scale)
    return stem


def inputs(batch=1, hops=40):
    source = torch.Generator().manual_seed(5)
    length = hops * HOP
    time = torch.arange(length) / 44_100
    tones = torch.stack([0.2 * torch.sin(2 * torch.pi * 220 * (i + 1) * time) for i in range(batch)])
    return {
        "stem": tones + 0.02 * torch.randn(batch, length, generator=source),
        "z": torch.randn(batch, Z_SIZE, generator=source),
        "labels": torch.zeros(batch, LABELS),
        "drums": torch.arange(batch).float() % 2,
        "noise": torch.randn(1, length, generator=source).expand(batch, -1),
    }


def decibels(error, signal):
    return 20 * torch.log10(error.norm() / signal.norm())


@pytest.mark.parametrize("config", [TINY, StemConfig()], ids=["tiny", "default"])
@torch.inference_mode()
def test_it_begins_as_an_identity(config):
    given = inputs(hops=24)
    out = made(config)(**given)
    assert out.shape == given["stem"].shape
    assert decibels(out - given["stem"], given["stem"]) < -50


@torch.inference_mode()
def test_silence_stays_silent():
    given = inputs() | {"stem": torch.zeros(1, 40 * HOP)}
    assert made()(**given).abs().max() < 1e-5


@pytest.mark.parametrize("what", ["stem", "noise"])
@torch.inference_mode()
def test_the_context_is_the_receptive_field(what):
    stem = made(scale=300.0)
    assert stem.context % HOP == 0
    place = 30 * HOP + 100
    given = inputs(hops=60)
    changed = {name: value.clone() for name, value in given.items()}
    changed[what][:, place] += 5.0
    apart = (stem(**changed) - stem(**given))[0].abs()
    touched = torch.nonzero(apart > 0).flatten()
    assert place - stem.context <= touched.min()
    assert touched.max() <= place + stem.context
    assert apart[place - 500 : place + 500].max() > 1e-3
    if what == "stem":
        # It looks both ways, about as far as it says.
        assert touched.min() < place - stem.context // 2
        assert touched.max() > place + stem.context // 2


@torch.inference_mode()
def test_pieces_with_context_equal_the_whole():
    stem = made(scale=300.0)
    given = inputs(hops=80)
    whole = stem(**given)
    begin, end = 30 * HOP, 40 * HOP
    left, right = begin - stem.context, end + stem.context
    assert left > 0
    assert right < 80 * HOP
    piece = stem(
        given["stem"][:, left:right], given["z"], given["labels"], given["drums"], given["noise"][:, left:right]
    )
    inner = piece[:, begin - left : end - left]
    assert (inner - whole[:, begin:end]).abs().max() < 1e-5
    assert (whole - given["stem"]).abs().max() > 0.01


@torch.inference_mode()
def test_stems_of_a_batch_do_not_hear_each_other():
    stem, given = made(scale=300.0), inputs(batch=3)
    together = stem(**given)
    for i in range(3):
        alone = stem(**{name: value[i : i + 1] for name, value in given.items()})
        assert (alone[0] - together[i]).abs().max() < 1e-5


def test_every_part_of_it_learns():
    stem, given = made(), inputs(batch=2)
    target = torch.randn(given["stem"].shape, generator=torch.Generator().manual_seed(9))
    (stem(**given) - target).square().mean().backward()
    without = [name for name, p in stem.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert not without
    assert stem.filter_head.weight.grad.norm() > 0
    assert stem.residual_head.weight.grad.norm() > 0
