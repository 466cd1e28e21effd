"""What evaluation asks of a synthesizer, and the SoundFont in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote, SoundFont
from musicgen_ui.models.vae_gan.condition import TimbreLabels

NEUTRAL = TimbreLabels()


class Player(Protocol):
    """What turns notes into a stem: the model, or a SoundFont."""

    @property
    def programs(self) -> frozenset[int]:
        """Melodic programs it knows."""

    @property
    def kits(self) -> frozenset[int]:
        """Drum kits it knows."""

    def play(  # noqa: PLR0913
        self,
        notes: Sequence[PlayedNote],
        program: int,
        drums: bool,
        length: int,
        *,
        labels: TimbreLabels,
        z: np.ndarray | None,
        stem_level: bool,
        known: bool,
        seed: int,
    ) -> np.ndarray:
        """(length,) float32 at 44.1 kHz.

        Args:
            notes: on the sample axis.
            program: program, or the kit's number.
            drums: whether it is a kit.
            length: in samples.
            labels: how to play.
            z: (32,) timbre; None to draw it from the instrument's prior with ``seed``.
            stem_level: with the stem-level generator, else the note level alone.
            known: False to play as an instrument never seen: its timbre comes from z alone.
            seed: of whatever is drawn.
        """


class TimbrePlayer(Player, Protocol):
    """A player with a space of timbres."""

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Z (32,) of (n,) samples."""

    def prior_mean(self, program: int, drums: bool) -> np.ndarray:
        """Mean (32,) of an instrument's prior."""


class Renderer(Protocol):
    """What plays the SoundFont again: ``data.fluid.FluidRenderer``."""

    @property
    def programs(self) -> frozenset[int]:
        """Melodic programs."""

    @property
    def kits(self) -> frozenset[int]:
        """Drum kits."""

    def render(
        self,
        notes: Sequence[PlayedNote],
        program: int,
        length: int,
        *,
        drums: bool = False,
        labels: TimbreLabels = NEUTRAL,
    ) -> np.ndarray:
        """(length,) float32."""


@dataclass(frozen=True)
class SoundFontPlayer:
    """Another SoundFont in the model's place: how far two SoundFonts are from each other."""

    soundfont: SoundFont

    @property
    def programs(self) -> frozenset[int]:
        return self.soundfont.programs

    @property
    def kits(self) -> frozenset[int]:
        return self.soundfont.kits

    def play(
        self, notes: Sequence[PlayedNote], program: int, drums: bool, length: int, **ignored: object
    ) -> np.ndarray:
        """(length,) float32; it has neither labels nor timbres."""
        return self.soundfont.render(notes, program, length, drums=drums)


def has_timbres(player: Player) -> bool:
    """Whether the player can encode and has priors, as the model does and a SoundFont does not."""
    return hasattr(player, "encode") and hasattr(player, "prior_mean")
