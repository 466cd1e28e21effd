"""A guide that leans: weights are shares, what is illegal is left alone, echoes follow what was written."""

from __future__ import annotations

import pytest
import torch

from musicgen_ui.models.lean import LAYERS, Echo, Lean, Pull
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS

STEPS, TAKES = 4, 3


def table(**columns: int) -> torch.Tensor:
    rows = torch.zeros(STEPS, len(FIELDS), dtype=torch.long)
    for name, value in columns.items():
        rows[:, COLUMN[name]] = value
    return rows


def pull(weight: float, rows: torch.Tensor, *, fits: bool = False) -> Pull:
    weights = torch.full((STEPS, len(LAYERS)), weight, dtype=torch.float64)
    return Pull(rows, weights, torch.full((STEPS,), fits))


def lean(*pulls: Pull, echo: Echo | None = None) -> Lean:
    return Lean(pulls, echo, TAKES, "cpu")


def chances(guide: Lean, choice: str, classes: int = 8) -> torch.Tensor:
    return guide.lean(choice, torch.zeros(TAKES, classes), 1).exp()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_weight_is_the_share_that_stays(weight):
    found = chances(lean(pull(weight, table(bass_pitch=5))), "bass")
    found = found / found.sum(dim=-1, keepdim=True)
    assert found[:, 5].tolist() == pytest.approx([weight + (1 - weight) / 8] * TAKES)


def test_two_clips_share_and_the_composer_has_the_rest():
    found = chances(lean(pull(0.5, table(drums=1)), pull(0.25, table(drums=2))), "drums")[0]
    assert found[:3].tolist() == pytest.approx([0.25 / 8, 0.5 + 0.25 / 8, 0.25 + 0.25 / 8])


def test_details_have_no_class_for_nothing_and_nothing_leans_where_there_is_none():
    guide = lean(pull(1.0, table(lead_duration=3)))
    assert chances(guide, "lead_duration")[0].argmax() == 2
    assert chances(guide, "lead_velocity").ravel().tolist() == pytest.approx([1 / 8] * 8 * TAKES)


def test_what_is_illegal_is_left_to_the_composer():
    logits = torch.zeros(TAKES, 8)
    logits[0, 5] = float("-inf")
    found = lean(pull(1.0, table(lead_pitch=5))).lean("lead", logits, 0).exp()
    assert found[0].tolist() == pytest.approx([1 / 7] * 5 + [0.0] + [1 / 7] * 2)
    assert found[1, 5] == 1.0


def test_further_notes_lean_only_where_the_first_is_the_same():
    rows = table()
    rows[:, list(NOTE_COLUMNS[:2])] = torch.tensor([2, 4])
    guide = lean(pull(1.0, rows))
    assert chances(guide, "chords")[0, 2] == 1.0
    guide.chose("chords", torch.tensor([2, 3, 0]))
    found = chances(guide, "chords+")
    assert found[0, 4] == 1.0
    assert found[1:].ravel().tolist() == pytest.approx([1 / 8] * 16)


def test_a_tune_over_another_harmony_keeps_its_rhythm_and_looks_nearby():
    found = chances(lean(pull(1.0, table(lead_pitch=4), fits=True)), "lead")[0]
    assert found[0] == 0.0
    assert found[4] > found[5] > found[7] > 0
    assert chances(lean(pull(1.0, table(), fits=True)), "lead")[0, 0] == 1.0


def test_an_echo_follows_what_each_take_wrote_and_what_it_goes_on_from():
    origin = torch.tensor([-1, 0, -1, -1])
    mask = torch.zeros(STEPS, len(FIELDS), dtype=torch.bool)
    mask[1, COLUMN["bass_pitch"]] = True
    guide = lean(pull(1.0, table(bass_pitch=7, lead_pitch=6)), echo=Echo(origin, mask))
    row = torch.zeros(TAKES, len(FIELDS), dtype=torch.long)
    row[:, COLUMN["bass_pitch"]] = torch.tensor([1, 2, 3])
    guide.wrote(row, 0)
    assert chances(guide, "bass").argmax(dim=-1).tolist() == [1, 2, 3]
    guide.select(torch.tensor([2, 2, 0]))
    assert chances(guide, "bass").argmax(dim=-1).tolist() == [3, 3, 1]
    assert chances(guide, "lead").argmax(dim=-1).tolist() == [6, 6, 6]
