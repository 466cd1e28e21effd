"""The raw-audio WaveNet in the studio: it writes lead and bass sample by sample, and the VAE-GAN plays the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.neural import FIRST_CHUNK, brightness_label
from musicgen_ui.engine.raw_voices import in_register, voices_of
from musicgen_ui.engine.raw_writer import TEMPERATURE, RawWriter, Voice
from musicgen_ui.engine.synthesize import DEFAULT_PROGRAMS, bent, fade_end, played
from musicgen_ui.models.checkpoint import load_into
from musicgen_ui.models.wavenet.frames import HOP, RATE, rescaled, sounding
from musicgen_ui.models.wavenet.raw import RawWaveNet, RawWaveNetConfig
from musicgen_ui.models.wavenet.vocabulary import nearest_instrument
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.recipe import check_timbre
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre

CHECKPOINT = "wavenet.safetensors"

WRITTEN = ("lead", "bass")
"""Parts that the WaveNet writes: those that are melodies."""

CHUNK = FIRST_CHUNK
"""Samples of a chunk, about a second: small enough that Stop is quick while the other parts are played."""

PLAYED_COST = 0.15
"""Work that a sample of a part played by the other synthesizer is, beside a sample that the WaveNet writes."""

Hook = Callable[[str, int, int], None]


class Streamer(Protocol):
    """A synthesizer that plays in chunks, as the neural one does."""

    def stream(
        self,
        score: Score,
        programs: Mapping[str, int],
        *,
        style: Style,
        timbre: Timbre,
        seed: int,
        hook: Hook | None = None,
        chunk: int,
    ) -> Iterator[dict[str, np.ndarray]]: ...


class RawWaveNetSynthesizer:
    """Plays scores with the raw-audio WaveNet. It keeps no state between calls, so threads may share it.

    Args:
        model: in evaluation mode, on the CPU: there the compiled sampler is faster than any GPU for a few streams.
        others: plays the parts that are not WRITTEN; without it there must be none.
    """

    def __init__(self, model: RawWaveNet, others: Streamer | None) -> None:
        self._writer = RawWriter(model)
        self._others = others

    @classmethod
    def load(cls, folder: Path, others: Streamer | None) -> RawWaveNetSynthesizer:
        """The shipped model.

        Raises:
            RequestError: the checkpoint is missing or damaged.
        """
        return cls(load_into(Path(folder) / CHECKPOINT, RawWaveNet, RawWaveNetConfig, "cpu"), others)

    def render(
        self,
        score: Score,
        programs: Mapping[str, int],
        *,
        style: Style,
        timbre: Timbre,
        seed: int,
        hook: Hook | None = None,
    ) -> dict[str, np.ndarray]:
        """Dry stems of a score: the chunks of :meth:`stream` in one piece.

        Returns:
            Part to (score.samples(),) float32 mono at 44.1 kHz within [-1, 1], for every observed part. What the
            WaveNet wrote has nothing above 8 kHz.

        Raises:
            RequestError: ``timbre`` would change something.
        """
        chunks = list(self.stream(score, programs, style=style, timbre=timbre, seed=seed, hook=hook))
        return {part: np.concatenate([chunk[part] for chunk in chunks]) for part in chunks[0]}

    def stream(
        self,
        score: Score,
        programs: Mapping[str, int],
        *,
        style: Style,
        timbre: Timbre,
        seed: int,
        hook: Hook | None = None,
        chunk: int = CHUNK,
    ) -> Iterator[dict[str, np.ndarray]]:
        """The same stems, chunk by chunk as they are made.

        Args:
            score: what to play; its tempo sets the time.
            programs: part to General MIDI program (for drums: the kit); :func:`vocabulary.nearest_instrument`
                plays for one that the model has not learned.
            style: its brightness is the models' condition.
            timbre: one that changes nothing.
            seed: of the noise that the samples are drawn with.
            hook: told ``synthesize`` with the work done and the work in all; the WaveNet's samples are most of it.
            chunk: samples of a chunk, a whole number of the other synthesizer's hops; the WaveNet's samples do not
                depend on it.
        """
        check_timbre("wavenet", timbre)
        total = score.samples(SAMPLE_RATE)
        frames = _frames(total)
        parts = [part for part in PARTS if part in score.parts]
        mine, rest = ([p for p in parts if (p in WRITTEN) == written] for written in (True, False))
        voices: list[Voice] = []
        for row, part in enumerate(mine):
            notes = [played(note, score.tempo) for note in score.notes(part)]
            program = programs.get(part, DEFAULT_PROGRAMS[part])
            voices += self._voices(part, row, notes, program, frames, brightness_label(style), seed)
        progress = _Progress(hook, _samples_to_write(voices, frames), len(rest) * total)
        written = _Feed(self._writer.write(voices, len(mine), frames, hook=progress.written) if voices else iter(()))
        begin = 0
        for chunk_of_rest in self._rest(score.with_parts(rest), programs, style, seed, progress, chunk):
            out = dict(chunk_of_rest)
            length = min(chunk, total - begin) if not out else len(next(iter(out.values())))
            for part, sound in zip(mine, bent(written.take(len(mine), length)), strict=True):
                fade_end(sound, begin, total)
                out[part] = sound
            begin += length
            yield {part: out[part] for part in parts}
        progress.finish()

    def play(
        self,
        part: str,
        notes: Sequence[PlayedNote],
        program: int,
        length: int,
        *,
        brightness: float = 0.0,
        seed: int = 0,
        temperature: float = TEMPERATURE,
    ) -> np.ndarray:
        """Notes at 44.1 kHz as one part, (length,) float32, without the fade at its end; brightness is the label."""
        frames = _frames(length)
        voices = self._voices(part, 0, notes, program, frames, brightness, seed)
        if not voices:
            return np.zeros(length, dtype=np.float32)
        pieces = self._writer.write(voices, 1, frames, temperature=temperature, hook=lambda *_: None)
        return bent(_Feed(pieces).take(1, length)[0])

    @property
    def config(self) -> RawWaveNetConfig:
        return self._writer.config

    def _rest(
        self, score: Score, programs: Mapping[str, int], style: Style, seed: int, progress: _Progress, chunk: int
    ) -> Iterator[dict[str, np.ndarray]]:
        """Chunks of the parts that the other synthesizer plays; empty ones where there is no such part."""
        if not score.parts:
            yield from ({} for _ in range(0, score.samples(SAMPLE_RATE), chunk))
            return
        if self._others is None:
            raise ValueError(f"nobody plays {' and '.join(score.parts)}")
        yield from self._others.stream(
            score, programs, style=style, timbre=Timbre(), seed=seed, hook=progress.played, chunk=chunk
        )

    def _voices(
        self,
        part: str,
        row: int,
        notes: Sequence[PlayedNote],
        program: int,
        frames: int,
        brightness: float,
        seed: int,
    ) -> list[Voice]:
        """A part's notes at 44.1 kHz as voices; they share one generator, of which the melody draws first."""
        config = self._writer.config
        instrument = nearest_instrument(config, program, [note.pitch for note in notes])
        notes = in_register(notes, config.lows[instrument], config.highs[instrument])
        noise = torch.Generator().manual_seed(
            int(np.random.SeedSequence([seed, PARTS.index(part)]).generate_state(1, np.uint64)[0] >> 1)
        )
        return [
            Voice(
                row,
                instrument,
                tuple(rescaled(voice, SAMPLE_RATE)),
                brightness,
                torch.rand(frames * HOP, generator=noise).numpy(),
            )
            for voice in voices_of(notes, highest=part != "bass")
        ]


