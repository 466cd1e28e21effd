"""The clips and fragments of ``evaluate similar``: composed and real scores, played at another tempo and key, noisy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
from musicgen_ui.music.score import Score
from musicgen_ui.style import GENRES, Style

_BATCH = 64
_TEMPI = (70.0, 150.0)


@dataclass(frozen=True)
class Changes:
    """How a fragment differs from the clip it is taken from.

    Attributes:
        tempo: largest change, as a share. semitones: largest transposition. noise_db: signal over white noise.
        seconds: length of the fragment.
    """

    tempo: float = 0.1
    semitones: int = 3
    noise_db: float = 10.0
    seconds: float = 8.0


@dataclass(frozen=True)
class Fragment:
    """A fragment and where it comes from.

    Attributes:
        samples: (n,) float32 at 44.1 kHz.
        begin: seconds in the unchanged clip. end: likewise.
        factor: its tempo over the clip's. shift: semitones it was moved by.
    """

    samples: np.ndarray
    begin: float
    end: float
    factor: float
    shift: int


def real_scores(data: Path, count: int, bars: int, seed: int) -> list[Score]:
    """One section in which all four parts play of each of ``count`` songs; the tempo is the song's, made playable."""
    from musicgen_ui.data.tables import load_tables
    from musicgen_ui.training.held_out import full_sections, real_corpus

    pieces, vocabulary = load_tables(data)
    sections = full_sections(pieces, 4 * count, bars=bars, rng=np.random.default_rng(seed))
    songs: dict[str, int] = {}
    for number, section in enumerate(sections):
        songs.setdefault(section.piece.id.split("#")[0].rsplit("_", 1)[0], number)
    chosen = [sections[number] for number in list(songs.values())[:count]]
    return [playable(score) for score in real_corpus(chosen, vocabulary).scores]


def playable(score: Score) -> Score:
    """The score at a tempo between 70 and 150, by doubling or halving."""
    tempo = score.tempo
    while tempo < _TEMPI[0]:
        tempo *= 2.0
    while tempo > _TEMPI[1]:
        tempo /= 2.0
    return replace(score, tempo=tempo)


def composed_scores(count: int, bars: int, seed: int) -> Iterator[Score]:
    """Scores of the default composer, each of a style of its own: all sliders and the genre are drawn."""
    from musicgen_ui.engine.compose import compose_many
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.recipe import COMPOSERS
    from musicgen_ui.scale import load_scales

    composer = load_composer(CHECKPOINTS / COMPOSER.format(COMPOSERS[0]), "cpu")
    scales = load_scales(CHECKPOINTS / "measures.json")["score"]
    rng = np.random.default_rng([seed, 1])
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        styles = [drawn_style(rng) for _ in numbers]
        yield from compose_many(composer, styles, [1000 * seed + n for n in numbers], bars=bars, scales=scales)


def drawn_style(rng: np.random.Generator) -> Style:
    """A style at random."""
    values = {
        name: float(rng.uniform(0.15, 0.85)) for name in ("mood", "energy", "density", "syncopation", "complexity")
    }
    return Style(tempo=float(rng.uniform(*_TEMPI)), genre={str(rng.choice(GENRES)): 1.0}, **values)


class Band:
    """Plays scores with the SoundFont and the studio's mixer."""

    def __init__(self) -> None:
        from musicgen_ui.audio.soundfont import SoundFont
        from musicgen_ui.engine.synthesize import SoundFontSynthesizer

        self._synthesizer = SoundFontSynthesizer(SoundFont.load())

    def play(self, score: Score) -> np.ndarray:
        """(n,) float32 at 44.1 kHz."""
        from musicgen_ui.engine.mix import mix

        stems = self._synthesizer.render(score, score.programs)
        return mix(stems, Style(tempo=min(180.0, max(60.0, score.tempo))), seed=0, tempo=score.tempo).samples.mean(
            axis=0
        )

    def fragment(self, score: Score, changes: Changes, rng: np.random.Generator) -> Fragment:
        """A part of the score, played anew at another tempo and in another key, in noise."""
        factor = float(rng.uniform(1.0 - changes.tempo, 1.0 + changes.tempo))
        shift = int(rng.integers(-changes.semitones, changes.semitones + 1))
        samples = self.play(replace(score.transposed(shift), tempo=score.tempo * factor))
        length = round(changes.seconds * SAMPLE_RATE)
        first = int(rng.integers(0, max(1, len(samples) - length)))
        cut = samples[first : first + length]
        begin = first / SAMPLE_RATE * factor
        return Fragment(
            noisy(cut, changes.noise_db, rng), begin, begin + len(cut) / SAMPLE_RATE * factor, factor, shift
        )


def noisy(samples: np.ndarray, decibels: float, rng: np.random.Generator) -> np.ndarray:
    """Samples in white noise that lies so far below them."""
    noise = rng.standard_normal(len(samples))
    level = np.sqrt(np.mean(np.square(samples))) * 10.0 ** (-decibels / 20.0)
    return (samples + level * noise).astype(np.float32)
