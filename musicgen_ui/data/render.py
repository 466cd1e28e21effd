"""Training audio: every timbre's notes, taken apart into partials, and passages that it plays.

A timbre is one file, ``audio/ID.npz``: a file that is there is complete, so a stopped run goes on where it stopped.
What is drawn at random depends on the seed and the timbre alone, not on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS, Partials, analyse
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.fluid import BLOCK, FluidRenderer, whole_blocks
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render_passages import DRUM_HOLD, Passage, PassageChooser
from musicgen_ui.data.render_presets import TimbreSpec, generator
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS

HOLD = whole_blocks(2.5 * SAMPLE_RATE)
TAIL = whole_blocks(0.8 * SAMPLE_RATE)
"""Samples that an isolated note is held, and that follow."""

SHORT_HOLD = whole_blocks(0.4 * SAMPLE_RATE)
"""A second take of the note is let go this early: what decays has not gone yet, and shows its release."""

SOFTEST, LOUDEST = 30, 120
"""Velocities of isolated notes."""

SILENCE = 1e-4
"""A note whose peak is lower is not sounded by the preset; a passage whose peak is lower is not kept."""

_NOTES, _PASSAGES = 1, 2
"""Purposes of random numbers; see :func:`generator`."""


@dataclass(frozen=True)
class AudioConfig:
    """What is rendered.

    Attributes:
        seed: of everything that is drawn.
        variants: timbres of each preset beside the neutral one.
        passages: passages of each such timbre; the neutral ones have at least one of each split.
        passage_seconds: length of each.
        presets: only so many presets, for a trial; None for all.
    """

    seed: int = 0
    variants: int = 5
    passages: int = 2
    passage_seconds: float = 8.0
    presets: int | None = None

    @property
    def passage_samples(self) -> int:
        """Length of a passage: whole blocks."""
        return int(self.passage_seconds * SAMPLE_RATE) // BLOCK * BLOCK


class TimbreRecorder:
    """Renders timbres one after another.

    Args:
        renderer: plays the notes.
        store: pieces that passages are taken from.
        config: what is rendered.
    """

    def __init__(self, renderer: FluidRenderer, store: PieceStore, config: AudioConfig) -> None:
        self._renderer = renderer
        self._chooser = PassageChooser(store)
        self._config = config

    def record(self, timbre: TimbreSpec) -> dict[str, np.ndarray]:
        """The arrays of a timbre's file."""
        hold = DRUM_HOLD if timbre.drums else HOLD
        drawn = ((row, self._note(timbre, *row)) for row in self._drawn_notes(timbre))
        notes = [((*row, hold), partials) for row, partials in drawn if partials is not None]
        return note_arrays(notes, drums=timbre.drums) | passage_arrays(
            *self._passages(timbre), self._config.passage_samples
        )

    def _drawn_notes(self, timbre: TimbreSpec) -> list[tuple[int, int]]:
        """(pitch, velocity) of the isolated notes."""
        rng = generator(self._config.seed, timbre.id, _NOTES)
        low, high = timbre.pitches
        pitches = np.arange(low, high + 1)
        if timbre.drums:
            # Kits have few keys, and each is a sound of its own.
            pitches = np.concatenate([pitches, pitches]) if timbre.split == "train" else pitches
        elif timbre.variant == 0 and timbre.split == "train":
            pitches = np.concatenate([pitches, pitches[int(rng.integers(2)) :: 2]])
        else:
            pitches = pitches[int(rng.integers(3)) :: 3]
        velocities = rng.integers(SOFTEST, LOUDEST + 1, len(pitches))
        return list(zip(pitches.tolist(), velocities.tolist(), strict=True))

    def _note(self, timbre: TimbreSpec, pitch: int, velocity: int) -> Partials | None:
        """What one isolated note is made of; None when the preset does not sound it."""
        frequency = 440.0 * 2.0 ** ((pitch - 69 + DETUNE_CENTS * timbre.labels.detune / 100.0) / 12.0)
        if timbre.drums:
            sound = self._play(timbre, pitch, velocity, DRUM_HOLD, 0)
            if np.abs(sound).max() < SILENCE:
                return None
            return analyse(sound, frequency, DRUM_HOLD, drum=True)
        sound = self._play(timbre, pitch, velocity, HOLD, TAIL)
        if np.abs(sound[:HOLD]).max() < SILENCE:
            return None
        short = self._play(timbre, pitch, velocity, SHORT_HOLD, TAIL)
        return analyse(sound, frequency, HOLD, released=(short, SHORT_HOLD))

    def _play(self, timbre: TimbreSpec, pitch: int, velocity: int, hold: int, tail: int) -> np.ndarray:
        note = PlayedNote(0, hold, pitch, velocity)
        return self._renderer.render([note], timbre.program, hold + tail, drums=timbre.drums, labels=timbre.labels)

    def _passages(self, timbre: TimbreSpec) -> tuple[list[Passage], list[np.ndarray]]:
        rng = generator(self._config.seed, timbre.id, _PASSAGES)
        length = self._config.passage_samples
        passages, sounds = [], []
        for split in self._splits(timbre):
            passage = self._chooser.choose(rng, split, timbre.parts, timbre.pitches, length)
            if passage is None:
                continue
            sound = self._renderer.render(
                passage.notes, timbre.program, length, drums=timbre.drums, labels=timbre.labels
            )
            if np.abs(sound).max() >= SILENCE:
                passages.append(passage)
                sounds.append(sound)
        return passages, sounds

    def _splits(self, timbre: TimbreSpec) -> list[str]:
        count = self._config.passages
        if timbre.variant == 0:
            return ["train"] * max(1, count - 1) + ["validation", "test"]
        return ["train"] * count + (["test"] if timbre.split == "unseen" else [])


