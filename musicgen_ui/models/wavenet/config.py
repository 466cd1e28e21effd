"""Sizes of a WaveNet stack, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WaveNetConfig:
    """A stack of dilated causal convolutions.

    Attributes:
        inputs: channels of a time step; 0 when what comes in has ``residual`` channels already.
        residual: channels between the layers; a gate is twice as wide.
        skip: channels of the sum that leaves the stack.
        dilations: of the layers, the first one first.
        kernel: taps of a convolution.
        local: channels of the local conditioning (score frames, positions), 0 for none.
        globals_: channels of the global conditioning (c, z), 0 for none.
        dropout: on what enters a layer, while training.

    Raises:
        ValueError: a size is not positive.
    """

    inputs: int
    residual: int
    skip: int
    dilations: tuple[int, ...]
    kernel: int = 2
    local: int = 0
    globals_: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if min(self.residual, self.skip, self.kernel, *self.dilations) < 1 or not self.dilations:
            raise ValueError("residual, skip, kernel and dilations must be positive")
        if min(self.inputs, self.local, self.globals_) < 0:
            raise ValueError("inputs, local and globals_ must not be negative")

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.dilations)

    @property
    def receptive_field(self) -> int:
        """Time steps that an output sees, its own included."""
        return 1 + (self.kernel - 1) * sum(self.dilations)
