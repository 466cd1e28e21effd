"""A proportional and integral controller for a batch of takes."""

from __future__ import annotations

import torch
from torch import Tensor

from musicgen_ui.models.takes import select

LONGEST = 16.0
"""Beats of backlog that count; more would make a long piece rush."""

RAMP_BEATS = 4.0


class Control:
    """Turns how far a measure lies behind its target into a lean.

    Args:
        like: (takes,) tensor whose type and device are used.
        width: span of the measure over the slider, in its own unit.
        tolerance: error, in the measure's unit, that is let be.
        proportional: lean for each span and beat behind.
        integral: what is added to it every beat for each span and beat behind.
        most: bound of the lean, in logits.
    """

    def __init__(
        self, like: Tensor, *, width: float, tolerance: float, proportional: float, integral: float, most: float
    ) -> None:
        self.width, self.tolerance, self.most = width, tolerance, most
        self.proportional, self.integral = proportional, integral
        self.total = torch.zeros_like(like)

    def update(self, error: Tensor, beats: float) -> Tensor:
        """To be called once a beat.

        Args:
            error: (takes,) target minus measure; nan where unknown, which counts as none.
            beats: since the start.

        Returns:
            (takes,) lean, 0 at the start.
        """
        excess = error - error.clamp(-self.tolerance, self.tolerance)
        behind = torch.nan_to_num(excess / self.width * min(beats, LONGEST)).clamp(-6.0, 6.0)
        self.total = (self.total + self.integral * behind).clamp(-self.most, self.most)
        lean = (self.proportional * behind + self.total).clamp(-self.most, self.most)
        return lean * min(1.0, beats / RAMP_BEATS)

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``."""
        select(self, ("total",), index)
