"""Sampling: legal tables only, the same noise gives the same table, and the frequencies are the softmax's."""

import numpy as np
import pytest
import torch

from musicgen_ui.models.pick import SamplingConfig, pick
from musicgen_ui.models.sampling import draw_noise, write_tables
from musicgen_ui.models.step_writer import DECISIONS
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS, DrumVocabulary, from_table, steps_left
from musicgen_ui.music.tokens import TIMINGS, decode


def ignore(stage, done, total):
    pass


def compose(model, seeds, bars=2, metre=0, active=(True, True, True, True), hook=ignore):
    from dataclasses import replace

    rng = np.random.default_rng(0)
    condition = _condition(rng, len(seeds), metre)
    condition = replace(condition, active=torch.tensor([active] * len(seeds)))
    per_bar = 12 if metre else 16
    z, noise = draw_noise(seeds, bars * per_bar, model.config.latent)
    return write_tables(
        model, condition.expand(len(seeds)), z, noise, steps_per_bar=per_bar, config=SamplingConfig(), hook=hook
    )


def _condition(rng, batch, metre):
    from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition
    from musicgen_ui.style import GENRES

    return Condition(
        sliders=torch.full((1, len(CONDITION_SLIDERS)), 0.5),
        known=torch.ones(1, len(CONDITION_SLIDERS), dtype=torch.bool),
        genre=torch.zeros(1, len(GENRES)),
        mode=torch.tensor([1]),
        metre=torch.tensor([metre]),
        active=torch.ones(1, 4, dtype=torch.bool),
    )


def test_pick_follows_the_softmax():
    logits = torch.tensor([[1.0, 0.0, -1.0, float("-inf")]]).expand(20_000, -1)
    noise = torch.linspace(0, 1, 20_001)[:-1]
    counts = torch.bincount(pick(logits, noise, temperature=1.0, top_k=10, top_p=1.0), minlength=4) / 20_000
    torch.testing.assert_close(counts, torch.softmax(logits[0], 0), atol=1e-3, rtol=0)


def test_pick_keeps_the_smallest_set_of_mass_top_p():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(1000, -1)
    noise = torch.linspace(0, 1, 1001)[:-1]
    assert set(pick(logits, noise, temperature=1.0, top_k=10, top_p=0.7).tolist()) == {0, 1}
    assert set(pick(logits, noise, temperature=1.0, top_k=1, top_p=1.0).tolist()) == {0}


def test_a_rest_keeps_its_probability_and_the_limits_choose_among_the_others():
    p = torch.tensor([0.96, 0.02, 0.015, 0.005])
    noise = torch.linspace(0, 1, 10_001)[:-1]
    limits = {"temperature": 1.0, "top_k": 2, "top_p": 0.9, "rest": True}
    counts = torch.bincount(pick(torch.log(p).expand(10_000, -1), noise, **limits), minlength=4) / 10_000
    torch.testing.assert_close(counts, torch.tensor([0.96, 0.04 * 20 / 35, 0.04 * 15 / 35, 0.0]), atol=2e-4, rtol=0)


def test_a_rest_can_be_certain_or_impossible():
    noise = torch.linspace(0, 1, 101)[:-1]
    for certain, expected in ((True, {0}), (False, {1, 2})):
        logits = torch.tensor([[30.0 if certain else float("-inf"), -30.0, -30.0]]).expand(100, -1)
        picked = pick(logits.clone(), noise, temperature=0.5, top_k=5, top_p=0.99, rest=True)
        assert set(picked.tolist()) == expected


@pytest.mark.parametrize("noise", [0.0, 1.0 - 2**-24])
def test_pick_never_takes_an_illegal_class(noise):
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf"), 0.0, float("-inf")]])
    assert int(pick(logits, torch.tensor([noise]), temperature=1.0, top_k=5, top_p=1.0)) in (1, 3)


