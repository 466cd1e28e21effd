"""Passages of training audio: what a timbre plays, and how it sounded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.vae_gan.encoder import features

SPLITS = ("train", "validation", "test")
_RINGS = 4 * SAMPLE_RATE
"""A note that began longer ago than this before a crop is not heard in it any more, unless its key is still held."""


@dataclass(frozen=True)
class Passage:
    """One passage.

    Attributes:
        timbre: id of its timbre.
        program, drums, labels: what plays it.
        variant: of the timbre; 0 is neutral.
        notes: what is played.
        pcm, scale: int16 samples (n,) and what a unit of them stands for.
    """

    timbre: str
    program: int
    drums: bool
    labels: TimbreLabels
    variant: int
    notes: tuple[PlayedNote, ...]
    pcm: np.ndarray
    scale: float

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
    rows = [json.loads(line) for line in (folder / "timbres.jsonl").read_text(encoding="utf-8").splitlines()]
    passages = []
    for row in rows:
        path = folder / "audio" / f"{row['id']}.npz"
        if (row["split"] != "train") != unseen or not path.is_file():
            continue
        with np.load(path) as file:
            audio, scales = file["passage_audio"], file["passage_scale"]
            table, splits = file["passage_notes"], file["passage_split"]
        for i in np.flatnonzero(splits == SPLITS.index(split)):
            notes = tuple(PlayedNote(*(int(v) for v in note[1:])) for note in table[table[:, 0] == i])
            if notes:
                labels = TimbreLabels(**row["labels"])
                passages.append(
                    Passage(
                        row["id"],
                        row["program"],
                        row["drums"],
                        labels,
                        row["variant"],
                        notes,
                        audio[i],
                        float(scales[i]),
                    )
                )
    return passages
