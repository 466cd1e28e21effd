import pytest
import torch

from musicgen_ui.models.vae_gan.config import Z_SIZE
from musicgen_ui.models.vae_gan.timbre_space import AggregatePrior, morphed


def point(seed):
    return torch.randn(Z_SIZE, generator=torch.Generator().manual_seed(seed)) * (1 + seed % 3)


def test_a_morph_begins_and_ends_where_it_should():
    a, b = point(1), point(2)
    assert torch.equal(morphed(a, b, 0.0), a)
    assert torch.equal(morphed(a, b, 1.0), b)
    torch.testing.assert_close(morphed(a, b, 1e-4), a, atol=1e-2, rtol=0)
    torch.testing.assert_close(morphed(a, b, 1 - 1e-4), b, atol=1e-2, rtol=0)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_its_length_is_between_and_its_angle_in_proportion(share):
    a, b = point(1), point(2)
    middle = morphed(a, b, share)
    assert float(middle.norm()) == pytest.approx(float(torch.lerp(a.norm(), b.norm(), share)), rel=1e-5)

    def angle(x, y):
        return float(torch.arccos(torch.dot(x, y) / x.norm() / y.norm()))

    assert angle(a, middle) == pytest.approx(share * angle(a, b), rel=1e-3)


def test_a_morph_between_equals_stays():
    a = point(1)
    torch.testing.assert_close(morphed(a, a.clone(), 0.4), a)


def test_opposite_and_empty_points_are_no_error():
    a = point(1)
    assert torch.isfinite(morphed(a, -a, 0.5)).all()
    torch.testing.assert_close(morphed(torch.zeros(Z_SIZE), a, 0.5), 0.5 * a)


def test_a_draw_depends_on_its_noise_alone(generator):
    space = AggregatePrior.of(generator)
    first, again, other = space.draw(point(5)), AggregatePrior.of(generator).draw(point(5)), space.draw(point(6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(space.draw(torch.zeros(Z_SIZE)), space.mean)


def test_draws_have_the_moments_of_all_instruments_together(generator):
    network = generator.network(drums=False)
    means, spread = network.prior_mean.detach().double(), network.prior_log_std.detach().double().exp()
    # A mixture of equally likely Gaussians.
    mean = means.mean(dim=0)
    covariance = (means - mean).T @ (means - mean) / len(means) + torch.diag(spread.square().mean(dim=0))
    space = AggregatePrior.of(generator)
    torch.testing.assert_close(space.mean.double(), mean, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close((space.factor @ space.factor.T).double(), covariance, atol=1e-5, rtol=1e-4)
    noise = torch.randn(4000, Z_SIZE, generator=torch.Generator().manual_seed(1))
    draws = torch.stack([space.draw(row) for row in noise]).double()
    torch.testing.assert_close(draws.mean(dim=0), mean, atol=0.1, rtol=0)
    torch.testing.assert_close(draws.var(dim=0), covariance.diagonal(), atol=0.02, rtol=0.12)
