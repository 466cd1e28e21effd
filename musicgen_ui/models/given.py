"""What a composition in progress does not choose but takes over: kept parts, kept bars, repeated sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Known(NamedTuple):
    """The cells of one step that are decided beforehand.

    Attributes:
        values: (takes, fields) int64.
        mask: (takes, fields) bool, True where the value counts.
    """

    values: Tensor
    mask: Tensor


class Given(Protocol):
    """Says step by step what is decided beforehand."""

    def at(self, step: int, written: Sequence[Tensor]) -> Known | None:
        """The known cells of a step; None where everything is free.

        Args:
            step: sixteenth step from the start of the table.
            written: the rows (takes, fields) before it, so that a form can take up its own earlier bars.
        """
        ...


def taken(given: Known | None, column: int, chosen: Tensor) -> Tensor:
    """``chosen`` (takes,) with the known values of a column in its place."""
    if given is None:
        return chosen
    return torch.where(given.mask[:, column], given.values[:, column], chosen)


@dataclass(frozen=True)
class Kept:
    """A table whose marked cells are taken over by every take.

    Attributes:
        values: (steps, fields) int64.
        mask: (steps, fields) bool.
    """

    values: Tensor
    mask: Tensor

    def at(self, step: int, written: Sequence[Tensor]) -> Known | None:
        """See :class:`Given`; the one row stands for that of every take."""
        if step >= len(self.values) or not self.mask[step].any():
            return None
        return Known(self.values[step : step + 1], self.mask[step : step + 1])
