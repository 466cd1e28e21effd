"""The neural synthesizer: the VAE-GAN plays a score, all parts side by side, in chunks that join without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.audio.pauses import pause
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.synthesize import DEFAULT_PROGRAMS, bent, fade_end, played
from musicgen_ui.models.checkpoint import load_into
from musicgen_ui.models.vae_gan.additive import render
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.vae_gan.config import EncoderConfig, VAEGANConfig
from musicgen_ui.models.vae_gan.encoder import TimbreEncoder
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of, lengths, perform
from musicgen_ui.models.vae_gan.stem import HOP
from musicgen_ui.models.vae_gan.timbre_space import AggregatePrior, morphed
from musicgen_ui.models.vae_gan.voices import RELEASE_SECONDS
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.style import Style
from musicgen_ui.timbre import Z_LIMIT, Timbre, TimbrePoint

GENERATOR, ENCODER = "vaegan.safetensors", "timbre_encoder.safetensors"

CHUNK = 344 * HOP
"""Samples that are made at a time, about four seconds; the first chunk is shorter, so that sound starts early."""

FIRST_CHUNK = 86 * HOP

BRIGHTNESS_LABEL = 1.0
"""Label at the bright end of the slider is half of this: the mixer's equaliser does the rest."""

_RINGS = round(RELEASE_SECONDS[-1] * SAMPLE_RATE) + 1
"""Samples that a note may ring on after its key is let go."""

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Line:
    """One part to be played: which network, with which sound, and its notes."""

    part: str
    drums: bool
    sound: Sound
    notes: tuple[PlayedNote, ...]


