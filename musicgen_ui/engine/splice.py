"""Putting new notes beside kept ones: whatever lies outside a region stays exactly as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

from musicgen_ui.music.score import Chord, Note, Score, to_ticks
from musicgen_ui.music.tokens import STEPS_PER_BEAT, TICKS_PER_STEP

ONE_VOICE = ("lead", "bass")
"""Parts in which one note ends where the next begins."""

SLACK = 0.125
"""Beats by which neighbours in one voice may overlap."""


@dataclass(frozen=True)
class Region:
    """What is written anew: ``parts`` in bars [first, last)."""

    parts: tuple[str, ...]
    first: int
    last: int

    def holds(self, note: Note, score: Score) -> bool:
        """Whether a note begins in the region's bars: it belongs to the step next to it, however early it is played."""
        step = (to_ticks(note.onset) + TICKS_PER_STEP // 2) // TICKS_PER_STEP
        bar = min(step // (score.beats_per_bar * STEPS_PER_BEAT), score.bars - 1)
        return self.first <= bar < self.last

    def kept(self, score: Score) -> Score:
        """The score without what is written anew."""
        parts = {
            name: tuple(n for n in notes if not self.holds(n, score)) if name in self.parts else notes
            for name, notes in score.parts.items()
        }
        return replace(score, parts=parts)


def spliced(score: Score, written: Score, region: Region, *, harmony: bool) -> Score:
    """The score with a region of another one in the place of its own.

    A kept note has the right of way: a new one begins after it and ends before it, and none rings out of the region.

    Args:
        score: what is there; outside the region its notes come back as the same values.
        written: of the same length, with the region's parts.
        region: what to take from ``written``.
        harmony: whether the region's chords come from ``written`` too.
    """
    kept = region.kept(score)
    begin, end = (bar * score.beats_per_bar for bar in (region.first, region.last))
    parts = dict(kept.parts)
    for name in region.parts:
        near = [n for n in kept.notes(name) if n.onset + n.duration > begin - 1]
        new = (_between(n, near, float(end), name) for n in written.notes(name) if region.holds(n, score))
        parts[name] = tuple(sorted([*kept.notes(name), *(n for n in new if n is not None)]))
    chords = _joined(score.chords, written.chords, float(begin), float(end)) if harmony else score.chords
    return replace(score, parts=parts, chords=chords)


def _between(note: Note, kept: list[Note], end: float, part: str) -> Note | None:
    """The note as far as the kept ones leave room for it; None where they leave none."""
    voice = [n for n in kept if part in ONE_VOICE or n.pitch == note.pitch]
    onset = note.onset
    for other in voice:
        over = other.onset + other.duration - onset
        if other.onset <= onset and over > 0:
            if over > SLACK:
                return None
            if other.pitch == note.pitch:
                onset = other.onset + other.duration
    following = min((n.onset for n in voice if n.onset > onset), default=end)
    duration = min(note.onset + note.duration, end, following) - onset
    return replace(note, onset=onset, duration=duration) if duration > 0 else None


def _joined(old: tuple[Chord, ...], new: tuple[Chord, ...], begin: float, end: float) -> tuple[Chord, ...]:
    """Old chords outside [begin, end) beats, new ones inside."""

    def within(chords: tuple[Chord, ...], first: float, last: float) -> list[Chord]:
        spans = [(c, max(c.onset, first), min(c.onset + c.duration, last)) for c in chords]
        return [
            c if (a, b) == (c.onset, c.onset + c.duration) else replace(c, onset=a, duration=b - a)
            for c, a, b in spans
            if b > a
        ]

    return tuple(sorted([*within(old, 0.0, begin), *within(new, begin, end), *within(old, end, float("inf"))]))
