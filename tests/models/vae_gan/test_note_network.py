"""The network that writes notes: what it is told, and what is hidden from it."""

import dataclasses
import math

import pytest
import torch

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.models.vae_gan.condition import LABEL_RANGES
from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE
from musicgen_ui.models.vae_gan.note_network import VELOCITY_EXPONENT, NoteBatch


def batch(count=5, known=1.0, seed=1) -> NoteBatch:
    source = torch.Generator().manual_seed(seed)
    return NoteBatch(
        instrument=torch.arange(count) % 2,
        known=torch.full((count,), known),
        pitch=torch.randint(30, 90, (count,), generator=source),
        velocity=torch.randint(20, 127, (count,), generator=source).float(),
        z=torch.randn(count, Z_SIZE, generator=source),
        labels=torch.randn(count, LABELS, generator=source),
    )


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


@pytest.mark.parametrize(("drums", "knots", "grid"), [(False, KNOTS, GRID), (True, DRUM_KNOTS, DRUM_GRID)])
@torch.inference_mode()
def test_shapes_and_limits(generator, drums, knots, grid):
    made = generator.network(drums)(batch())
    shapes = {name: tuple(value.shape) for name, value in vars(made).items()}
    assert shapes == {
        "log_amplitude": (5, len(knots), len(grid)),
        "phasor": (5, len(knots), len(grid), 2),
        "bend": (5, len(knots)),
        "log_noise": (5, len(knots), BANDS),
        "log_release": (5,),
    }
    assert torch.allclose(made.phasor.norm(dim=-1), torch.ones(5, len(knots), len(grid)), atol=1e-5)
    assert made.log_amplitude.max() <= 2.0
    assert made.log_noise.max() <= 0.0
    assert made.log_release.exp().min() > 0.003
    assert made.log_release.exp().max() < 3.1


@torch.inference_mode()
def test_a_hidden_instrument_plays_no_role(generator):
    network = generator.network(drums=False)
    hidden = batch(known=0.0)
    others = dataclasses.replace(hidden, instrument=2 - hidden.instrument)
    assert equal(network(hidden), network(others))
    told = dataclasses.replace(hidden, known=torch.ones(5))
    assert not equal(network(told), network(dataclasses.replace(others, known=torch.ones(5))))
    # Neither is the zone, which says of which instrument a pitch is: only the pitch itself remains.
    with torch.no_grad():
        before = network(hidden)
        weight = network.zone.weight.clone()
        network.zone.weight.add_(1.0)
        after = network(hidden)
        network.zone.weight.copy_(weight)
    assert equal(before, after)


@pytest.mark.parametrize("name", ["pitch", "velocity", "z", "labels"])
@torch.inference_mode()
def test_everything_else_is_heard(generator, name):
    network = generator.network(drums=False)
    plain = batch(known=0.0)
    other = dataclasses.replace(plain, **{name: getattr(batch(known=0.0, seed=2), name)})
    assert not equal(network(plain), network(other))


@torch.inference_mode()
def test_a_note_does_not_depend_on_the_others(generator):
    network = generator.network(drums=False)
    notes = batch(7)
    together = network(notes)
    for i in range(7):
        alone = network(NoteBatch(*(value[i : i + 1] for value in vars(notes).values())))
        for name, value in vars(alone).items():
            torch.testing.assert_close(value[0], getattr(together, name)[i], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_it_is_deterministic(generator, make_generator):
    first, again = (g.network(drums=True)(batch()) for g in (generator, make_generator()))
    assert equal(first, again)


@torch.inference_mode()
def test_louder_keys_begin_louder(generator):
    """Before any training the level goes with the velocity's own law."""
    network = generator.network(drums=False)
    plain = dataclasses.replace(batch(), labels=torch.zeros(5, LABELS))
    soft, loud = (
        network(dataclasses.replace(plain, velocity=torch.full((5,), v))).log_amplitude.exp().square().sum()
        for v in (30.0, 120.0)
    )
    law = 20 * VELOCITY_EXPONENT * math.log10(4.0)
    assert 10 * math.log10(loud / soft) == pytest.approx(law, abs=3.0)


@pytest.mark.parametrize("curve", [-1.0, 0.0, 0.5])
@torch.inference_mode()
def test_the_velocity_curve_is_the_one_of_the_training_audio(make_generator, curve):
    network = make_generator().network(drums=False)
    network.head.weight.zero_()
    place = list(LABEL_RANGES).index("velocity_curve")
    labels = torch.zeros(5, LABELS)
    labels[:, place] = curve
    notes = dataclasses.replace(batch(), velocity=torch.tensor([20.0, 40.0, 64.0, 100.0, 127.0]), labels=labels)
    played = 127.0 * (notes.velocity / 127.0) ** (2.0**curve)
    made = network(notes).log_amplitude
    expected = VELOCITY_EXPONENT * torch.log(played / 127.0)
    torch.testing.assert_close(made[:, 5, 0] - made[4, 5, 0], expected, atol=1e-4, rtol=1e-4)


def test_the_prior(generator):
    network = generator.network(drums=False)
    rows = torch.tensor([1, 0])
    mean = network.prior(rows)
    assert torch.equal(mean, network.prior_mean[rows])
    noise = torch.ones(2, Z_SIZE)
    assert torch.allclose(network.prior(rows, noise), mean + network.prior_log_std[rows].exp())
