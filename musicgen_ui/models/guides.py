"""Guides of the sampler: several as one, one for some steps, foresight of a melody for its chords, an ear for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from musicgen_ui.models.given import Kept
from musicgen_ui.models.step_writer import Guide
from musicgen_ui.models.takes import select
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS
from musicgen_ui.music.tokens import STEPS_PER_BEAT

_COLUMN_OF = {"chord": COLUMN["chord"], "drums": COLUMN["drums"]} | {
    name: COLUMN[f"{name}_pitch"] for name in ("bass", "lead")
}

_LEAST = -12.0
"""Log-likelihood that one note can cost at most: a slip of a person's finger must not decide between takes."""


class Guides:
    """Several guides, each leaning on what the one before it left."""

    def __init__(self, guides: Sequence[Guide]) -> None:
        self._guides = tuple(guides)

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """See :class:`Guide`."""
        for guide in self._guides:
            logits = guide.lean(choice, logits, step)
        return logits

    def chose(self, choice: str, value: Tensor) -> None:
        """See :class:`Guide`; told to those that want to know."""
        for guide in self._guides:
            if hasattr(guide, "chose"):
                guide.chose(choice, value)

    def wrote(self, row: Tensor, step: int) -> None:
        """See :class:`Guide`."""
        for guide in self._guides:
            guide.wrote(row, step)

    def select(self, index: Tensor) -> None:
        """See :class:`Guide`."""
        for guide in self._guides:
            guide.select(index)


class Within:
    """A guide that leans on, and is told of, some steps only, which it counts from 0.

    Args:
        guide: the guide.
        steps: its steps in the table.
    """

    def __init__(self, guide: Guide, steps: range) -> None:
        self._guide, self._steps = guide, steps
        self._inside = False

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """See :class:`Guide`."""
        self._inside = step in self._steps
        return self._guide.lean(choice, logits, step - self._steps.start) if self._inside else logits

    def chose(self, choice: str, value: Tensor) -> None:
        """See :class:`Guide`; the choice is the one last leaned on."""
        if self._inside and hasattr(self._guide, "chose"):
            self._guide.chose(choice, value)

    def wrote(self, row: Tensor, step: int) -> None:
        """See :class:`Guide`."""
        if step in self._steps:
            self._guide.wrote(row, step - self._steps.start)

    def select(self, index: Tensor) -> None:
        """See :class:`Guide`."""
        self._guide.select(index)


class ChordForesight:
    """Leans a beat's chord towards those that suit the notes that are known to come.

    A causal composer decides on a chord before it is told the melody over it. Adding to its logits the log-likelihood
    of all that comes, given the chord, is the optimal twisting of a sequential sampler (Guarniero et al. 2017), as far
    as that likelihood is right.

    Args:
        evidence: (beats, chord classes) log-likelihood of what is known to come, see ``music.harmonization``.
    """

    def __init__(self, evidence: Tensor) -> None:
        self._evidence = evidence

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """See :class:`Guide`."""
        if choice != "chord":
            return logits
        return logits.float().log_softmax(dim=-1) + self._evidence[step // STEPS_PER_BEAT]

    def wrote(self, row: Tensor, step: int) -> None:
        """Nothing to remember."""

    def select(self, index: Tensor) -> None:
        """Nothing to remember."""


class Ear:
    """Listens how likely the composer finds what is given, by take: a take in which it is likely fits it.

    It must come before guides that lean. Durations, velocities and timings are not listened to.

    Args:
        kept: what is given.
        takes: number of takes.
        steps: range of steps that count.
        device: where the composer is.

    Attributes:
        heard: (takes,) summed log-likelihood in nats.
        choices: how many choices that is.
    """

    def __init__(self, kept: Kept, takes: int, steps: range, device: torch.device | str = "cpu") -> None:
        self._kept = kept
        self._steps = steps
        self._slot = 0
        self.heard = torch.zeros(takes, dtype=torch.float64, device=device)
        self.choices = 0

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """Adds up the log-likelihood of the known class; the logits stay as they are."""
        if choice.startswith("chords"):
            self._slot = self._slot + 1 if choice == "chords+" else 0
            column = NOTE_COLUMNS[self._slot] if choice in ("chords", "chords+") else None
        else:
            column = _COLUMN_OF.get(choice)
        if column is None or step not in self._steps or not self._kept.mask[step, column]:
            return logits
        if choice == "chords+" and not self._kept.values[step, NOTE_COLUMNS[self._slot - 1]]:
            return logits  # the chord has ended
        value = self._kept.values[step, column]
        self.heard += logits.double().log_softmax(dim=-1)[:, value].clamp(min=_LEAST)
        self.choices += 1
        return logits

    def wrote(self, row: Tensor, step: int) -> None:
        """Nothing to remember."""

    def select(self, index: Tensor) -> None:
        """See :class:`Guide`: what was heard belongs to what is taken over."""
        select(self, ("heard",), index)