class _Feed:
    """Pieces of sound (rows, n), taken in other lengths."""

    def __init__(self, pieces: Iterator[np.ndarray]) -> None:
        self._pieces = pieces
        self._ready: list[np.ndarray] = []

    def take(self, rows: int, length: int) -> np.ndarray:
        """(rows, length) float32; zeros after the last piece."""
        out = np.zeros((rows, length), dtype=np.float32)
        at = 0
        while at < length:
            piece = self._ready.pop() if self._ready else next(self._pieces, None)
            if piece is None:
                break
            count = min(piece.shape[1], length - at)
            out[:, at : at + count] = piece[:, :count]
            at += count
            if count < piece.shape[1]:
                self._ready.append(piece[:, count:])
        return out


class _Progress:
    """Joins the progress of both synthesizers into one, by the work that each has."""

    def __init__(self, hook: Hook | None, to_write: int, to_play: int) -> None:
        self._hook = hook
        self._shares = {"written": 0.0, "played": 0.0}
        self._work = {"written": to_write, "played": PLAYED_COST * to_play}
        self._total = max(1, round(sum(self._work.values())))
        self._tell()

    def written(self, _: str, done: int, total: int) -> None:
        """The WaveNet's hook."""
        self._shares["written"] = done / max(total, 1)
        self._tell()

    def played(self, _: str, done: int, total: int) -> None:
        """The other synthesizer's hook."""
        self._shares["played"] = done / max(total, 1)
        self._tell()

    def finish(self) -> None:
        self._shares = dict.fromkeys(self._shares, 1.0)
        self._tell()

    def _tell(self) -> None:
        if self._hook is not None:
            done = sum(self._shares[name] * work for name, work in self._work.items())
            self._hook("synthesize", min(self._total, round(done)), self._total)


def _frames(total: int) -> int:
    """Frames that cover so many samples at 44.1 kHz."""
    return -(-total * RATE // (SAMPLE_RATE * HOP))


def _samples_to_write(voices: Sequence[Voice], frames: int) -> int:
    return HOP * int(sum(np.count_nonzero(sounding(voice.notes, frames, 0)) for voice in voices))
