"""Notes of a part as what the raw-audio WaveNet can play: monophonic voices in the register that it has learned."""

from __future__ import annotations

from collections.abc import Sequence

from musicgen_ui.audio.soundfont import PlayedNote

MOST_VOICES = 4
"""Streams that a part may take: each costs as much as a melody."""

LEGATO = 1764
"""Samples at 44.1 kHz (40 ms) by which a note may hang over the next and still count as one melody with it."""


def voices_of(notes: Sequence[PlayedNote], *, highest: bool, most: int = MOST_VOICES) -> list[list[PlayedNote]]:
    """Splits notes into voices that sound one note at a time, the line that matters in the first ones.

    Notes are given out in time, of those struck together the highest (or lowest) first, each to the first voice that
    is silent. A note that hangs over the next by at most LEGATO is cut there. Where every voice sounds, the innermost
    sounding note (for a melody the lowest) is cut for one that lies outside it; an innermost note is left out instead.
    So at most the filling of very thick chords is missing, never the melody or the bass.

    Args:
        notes: in any order.
        highest: the melody is the highest line; False for a bass.
        most: voices at most.

    Returns:
        Lists of notes, each in order; none for no notes.
    """
    sign = 1 if highest else -1
    voices: list[list[PlayedNote]] = []
    for note in sorted(notes, key=lambda n: (n.start, -sign * n.pitch)):
        if note.end <= note.start:
            continue
        free = [voice for voice in voices if _is_free(voice[-1], note)]
        if free:
            _end(free[0], note.start)
            free[0].append(note)
        elif len(voices) < most:
            voices.append([note])
        else:
            inner = min(voices, key=lambda voice: sign * voice[-1].pitch)
            last = inner[-1]
            if last.start < note.start and sign * last.pitch < sign * note.pitch:
                _end(inner, note.start)
                inner.append(note)
    return voices


def _is_free(last: PlayedNote, note: PlayedNote) -> bool:
    return last.start < note.start and (last.end - LEGATO <= note.start or last.pitch == note.pitch)


def _end(voice: list[PlayedNote], at: int) -> None:
    last = voice[-1]
    voice[-1] = PlayedNote(last.start, min(last.end, at), last.pitch, last.velocity)


def in_register(notes: Sequence[PlayedNote], low: int, high: int) -> list[PlayedNote]:
    """Notes moved by octaves into low-high: beyond what it has learned a voice turns into noise.

    Parts keep to these ranges already (``music.arrange.RANGES``), so that this moves nothing unless an instrument of
    another register was asked for.
    """
    return [PlayedNote(n.start, n.end, _folded(n.pitch, low, high), n.velocity) for n in notes]


def _folded(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch
