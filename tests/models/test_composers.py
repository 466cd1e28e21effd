"""Every composer's invariants: causal, stepwise equals one pass, padding and hidden parts cost nothing, it learns."""

from dataclasses import replace

import pytest
import torch

from musicgen_ui.models.composer import kl_divergence


@pytest.mark.parametrize("metre", [0, 1])
def test_stepwise_equals_one_pass(composer, make_batch, rng, metre):
    batch = make_batch(rng, bars=5, metre=metre)
    per_bar = 12 if metre else 16
    z = torch.from_numpy(rng.standard_normal((2, 4)).astype("float32"))
    with torch.inference_mode():
        whole = composer.contexts(batch, z)
        state = composer.start(batch.condition, z)
        for step in range(batch.table.shape[1]):
            bar, place = (torch.full((2,), v) for v in divmod(step, per_bar))
            vector, recall = composer.step(state, bar, batch.total_bars, place, per_bar)
            torch.testing.assert_close(vector, whole.vector[:, step], atol=1e-5, rtol=1e-5)
            bars = recall.weights.shape[1]
            torch.testing.assert_close(recall.weights, whole.recall.weights[:, step, :bars], atol=1e-5, rtol=1e-5)
            assert not whole.recall.weights[:, step, bars:].any()
            torch.testing.assert_close(recall.agreement, whole.recall.agreement[:, step], atol=1e-5, rtol=1e-5)
            if step >= per_bar:
                assert torch.equal(recall.rows, whole.recall.rows[:, step, :bars])
            composer.wrote(state, batch.table[:, step], batch.observed, per_bar)


@pytest.mark.parametrize("changed", [0, 17, 40])
def test_a_row_changes_only_later_contexts(composer, batch, changed):
    z = torch.zeros(2, 4)
    table = batch.table.clone()
    table[:, changed, 0] = (table[:, changed, 0] + 1) % 97
    with torch.inference_mode():
        before = composer.contexts(batch, z).vector
        after = composer.contexts(replace(batch, table=table), z).vector
    assert torch.equal(before[:, : changed + 1], after[:, : changed + 1])
    assert not torch.allclose(before[:, changed + 1], after[:, changed + 1])


def test_attention_reaches_back_as_many_bars_as_configured(tiny_lstm, make_batch, rng):
    # Cut the recurrent path, so that only the attention carries anything from one step to the next.
    batch = make_batch(rng, bars=6)
    with torch.no_grad():
        for lstm in tiny_lstm.lstms:
            lstm.weight_hh_l0.zero_()
            forget = slice(tiny_lstm.config.hidden, 2 * tiny_lstm.config.hidden)
            lstm.bias_hh_l0[forget] = -50.0
            lstm.weight_ih_l0[forget] = 0.0
    table = batch.table.clone()
    table[:, 3, 0] = (table[:, 3, 0] + 1) % 97  # bar 0, place 3
    with torch.inference_mode():
        moved = (
            (
                tiny_lstm.contexts(batch, torch.zeros(2, 4)).vector
                - tiny_lstm.contexts(replace(batch, table=table), torch.zeros(2, 4)).vector
            )
            .abs()
            .sum((0, 2))
        )
    touched = set(torch.nonzero(moved > 1e-6).flatten().tolist())
    assert touched == {4, 16 + 3, 32 + 3, 48 + 3, 16 + 4, 32 + 4, 48 + 4}


def test_condition_and_latent_reach_the_output(composer, batch, rng):
    with torch.inference_mode():
        base = composer.contexts(batch, torch.zeros(2, 4)).vector
        for name in ("sliders", "genre", "mode", "metre", "active"):
            value = getattr(batch.condition, name)
            other = (
                1 - value
                if value.dtype.is_floating_point
                else (~value if value.dtype == torch.bool else (value + 1) % 2)
            )
            if name == "metre":
                continue  # changes the bar length too
            known = torch.ones_like(batch.condition.known)
            asked = replace(batch.condition, **{name: other, "known": known})
            kept = replace(batch.condition, known=known)
            left = composer.contexts(replace(batch, condition=asked), torch.zeros(2, 4)).vector
            right = composer.contexts(replace(batch, condition=kept), torch.zeros(2, 4)).vector
            assert (left - right).abs().amax(dim=(1, 2)).min() > 1e-4, name
        assert (composer.contexts(batch, torch.ones(2, 4)).vector - base).abs().max() > 1e-4


def test_an_unknown_slider_has_no_value(composer, batch):
    nothing = replace(batch.condition, known=torch.zeros_like(batch.condition.known))
    moved = replace(nothing, sliders=1 - nothing.sliders)
    with torch.inference_mode():
        a, b = (composer.contexts(replace(batch, condition=c), torch.zeros(2, 4)).vector for c in (nothing, moved))
    assert torch.equal(a, b)


def test_hidden_parts_cost_and_tell_nothing(composer, batch, rng):
    observed = torch.tensor([[True, False, True, False]] * 2)
    hidden = replace(batch, observed=observed)
    table = batch.table.clone()
    from musicgen_ui.music.table import FIELDS

    for i, field in enumerate(FIELDS):
        if field.part in (1, 3):
            table[..., i] = 0
    with torch.inference_mode():
        a, *_ = composer(hidden, torch.zeros(2, 4))
        b, *_ = composer(replace(hidden, table=table), torch.zeros(2, 4))
    for name in a:
        torch.testing.assert_close(a[name][0], b[name][0])
    assert float(a["chords"][0]) == 0.0
    assert float(a["drums"][1]) == 0.0


def test_padding_costs_nothing(composer, batch):
    valid = batch.valid.clone()
    valid[:, 32:] = False
    table = batch.table.clone()
    table[:, 32:] = 0
    with torch.inference_mode():
        a, *_ = composer(replace(batch, valid=valid), torch.zeros(2, 4))
        b, *_ = composer(replace(batch, valid=valid, table=table), torch.zeros(2, 4))
    for name in a:
        torch.testing.assert_close(a[name], b[name])


def test_kl_agrees_with_torch_distributions(rng):
    mean, log_variance = (torch.from_numpy(rng.standard_normal((3, 5))) for _ in range(2))
    q = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_it_overfits_one_batch(composer, make_batch, rng):
    batch = make_batch(rng, batch=1, bars=1)
    composer.train()
    optimiser = torch.optim.Adam(composer.parameters(), lr=2e-2)

    def cost() -> torch.Tensor:
        losses, *_ = composer(batch, torch.zeros(1, 4))
        return sum(total for total, _ in losses.values())

    first = float(cost().detach())
    for _ in range(150):
        optimiser.zero_grad()
        loss = cost()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.1 * first


def test_profile_counts_what_is_struck(batch):
    from musicgen_ui.models.composer import PROFILE, profile
    from musicgen_ui.music.table import COLUMN

    shares, seen = profile(batch, 16)
    assert shares.shape == seen.shape == (2, PROFILE)
    lead = batch.table[0, :, COLUMN["lead_pitch"]].view(5, 16)
    torch.testing.assert_close(shares[0, :16], (lead > 0).float().mean(dim=0))
    torch.testing.assert_close(shares[:, 96:108].sum(dim=1), torch.ones(2))