class NeuralSynthesizer:
    """Plays scores with the VAE-GAN. It keeps no state between calls, so threads may share it.

    Args:
        generator: in evaluation mode.
        encoder: of recordings.
        bf16: compute the stem level in bfloat16: faster, but not the same bytes on every machine.
    """

    def __init__(self, generator: Generator, encoder: TimbreEncoder, *, bf16: bool = False) -> None:
        self.generator = generator
        self.encoder = encoder
        self.bf16 = bf16
        self._space = AggregatePrior.of(generator)
        self.device = generator.bands.device

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", *, bf16: bool = False) -> NeuralSynthesizer:
        """The shipped generator and encoder.

        Raises:
            RequestError: a checkpoint is missing or damaged.
        """
        generator = load_into(Path(folder) / GENERATOR, Generator, VAEGANConfig, device)
        encoder = load_into(Path(folder) / ENCODER, TimbreEncoder, EncoderConfig, device)
        return cls(generator, encoder, bf16=bf16)

    def encode(self, samples: np.ndarray) -> TimbrePoint:
        """The timbre of mono samples (n,) at 44.1 kHz."""
        z = np.clip(self.encoder.encode(samples), -Z_LIMIT, Z_LIMIT)
        return TimbrePoint("recorded", z=tuple(float(v) for v in z))

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
            Part to (score.samples(),) float32 mono at 44.1 kHz within [-1, 1], for every observed part.
        """
        chunks = list(self.stream(score, programs, style=style, timbre=timbre, seed=seed, hook=hook))
        return {part: np.concatenate([chunk[part] for chunk in chunks]) for part in chunks[0]}

    @torch.inference_mode()
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
            programs: part to General MIDI program (for drums: the kit).
            style: its brightness is the generator's condition.
            timbre: which parts play with another timbre than their instrument's own.
            seed: not used: what is random about a timbre has a seed of its own.
            hook: told ``synthesize`` with the samples done after each chunk.
            chunk: samples of a chunk, a whole number of hops.
        """
        total = score.samples(SAMPLE_RATE)
        parts = [part for part in PARTS if part in score.parts]
        lines = [self._line(score, part, programs, style, timbre) for part in parts]
        sounding = [line for line in lines if line.notes]
        if hook is not None:
            hook("synthesize", 0, total)
        begin = 0
        for stems in self._chunks(sounding, total, chunk):
            length = stems.shape[1] if sounding else min(chunk, total - begin)
            made = {line.part: row for line, row in zip(sounding, stems, strict=True)}
            out = {part: made.get(part, np.zeros(length, dtype=np.float32)) for part in parts}
            for samples in out.values():
                fade_end(samples, begin, total)
            begin += length
            yield out
            if hook is not None:
                hook("synthesize", begin, total)

    def play(self, notes: Sequence[PlayedNote], drums: bool, sound: Sound, length: int, *, stem: bool) -> np.ndarray:
        """One line of notes, (length,) float32; ``stem`` False leaves the stem level out."""
        line = _Line("lead", drums, sound, tuple(notes))
        with torch.inference_mode():
            if not stem:
                return self.generator.additive(drums, notes, sound, 0, length).cpu().numpy()
            return np.concatenate([chunk[0] for chunk in self._chunks([line], length, CHUNK)])

    def _line(self, score: Score, part: str, programs: Mapping[str, int], style: Style, timbre: Timbre) -> _Line:
        drums = part == "drums"
        network = self.generator.network(drums)
        instrument = instrument_of(network, programs.get(part, DEFAULT_PROGRAMS[part]))
        own = network.prior_mean[instrument]
        labels = TimbreLabels(brightness=brightness_label(style))
        sound = Sound(instrument, own, labels=labels)
        if not drums and part in timbre.parts:
            a, b = (self._point(point, own) for point in (timbre.a, timbre.b))
            told = [float(point.kind == "own") for point in (timbre.a, timbre.b)]
            known = told[0] + (told[1] - told[0]) * timbre.morph
            sound = Sound(instrument, morphed(a, b, timbre.morph), known, labels)
        notes = tuple(played(note, score.tempo) for note in score.notes(part))
        return _Line(part, drums, sound, notes)

    def _point(self, point: TimbrePoint, own: Tensor) -> Tensor:
        if point.kind == "own":
            return own
        if point.kind == "random":
            return self._space.draw(torch.from_numpy(point.noise()))
        return torch.tensor(point.z, device=self.device, dtype=torch.float32)

    @torch.inference_mode()
    def _piece(self, line: _Line, held: np.ndarray, first: int, length: int) -> Tensor:
        """The note level of a line from ``first`` on, (length,)."""
        sounding = [
            i
            for i, (note, hold) in enumerate(zip(line.notes, held, strict=True))
            if hold and note.start < first + length and note.start + hold + _RINGS > first
        ]
        if not sounding:
            return torch.zeros(length, device=self.device)
        network = self.generator.network(line.drums)
        voices = perform(network, [line.notes[i] for i in sounding], line.sound, held[sounding])
        return render(voices, self.generator.bands, first, length)

    def _chunks(self, lines: Sequence[_Line], total: int, chunk: int) -> Iterator[np.ndarray]:
        """(lines, n) pieces of all stems, in order."""
        if not lines:
            yield from (np.zeros((0, min(chunk, total - i)), np.float32) for i in range(0, total, chunk))
            return
        # Whole hops, silent behind the end: every chunk sees the same frames as one pass over everything would.
        padded = -(-total // HOP) * HOP
        held = [lengths(line.notes, line.drums) for line in lines]
        additive = torch.zeros(len(lines), padded, device=self.device)
        context = self.generator.stem.context
        sounds, drums = [line.sound for line in lines], [line.drums for line in lines]
        ready = begin = 0
        threads = torch.get_num_threads()
        # A thread that is new to torch would take what another one set last.
        with ThreadPoolExecutor(max(1, min(len(lines), threads)), "synth", torch.set_num_threads, (threads,)) as pool:
            while begin < total:
                end = min(padded, begin + (min(FIRST_CHUNK, chunk) if begin == 0 else chunk))
                need = min(total, end + context)
                if need > ready:
                    # Only the notes that sound here are written: a long piece needs no more memory at a time.
                    piece = partial(self._piece, first=ready, length=need - ready)
                    for row, samples in enumerate(pool.map(piece, lines, held)):
                        additive[row, ready:need] = samples
                        pause()
                    ready = need
                left, right = max(0, begin - context), min(padded, end + context)
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                    stems = self.generator.finish(additive[:, left:right], sounds, drums, left)
                piece = stems[:, begin - left : min(end, total) - left].float().cpu().numpy()
                yield bent(np.ascontiguousarray(piece))
                begin = end


def brightness_label(style: Style) -> float:
    """What the models are told of the brightness slider, -1 to 1."""
    return float(np.clip(BRIGHTNESS_LABEL * (style.brightness - 0.5), -1.0, 1.0))
