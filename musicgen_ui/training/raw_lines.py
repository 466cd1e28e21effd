"""What the raw-audio WaveNet is trained on: short stretches of the lines that ``prepare-lines`` rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.data.render_folder import audio_path
from musicgen_ui.data.songs import SPLITS
from musicgen_ui.errors import RequestError
from musicgen_ui.models.wavenet.excitation import Tone, excitation
from musicgen_ui.models.wavenet.frames import HOP, score_frames, sounding
from musicgen_ui.models.wavenet.mu_law import CLASSES, decode, encode, pre_emphasis

LOUD = 0.35
"""What an instrument's loud samples, those above all but a thousandth, are brought to before they are coded."""

_TRIES = 6


@dataclass(frozen=True)
class Disturbance:
    """How wrong a past may be.

    Attributes:
        share: of the stretches that are disturbed.
        noise: lowest and highest standard deviation in classes, log-uniform.
        gain: lowest and highest logarithm of a factor of the signal; shift: samples early or late, at most.
        odds: of a gain, and of a shift.
    """

    share: float
    noise: tuple[float, float]
    gain: tuple[float, float]
    shift: int
    odds: float

    def of(self, rng: np.random.Generator, classes: np.ndarray) -> np.ndarray:
        """A past that went wrong: too loud or too soft, early or late, noisy; (T,) int64 like ``classes``.

        The true past tells so much of the next sample that the model would hardly listen to the score, and would
        never return from an error of its own (exposure bias). What is to be predicted stays true.
        """
        louder = np.exp(rng.uniform(*self.gain)) if rng.random() < self.odds else 1.0
        later = int(rng.integers(-self.shift, self.shift + 1)) if rng.random() < self.odds else 0
        noise = np.exp(rng.uniform(*np.log(self.noise))) * rng.standard_normal(len(classes))
        past = encode(np.roll(decode(classes) * louder, later))
        return np.clip(past + np.round(noise), 0, CLASSES - 1).astype(np.int64)


NONE = Disturbance(0.0, (1.0, 1.0), (0.0, 0.0), 0, 0.0)

WIDE = Disturbance(0.6, (0.5, 40.0), (-4.0, 0.7), 6, 0.55)
"""At first, so that the model learns to listen to the score."""

NARROW = Disturbance(0.5, (0.7, 12.0), (-1.5, 0.5), 4, 0.3)
"""Later: about as wrong as its own past is when it writes."""


@dataclass(frozen=True)
class RawBatch:
    """Stretches of T samples.

    Attributes:
        classes: (B, T) int64, what is to be predicted.
        given: (B, T) int64, what the model sees of the past.
        target: (B, T) float32, the pre-emphasised signal that the classes code.
        excitation: (B, T, EXCITATION); frames: (B, T / HOP, FRAME_FEATURES).
        instrument: (B,) int64; c: (B, 1).
    """

    classes: Tensor
    given: Tensor
    target: Tensor
    excitation: Tensor
    frames: Tensor
    instrument: Tensor
    c: Tensor

    def to(self, device: torch.device | str) -> RawBatch:
        """The batch on a device."""
        return RawBatch(*(value.to(device) for value in vars(self).values()))


@dataclass(frozen=True)
class RenderedLine:
    """One line.

    Attributes:
        instrument: index into the programs.
        split: index of SPLITS.
        brightness: its label.
        notes: at 16 kHz.
        samples: (n,) int16, ``scale`` times which is the sound.
    """

    instrument: int
    split: int
    brightness: float
    notes: tuple[PlayedNote, ...]
    samples: np.ndarray
    scale: float

    @property
    def sound(self) -> np.ndarray:
        """(n,) float32 at the SoundFont's level."""
        return self.samples.astype(np.float32) * self.scale


