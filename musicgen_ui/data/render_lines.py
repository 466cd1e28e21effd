"""Training audio of the raw-audio WaveNet: melodies and bass lines, one note at a time, dry, at 16 kHz.

An instrument is one file, ``audio/pPPP.npz``; what is drawn for it depends on the seed and the program alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr

from musicgen_ui.audio.partials import analyse
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.fluid import BLOCK, FluidRenderer, file_digest, soundfont_licence, whole_blocks
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render import HOLD, SILENCE, TAIL
from musicgen_ui.data.render_folder import audio_path, write_arrays
from musicgen_ui.data.render_passages import PassageChooser
from musicgen_ui.data.render_presets import generator
from musicgen_ui.data.songs import SPLITS
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.models.wavenet.excitation import TONE_SIZE, Tone, hertz
from musicgen_ui.models.wavenet.frames import HOP, RATE, monophonic, rescaled
from musicgen_ui.music.arrange import RANGES

LEADS = (4, 11, 24, 56, 71, 73, 81)
BASSES = (32, 33, 38)
BOTH = (0,)
"""Programs that are learned: of every family that the studio offers for a melody or a bass the most played."""

MEASURED_VELOCITY = 88
"""Velocity of the notes on which an instrument's tones are measured."""

_LINES, _DRILLS = 3, 4
"""Purposes of random numbers; see :func:`musicgen_ui.data.render_presets.generator`."""


@dataclass(frozen=True)
class LineConfig:
    """What is rendered for each instrument.

    Attributes:
        seed: of everything that is drawn.
        lines: lines of training pieces.
        drills: lines of random notes over the whole range, for training too.
        held_out: lines of validation pieces, and as many of test pieces.
        seconds: length of each.
    """

    seed: int = 0
    lines: int = 44
    drills: int = 16
    held_out: int = 3
    seconds: float = 8.0

    @property
    def samples(self) -> int:
        """Length of a line at 44.1 kHz: whole blocks."""
        return int(self.seconds * SAMPLE_RATE) // BLOCK * BLOCK

    @property
    def raw_samples(self) -> int:
        """Length of a line at 16 kHz: whole frames."""
        return self.samples * RATE // SAMPLE_RATE // HOP * HOP


@dataclass(frozen=True)
class Line:
    """A monophonic line at 44.1 kHz, the number of its split in SPLITS, and its brightness label."""

    notes: tuple[PlayedNote, ...]
    split: int
    brightness: float


def parts_of(program: int) -> tuple[str, ...]:
    """Parts whose lines an instrument learns."""
    return {True: ("bass",)}.get(program in BASSES, ("lead", "bass") if program in BOTH else ("lead",))


