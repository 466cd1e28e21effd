"""Losses are zero where they should be, and agree with what the textbook says."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from musicgen_ui.audio.partials import BANDS, GRID, KNOTS
from musicgen_ui.models.vae_gan.note_network import Envelopes
from musicgen_ui.training.vae_gan_losses import (
    WEIGHTS,
    divergence,
    note_losses,
    recognition,
    to_standard,
    weighted,
)
from musicgen_ui.training.vae_gan_notes import NoteTargets

T = torch.tensor(KNOTS, dtype=torch.float32)
COUNT = 3


def targets() -> NoteTargets:
    source = torch.Generator().manual_seed(2)
    shape = (COUNT, len(KNOTS), len(GRID))
    return NoteTargets(
        pitch=torch.tensor([60, 62, 64]),
        velocity=torch.tensor([90.0, 30.0, 120.0]),
        amplitude=0.05 * torch.rand(shape, generator=source) + 0.001,
        angle=torch.randn(shape, generator=source),
        bend=10 * torch.randn(COUNT, len(KNOTS), generator=source),
        noise=0.01 * torch.rand(COUNT, len(KNOTS), BANDS, generator=source) + 1e-4,
        release=torch.tensor([0.1, 0.3, 1.0]),
    )


def exact(t: NoteTargets) -> dict[str, torch.Tensor]:
    return {
        "log_amplitude": t.amplitude.log(),
        "phasor": torch.stack([torch.cos(t.angle), torch.sin(t.angle)], dim=-1),
        "bend": t.bend,
        "log_noise": t.noise.log(),
        "log_release": t.release.log(),
    }


def losses(known=1.0, **changes):
    t = targets()
    return note_losses(Envelopes(**(exact(t) | changes)), t, T, torch.full((COUNT,), known))


def test_what_equals_its_analysis_costs_nothing():
    found = losses()
    assert set(found) == set(WEIGHTS)
    # The root has a small floor of its own.
    assert {name: float(value) for name, value in found.items()} == pytest.approx(dict.fromkeys(WEIGHTS, 0), abs=2e-3)
    assert float(weighted(found)) < 3e-3


@pytest.mark.parametrize(
    ("field", "kinds"),
    [
        ("log_amplitude", {"log", "linear", "complex"}),
        ("phasor", {"complex"}),
        ("bend", {"bend"}),
        ("log_noise", {"noise"}),
        ("log_release", {"release"}),
    ],
)
def test_each_fault_is_told_by_its_own_losses(field, kinds):
    wrong = exact(targets())[field]
    wrong = -wrong if field == "phasor" else wrong + 0.5
    found = losses(**{field: wrong})
    assert {name for name, value in found.items() if value > 0.01} == kinds


def test_half_a_neper_is_half_a_neper():
    found = losses(log_amplitude=targets().amplitude.log() + 0.5, log_noise=targets().noise.log() - 0.25)
    assert float(found["log"]) == pytest.approx(0.5, rel=0.02)
    assert float(found["noise"]) == pytest.approx(0.25, rel=0.1)
    assert float(found["linear"]) == pytest.approx(math.exp(0.5) - 1, rel=0.02)


def test_phases_count_only_where_the_instrument_is_known():
    found = losses(known=0.0, phasor=-exact(targets())["phasor"])
    assert float(found["complex"]) == 0


def test_opposite_phases_are_twice_the_sound():
    assert float(losses(phasor=-exact(targets())["phasor"])["complex"]) == pytest.approx(2.0, rel=1e-3)


def test_what_is_silent_may_be_anything_below_the_floor():
    """A silent partial that is written as very soft costs nothing, as a loud one it does."""
    t = targets()
    t.amplitude[:, :, 5:] = 0.0
    known = torch.ones(COUNT)
    plain = exact(t) | {"log_amplitude": t.amplitude.clamp(min=1e-12).log()}
    soft, loud = (plain["log_amplitude"].clone() for _ in range(2))
    soft[:, :, 5:] = math.log(1e-8)
    loud[:, :, 5:] = math.log(1e-2)
    costs = [float(note_losses(Envelopes(**(plain | {"log_amplitude": x})), t, T, known)["log"]) for x in (soft, loud)]
    assert costs[0] < 1e-3
    assert costs[1] > 1.0


def gaussians():
    source = torch.Generator().manual_seed(3)
    return [torch.randn(4, 32, generator=source) for _ in range(4)]


def test_divergence_is_that_of_the_textbook():
    mean, log_variance, prior_mean, prior_log_std = gaussians()
    expected = kl_divergence(Normal(mean, torch.exp(0.5 * log_variance)), Normal(prior_mean, prior_log_std.exp()))
    torch.testing.assert_close(
        divergence(mean, log_variance, prior_mean, prior_log_std), expected, rtol=1e-4, atol=1e-4
    )
    assert divergence(mean, 2 * prior_log_std, mean, prior_log_std).abs().max() < 1e-5


def test_distance_from_the_standard_normal():
    mean, log_std, *_ = gaussians()
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).mean()
    assert float(to_standard(mean, log_std)) == pytest.approx(float(expected), rel=1e-4)
    assert float(to_standard(torch.zeros(2, 32), torch.zeros(2, 32))) == 0


def test_recognition_is_the_posterior_of_a_gaussian_mixture():
    z, prior_mean, prior_log_std, _ = gaussians()
    prior_log_std = 0.1 * prior_log_std
    instrument = torch.tensor([0, 1, 2, 3])
    mixture = MixtureSameFamily(Categorical(torch.ones(4)), Independent(Normal(prior_mean, prior_log_std.exp()), 1))
    joint = mixture.component_distribution.log_prob(z.unsqueeze(1))
    # Per dimension of z (over its root), so that the classifier does not begin certain.
    expected = torch.nn.functional.cross_entropy(joint / math.sqrt(32), instrument)
    assert float(recognition(z, prior_mean, prior_log_std, instrument)) == pytest.approx(float(expected), rel=1e-4)


def test_recognition_wants_z_at_its_own_prior():
    _, prior_mean, _, _ = gaussians()
    log_std = torch.full_like(prior_mean, -2.0)
    rows = torch.arange(4)
    right, wrong = (float(recognition(prior_mean[r], prior_mean, log_std, rows)) for r in (rows, rows.roll(1)))
    assert right < 1e-3
    assert wrong > 1.0
    assert np.isfinite(wrong)
