"""Passages of training audio: what a timbre plays, and how it sounded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.vae_gan.encoder import features
from musicgen_ui.training.rendered import RenderedFolder, RenderedTimbre

_RINGS = 4 * SAMPLE_RATE
"""A note that began longer ago than this before a crop is not heard in it any more, unless its key is still held."""


@dataclass(frozen=True)
class Passage:
    """One passage.

    Attributes:
        source: the timbre that plays it.
        notes: what is played.
        pcm, scale: int16 samples (n,) and what a unit of them stands for.
    """

    source: RenderedTimbre
    notes: tuple[PlayedNote, ...]
    pcm: np.ndarray
    scale: float

    @property
    def timbre(self) -> str:
        """Name of the timbre."""
        return self.source.id

    @property
    def program(self) -> int:
        return self.source.program

    @property
    def drums(self) -> bool:
        return self.source.drums

    @property
    def labels(self) -> TimbreLabels:
        return self.source.labels

    @property
    def audio(self) -> np.ndarray:
        """(n,) float32."""
        return self.pcm.astype(np.float32) * np.float32(self.scale)

    def mel(self, mels: int) -> np.ndarray:
        """What the encoder hears of it."""
        return features(self.audio, mels)

    def crop(self, first: int, length: int) -> tuple[list[PlayedNote], np.ndarray]:
        """The notes that sound in a piece, and its samples."""
        heard = [n for n in self.notes if n.start < first + length and max(n.end, n.start + _RINGS) > first]
        return heard, self.pcm[first : first + length].astype(np.float32) * np.float32(self.scale)


def read_passages(folder: Path, split: str, *, unseen: bool = False) -> list[Passage]:
    """The passages of one split, in the order of the folder's listing.

    Args:
        folder: what ``prepare-audio`` wrote.
        split: one of SPLITS.
        unseen: those of the presets that are never learned, instead of the others.
    """
    rendered = RenderedFolder.open(folder)
    passages = []
    for timbre in rendered.timbres:
        if timbre.seen == unseen:
            continue
        with np.load(rendered.file(timbre)) as arrays:
            audio, scales, table = (arrays[f"passage_{name}"] for name in ("audio", "scale", "notes"))
        for i in rendered.passages(timbre, (split,)):
            notes = tuple(PlayedNote(*(int(v) for v in note[1:])) for note in table[table[:, 0] == i])
            if notes:
                # As integers: all passages are kept in memory.
                passages.append(Passage(timbre, notes, audio[i], float(scales[i])))
    return passages
