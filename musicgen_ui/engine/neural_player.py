"""The neural synthesizer without a score: notes, a preset or a point of the timbre space, and labels. For measuring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.engine.neural import NeuralSynthesizer
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of


class NeuralPlayer:
    """Plays lines of notes.

    Args:
        synthesizer: the loaded model.
    """

    def __init__(self, synthesizer: NeuralSynthesizer) -> None:
        self._synthesizer = synthesizer
        self.programs = frozenset(synthesizer.generator.network(drums=False).config.programs)
        self.kits = frozenset(synthesizer.generator.network(drums=True).config.programs)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> NeuralPlayer:
        """The checkpoints of a folder.

        Raises:
            RequestError: a checkpoint is missing or damaged.
        """
        return cls(NeuralSynthesizer.load(folder, device))

    def play(  # noqa: PLR0913 - what decides on a sound is much
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
        """(length,) float32 mono at 44.1 kHz.

        Args:
            notes: what to play.
            program: preset; only its pitch range is the same for all where ``known`` is False.
            drums: it is a kit.
            length: samples.
            labels: how it is played.
            z: (Z_SIZE,) timbre; None for a draw from the preset's prior.
            stem_level: False leaves the note level alone.
            known: False hides the preset from the model: the timbre is z's.
            seed: of the draw.
        """
        network = self._synthesizer.generator.network(drums)
        instrument = instrument_of(network, program)
        if z is None:
            noise = torch.randn(1, network.prior_mean.shape[1], generator=torch.Generator().manual_seed(seed))
            point = network.prior(torch.tensor([instrument]), noise.to(network.prior_mean.device))[0].detach()
        else:
            point = torch.from_numpy(np.asarray(z, dtype=np.float32))
        sound = Sound(instrument, point, float(known), labels)
        return self._synthesizer.play(notes, drums, sound, length, stem=stem_level)

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """(Z_SIZE,) the timbre of mono samples (n,) at 44.1 kHz."""
        return self._synthesizer.encoder.encode(samples)

    def prior_mean(self, program: int, drums: bool) -> np.ndarray:
        """(Z_SIZE,) where a preset lies in the timbre space."""
        network = self._synthesizer.generator.network(drums)
        return network.prior_mean[instrument_of(network, program)].detach().cpu().numpy()
