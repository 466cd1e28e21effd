"""The raw-audio WaveNet without a score: notes and an instrument. For measuring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.engine.loading import load_raw
from musicgen_ui.engine.raw_player import RawWaveNetSynthesizer
from musicgen_ui.models.vae_gan.condition import TimbreLabels


class RawLinePlayer:
    """Plays melodies and bass lines.

    Args:
        synthesizer: the loaded model.
    """

    kits: frozenset[int] = frozenset()

    def __init__(self, synthesizer: RawWaveNetSynthesizer) -> None:
        self._synthesizer = synthesizer
        self.programs = frozenset(synthesizer.config.programs)

    @classmethod
    def load(cls, folder: Path) -> RawLinePlayer:
        """The checkpoint of a folder.

        Raises:
            RequestError: it is missing or damaged.
        """
        return cls(load_raw(folder, None))

    def play(
        self,
        notes: Sequence[PlayedNote],
        program: int,
        drums: bool,
        length: int,
        *,
        labels: TimbreLabels,
        seed: int,
        **ignored: object,
    ) -> np.ndarray:
        """(length,) float32 mono at 44.1 kHz; it has no timbres."""
        return self._synthesizer.play("lead", notes, program, length, brightness=labels.brightness, seed=seed)
