"""Committing early: the best take so far is chosen at the agreed bars, and all the others go on from it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.engine.compose import compose, compose_many
from musicgen_ui.engine.jury import EarlyJury, commits
from musicgen_ui.music.form import Shape
from musicgen_ui.music.score import Note, Score
from musicgen_ui.style import Style
from tests.engine.test_compose import SCALES
from tests.engine.test_compose import composer as composer

NOTES = {"bass": (Note(0.0, 40, 1.0, 80),)}


def jury(costs, owners, told=None, silent=()):
    """Takes that cost what is said; those in ``silent`` have written nothing."""

    def read(table, request):
        take = int(table[0, 0])
        return Score(100.0, "4/4", 1, {"bass": ()} if take in silent else NOTES, programs={"take": take})

    return EarlyJury(tuple(owners), 4, (1,), read, lambda score, _: costs[score.programs["take"]], told)


def rows(takes):
    return [torch.arange(takes).unsqueeze(-1).expand(takes, 3) for _ in range(4)]


@pytest.mark.parametrize(("bars", "expected"), [(2, ()), (3, (2,)), (16, (2, 6, 14)), (62, (2, 6, 14, 30))])
def test_choices_fall_where_twice_as_much_has_been_written(bars, expected):
    assert commits(bars) == expected
    assert commits(30, first=4) == (4, 12, 28)


def test_every_request_goes_on_from_its_own_best():
    told = []
    index = jury([3, 1, 2, 5, 6, 4], [0, 0, 0, 1, 1, 1], lambda *heard: told.append(heard)).choose(4, rows(6))
    assert index.tolist() == [1, 1, 1, 5, 5, 5]
    assert [(request, score.programs["take"]) for request, score in told] == [(0, 1), (1, 5)]


def test_nothing_is_chosen_elsewhere_nor_from_silence():
    one = jury([1, 0], [0, 0])
    assert one.choose(3, rows(2)) is None
    assert one.choose(8, rows(2)) is None
    assert jury([1, 0], [0, 0], silent=(0, 1)).choose(4, rows(2)).tolist() == [0, 1]
    assert jury([1, 0], [0, 0], silent=(1,)).choose(4, rows(2)).tolist() == [0, 0]


def test_a_take_alone_goes_on_as_it_is():
    told = []
    assert jury([1, 2], [0, 1], lambda *heard: told.append(heard)).choose(4, rows(2)) is None
    assert [request for request, _ in told] == [0, 1]


@pytest.mark.parametrize(
    ("shape", "takes"),
    [(Shape(), 1), (Shape(), 2), (Shape("AABA", intro=True), 2), (Shape("verse-chorus", ending="loop"), 2)],
)
def test_what_was_told_early_stays(composer, shape, takes):
    """Early bars are the beginning of the finished score, but for one factor of all velocities."""
    told = []
    arguments = {"bars": 7, "takes": takes, "scales": SCALES, "shape": shape}
    style = Style(genre={"jazz": 1}, tempo=90.0, key="D minor")
    score = compose(composer, style, seed=4, early=told.append, **arguments)
    assert score == compose(composer, style, seed=4, **arguments)
    assert told
    assert [early.bars for early in told] == sorted({early.bars for early in told})
    for early in told:
        same = score.section(0, early.bars - 1)
        assert (early.key, early.programs, early.tempo) == (score.key, score.programs, score.tempo)
        for part, notes in early.section(0, early.bars - 1).parts.items():
            assert [replace(n, velocity=1) for n in notes] == [replace(n, velocity=1) for n in same.notes(part)]


def test_many_styles_are_told_as_each_is_alone(composer):
    styles = [Style(density=0.2), Style(density=0.9, energy=0.8)]
    together, alone = [], []
    many = compose_many(
        composer, styles, [1, 2], bars=3, takes=2, scales=SCALES, early=lambda *heard: together.append(heard)
    )
    for number, style in enumerate(styles):
        one = compose(
            composer,
            style,
            seed=number + 1,
            bars=3,
            takes=2,
            scales=SCALES,
            early=lambda score, number=number: alone.append((number, score)),
        )
        assert one == many[number]
    assert sorted(together, key=lambda heard: (heard[0], heard[1].bars)) == alone


def test_takes_that_went_on_from_one_part_again(composer):
    """After a choice every take has the same beginning, and its own continuation."""
    seen = []

    class Watching:
        def choose(self, step, written):
            if step == 16:
                return torch.tensor([1, 1, 1])
            if step == 32:
                seen.append(torch.stack(list(written), dim=1))
            return None

    from musicgen_ui.models.pick import SamplingConfig
    from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
    from tests.models.test_sampling import _condition

    condition = _condition(np.random.default_rng(0), 3, 0).expand(3)
    z, noise = draw_noise([1, 2, 3], 48, composer.config.latent)
    write_tables(
        composer,
        condition,
        z,
        noise,
        steps_per_bar=16,
        config=SamplingConfig(),
        hook=lambda *_: None,
        plan=Plan(jury=Watching()),
    )
    (table,) = seen
    assert (table[:, :16] == table[1:2, :16]).all()
    assert not torch.equal(table[0, 16:], table[1, 16:])


def test_the_hook_is_called_on_every_beat_and_around_the_judgement_of_every_take(composer):
    seen = []
    compose(
        composer,
        Style(),
        seed=1,
        bars=3,
        takes=3,
        scales=SCALES,
        hook=lambda stage, done, total: seen.append((stage, done, total)),
    )
    assert {(stage, total) for stage, _, total in seen} == {("compose", 3 * 16)}
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert {done for _, done, _ in seen} == set(range(4, 3 * 16 + 1, 4))
    for bars in (2, 3):
        # A beat's own call, and before reading and before judging each of three takes.
        assert sum(done == bars * 16 for _, done, _ in seen) == 1 + 2 * 3
