"""A guide that leans every choice towards what other tables have in the same cell, or towards what was just written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from musicgen_ui.models.takes import select
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS

LAYERS = ("harmony", *PARTS)
"""What is leaned on by itself: the chords in force, and each part."""

LAYER_COLUMNS = {
    layer: tuple(
        i
        for i, field in enumerate(FIELDS)
        if (layer == "harmony") == (field.part is None)
        and (field.part is None or PARTS[field.part] == layer)
        and not field.name.endswith("_left")
    )
    for layer in LAYERS
}
"""Columns of the table that belong to each layer."""

_CHOICES = {"chord": ("harmony", COLUMN["chord"]), "drums": ("drums", COLUMN["drums"])} | {
    name: (name, COLUMN[f"{name}_pitch"]) for name in ("bass", "lead")
}

_REACH = 2.5
"""Semitones over which a note that has to fit to another harmony may stray: its chance falls to a third."""


@dataclass(frozen=True)
class Pull:
    """A table and how much it has to say.

    Attributes:
        table: (steps, fields) int64.
        weight: (steps, layers) float64 in [0, 1], in the order of LAYERS; all pulls of a cell add up to at most 1.
        fits: (steps,) bool, where the lead keeps the rhythm and looks for pitches nearby that suit another harmony.
    """

    table: Tensor
    weight: Tensor
    fits: Tensor


@dataclass(frozen=True)
class Echo:
    """What takes up the piece's own earlier steps, whatever was written there.

    Attributes:
        origin: (steps,) int64, the step that is taken up; -1 for none.
        mask: (steps, fields) bool, the cells for which that holds.
    """

    origin: Tensor
    mask: Tensor


class Lean:
    """Draws each choice from a mixture: of the classes that the pulls have there, by their weight, and of the composer.

    A weight of 1 takes a cell over; 0 leaves the composer alone; between, it is the share of cells that stay. What is
    illegal in a take, and a further note of another chord, is left to the composer. It must be the last of several
    guides.

    Args:
        pulls: other tables.
        echo: the piece's own; None for none.
        takes: how many are written.
        device: where the composer is.
    """

    def __init__(self, pulls: Sequence[Pull], echo: Echo | None, takes: int, device: torch.device | str) -> None:
        self._pulls = [Pull(p.table.to(device), p.weight.cpu(), p.fits.cpu()) for p in pulls]
        self._echo = echo
        self._slot = 0
        self._written: list[Tensor] = []
        self._bottom = torch.zeros(takes, dtype=torch.long, device=device)

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """See ``step_writer.Guide``."""
        layer, column, detail = self._cell(choice)
        pulls = self._at(step, LAYERS.index(layer), column)
        if not pulls:
            return logits
        own = logits.double().softmax(dim=-1)
        mixed, left = torch.zeros_like(own), torch.ones(len(own), 1, dtype=own.dtype, device=own.device)
        for row, weight, fits in pulls:
            value = row[:, column] - int(detail)
            known = value >= 0
            if choice == "chords+":
                known = known & (self._bottom == row[:, NOTE_COLUMNS[0]])
            value = value.clamp(min=0)
            target = one_hot(value, logits.shape[-1]).to(own)
            if fits and choice == "lead":
                target = torch.where((value > 0).unsqueeze(-1), _nearby(own, value), target)
            known = known & (logits.gather(-1, value.unsqueeze(-1))[:, 0] > float("-inf"))
            share = weight * known.to(own).unsqueeze(-1)
            mixed, left = mixed + share * target, left - share
        return (mixed + left.clamp(min=0.0) * own).log()

    def chose(self, choice: str, value: Tensor) -> None:
        """See ``step_writer.StepWriter``."""
        if choice == "chords":
            self._bottom = value

    def wrote(self, row: Tensor, step: int) -> None:
        """See ``step_writer.Guide``."""
        self._written.append(row)

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``."""
        select(self, ("_written", "_bottom"), index)

    def _cell(self, choice: str) -> tuple[str, int, bool]:
        """Layer and column of a choice, and whether its classes lack the one for "nothing"."""
        if choice in _CHOICES:
            return *_CHOICES[choice], False
        if choice in ("chords", "chords+"):
            self._slot = self._slot + 1 if choice == "chords+" else 0
            return "chords", NOTE_COLUMNS[self._slot], False
        return choice.split("_")[0], COLUMN[choice], True

    def _at(self, step: int, place: int, column: int) -> list[tuple[Tensor, float, bool]]:
        """Rows (takes or 1, fields), their weight, and whether the lead must fit."""
        if self._echo is not None and self._echo.mask[step, column]:
            return [(self._written[int(self._echo.origin[step])], 1.0, False)]
        found = []
        for pull in self._pulls:
            weight = float(pull.weight[step, place])
            if weight > 0:
                row = pull.table[step].expand(len(self._bottom), -1)
                found.append((row, weight, bool(pull.fits[step])))
        return found


def _nearby(own: Tensor, value: Tensor) -> Tensor:
    """The composer's own chances (takes, classes) of pitches near to ``value`` (takes,), as a distribution."""
    classes = torch.arange(own.shape[-1], device=own.device)
    distance = (classes - value.unsqueeze(-1)).abs().to(own)
    near = own * torch.exp(-distance / _REACH) * (classes > 0)
    return near / near.sum(dim=-1, keepdim=True).clamp(min=1e-300)
