import pytest
import torch

from musicgen_ui.models.vae_gan.config import Z_SIZE
from musicgen_ui.models.vae_gan.discriminators import (
    PERIODS,
    RESOLUTIONS,
    Discriminators,
    PeriodDiscriminator,
    adversarial_loss,
    discriminator_loss,
    feature_matching,
)

LENGTH = 8192


@pytest.fixture(scope="module")
def judges() -> Discriminators:
    with torch.random.fork_rng():
        torch.manual_seed(6)
        return Discriminators(periods=False)


def audio(seed, batch=2):
    return 0.1 * torch.randn(batch, LENGTH, generator=torch.Generator().manual_seed(seed))


def timbre(seed, batch=2):
    return torch.randn(batch, Z_SIZE, generator=torch.Generator().manual_seed(seed))


def scored(value):
    return [(torch.full((2, 5), value), []) for _ in range(3)]


def test_losses_are_zero_at_their_optimum_alone():
    assert discriminator_loss(scored(1.0), scored(0.0)) == 0
    assert discriminator_loss(scored(0.0), scored(0.0)) == 1
    assert discriminator_loss(scored(1.0), scored(1.0)) == 1
    assert adversarial_loss(scored(1.0)) == 0
    assert adversarial_loss(scored(0.0)) == 1


def test_each_resolution_judges(judges):
    assert len(judges.judges) == len(RESOLUTIONS)
    for scores, features in judges(audio(1), timbre(2)):
        assert scores.shape[0] == 2
        assert len(features) == 5
        assert torch.isfinite(scores).all()


def test_feature_matching_is_a_distance(judges):
    with torch.no_grad():
        real, made = judges(audio(1), timbre(2)), judges(audio(3), timbre(2))
    assert feature_matching(real, real) == 0
    assert feature_matching(real, made) > 0.01


def test_feature_matching_teaches_the_made_side_alone(judges):
    made, real = audio(3).requires_grad_(), audio(1).requires_grad_()
    feature_matching(judges(real, timbre(2)), judges(made, timbre(2))).backward()
    assert real.grad is None
    assert made.grad.norm() > 0


def test_a_quiet_stem_is_judged_like_a_loud_one(judges):
    with torch.no_grad():
        loud, quiet = (judges(gain * audio(1), timbre(2)) for gain in (1.0, 0.02))
    for (a, _), (b, _) in zip(loud, quiet, strict=True):
        torch.testing.assert_close(a, b, rtol=0.02, atol=0.02)


def test_the_timbre_is_part_of_the_question(judges):
    with torch.no_grad():
        one, other = judges(audio(1), timbre(2)), judges(audio(1), timbre(7))
    assert all((a - b).abs().max() > 1e-3 for (a, _), (b, _) in zip(one, other, strict=True))


def test_stems_of_a_batch_are_judged_apart(judges):
    with torch.no_grad():
        together, alone = judges(audio(1), timbre(2)), judges(audio(1)[:1], timbre(2)[:1])
    for (a, _), (b, _) in zip(together, alone, strict=True):
        torch.testing.assert_close(a[:1], b, rtol=1e-4, atol=1e-4)


def test_periods():
    with torch.random.fork_rng():
        torch.manual_seed(6)
        judge = PeriodDiscriminator(7)
        assert len(Discriminators(periods=True).judges) == len(RESOLUTIONS) + len(PERIODS)
    with torch.no_grad():
        scores, features = judge(audio(1)[:, :3000], timbre(2))
    assert scores.shape[0] == 2
    assert all(feature.shape[3] == 7 for feature in features)


def test_it_can_tell_noise_from_tones(judges):
    """A few steps are enough."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        learner = Discriminators(periods=False)
    optimiser = torch.optim.Adam(learner.parameters(), lr=2e-3)
    tones = 0.1 * torch.sin(torch.arange(LENGTH) * torch.tensor([[0.05], [0.11]]))
    losses = []
    for _ in range(6):
        loss = discriminator_loss(learner(tones, timbre(2)), learner(audio(3), timbre(2)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
