"""Sections within one table: a composer that changes its subject where a section begins, and what sections take up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from musicgen_ui.models.composer_base import Context
from musicgen_ui.models.condition import Condition
from musicgen_ui.models.given import Given, Known
from musicgen_ui.models.sampling import Composer
from musicgen_ui.models.takes import chosen
from musicgen_ui.music.form import Section
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS
from musicgen_ui.music.tokens import STEPS_PER_BEAT

CHANGES_FIRST = ("lead", "drums", "chords", "bass")
"""What a variation writes anew, in this order; the harmony stays."""


@dataclass(frozen=True)
class Turn:
    """Where a section begins.

    Attributes:
        step: its first.
        label: a label that has been there before goes on where it was left.
        condition: of the takes; the active parts are those of the table.
        z: (takes, latent).
        context: steps before it that a new section knows of.
    """

    step: int
    label: str
    condition: Condition
    z: Tensor
    context: int


@dataclass
class SectionedState:
    """One state for each label, and everything that was written.

    Attributes:
        states: by label.
        label: of the section that is being written.
        origin: (takes,) the take of the start that each has become, whose z it has.
        told: bar, end and place of every step.
        rows: (takes, fields) of every step.
    """

    states: dict[str, Any]
    label: str
    origin: Tensor
    told: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)


class SectionedComposer:
    """A composer that starts afresh, with another z and condition, where a new section begins.

    A new section knows only the last steps before it: enough to keep key, groove and band, too little to go on with
    the same subject. A label that comes back finds its own state again, as if nothing had been in between.

    Args:
        composer: writes all sections.
        turns: sections after the first one, whose label is ``first``.
        first: label of the first section.
    """

    def __init__(self, composer: Composer, turns: Sequence[Turn], first: str) -> None:
        self._composer = composer
        self._turns = {turn.step: turn for turn in turns}
        self._first = first
        self.config = composer.config
        self.heads = composer.heads
        self.prior: Callable[[Condition, Tensor], Tensor] = composer.prior

    def start(self, condition: Condition, z: Tensor) -> SectionedState:
        """State before the first step of the first section."""
        origin = torch.arange(len(z), device=z.device)
        return SectionedState({self._first: self._composer.start(condition, z)}, self._first, origin)

    def step(self, state: SectionedState, bar: Tensor, total_bars: Tensor, place: Tensor, per_bar: int) -> Context:
        """Context of the next step, from the section that it lies in."""
        turn = self._turns.get(len(state.rows))
        if turn is not None:
            self._turn(state, turn, per_bar)
        state.told.append((bar, total_bars, place))
        return self._composer.step(state.states[state.label], bar, total_bars, place, per_bar)

    def wrote(self, state: SectionedState, row: Tensor, observed: Tensor, per_bar: int) -> None:
        """Tells the section what was written."""
        state.rows.append(row)
        self._composer.wrote(state.states[state.label], row, observed, per_bar)

    def select(self, state: SectionedState, index: Tensor) -> SectionedState:
        """The state in which each take goes on from another; sections to come take that one's z."""
        states = {label: self._composer.select(own, index) for label, own in state.states.items()}
        return replace(state, states=states, origin=state.origin[index], rows=chosen(state.rows, index))

    def _turn(self, state: SectionedState, turn: Turn, per_bar: int) -> None:
        state.label = turn.label
        if turn.label in state.states:
            return
        fresh = self._composer.start(turn.condition, turn.z[state.origin])
        for index in range(max(0, turn.step - turn.context), turn.step):
            self._composer.step(fresh, *state.told[index], per_bar)
            self._composer.wrote(fresh, state.rows[index], turn.condition.active, per_bar)
        state.states[turn.label] = fresh


@dataclass(frozen=True)
class Recurrence:
    """Gives a section that comes back the rows of its first time, but for its end and what a variation changes.

    Attributes:
        sections: of the table, counted from its start.
        steps_per_bar: 16 or 12.
        active: parts that are written.
        harmony: chord classes (takes,) by step, where the form wants one; not on the first step.
        before: what is given by somebody else; it has the last word.
    """

    sections: tuple[Section, ...]
    steps_per_bar: int
    active: tuple[str, ...]
    harmony: Mapping[int, Tensor] = field(default_factory=dict)
    before: Given | None = None

    def at(self, step: int, written: Sequence[Tensor]) -> Known | None:
        """See :class:`musicgen_ui.models.given.Given`."""
        known = self._recurring(step, written)
        if step in self.harmony:
            row = torch.zeros_like(written[0])
            values, mask = (row, row > 0) if known is None else (known.values.clone(), known.mask.clone())
            values[:, COLUMN["chord"]], mask[:, COLUMN["chord"]] = self.harmony[step], True
            known = Known(values, mask)
        other = None if self.before is None else self.before.at(step, written)
        if known is None or other is None:
            return known or other
        return Known(torch.where(other.mask, other.values, known.values), other.mask | known.mask)

    def _recurring(self, step: int, written: Sequence[Tensor]) -> Known | None:
        origin = source_step(self.sections, step, self.steps_per_bar)
        if origin is None:
            return None
        section, source = origin
        values = written[source]
        changes = changing_parts(section.variation, self.active)
        free = torch.tensor([f.part is not None and PARTS[f.part] in changes for f in FIELDS], device=values.device)
        return Known(values, ~free.expand_as(values))


def source_step(sections: Sequence[Section], step: int, steps_per_bar: int) -> tuple[Section, int] | None:
    """The section of a step and the step that it takes up; None where it takes up nothing.

    The end of a section that comes back is free: a bar of long sections, half a bar of short ones.
    """
    bar, place = divmod(step, steps_per_bar)
    section = next(s for s in sections if s.first <= bar < s.end)
    if section.repeats is None:
        return None
    source = next(s for s in sections if s.first == section.repeats)
    free = steps_per_bar if section.bars >= 4 else steps_per_bar // (2 * STEPS_PER_BEAT) * STEPS_PER_BEAT
    if section.bars > 1 and step >= section.end * steps_per_bar - free:
        return None
    return section, (source.first + (bar - section.first) % source.bars) * steps_per_bar + place


def changing_parts(variation: float, active: Sequence[str]) -> tuple[str, ...]:
    """Parts that a variation of a share writes anew; one always stays, unless it is the only one."""
    ordered = [part for part in CHANGES_FIRST if part in active]
    return tuple(ordered[: min(round(variation * len(ordered)), len(ordered) - 1)])