def test_noise_of_a_take_does_not_depend_on_the_others():
    z, noise = draw_noise([7, 8], 5, 3)
    alone_z, alone = draw_noise([8], 5, 3)
    assert torch.equal(z[1:], alone_z)
    assert torch.equal(noise[1:], alone)
    assert noise.shape == (2, 5, DECISIONS)


@pytest.mark.parametrize("metre", [0, 1])
def test_tables_are_legal(composer, metre):
    tables = compose(composer, [1, 2, 3], bars=3, metre=metre).numpy()
    for table in tables:
        notes = table[:, list(NOTE_COLUMNS)]
        for row in notes:
            sounding = row[row > 0]
            assert (np.diff(sounding) > 0).all()
            assert (row[len(sounding) :] == 0).all()
        beats = table[:, COLUMN["chord"]].reshape(-1, 4)
        assert (beats == beats[:, :1]).all()
        for name in ("bass", "lead"):
            starts = table[:, COLUMN[f"{name}_pitch"]] > 0
            for detail in ("duration", "velocity", "timing"):
                np.testing.assert_array_equal(table[:, COLUMN[f"{name}_{detail}"]] > 0, starts)
            expected = steps_left(table[:, COLUMN[f"{name}_pitch"]], table[:, COLUMN[f"{name}_duration"]])
            np.testing.assert_array_equal(table[:, COLUMN[f"{name}_left"]], expected)
        for name in ("bass_timing", "lead_timing", "chords_timing", "drums_timing"):
            first = table[0, COLUMN[name]]
            assert first == 0 or TIMINGS[first - 1] >= 0
        vocabulary = DrumVocabulary(composer.config.drum_masks)
        groups = vocabulary.group_counts[table[:, COLUMN["drums"]]] > 0
        velocities = table[:, [COLUMN[f"drums_velocity{g}"] for g in range(3)]] > 0
        np.testing.assert_array_equal(velocities, groups)
        score = decode(from_table(table, vocabulary, "3/4" if metre else "4/4", np.ones(4, bool)), tempo=100.0)
        assert score.bars == 3


def test_a_part_that_is_off_stays_empty(composer):
    table = compose(composer, [1], active=(True, False, True, False))[0].numpy()
    assert not table[:, list(NOTE_COLUMNS)].any()
    assert not table[:, COLUMN["drums"]].any()
    assert table[:, COLUMN["lead_pitch"]].any()


def test_same_seed_same_table_whatever_came_before(composer):
    first = compose(composer, [5])
    compose(composer, [6])
    assert torch.equal(first, compose(composer, [5]))
    assert not torch.equal(first, compose(composer, [6]))


def test_the_hook_rises_to_the_end_and_can_stop(composer):
    seen = []
    compose(composer, [5], hook=lambda stage, done, total: seen.append((stage, done, total)))
    assert [done for _, done, _ in seen] == list(range(4, 33, 4))
    assert {(stage, total) for stage, _, total in seen} == {("compose", 32)}

    class StopError(Exception):
        pass

    def stop(stage, done, total):
        raise StopError

    with pytest.raises(StopError):
        compose(composer, [5], hook=stop)


def test_chords_change_as_often_as_their_probability_says(composer):
    from musicgen_ui.models.step_writer import StepWriter

    count = 4000
    vocabulary = DrumVocabulary(composer.config.drum_masks)
    writer = StepWriter(composer.heads, torch.ones(count, 4, dtype=torch.bool), vocabulary, SamplingConfig(top_p=0.9))
    writer.chord = torch.full((count,), 5)
    p = torch.full((97,), 1e-9)
    p[5], p[7], p[9], p[11] = 0.96, 0.02, 0.0175, 0.0025
    noise = torch.linspace(0, 1, count + 1)[:-1]
    counts = torch.bincount(writer._next_chord(torch.log(p).expand(count, -1), noise), minlength=97) / count
    torch.testing.assert_close(
        counts[[5, 7, 9, 11]], torch.tensor([0.96, 0.04 * 20 / 37.5, 0.04 * 17.5 / 37.5, 0.0]), atol=1e-3, rtol=0
    )