class LineFolder:
    """Reads a folder that ``prepare-lines`` wrote.

    Attributes:
        facts: what ``lines.json`` says.
        programs, lows, highs: the instruments and their pitches.
        lines: all of them.
        gains: for each instrument; its sound times this is what is coded.
        classes: (n,) uint8 for each line.
        tones: (pitches, TONE_SIZE) for each instrument.
        written: line number to (n,) uint8, what a model wrote in its place; see ``rehearsal``.

    Raises:
        RequestError: the folder holds no lines.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.facts: dict[str, Any] = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
            rows = self.facts["programs"]
            files = [dict(np.load(audio_path(folder, f"p{row[0]:03d}"), allow_pickle=False)) for row in rows]
        except (OSError, ValueError, KeyError):
            raise RequestError("--audio", f"{folder} holds no rendered lines; run prepare-lines first") from None
        self.programs, self.lows, self.highs = (tuple(column) for column in zip(*rows, strict=True))
        self.lines = [line for instrument, file in enumerate(files) for line in _lines(instrument, file)]
        self.gains = tuple(_gain([x for x in self.lines if x.instrument == i]) for i in range(len(rows)))
        self.written: dict[int, np.ndarray] = {}
        self.tones = [file["tones"].astype(np.float32) for file in files]
        self.classes = [encode(pre_emphasis(line.sound * self.gains[line.instrument])) for line in self.lines]

    def of(self, split: str, instrument: int | None = None) -> list[int]:
        """Numbers of the lines of a split, and of an instrument."""
        wanted = SPLITS.index(split)
        found = [number for number, line in enumerate(self.lines) if line.split == wanted]
        return [n for n in found if instrument is None or self.lines[n].instrument == instrument]

    def batch(self, rng: np.random.Generator, numbers: Sequence[int], length: int, wrong: Disturbance) -> RawBatch:
        """A stretch of each line.

        Args:
            rng: draws the places and the disturbances.
            numbers: of lines.
            length: samples, a whole number of frames.
            wrong: disturbs the past, unless the line was rehearsed: then the past is what the model wrote.
        """
        columns = [self._stretch(rng, number, length, wrong) for number in numbers]
        stacked = [torch.from_numpy(np.stack(column)) for column in zip(*columns, strict=True)]
        instrument = torch.tensor([self.lines[number].instrument for number in numbers])
        c = torch.tensor([[self.lines[number].brightness] for number in numbers])
        return RawBatch(*stacked, instrument, c)

    def tones_of(self, instrument: int) -> Callable[[int], Tone]:
        """Pitch to tone of an instrument."""
        rows, low = self.tones[instrument], self.lows[instrument]
        return lambda pitch: Tone.from_row(rows[pitch - low])

    def _stretch(
        self, rng: np.random.Generator, number: int, length: int, wrong: Disturbance
    ) -> tuple[np.ndarray, ...]:
        line, classes = self.lines[number], self.classes[number]
        first = 0
        for _ in range(_TRIES):
            first = int(rng.integers((len(classes) - length) // HOP + 1)) * HOP
            notes = moved(line.notes, -first)
            if sounding(notes, length // HOP, 0).mean() > 0.6:
                break
        true = classes[first : first + length].astype(np.int64)
        if wrong.share and number in self.written:
            given = self.written[number][first : first + length].astype(np.int64)
        else:
            given = wrong.of(rng, true) if rng.random() < wrong.share else true
        return (
            true,
            given,
            decode(true),
            excitation(moved(line.notes, -first), length, self.tones_of(line.instrument), tuned=False),
            score_frames(moved(line.notes, -first), length // HOP),
        )


def moved(notes: Sequence[PlayedNote], by: int) -> list[PlayedNote]:
    """Notes ``by`` samples later."""
    return [PlayedNote(n.start + by, n.end + by, n.pitch, n.velocity) for n in notes]


def _lines(instrument: int, file: dict[str, np.ndarray]) -> list[RenderedLine]:
    found = []
    for number in range(len(file["scale"])):
        mine = file["notes"][:, 0] == number
        notes = tuple(PlayedNote(*row) for row in file["notes"][mine, 1:].tolist())
        found.append(
            RenderedLine(
                instrument,
                int(file["split"][number]),
                float(file["brightness"][number]),
                notes,
                file["audio"][number],
                float(file["scale"][number]),
            )
        )
    return found


def _gain(lines: Sequence[RenderedLine]) -> float:
    """What brings an instrument's loud samples to LOUD; of its training lines as they are played."""
    plain = [line for line in lines if line.split == 0 and line.brightness == 0.0] or list(lines)
    loud = np.quantile(np.abs(np.concatenate([pre_emphasis(line.sound) for line in plain])), 0.999)
    return float(LOUD / max(loud, 1e-6))
