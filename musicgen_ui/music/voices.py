"""Operations on lists of notes: pick the top or bottom line, take turns, keep to a range."""

from __future__ import annotations

import numpy as np

from musicgen_ui.music.midi_file import Notes
from musicgen_ui.music.score import TICKS_PER_BEAT


def split_line(notes: Notes, *, top: bool, slack: int = 2) -> tuple[Notes, Notes]:
    """Splits off the highest (``top``) or lowest line, which sounds one note at a time.

    The skyline rule: a note joins the line when it is the outermost of its onset and the line is silent or lies
    inside it; a line note that is overtaken ends there.

    Args:
        notes: sorted notes.
        top: whether to take the highest line or the lowest.
        slack: ticks by which a line note may hang over the next without blocking it.

    Returns:
        The line and the notes left over, both sorted.
    """
    if len(notes) == 0:
        return notes, notes
    sign = 1 if top else -1
    order = np.lexsort((-sign * notes.pitch, notes.onset))
    onset, pitch, end = notes.onset[order].tolist(), notes.pitch[order].tolist(), notes.end[order].tolist()
    chosen: list[int] = []
    ends: list[int] = []
    for i, start in enumerate(onset):
        if chosen:
            last = chosen[-1]
            if start == onset[last]:
                continue
            sounding = ends[-1] - slack > start
            if sounding and sign * pitch[i] <= sign * pitch[last]:
                continue
            ends[-1] = min(ends[-1], start)
        chosen.append(i)
        ends.append(end[i])
    index = order[np.array(chosen)]
    rest = np.ones(len(notes), bool)
    rest[index] = False
    line = Notes(notes.onset[index], notes.pitch[index], np.array(ends) - notes.onset[index], notes.velocity[index])
    return line, notes.take(rest)


def relay(tracks: list[Notes], unit: int = 4 * TICKS_PER_BEAT) -> Notes:
    """The first list, and in each span of ``unit`` ticks where it is silent the next one that plays there."""
    if not tracks:
        return Notes.empty()
    taken: set[int] = set()
    chosen = []
    for notes in tracks:
        spans = notes.onset // unit
        free = ~np.isin(spans, list(taken)) if taken else np.ones(len(notes), bool)
        chosen.append(notes.take(free))
        taken.update(np.unique(spans[free]).tolist())
    return Notes.join(chosen)


def coverage(notes: Notes, length: int, unit: int = 4 * TICKS_PER_BEAT) -> float:
    """Share of spans of ``unit`` ticks in which a note begins."""
    return len(np.unique(notes.onset // unit)) / max(-(-length // unit), 1)


def polyphony(notes: Notes) -> float:
    """Mean number of notes that begin together."""
    return len(notes) / max(len(np.unique(notes.onset)), 1)


def fold(notes: Notes, low: int, high: int) -> Notes:
    """Moves the whole list by octaves until its median lies within low-high, and then each note that still does not."""
    if len(notes) == 0:
        return notes
    median = float(np.median(notes.pitch))
    shift = 0
    while median + shift > high - 6:
        shift -= 12
    while median + shift < low + 4:
        shift += 12
    pitch = notes.pitch + shift
    pitch = np.where(pitch > high, high - 11 + (pitch - (high - 11)) % 12, pitch)
    pitch = np.where(pitch < low, low + (pitch - low) % 12, pitch)
    return Notes(notes.onset, pitch, notes.duration, notes.velocity).in_order()


def without_overlaps(notes: Notes) -> Notes:
    """No pitch sounds twice at once: of equal onsets the longest stays; an earlier note ends where the next begins."""
    if len(notes) < 2:
        return notes
    order = np.lexsort((-notes.duration, notes.onset, notes.pitch))
    n = notes.take(order)
    repeat = np.zeros(len(n), bool)
    repeat[1:] = (n.pitch[1:] == n.pitch[:-1]) & (n.onset[1:] == n.onset[:-1])
    n = n.take(~repeat)
    duration = n.duration.copy()
    same = n.pitch[1:] == n.pitch[:-1]
    gap = n.onset[1:] - n.onset[:-1]
    duration[:-1] = np.where(same, np.minimum(duration[:-1], gap), duration[:-1])
    return Notes(n.onset, n.pitch, duration, n.velocity).in_order()


def thin(notes: Notes, most: int) -> Notes:
    """At most ``most`` notes an onset: the lowest and the highest ones stay."""
    if len(notes) == 0:
        return notes
    _, first, count = np.unique(notes.onset, return_index=True, return_counts=True)
    rank = np.arange(len(notes)) - np.repeat(first, count)
    size = np.repeat(count, count)
    return notes.take((rank == 0) | (rank > size - most))


def off_grid(notes: Notes) -> float:
    """How far onsets are from any beat grid: 0 on sixteenths or triplets, near 1 when they fall anywhere.

    One minus the larger mean resultant length of the onsets' phase in a sixteenth and in a triplet eighth.
    """
    if len(notes) == 0:
        return 0.0
    angle = 2 * np.pi * notes.onset / TICKS_PER_BEAT
    return 1.0 - max(float(abs(np.exp(1j * k * angle).mean())) for k in (4, 3))
