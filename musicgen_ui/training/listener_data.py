"""Scores with known answers, as they may sound: the material that the Listener is fitted, calibrated and judged on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicgen_ui.data.pieces import PieceInfo, PieceStore
from musicgen_ui.data.sections import CORPUS_WEIGHTS, OWN_WEIGHT
from musicgen_ui.music.instruments import CHOICES, KITS, program_number
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.music.theory import KEYS
from musicgen_ui.style import GENRES, SLIDERS, PartSetting, Style

Play = Callable[[Score, Style, int], tuple[np.ndarray, int]]
"""Score, style and seed to the samples (channels, n) of the mixed clip and their rate; the caller wires it."""

Write = Callable[[Style, int, int], Score]
"""Style, bars and seed to a score with its instruments: the studio's composers; the caller wires it."""


@dataclass(frozen=True)
class Sources:
    """Where examples come from.

    Attributes:
        play: sampled instruments and the mixer.
        neural: the neural synthesizer and the mixer; None for sampled sound alone.
        write: the composers; None for sections of pieces alone.
        neural_share: of the examples, played by the neural synthesizer.
        composed_share: of the examples, written by the composers.
    """

    play: Play
    neural: Play | None = None
    write: Write | None = None
    neural_share: float = 0.85
    composed_share: float = 0.65

    def player(self, rng: np.random.Generator) -> Play:
        """Who plays the next example."""
        return self.neural if self.neural is not None and rng.random() < self.neural_share else self.play


@dataclass(frozen=True)
class Example:
    """A score and its sound.

    Attributes:
        piece_id: where it was cut from.
        score: what is played: every label comes from here.
        samples: (channels, n) or (n,) float32.
        sample_rate: in Hz.
        rhythmic: False where there is no tempo to find.
        space: of the room it was mixed in, or None where that is not known.
    """

    piece_id: str
    score: Score
    samples: np.ndarray
    sample_rate: int
    rhythmic: bool = True
    space: float | None = None


def draw_sections(
    store: PieceStore,
    split: str,
    rng: np.random.Generator,
    *,
    bars: int = 16,
    parts: int = 1,
    native: float = 0.3,
) -> Iterator[tuple[str, Score]]:
    """Endless random sections of a split's pieces, in random keys, tempi and instruments.

    A score's tempo is only a number, so each section is played at a tempo of its own: that is what the tempo slider
    does, and it keeps the Listener from learning which tempi composers like.

    Args:
        store: prepared pieces.
        split: ``train``, ``validation`` or ``test``.
        rng: source of every choice.
        bars: length; shorter where the piece is shorter.
        parts: least number of parts that play in the section.
        native: share of the sections that keep their piece's own tempo and instruments.

    Yields:
        Piece id and score.
    """
    by_corpus: dict[str, list[PieceInfo]] = {}
    for info in store.index():
        if info.split == split and len(info.parts) >= max(parts, 1) and info.bars >= 4:
            by_corpus.setdefault(info.corpus, []).append(info)
    if not by_corpus:
        raise ValueError(f"no {split} piece has {parts} parts")
    names = sorted(by_corpus)
    weights = np.array([CORPUS_WEIGHTS.get(name, OWN_WEIGHT) for name in names])
    weights /= weights.sum()
    while True:
        infos = by_corpus[names[rng.choice(len(names), p=weights)]]
        info = infos[int(rng.integers(len(infos)))]
        score = store.read(info.id).score
        length = min(bars, score.bars)
        score = score.section(int(rng.integers(score.bars - length + 1)), length)
        keep_tempo, keep_instruments = rng.random(2) < native
        low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
        own = info.tempo if keep_tempo and info.tempo_known and low <= info.tempo <= high else None
        tempo = own or float(np.round(rng.uniform(low, high), 1))
        score = replace(score.transposed(int(rng.integers(-5, 7))), tempo=tempo)
        own_programs = dict(score.programs) if keep_instruments else {}
        if own_programs.get("drums") not in KITS.values():  # files name kits that no SoundFont has
            own_programs.pop("drums", None)
        score = replace(score, programs={part: own_programs.get(part, _any_program(part, rng)) for part in PARTS})
        playing = [part for part in PARTS if len(score.notes(part)) >= 4]
        if len(playing) >= max(parts, 1) and sum(len(score.notes(p)) for p in playing) >= score.beats / 2:
            yield info.id, score


def without_some_parts(score: Score, rng: np.random.Generator, chance: float = 0.2) -> Score:
    """The score with parts left out now and then, at least one kept: a person may switch any of them off."""
    playing = [part for part in score.parts if score.notes(part)]
    kept = [part for part in playing if rng.random() >= chance]
    return score.with_parts(kept or playing)


def _any_program(part: str, rng: np.random.Generator) -> int:
    return program_number(part, CHOICES[part][int(rng.integers(len(CHOICES[part])))])


def fitting_examples(store: PieceStore, sources: Sources, rng: np.random.Generator, count: int) -> Iterator[Example]:
    """What the Listener's networks are fitted to: mostly bands in any room, some drums alone, some that is no music.

    Args:
        store: prepared pieces; the train split is used.
        sources: composers and players.
        rng: source of every choice.
        count: examples.
    """
    scores = studio_scores(store, sources, rng)
    for number in range(count):
        kind = rng.choice(4, p=(0.85, 0.04, 0.04, 0.07))
        if kind == 3:
            yield not_music(rng)
            continue
        name, score, style = next(scores)
        if kind == 1 and score.notes("drums"):
            score = score.with_parts(["drums"])
        elif kind == 2:
            score = scrambled(score, rng)
        samples, sample_rate = sources.player(rng)(score, style, number)
        yield Example(name, score, samples, sample_rate, rhythmic=kind != 2, space=style.space)


