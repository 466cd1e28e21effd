"""Guides lean in turn, chords are leaned to what comes, and the ear adds up exactly the likelihood of what is given."""

from __future__ import annotations

import pytest
import torch

from musicgen_ui.models.composer import ComposerBatch
from musicgen_ui.models.condition import condition_of
from musicgen_ui.models.given import Kept
from musicgen_ui.models.guides import ChordForesight, Ear, Guides, Within
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS
from musicgen_ui.music.tokens import CHORD_CLASSES
from musicgen_ui.style import Style

PLAYED = [c for name, c in COLUMN.items() if not name.endswith("_left")]


def write(model, seeds, plan=None, steps=32):
    z, noise = draw_noise(seeds, steps, model.config.latent)
    condition = condition_of(Style(), minor=False).expand(len(seeds))
    config = SamplingConfig()
    return write_tables(model, condition, z, noise, steps_per_bar=16, config=config, hook=lambda *_: None, plan=plan)


def kept(table, columns, steps):
    mask = torch.zeros(table.shape, dtype=torch.bool)
    for step in steps:
        mask[step, columns] = True
    return Kept(table, mask)


def test_kept_cells_come_back_in_every_take_and_elsewhere_nothing_is_given(composer):
    other = write(composer, [1])[0]
    columns = [COLUMN["lead_pitch"], COLUMN["lead_duration"]]
    given = kept(other, columns, range(8, 24))
    assert given.at(7, []) is None
    assert given.at(24, []) is None
    assert given.at(99, []) is None
    table = write(composer, [5, 6], Plan(given=given))
    assert torch.equal(table[:, 8:24, columns], other[8:24, columns].expand(2, -1, -1))
    assert not torch.equal(table[0], table[1])


def test_guides_lean_one_after_the_other():
    class Times:
        def __init__(self, factor):
            self.factor, self.rows = factor, []

        def lean(self, choice, logits, step):
            return logits * self.factor + 1

        def wrote(self, row, step):
            self.rows.append(step)

    first, second = Times(2), Times(3)
    guides = Guides([first, second])
    assert torch.equal(guides.lean("bass", torch.ones(1, 4), 0), torch.full((1, 4), 10.0))
    guides.wrote(torch.zeros(1, len(FIELDS)), 5)
    assert first.rows == second.rows == [5]


def test_a_guide_within_some_steps_counts_them_from_nothing(composer):
    class Counts:
        def __init__(self):
            self.leaned, self.told, self.rows = set(), 0, []

        def lean(self, choice, logits, step):
            self.leaned.add(step)
            return logits

        def chose(self, choice, value):
            self.told += 1

        def wrote(self, row, step):
            self.rows.append(step)

    inner = Counts()
    write(composer, [5], Plan(guide=Guides([Within(inner, range(8, 12))])))
    assert inner.leaned == {0, 1, 2, 3}
    assert inner.rows == [0, 1, 2, 3]
    assert 0 < inner.told <= 4 * 4  # of four parts on four steps


def test_foresight_moves_the_chords_and_nothing_else(composer):
    wanted = 30
    evidence = torch.zeros(8, CHORD_CLASSES)
    evidence[3:, wanted] = 1e3
    table = write(composer, [5, 6], Plan(guide=ChordForesight(evidence)))
    assert (table[:, 12:, COLUMN["chord"]] == wanted).all()
    unmoved = write(composer, [5, 6])
    assert torch.equal(table[:, :12], unmoved[:, :12])


def test_a_flat_evidence_changes_nothing(composer):
    assert torch.equal(
        write(composer, [5], Plan(guide=ChordForesight(torch.zeros(8, CHORD_CLASSES)))), write(composer, [5])
    )


@pytest.mark.parametrize("part", ["chord", "bass", "lead", "chords", "drums"])
def test_the_ear_hears_the_teacher_forced_likelihood(composer, part):
    """With everything given, what is heard of a part is minus the heads' training loss on it, but for the rest bias."""
    other = write(composer, [1], steps=32)
    gives = kept(other[0], PLAYED, range(32))
    column = {"chord": [COLUMN["chord"]], "chords": list(NOTE_COLUMNS), "drums": [COLUMN["drums"]]}
    listened = kept(other[0], column.get(part, [COLUMN.get(f"{part}_pitch", 0)]), range(32))
    ears = Ear(listened, 1, range(32))
    condition = condition_of(Style(), minor=False)
    z, noise = draw_noise([9], 32, composer.config.latent)
    config = SamplingConfig(rest_bias=0.0)
    write_tables(
        composer, condition, z, noise, steps_per_bar=16, config=config, hook=lambda *_: None,
        plan=Plan(last_bar=100, guide=ears, given=gives),
    )  # fmt: skip
    batch = ComposerBatch(
        other, condition.active, torch.ones(1, 32, dtype=torch.bool), torch.zeros(1, dtype=torch.long),
        torch.full((1,), 100), condition,
    )  # fmt: skip
    with torch.no_grad():
        losses = composer.heads.losses(*composer.contexts(batch, z), other, condition.active, batch.valid)
    assert ears.choices > 0
    assert float(ears.heard[0]) == pytest.approx(-float(losses[part][0]), rel=2e-3, abs=2e-2)


def test_the_ear_only_hears_its_steps_and_lets_everything_pass(composer):
    other = write(composer, [1])[0]
    given = kept(other, [COLUMN["lead_pitch"]], range(32))
    ear = Ear(given, 2, range(16, 20))
    table = write(composer, [5, 6], Plan(guide=ear, given=given))
    assert ear.choices == 4
    assert torch.equal(table, write(composer, [5, 6], Plan(given=given)))
    assert (ear.heard < 0).all()
    assert ear.heard[0] != ear.heard[1]
