"""Sections in one table: what comes back comes back exactly, what is new knows little, and nothing else changes."""

import pytest
import torch

from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.models.sections import Recurrence, SectionedComposer, Turn, changing_parts, source_step
from musicgen_ui.music.form import Section
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS
from tests.models.test_sampling import _condition, ignore

PER_BAR = 16


def write(composer, bars, takes=2, given=None, seeds=(1, 2)):
    condition = _condition(None, takes, 0).expand(takes)
    z, noise = draw_noise(list(seeds)[:takes], bars * PER_BAR, composer.config.latent)
    return write_tables(
        composer,
        condition,
        z,
        noise,
        steps_per_bar=PER_BAR,
        config=SamplingConfig(),
        hook=ignore,
        plan=Plan(last_bar=1000, given=given),
    )


def turns(composer, takes=2):
    """A (2 bars) B (1 bar) A (1 bar)."""
    condition = _condition(None, takes, 0).expand(takes)
    z, _ = draw_noise([1, 2][:takes], 1, composer.config.latent)
    return [Turn(32, "B", condition, -z, PER_BAR), Turn(48, "A", condition, z, PER_BAR)]


def test_a_table_of_one_section_is_the_composers_own(composer):
    assert torch.equal(write(SectionedComposer(composer, [], "A"), 3), write(composer, 3))


def test_the_first_section_is_not_changed_by_what_follows(composer):
    table = write(SectionedComposer(composer, turns(composer), "A"), 4)
    own = write(composer, 4)
    assert torch.equal(table[:, :32], own[:, :32])
    assert not torch.equal(table[:, 32:48], own[:, 32:48])


def test_a_label_that_returns_goes_on_where_it_was_left(composer):
    """The contexts of A's third bar are those of a composer that never wrote B."""
    sectioned = SectionedComposer(composer, turns(composer), "A")
    table = write(sectioned, 4)
    condition = _condition(None, 2, 0).expand(2)
    z, _ = draw_noise([1, 2], 1, composer.config.latent)
    with torch.inference_mode():
        states = sectioned.start(condition, z), composer.start(condition, z)
        for step in range(52):
            at = [torch.full((2,), value) for value in (step // PER_BAR, 1000, step % PER_BAR)]
            contexts = [sectioned.step(states[0], *at, PER_BAR)]
            sectioned.wrote(states[0], table[:, step], condition.active, PER_BAR)
            if not 32 <= step < 48:
                contexts.append(composer.step(states[1], *at, PER_BAR))
                composer.wrote(states[1], table[:, step], condition.active, PER_BAR)
                torch.testing.assert_close(contexts[0].vector, contexts[1].vector)


def test_a_new_section_knows_what_it_is_told_of(composer):
    """With a context as long as the past, and the same z and condition, a turn changes nothing."""
    condition = _condition(None, 2, 0).expand(2)
    z, _ = draw_noise([1, 2], 1, composer.config.latent)
    same = SectionedComposer(composer, [Turn(32, "B", condition, z, 32)], "A")
    assert torch.equal(write(same, 3), write(composer, 3))


LONG = (Section("A", 0, 4), Section("A", 4, 4, 0), Section("A'", 8, 2, 0, 0.5))


def test_what_comes_back_is_the_same_but_for_its_end_and_what_a_variation_changes(composer):
    table = write(composer, 10, takes=1, given=Recurrence(LONG, PER_BAR, PARTS))[0]
    state = [COLUMN["bass_left"], COLUMN["lead_left"]]
    own = [i for i in range(len(FIELDS)) if i not in state]
    assert torch.equal(table[4 * PER_BAR : 7 * PER_BAR, own], table[: 3 * PER_BAR, own])
    assert not torch.equal(table[7 * PER_BAR : 8 * PER_BAR], table[3 * PER_BAR : 4 * PER_BAR])
    varied, first = table[8 * PER_BAR : 9 * PER_BAR], table[:PER_BAR]
    for name in ("chord", "bass_pitch", "chords_note0", "bass_velocity"):
        assert torch.equal(varied[:, COLUMN[name]], first[:, COLUMN[name]])
    for name in ("lead_pitch", "drums"):
        assert not torch.equal(varied[:, COLUMN[name]], first[:, COLUMN[name]])


def test_the_harmony_that_a_form_wants_is_taken(composer):
    wanted = {step: torch.tensor([5, 9]) for step in range(24, 32)}
    table = write(composer, 2, given=Recurrence((Section("A", 0, 2),), PER_BAR, PARTS, wanted))
    assert (table[0, 24:, COLUMN["chord"]] == 5).all()
    assert (table[1, 24:, COLUMN["chord"]] == 9).all()


def test_somebody_else_has_the_last_word(composer):
    outer = Recurrence((Section("A", 0, 2),), PER_BAR, PARTS, {20: torch.tensor([7, 7])})
    inner = Recurrence((Section("A", 0, 2),), PER_BAR, PARTS, {20: torch.tensor([3, 3]), 24: torch.tensor([4, 4])})
    table = write(composer, 2, given=Recurrence(inner.sections, PER_BAR, PARTS, inner.harmony, outer))
    assert (table[:, 20:24, COLUMN["chord"]] == 7).all()
    assert (table[:, 24, COLUMN["chord"]] == 4).all()


@pytest.mark.parametrize(
    ("section", "free"), [(Section("A", 4, 4, 0), 16), (Section("A", 4, 2, 0), 8), (Section("A", 4, 1, 0), 0)]
)
def test_the_end_of_a_repetition_is_free(section, free):
    sections = (Section("A", 0, 4), section)
    taken = [source_step(sections, step, PER_BAR) is not None for step in range(4 * PER_BAR, section.end * PER_BAR)]
    assert taken == [True] * (len(taken) - free) + [False] * free


def test_a_longer_section_goes_round_its_origin():
    sections = (Section("A", 0, 1), Section("A", 1, 3, 0))
    assert [source_step(sections, PER_BAR * bar + 3, PER_BAR)[1] for bar in (1, 2, 3)] == [3, 3, 3]


def test_one_part_always_stays():
    assert changing_parts(0.5, PARTS) == ("lead", "drums")
    assert changing_parts(1.0, ("lead", "bass")) == ("lead",)
    assert changing_parts(0.0, PARTS) == ()
    assert changing_parts(1.0, ("drums",)) == ()