def studio_scores(
    store: PieceStore, sources: Sources, rng: np.random.Generator, *, bars: Sequence[int] = (6, 6, 8, 8, 8, 12)
) -> Iterator[tuple[str, Score, Style]]:
    """Endless scores as the studio meets them, with the style that they are mixed in.

    Args:
        store: prepared pieces; the train split is used.
        sources: the composers, if there are any, and their share.
        rng: source of every choice.
        bars: lengths, drawn evenly.

    Yields:
        Piece id or ``composed``, score and style.
    """
    sections = {length: draw_sections(store, "train", rng, bars=length) for length in sorted(set(bars))}
    while True:
        length = int(bars[int(rng.integers(len(bars)))])
        if sources.write is not None and rng.random() < sources.composed_share:
            yield from composed_scores(sources.write, rng, length, 1)
        else:
            name, score = next(sections[length])
            yield name, without_some_parts(score, rng, 0.1), _any_sound(score.tempo, rng)


def composed_scores(
    write: Write, rng: np.random.Generator, bars: int, count: int
) -> Iterator[tuple[str, Score, Style]]:
    """Scores of random requests: every slider, key, genre and tempo alike; one in five lacks parts."""
    for _ in range(count):
        style = any_style(rng)
        score = write(style, bars, int(rng.integers(2**31)))
        if any(score.parts.values()):
            yield "composed", score, style


def any_style(rng: np.random.Generator) -> Style:
    """A request at random; the effects are mostly at rest."""
    parts = [part for part in PARTS if rng.random() < 0.6] if rng.random() < 0.2 else list(PARTS)
    genres = rng.choice(len(GENRES), 1 + (rng.random() < 0.2), replace=False) if rng.random() < 0.85 else ()
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    return _any_sound(float(np.round(rng.uniform(low, high), 1)), rng).with_values(
        **{name: float(rng.uniform()) for name in MEASURED},
        key=KEYS[int(rng.integers(len(KEYS)))],
        metre="3/4" if rng.random() < 0.2 else "4/4",
        genre={GENRES[int(genre)]: 1.0 for genre in genres},
        parts={part: PartSetting(on=part in (parts or ["chords"])) for part in PARTS},
    )


def _any_sound(tempo: float, rng: np.random.Generator) -> Style:
    """A style with its mixer's sliders at random, the dirty ones mostly at rest."""
    dirt = {name: float(rng.uniform()) * (rng.random() < 0.2) for name in ("noise", "drive", "vibrato")}
    return Style(tempo=tempo, brightness=float(rng.uniform()), space=float(rng.uniform()), **dirt)


def scrambled(score: Score, rng: np.random.Generator) -> Score:
    """The score's notes at random times: it sounds like music and has no tempo."""
    parts = {
        part: tuple(sorted(replace(n, onset=float(rng.uniform(0, score.beats - 0.1))) for n in notes))
        for part, notes in score.parts.items()
    }
    return replace(score, parts=parts, key=None, chords=())


def not_music(rng: np.random.Generator, sample_rate: int = 22_050) -> Example:
    """Twenty seconds of noise, gusts, hum, a held chord or clicks at random: what has neither tempo nor key."""
    score = Score(120.0, "4/4", 10, {"chords": ()})
    n = score.samples(sample_rate)
    time = np.arange(n) / sample_rate
    kind = ("noise", "gusts", "hum", "held", "clicks")[int(rng.integers(5))]
    if kind == "noise":
        x = rng.standard_normal(n)
    elif kind == "gusts":
        gusts = np.interp(time, np.sort(rng.uniform(0, time[-1], 60)), rng.uniform(0, 1, 60))
        x = np.cumsum(rng.standard_normal(n)) if rng.random() < 0.5 else rng.standard_normal(n)
        x = (x - x.mean()) * gusts
    elif kind == "hum":
        x = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 9)) + 0.1 * rng.standard_normal(n)
    elif kind == "held":
        pitches = sorted(int(p) for p in rng.choice(np.arange(40, 76), int(rng.integers(1, 5)), replace=False))
        score = replace(score, parts={"chords": tuple(Note(0.0, p, float(score.beats), 64) for p in pitches)})
        hertz = [440.0 * 2.0 ** ((p - 69) / 12) * k for p in pitches for k in range(1, 7)]
        x = sum(np.sin(2 * np.pi * f * time + rng.uniform(0, 6)) / f for f in hertz)
        x = x / np.abs(x).max() + 10 ** rng.uniform(-4, -1.5) * rng.standard_normal(n)
    else:
        x = np.zeros(n)
        click = rng.standard_normal(1000) * np.exp(-np.arange(1000) / rng.uniform(30, 300))
        for start in rng.integers(0, n - 1000, int(rng.integers(8, 150))):
            x[start : start + 1000] += rng.uniform(0.3, 1.0) * click
    return Example(kind, score, (0.5 * x / np.abs(x).max()).astype(np.float32), sample_rate, rhythmic=False)
