"""What is given is taken over cell by cell, and what is leant on moves the choices."""

import torch

from musicgen_ui.models.condition import condition_of
from musicgen_ui.models.given import Known
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.models.steps import DETAILS
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS
from musicgen_ui.style import Style

PART_COLUMNS = {
    "lead": [COLUMN[f"lead_{name}"] for name in ("pitch", "duration", "velocity", "timing")],
    "chords": [*NOTE_COLUMNS, *(COLUMN[f"chords_{name}"] for name in ("duration", "velocity", "timing"))],
}


class Kept:
    """Gives columns of a table."""

    def __init__(self, table, columns, steps=None):
        self.table, self.columns, self.steps = table, columns, steps

    def at(self, step, written):
        assert len(written) == step
        if self.steps is not None and step not in self.steps:
            return None
        mask = torch.zeros(self.table.shape[0], self.table.shape[2], dtype=torch.bool)
        mask[:, self.columns] = True
        return Known(self.table[:, step], mask)


def write(model, seeds, plan=None):
    z, noise = draw_noise(seeds, 32, model.config.latent)
    condition = condition_of(Style(), minor=False).expand(len(seeds))
    config = SamplingConfig()
    return write_tables(model, condition, z, noise, steps_per_bar=16, config=config, hook=lambda *_: None, plan=plan)


def test_given_parts_come_back_unchanged_and_the_others_are_written(composer):
    other = write(composer, [1, 2])
    for columns in PART_COLUMNS.values():
        table = write(composer, [5, 6], Plan(given=Kept(other, columns)))
        assert torch.equal(table[..., columns], other[..., columns])
        assert not torch.equal(table[..., COLUMN["drums"]], other[..., COLUMN["drums"]])


def test_a_whole_table_that_is_given_comes_back_with_its_state_columns(composer):
    other = write(composer, [1])
    everything = [c for name, c in COLUMN.items() if not name.endswith("_left")]
    assert torch.equal(write(composer, [9], Plan(given=Kept(other, everything))), other)


def test_what_was_written_after_given_bars_is_what_the_same_past_gives(composer):
    """Clamping a composition's own first bar changes nothing: given rows and chosen rows leave the same state."""
    first = write(composer, [5])
    everything = [c for name, c in COLUMN.items() if not name.endswith("_left")]
    assert torch.equal(write(composer, [5], Plan(given=Kept(first, everything, range(16)))), first)


class Silence:
    """Leans every part of the band to rest, and loud details to their last class."""

    def __init__(self):
        self.steps = []

    def lean(self, choice, logits, step):
        if choice in ("bass", "lead", "chords", "drums"):
            return torch.cat([logits[:, :1] + 1e9, logits[:, 1:]], dim=-1)
        assert choice in ("chord", "chords+", *DETAILS)
        return logits

    def wrote(self, row, step):
        self.steps.append(step)


def test_a_guide_can_overrule_every_choice_and_sees_every_row(composer):
    guide = Silence()
    table = write(composer, [5], Plan(guide=guide))
    assert guide.steps == list(range(32))
    assert not table[..., [COLUMN["bass_pitch"], COLUMN["lead_pitch"], *NOTE_COLUMNS, COLUMN["drums"]]].any()