def note_arrays(notes: Sequence[tuple[tuple[int, int, int], Partials]], *, drums: bool) -> dict[str, np.ndarray]:
    """Isolated notes as arrays.

    Args:
        notes: (pitch, velocity, hold in samples) and what the note is made of.
        drums: they are described on a drum's grids.

    Returns:
        ``note_table`` (N, 3) int32 and the fields of Partials with N in front; for N = 0 too. Frequencies and times
        are float32, all else is float16, which reaches down to -140 dB of full scale.
    """
    knots, places = (len(DRUM_KNOTS), len(DRUM_GRID)) if drums else (len(KNOTS), len(GRID))
    shapes = {"ratio": (places,), "phase": (places,), "bend": (knots,), "noise": (knots, BANDS), "release": ()}
    arrays = {"note_table": np.array([row for row, _ in notes], dtype=np.int32).reshape(-1, 3)}
    for field in fields(Partials):
        kind = np.float32 if field.name in ("ratio", "release") else np.float16
        values = [np.asarray(getattr(partials, field.name)) for _, partials in notes]
        arrays[field.name] = np.array(values, dtype=kind).reshape(-1, *shapes.get(field.name, (knots, places)))
    return arrays


def passage_arrays(passages: Sequence[Passage], sounds: Sequence[np.ndarray], length: int) -> dict[str, np.ndarray]:
    """Passages as arrays.

    Args:
        passages: P of them.
        sounds: (length,) float of each.
        length: samples.

    Returns:
        ``passage_audio`` (P, length) int16 with ``passage_scale`` (P,) float32, ``passage_notes`` (M, 5) int32:
        passage, start, end, pitch, velocity; ``passage_split`` (P,) uint8, an index of SPLITS.
    """
    scales = np.array([max(float(np.abs(sound).max()), 1e-9) / 32767.0 for sound in sounds], dtype=np.float32)
    audio = [np.round(sound / scale) for sound, scale in zip(sounds, scales, strict=True)]
    rows = [(i, n.start, n.end, n.pitch, n.velocity) for i, p in enumerate(passages) for n in p.notes]
    return {
        "passage_audio": np.clip(np.array(audio).reshape(-1, length), -32767, 32767).astype(np.int16),
        "passage_scale": scales,
        "passage_notes": np.array(rows, dtype=np.int32).reshape(-1, 5),
        "passage_split": np.array([p.split for p in passages], dtype=np.uint8),
    }
