"""Sections of real songs that generated clips are judged beside, and whose styles they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicgen_ui.data.sections import Section
from musicgen_ui.data.tables import TablePiece, with_vocabulary
from musicgen_ui.music.score import METRES, Score
from musicgen_ui.music.table import COLUMN, DrumVocabulary, from_table
from musicgen_ui.music.tokens import STEPS_PER_BEAT, decode

_STARTS = [COLUMN[name] for name in ("lead_pitch", "chords_note0", "bass_pitch", "drums")]
_KEYS = {0: None, 1: "C major", 2: "A minor"}
"""What mode tells of the key: tables are in a neutral one."""

_TEMPO = 120.0
"""Beats per minute of a score whose song does not know its tempo; nothing here measures time in seconds."""


@dataclass(frozen=True)
class Corpus:
    """Music of one origin, section by section.

    Attributes:
        tables: (steps, fields) each.
        scores: the same, decoded; empty where only the tables are of interest.
        songs: id of the song that each comes from, or whose style it was asked for.
    """

    tables: tuple[np.ndarray, ...]
    scores: tuple[Score, ...]
    songs: tuple[str, ...]


def full_sections(
    pieces: Sequence[TablePiece], count: int, *, bars: int, rng: np.random.Generator, metre: str = "4/4"
) -> list[Section]:
    """At most ``count`` sections in which all four parts play.

    Every song gives one before any gives a second, so that long songs do not count for more; sections of a song do not
    overlap.
    """
    per_bar = METRES[metre] * STEPS_PER_BEAT
    queues: list[list[Section]] = []
    for piece in pieces:
        if piece.metre != metre or not piece.observed.all():
            continue
        sections = [Section(piece, first, bars, piece.observed) for first in range(0, piece.bars - bars + 1, bars)]
        playing = [s for s in sections if len(s.table) == bars * per_bar and (s.table[:, _STARTS] > 0).any(0).all()]
        if playing:
            queues.append([playing[i] for i in rng.permutation(len(playing))])
    queues = [queues[i] for i in rng.permutation(len(queues))]
    chosen: list[Section] = []
    while queues and len(chosen) < count:
        chosen += [queue.pop() for queue in queues[: count - len(chosen)]]
        queues = [queue for queue in queues if queue]
    return chosen


def in_vocabulary(section: Section, old: DrumVocabulary, new: DrumVocabulary) -> Section:
    """The section with its drums in the classes of another vocabulary."""
    return section if old.masks == new.masks else replace(section, piece=with_vocabulary(section.piece, old, new))


def as_corpus(sections: Sequence[Section], tables: Sequence[np.ndarray], vocabulary: DrumVocabulary) -> Corpus:
    """The corpus of tables that have the metre, tempo, mode and parts of the sections, in the same order."""
    scores = [
        decode(
            from_table(table, vocabulary, section.piece.metre, section.observed),
            tempo=section.piece.tempo or _TEMPO,
            key=_KEYS[section.piece.mode],
        )
        for section, table in zip(sections, tables, strict=True)
    ]
    return Corpus(tuple(tables), tuple(scores), tuple(section.piece.id for section in sections))


def real_corpus(sections: Sequence[Section], vocabulary: DrumVocabulary) -> Corpus:
    """The sections themselves, read off the same grid that composers write on."""
    return as_corpus(sections, [section.table for section in sections], vocabulary)


def whole_songs(pieces: Sequence[TablePiece], bars: int) -> Corpus:
    """All pieces, whatever their metre and parts, cut into sections of ``bars`` bars; only their tables."""
    tables, songs = [], []
    for piece in pieces:
        steps = bars * METRES[piece.metre] * STEPS_PER_BEAT
        for first in range(0, len(piece.table) - steps + 1, steps):
            tables.append(piece.table[first : first + steps])
            songs.append(piece.id)
    return Corpus(tuple(tables), (), tuple(songs))
