"""The prior finds a Gaussian whose mean the style decides."""

import numpy as np
import torch

from musicgen_ui.models.latent import FEATURES, LatentPrior, features


def test_it_is_the_standard_normal_until_it_is_fitted(make_batch, rng):
    condition = make_batch(rng, batch=3).condition
    noise = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(LatentPrior(4)(condition, noise), noise)


def test_features_say_every_control_and_nothing_of_what_is_unknown(make_batch, rng):
    from dataclasses import replace

    condition = make_batch(rng, batch=4).condition
    assert features(condition).shape == (4, FEATURES)
    unknown = replace(condition, known=torch.zeros_like(condition.known))
    moved = replace(unknown, sliders=1 - unknown.sliders)
    assert torch.equal(features(unknown), features(moved))
    assert not torch.equal(features(condition), features(unknown))


def test_a_known_gaussian_is_recovered(rng):
    inputs = torch.zeros(6000, FEATURES)
    choice = torch.from_numpy(rng.integers(0, 5, 6000))
    inputs[torch.arange(6000), choice] = 1.0
    means = torch.from_numpy(rng.standard_normal((5, 3)) * 3)
    factor = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.8, 0.0], [-0.3, 0.2, 0.4]], dtype=torch.double)
    z = means[choice] + torch.from_numpy(rng.standard_normal((6000, 3))) @ factor.T
    prior = LatentPrior(3)
    explained = prior.fit(inputs, z)
    torch.testing.assert_close(prior.weight[:5].double(), means, atol=0.1, rtol=0)
    torch.testing.assert_close(prior.factor.double(), factor, atol=0.05, rtol=0)
    assert explained > 0.8
    np.testing.assert_allclose(prior.factor, np.tril(prior.factor))
