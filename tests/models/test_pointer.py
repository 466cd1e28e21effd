"""The pointer copies what it says: shares, mixtures and gates by hand, causality, and how soon it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicgen_ui.models.pointer import AGREEMENTS, COMPARED, RECALLED, WINDOWS, BarPointer, CopyGate, Recall
from musicgen_ui.music.table import COLUMN, FIELDS

BASS = RECALLED.index(COLUMN["bass_pitch"])


def recall_of(weights: list[float], bass: list[int]) -> Recall:
    """One step that looks back at bars with these bass notes."""
    rows = torch.zeros(1, len(bass), len(RECALLED), dtype=torch.long)
    rows[0, :, BASS] = torch.tensor(bass)
    return Recall(torch.tensor([weights]), rows, torch.zeros(1, AGREEMENTS))


def test_shares_and_distribution_add_the_weights_of_equal_values():
    recall = recall_of([0.5, 0.2, 0.3], [7, 3, 7])
    torch.testing.assert_close(recall.share("bass_pitch", torch.tensor([7])), torch.tensor([0.8]))
    distribution = recall.distribution("bass_pitch", 9)
    torch.testing.assert_close(distribution, torch.tensor([[0, 0, 0, 0.2, 0, 0, 0, 0.8, 0]]))


def test_given_a_value_only_the_bars_that_had_it_are_left():
    recall = recall_of([0.5, 0.2, 0.3], [7, 3, 7]).given("bass_pitch", torch.tensor([7]))
    torch.testing.assert_close(recall.weights, torch.tensor([[0.625, 0.0, 0.375]]))
    assert not recall.given("bass_pitch", torch.tensor([5])).weights.any()


def test_the_mixture_is_a_distribution_and_costs_what_it_says():
    gate = CopyGate(4)
    torch.nn.init.zeros_(gate.net.bias)  # g = 1/2
    recall, held, logits = recall_of([0.75, 0.25], [2, 1]), torch.zeros(1, 4), torch.zeros(1, 4)
    mixed = gate.mixture(held, recall, logits, "bass_pitch")
    torch.testing.assert_close(mixed.exp(), torch.tensor([[0.125, 0.25, 0.5, 0.125]]))
    for value in range(4):
        cost = gate.nats(held, recall, logits, "bass_pitch", torch.tensor([value]))
        torch.testing.assert_close(cost, -mixed[0, value])


def test_where_there_is_nothing_to_copy_the_head_decides_alone():
    gate = CopyGate(4)
    torch.nn.init.constant_(gate.net.bias, 5.0)
    logits = torch.tensor([[1.0, -1.0, float("-inf"), 0.5]])
    nothing = recall_of([0.0], [1])
    torch.testing.assert_close(gate.mixture(torch.zeros(1, 4), nothing, logits, "bass_pitch"), logits.log_softmax(-1))
    cost = gate.nats(torch.zeros(1, 4), nothing, logits, "bass_pitch", torch.tensor([0]))
    torch.testing.assert_close(cost, -logits.log_softmax(-1)[0, 0])


def test_gradients_are_finite_where_there_is_nothing_to_copy():
    gate, held = CopyGate(4), torch.zeros(1, 4, requires_grad=True)
    gate.nats(held, recall_of([0.0], [1]), torch.zeros(1, 4), "bass_pitch", torch.tensor([0])).backward()
    assert torch.isfinite(held.grad).all()


@pytest.fixture
def pointer() -> BarPointer:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return BarPointer(6, bars=3).eval()


def song(rng, bars: int = 6) -> torch.Tensor:
    """A bar, four others, and the bar again: (1, steps, fields)."""
    table = torch.from_numpy(rng.integers(1, 4, (1, bars * 16, len(FIELDS))))
    table[:, -16:] = table[:, 3 * 16 : 4 * 16]
    return table


def test_rows_are_those_of_the_same_place_in_earlier_bars(pointer, rng):
    table = song(rng)
    with torch.inference_mode():
        recall = pointer(torch.zeros(1, 96, 6), table, torch.ones(1, 4, dtype=torch.bool), 16)
    for step in (16, 47, 95):
        for lag in range(1, min(3, step // 16) + 1):
            assert torch.equal(recall.rows[0, step, lag - 1], table[0, step - 16 * lag, list(RECALLED)])
    assert not recall.weights[:, :16].any()
    torch.testing.assert_close(recall.weights[:, 16:].sum(-1), torch.ones(1, 80))


def test_what_agreed_so_far_is_pointed_at(pointer, rng):
    """With states that say nothing, only the recent past can tell which bar has come back."""
    with torch.inference_mode():
        recall = pointer(torch.zeros(1, 96, 6), song(rng), torch.ones(1, 4, dtype=torch.bool), 16)
    assert recall.weights[0, 80].argmax() != 1 or recall.weights[0, 80].max() < 0.9, (
        "nothing is known at its first step"
    )
    assert (recall.weights[0, 88:, 1] > 0.6).all(), "two bars back"
    agreement = recall.agreement[0, 95].view(len(WINDOWS), len(COMPARED))
    assert agreement[0].min() > 0.7


def test_hidden_parts_agree_with_nothing(pointer, rng):
    observed = torch.tensor([[False, False, False, False]])
    with torch.inference_mode():
        agreement = pointer(torch.zeros(1, 96, 6), song(rng), observed, 16).agreement
    by_column = agreement.view(1, 96, len(WINDOWS), len(COMPARED)).sum(dim=(0, 1, 2))
    assert by_column[0] > 0
    assert not by_column[1:].any()


@pytest.mark.parametrize("changed", [3, 40])
def test_a_row_changes_only_later_steps(pointer, rng, changed):
    table, observed, state = song(rng), torch.ones(1, 4, dtype=torch.bool), torch.randn(1, 96, 6)
    other = table.clone()
    other[:, changed] = other[:, changed] % 3 + 1
    with torch.inference_mode():
        before, after = (pointer(state, t, observed, 16) for t in (table, other))
    for name in ("weights", "rows", "agreement"):
        same = (getattr(before, name) == getattr(after, name)).flatten(2).all(dim=-1)[0]
        assert same[: changed + 1].all(), name
    assert not torch.equal(before.rows[0, changed + 16], after.rows[0, changed + 16])


def test_a_repeat_is_cheaper_with_the_pointer(tiny_lstm, make_batch, rng):
    """The gates need a few steps to learn what heads alone would need thousands for."""
    batch = make_batch(rng, batch=2, bars=4)
    optimiser = torch.optim.Adam(tiny_lstm.parameters(), lr=2e-2)

    def cost(table: torch.Tensor) -> torch.Tensor:
        context = tiny_lstm.contexts(replace(batch, table=table), torch.zeros(2, 4))
        losses = tiny_lstm.heads.losses(*context, table, batch.observed, batch.valid)
        return sum(total for name, (total, _) in losses.items() if name in tiny_lstm.heads.gates)

    first = float(cost(batch.table[:, :16].repeat(1, 4, 1)).detach())
    for _ in range(12):
        optimiser.zero_grad()
        # New music each time, so that nothing but the repeat itself can be learned.
        table = make_batch(rng, batch=2, bars=4).table[:, :16].repeat(1, 4, 1)
        cost(table).backward()
        optimiser.step()
    fresh = make_batch(rng, batch=2, bars=4).table
    with torch.inference_mode():
        assert float(cost(fresh[:, :16].repeat(1, 4, 1))) < 0.6 * first
        assert float(cost(fresh)) > 0.8 * first, "what never came before cannot be copied"
