"""The note that a part struck last, told to its head: melodies move from note to note, whatever rests lie between."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LastNote(nn.Module):
    """What a head is told of its part's last onset.

    On most steps nothing starts, so a network that only reads the step before has to carry the last pitch itself, and
    learns late that the next note is mostly a step away from it. Everything starts at zero: an untrained one is mute.

    Args:
        width: of what the head reads.
        classes: of a pitch column, 0 for none.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.notes = nn.Parameter(torch.zeros(classes, width))
        self.interval = nn.Parameter(torch.zeros(2 * classes - 1))

    def told(self, held: Tensor, last: Tensor) -> Tensor:
        """Held (n, width) with the notes struck last, (n, notes) int64, 0 for none."""
        weight = self.notes * (torch.arange(self.classes, device=last.device) > 0).unsqueeze(-1)
        return held + F.embedding(last, weight).sum(dim=-2)

    def moved(self, logits: Tensor, last: Tensor) -> Tensor:
        """Logits (n, classes) with a learned value for the interval from the last note, (n,) int64, to each pitch."""
        pitches = torch.arange(self.classes, device=last.device)
        bias = self.interval[pitches - last.unsqueeze(-1) + self.classes - 1]
        return logits + bias * ((pitches > 0) & (last.unsqueeze(-1) > 0))


def struck_last(notes: Tensor) -> Tensor:
    """What was struck last before each step.

    Args:
        notes: (batch, steps, notes) int64; 0 for none, the first of a step is 0 where nothing starts.

    Returns:
        the same shape; 0 until something has started.
    """
    steps = torch.arange(notes.shape[1], device=notes.device)
    onset = torch.where(notes[..., 0] > 0, steps + 1, 0).cummax(dim=1).values  # 0: nothing yet
    before = F.pad(onset, (1, 0))[:, :-1]
    padded = F.pad(notes, (0, 0, 1, 0))
    return padded.gather(1, before.unsqueeze(-1).expand_as(notes))