def pitches_of(program: int) -> tuple[int, int]:
    """Lowest and highest pitch that an instrument learns."""
    ranges = [RANGES[part] for part in parts_of(program)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


class LineRecorder:
    """Renders instruments one after another.

    Args:
        renderer: plays the notes.
        store: pieces that lines are taken from.
        config: what is rendered.
    """

    def __init__(self, renderer: FluidRenderer, store: PieceStore, config: LineConfig) -> None:
        self._renderer, self._chooser, self._config = renderer, PassageChooser(store), config

    def record(self, program: int) -> dict[str, np.ndarray]:
        """The arrays of an instrument's file.

        Returns:
            ``audio`` (P, n) int16 with ``scale`` (P,) float32; ``notes`` (M, 5) int32: line, start, end (at 16 kHz),
            pitch, velocity; ``split`` (P,) uint8; ``brightness`` (P,) float32; ``tones`` (pitches, TONE_SIZE) float16.
        """
        kept: list[tuple[Line, np.ndarray]] = []
        for line in self._lines(program):
            labels = TimbreLabels(brightness=line.brightness)
            sound = self._renderer.render(line.notes, program, self._config.samples, labels=labels)
            if np.abs(sound).max() >= SILENCE:
                slow = soxr.resample(sound, SAMPLE_RATE, RATE, quality="VHQ")
                kept.append((line, slow[: self._config.raw_samples].astype(np.float32)))
        low, high = pitches_of(program)
        scale = np.array([np.abs(sound).max() / 32767.0 for _, sound in kept], dtype=np.float32)
        rows = [
            (number, n.start, n.end, n.pitch, n.velocity)
            for number, (line, _) in enumerate(kept)
            for n in rescaled(line.notes, SAMPLE_RATE)
        ]
        notes = np.array(rows, dtype=np.int32).reshape(-1, 5)
        audio = [np.round(sound / step) for (_, sound), step in zip(kept, scale, strict=True)]
        return {
            "audio": np.array(audio, dtype=np.int16).reshape(-1, self._config.raw_samples),
            "scale": scale,
            "notes": notes,
            "split": np.array([line.split for line, _ in kept], dtype=np.uint8),
            "brightness": np.array([line.brightness for line, _ in kept], dtype=np.float32),
            "tones": np.stack([self._tone(program, pitch) for pitch in range(low, high + 1)]),
        }

    def _lines(self, program: int) -> list[Line]:
        rng = generator(self._config.seed, f"p{program:03d}", _LINES)
        lines = []
        wanted = {"train": self._config.lines, "validation": self._config.held_out, "test": self._config.held_out}
        for split, count in wanted.items():
            for _ in range(count):
                passage = self._chooser.choose(rng, split, parts_of(program), pitches_of(program), self._config.samples)
                brightness = _brightness(rng) if split != "test" else 0.0
                louder = int(rng.integers(-25, 26)) if split == "train" else 0
                if passage is not None:
                    notes = monophonic(passage.notes, highest=program not in BASSES)
                    lines.append(Line(tuple(_louder(notes, louder)), SPLITS.index(split), brightness))
        rng = generator(self._config.seed, f"p{program:03d}", _DRILLS)
        for _ in range(self._config.drills):
            notes = tuple(_drill(rng, pitches_of(program), self._config.samples))
            lines.append(Line(notes, SPLITS.index("train"), _brightness(rng)))
        return lines

    def _tone(self, program: int, pitch: int) -> np.ndarray:
        """(TONE_SIZE,) float16 of an isolated note; zeros where the instrument is silent."""
        sound = self._renderer.render([PlayedNote(0, HOLD, pitch, MEASURED_VELOCITY)], program, HOLD + TAIL)
        if np.abs(sound).max() < SILENCE:
            return np.zeros(TONE_SIZE, dtype=np.float16)
        return Tone.measured(analyse(sound, hertz(pitch), HOLD), pitch).row()


def prepare_lines(
    data: str | Path,
    out: str | Path,
    config: LineConfig,
    *,
    soundfont: str | Path | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> list[int]:
    """Renders every instrument that the folder lacks and writes what it is into ``lines.json``.

    Args:
        data: folder that ``prepare`` wrote.
        out: folder to write.
        config: what is rendered.
        soundfont: see :func:`musicgen_ui.data.fluid.soundfont_path`.
        log: told a line after each instrument.

    Returns:
        the programs.

    Raises:
        RequestError: an input is missing, or the folder holds lines of another configuration.
    """
    store = PieceStore(data)
    renderer = FluidRenderer.open(soundfont)
    programs = [program for program in sorted((*LEADS, *BASSES, *BOTH)) if program in renderer.programs]
    font = renderer.path
    licences: dict[str, set[str]] = {}
    for info in store.index():
        licences.setdefault(info.corpus, set()).add(info.licence)
    facts = {
        "config": asdict(config),
        "rate": RATE,
        "soundfont": {"name": font.resolve().name, "sha256": file_digest(font), "licence": soundfont_licence(font)},
        "corpora": {corpus: sorted(found) for corpus, found in sorted(licences.items())},
        "programs": [[program, *pitches_of(program)] for program in programs],
    }
    folder = Path(out)
    path = folder / "lines.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != facts:
        raise RequestError("out", f"{str(folder)!r} holds lines of another configuration; name another folder")
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    recorder = LineRecorder(renderer, store, config)
    for number, program in enumerate(programs, 1):
        file = audio_path(folder, f"p{program:03d}")
        if not file.is_file():
            arrays = recorder.record(program)
            write_arrays(file, arrays)
            minutes = arrays["audio"].size / RATE / 60
            log(f"{number}/{len(programs)} program {program}: {len(arrays['audio'])} lines, {minutes:.1f} min")
    return programs


def _brightness(rng: np.random.Generator) -> float:
    """Neutral half of the time."""
    value = round(float(rng.uniform(-1.0, 1.0)), 3)
    return value if rng.random() < 0.5 else 0.0


def _louder(notes: Sequence[PlayedNote], by: int) -> list[PlayedNote]:
    return [PlayedNote(n.start, n.end, n.pitch, int(np.clip(n.velocity + by, 20, 124))) for n in notes]


def _drill(rng: np.random.Generator, pitches: tuple[int, int], length: int) -> list[PlayedNote]:
    """Random notes, short and long, some joined and some with a rest between them."""
    notes = []
    at = whole_blocks(rng.uniform(0.05, 0.3) * SAMPLE_RATE)
    while at < length - SAMPLE_RATE // 4:
        held = whole_blocks(np.exp(rng.uniform(np.log(0.12), np.log(2.0))) * SAMPLE_RATE)
        rest = whole_blocks(rng.uniform(0.02, 0.7) * SAMPLE_RATE) if rng.random() < 0.5 else 0
        pitch = int(rng.integers(pitches[0], pitches[1] + 1))
        notes.append(PlayedNote(at, min(at + held, length), pitch, int(rng.integers(35, 121))))
        at += held + rest
    return notes
