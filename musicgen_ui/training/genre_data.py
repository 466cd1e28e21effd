"""Sections whose genre is known, as they may sound: the material that the genre classifier is fitted and judged on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from musicgen_ui.data.pieces import PieceInfo, PieceStore
from musicgen_ui.data.sections import CORPUS_WEIGHTS, OWN_WEIGHT
from musicgen_ui.music.instruments import CHOICES, KITS, program_number
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.style import GENRES, SLIDERS, PartSetting, Style

PURE = 0.9
"""Weight from which on a piece is of one genre: half a polonaise and half a sonata teaches neither."""

FIXED_BAND = {"lead": 73, "chords": 0, "bass": 33, "drums": 0}
"""Flute, piano, finger bass and the standard kit: whoever hears only these has to tell genres by their notes."""

INSTRUMENTS = {"genre": 0.55, "native": 0.3, "any": 0.15}
"""Whose instruments play, and how often: those of the genre's band, the piece's own, and any."""

_HIDDEN = {"lead": 0.15, "chords": 0.1, "bass": 0.1, "drums": 0.2}
_BORROWED_DRUMS = 0.5
_OWN_DRUMS = 0.7


@dataclass(frozen=True)
class Labelled:
    """A section to be played, and its genre.

    Attributes:
        genre: the one that the corpus gives the piece.
        piece_id: where it was cut from.
        score: in the tempo it is played at; ``programs`` holds the parts whose instrument is decided, and the
            player chooses the others for ``style``.
        style: the mix, with the genre as its only one.
    """

    genre: str
    piece_id: str
    score: Score
    style: Style


class GenreSections:
    """Draws sections of the pieces of a split that have one genre, every genre equally often.

    Within a genre a piece is drawn by its corpus's weight and the square root of its length, as in the composers'
    training. Parts are left out now and then, and half of the pieces that have no drums borrow some, because a
    person may ask any genre for any parts: else drums alone would tell pop from classical music.

    Args:
        store: prepared pieces.
        split: ``train``, ``validation`` or ``test``.
        bars: length of a section; shorter where the piece is shorter.
        fixed_band: play everything with FIXED_BAND, in one neutral mix.
    """

    def __init__(self, store: PieceStore, split: str, *, bars: int = 8, fixed_band: bool = False) -> None:
        self.store, self.bars, self.fixed_band = store, bars, fixed_band
        pieces = [info for info in store.index() if info.split == split and info.bars >= 4]
        self.of_genre: dict[str, tuple[list[PieceInfo], np.ndarray]] = {}
        for genre in GENRES:
            mine = [info for info in pieces if info.genre.get(genre, 0.0) >= PURE and set(info.parts) - {"drums"}]
            if mine:
                self.of_genre[genre] = mine, _weights(mine)
        self.drummers = [info for info in pieces if "drums" in info.parts]
        if not self.of_genre:
            raise ValueError(f"no {split} piece has one genre")

    def draw(self, rng: np.random.Generator) -> Iterator[Labelled]:
        """Endless sections, the genres taking turns."""
        while True:
            for genre in self.of_genre:
                yield self._one(genre, rng)

    def _one(self, genre: str, rng: np.random.Generator) -> Labelled:
        infos, weights = self.of_genre[genre]
        while True:
            info = infos[rng.choice(len(infos), p=weights)]
            score = self._section(info, rng)
            if not score.notes("drums") and rng.random() < _BORROWED_DRUMS:
                score = self._with_drums(score, genre, rng)
            score = score.with_parts([p for p in score.parts if score.notes(p) and rng.random() >= _HIDDEN[p]])
            if len(score.pitched) >= score.beats / 2:
                break
        score = replace(score.transposed(int(rng.integers(-5, 7))), tempo=_tempo(info, rng))
        style = Style(tempo=score.tempo, genre={genre: 1.0})
        if self.fixed_band:
            return Labelled(genre, info.id, replace(score, programs=FIXED_BAND), style)
        style = style.with_values(
            brightness=float(rng.uniform(0.25, 0.75)),
            space=float(rng.uniform(0.0, 0.7)),
            parts={part: PartSetting(level=float(np.clip(rng.normal(0.0, 2.5), -6, 6))) for part in PARTS},
        )
        kind = rng.choice(list(INSTRUMENTS), p=list(INSTRUMENTS.values()))
        return Labelled(genre, info.id, replace(score, programs=_programs(kind, score, rng)), style)

    def _section(self, info: PieceInfo, rng: np.random.Generator) -> Score:
        score = self.store.read(info.id).score
        length = min(self.bars, score.bars)
        return score.section(int(rng.integers(score.bars - length + 1)), length)

    def _with_drums(self, score: Score, genre: str, rng: np.random.Generator) -> Score:
        """The score with another piece's drums: mostly of its genre, where that has any."""
        fitting = [info for info in self.drummers if info.metre == score.metre and info.bars >= score.bars]
        own = [info for info in fitting if info.genre.get(genre, 0.0) >= PURE]
        fitting = own if own and rng.random() < _OWN_DRUMS else fitting
        if not fitting:
            return score
        info = fitting[int(rng.integers(len(fitting)))]
        other = self.store.read(info.id).score
        first = int(rng.integers(other.bars - score.bars + 1))
        drums = other.section(first, score.bars).notes("drums")
        return replace(score, parts={**score.parts, "drums": drums})


def _weights(infos: list[PieceInfo]) -> np.ndarray:
    """Probability of each piece: its corpus's share, divided by the square roots of the lengths."""
    corpora = np.array([info.corpus for info in infos])
    weights = np.array([math.sqrt(info.bars) for info in infos])
    for corpus in set(corpora.tolist()):
        mine = corpora == corpus
        weights[mine] *= CORPUS_WEIGHTS.get(corpus, OWN_WEIGHT) / weights[mine].sum()
    return weights / weights.sum()


def _tempo(info: PieceInfo, rng: np.random.Generator) -> float:
    """Half the time about the piece's own tempo, else any: a person's tempo says little about the genre."""
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    if info.tempo_known and rng.random() < 0.5:
        return round(min(max(info.tempo * rng.uniform(0.9, 1.1), low), high), 1)
    return round(rng.uniform(70.0, 165.0), 1)


def _programs(kind: str, score: Score, rng: np.random.Generator) -> dict[str, int]:
    """Instruments that are decided here; the genre's band plays the rest."""
    if kind == "any":
        return {p: program_number(p, CHOICES[p][int(rng.integers(len(CHOICES[p])))]) for p in PARTS}
    own = dict(score.programs) if kind == "native" else {}
    if own.get("drums") not in KITS.values():  # files name kits that no SoundFont has
        own.pop("drums", None)
    return own
