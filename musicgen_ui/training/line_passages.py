"""Held-out melodies and bass lines, one note at a time, as stems at 44.1 kHz: what the raw-audio WaveNet is judged on.

``prepare-lines`` keeps its audio at 16 kHz. To judge by the same yardstick as other synthesizers, the SoundFont plays
the lines of its validation and test pieces again at the full rate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.fluid import whole_blocks
from musicgen_ui.data.render_folder import audio_path
from musicgen_ui.data.render_lines import BASSES
from musicgen_ui.data.songs import SPLITS
from musicgen_ui.errors import RequestError
from musicgen_ui.models.wavenet.frames import RATE
from musicgen_ui.music.instruments import FAMILIES
from musicgen_ui.training.rendered import RenderedTimbre, Stem
from musicgen_ui.training.synth_player import NEUTRAL, Renderer


@dataclass(frozen=True)
class LinePassages:
    """The lines of a folder, read as :class:`rendered.RenderedFolder` reads passages.

    Attributes:
        path: of the folder.
        timbres: one for each instrument.
        renderer: the SoundFont.
        length: samples of a line.
    """

    path: Path
    timbres: tuple[RenderedTimbre, ...]
    renderer: Renderer
    length: int

    @classmethod
    def open(cls, path: Path, renderer: Renderer) -> LinePassages:
        """Reads the folder's list of instruments.

        Raises:
            RequestError: it holds no lines.
        """
        try:
            facts = json.loads((path / "lines.json").read_text(encoding="utf-8"))
            programs = [int(row[0]) for row in facts["programs"]]
            length = int(facts["config"]["seconds"] * SAMPLE_RATE)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            raise RequestError("--audio", f"{path} holds no rendered lines; run prepare-lines first") from None
        timbres = tuple(_timbre(program) for program in programs if audio_path(path, _name(program)).is_file())
        return cls(path, timbres, renderer, length)

    def passages(self, timbre: RenderedTimbre, splits: Sequence[str] = SPLITS) -> list[int]:
        """Numbers of the lines whose piece is in one of the splits."""
        split, _ = _lines(self.path, timbre.id)
        return [int(number) for number in np.flatnonzero(np.isin(split, [SPLITS.index(name) for name in splits]))]

    def stems(self, timbre: RenderedTimbre, passages: Sequence[int], length: int | None = None) -> Iterator[Stem]:
        """Lines in the order of ``passages``, at most ``length`` samples of each."""
        _, rows = _lines(self.path, timbre.id)
        for passage in passages:
            notes = tuple(_full_rate(row) for row in rows[rows[:, 0] == passage].tolist())
            samples = self.renderer.render(notes, timbre.program, self.length)
            stem = Stem(timbre, passage, notes, samples)
            yield stem if length is None else stem.cropped(length)


def below_8_khz(samples: np.ndarray) -> np.ndarray:
    """(n,) samples at 44.1 kHz as 16 kHz can hold them."""
    low = soxr.resample(samples, SAMPLE_RATE, RATE, quality="VHQ")
    high = soxr.resample(low, RATE, SAMPLE_RATE, quality="VHQ")[: samples.size]
    return np.pad(high, (0, samples.size - high.size)).astype(np.float32)


def _name(program: int) -> str:
    return f"p{program:03d}"


def _timbre(program: int) -> RenderedTimbre:
    family = "bass" if program in BASSES else FAMILIES[program // 8]
    return RenderedTimbre(_name(program), program, False, family, True, 0, NEUTRAL)


def _full_rate(row: Sequence[int]) -> PlayedNote:
    """A row of ``notes`` on the sample axis at 44.1 kHz, between FluidSynth's blocks as it was played."""
    _, start, end, pitch, velocity = row
    start, end = (whole_blocks(at * SAMPLE_RATE / RATE) for at in (start, end))
    return PlayedNote(start, end, pitch, velocity)


@lru_cache(maxsize=32)
def _lines(path: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Split (P,) and notes (M, 5) of an instrument's file."""
    with np.load(audio_path(path, name), allow_pickle=False) as arrays:
        return arrays["split"], arrays["notes"]
