"""The Source: one file or chart of a corpus with all that its corpus says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from musicgen_ui.data.beats import BeatMap


class Skipped(Exception):  # noqa: N818 - not an error: the run goes on without this source
    """A source that gives no piece; the message is the reason, the same words for the same cause."""


@dataclass(frozen=True)
class Source:
    """One file of a corpus, before it is read.

    Attributes:
        id: ``corpus/name``, unique and stable.
        corpus: name of the corpus.
        title: what to call it.
        group: the song or session it belongs to; everything of one group lands on one side of the split.
        licence: licence of this file.
        genre: weights over ``style.GENRES``, or empty when unknown.
        midi: content of the MIDI file; None for a chord chart.
        key: canonical key that the corpus states, or None.
        tempo: beats per minute that the corpus states, or None: read the file's.
        tempo_known: False when the corpus's tempo is a default.
        naming: how track names give roles: ``mma``, ``pop909`` or None (guess).
        pickup: whether the first bar line must be looked for.
        electronic_kit: drum pitches follow the Roland TD-11 instead of General MIDI.
        chords: (onset, duration, symbol) in beats of the file, or None: estimate them.
        beats: annotated beats in seconds, when the file's own ticks are not beats.
        metre: metre of a chart, or None: read the file's.
    """

    id: str
    corpus: str
    title: str
    group: str
    licence: str
    genre: Mapping[str, float] = field(default_factory=dict)
    midi: bytes | None = None
    key: str | None = None
    tempo: float | None = None
    tempo_known: bool = True
    naming: str | None = None
    pickup: bool = False
    electronic_kit: bool = False
    chords: tuple[tuple[float, float, str], ...] | None = None
    beats: BeatMap | None = None
    metre: str | None = None
