"""Committing early: now and then all takes go on from the best one, so that music can be heard while it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from musicgen_ui.music.score import Score

FIRST_COMMIT = 2
"""Bars after which the first choice falls; the next one falls where twice as many more have been written, and so on."""

Told = Callable[[int, Score], None]
"""``told(request, score)``: these bars stay, whatever follows."""


def commits(bars: int, first: int = FIRST_COMMIT) -> tuple[int, ...]:
    """Bars 2, 6, 14, 30, 62 of a piece, as far as something follows them; fewer where ``first`` is later."""
    found, span = [], first
    while sum(found[-1:]) + span < bars:
        found.append(sum(found[-1:]) + span)
        span *= 2
    return tuple(found)


@dataclass(frozen=True)
class EarlyJury:
    """Lets all takes of a request go on from the one that is the best so far.

    The takes keep their own noise, so that they part again. A request of which nobody has said anything yet goes on
    with all its takes.

    Attributes:
        owners: the request of every take; a request's takes lie side by side.
        steps_per_bar: of the table.
        bars: of the table, after which a choice falls.
        read: a take's rows (steps, fields) and its request to the score so far.
        cost: of a score and its request: the lowest is the best.
        told: hears what has been decided; None for nobody.
    """

    owners: tuple[int, ...]
    steps_per_bar: int
    bars: tuple[int, ...]
    read: Callable[[Tensor, int], Score]
    cost: Callable[[Score, int], float]
    told: Told | None = None

    def choose(self, step: int, written: Sequence[Tensor]) -> Tensor | None:
        """See ``models.sampling.Jury``."""
        bar, place = divmod(step, self.steps_per_bar)
        if place or bar not in self.bars:
            return None
        alone = len(set(self.owners)) == len(self.owners)
        if alone and self.told is None:
            return None
        tables = torch.stack(list(written), dim=1).cpu()
        index = list(range(len(self.owners)))
        for request in dict.fromkeys(self.owners):
            takes = [take for take, owner in enumerate(self.owners) if owner == request]
            scores = {take: self.read(tables[take], request) for take in takes}
            heard = [take for take in takes if any(scores[take].parts.values())]
            if not heard:
                continue
            best = heard[0] if len(heard) == 1 else min(heard, key=lambda take: self.cost(scores[take], request))
            for take in takes:
                index[take] = best
            if self.told is not None:
                self.told(request, scores[best])
        return None if alone else torch.tensor(index)
