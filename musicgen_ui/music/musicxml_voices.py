"""From a part's notes to what can be engraved: a sixteenth grid, staves with clefs, and at most two voices a staff.

No note is lost on the way but one that begins on the same step and pitch as another of its part. Lengths are made
readable: where a note is cut by the next one of its voice, or stops a little early, the written value says so simply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from operator import itemgetter

from musicgen_ui.music.musicxml_rhythm import STEPS, Event
from musicgen_ui.music.score import TICKS_PER_BEAT, Note, Score, to_ticks

_STEP = TICKS_PER_BEAT // STEPS

Sounding = tuple[int, int, int, int]
"""First step, step after the last, pitch, and length in ticks as it is played."""


@dataclass(frozen=True)
class Clef:
    """Sign, line from below, and octaves by which the music sounds higher (+) or lower (-) than it looks."""

    sign: str
    line: int
    octave: int = 0


TREBLE, BASS, PERCUSSION = Clef("G", 2), Clef("F", 4), Clef("percussion", 2)
TREBLE_8VB, TREBLE_8VA, BASS_8VB = Clef("G", 2, -1), Clef("G", 2, 1), Clef("F", 4, -1)

_COMFORT = {TREBLE: (60, 81), TREBLE_8VB: (48, 69), TREBLE_8VA: (72, 93), BASS: (40, 60), BASS_8VB: (28, 48)}
"""Lowest and highest pitch with no more than one ledger line."""

_BASS_CLEFS = (BASS_8VB, BASS)
_GUITARS = range(24, 32)
_LOW_LEADS = (42, 43, 57, 58, 67, 70)
"""Instruments that read the bass clef: cello, contrabass, trombone, tuba, baritone saxophone, bassoon."""

_FEET = (35, 36, 44)
"""Drums that feet play: bass drums and the pedal hi-hat."""

_STRAIN = 1.0
"""Mean semitones beyond the first ledger line that a second staff must save to be opened."""

_HELD = 0.25
"""Share of a staff's sounding time that one voice may cut off before a second voice is opened."""


@dataclass(frozen=True)
class Staff:
    """A staff: its clef, and one or two voices of events without overlaps; the upper voice comes first."""

    clef: Clef
    voices: tuple[tuple[Event, ...], ...]


def is_swung(score: Score) -> bool:
    """Whether the off-beats come late, on the third of three parts of the beat: written as plain eighths."""
    places = Counter(to_ticks(n.onset) % TICKS_PER_BEAT for notes in score.parts.values() for n in notes)
    late, even, sixteenths = (sum(places[p] for p in span) for span in ((14, 15, 16), (10, 11, 12, 13), (17, 18, 19)))
    return late >= 8 and late > 2 * even and late > sixteenths


def on_grid(notes: Iterable[Note], steps: int, *, swung: bool) -> list[Sounding]:
    """Notes on the sixteenth grid, sorted; each begins and ends within ``steps`` and lasts at least one.

    Of notes that begin together on one pitch the longest stays; an earlier one ends where the next of its pitch begins.
    """
    longest: dict[tuple[int, int], Sounding] = {}
    for note in notes:
        begin, length = to_ticks(note.onset), max(to_ticks(note.duration), 1)
        onset = min(max(_step(begin, swung), 0), steps - 1)
        end = min(max(_step(begin + length, swung), onset + 1), steps)
        key = (note.pitch, onset)
        longest[key] = max(longest.get(key, (0, 0, 0, 0)), (onset, end, note.pitch, length))
    rows = [longest[key] for key in sorted(longest)]
    cut = [
        (onset, min(end, following[0]), pitch, length) if following[2] == pitch else (onset, end, pitch, length)
        for (onset, end, pitch, length), following in zip_longest(rows, rows[1:], fillvalue=(0, 0, -1, 0))
    ]
    return sorted(cut)


def _step(ticks: int, swung: bool) -> int:
    """Nearest step; of swung time the late eighth is the plain one."""
    if not swung:
        return (ticks + _STEP // 2) // _STEP
    beat, within = divmod(ticks, TICKS_PER_BEAT)
    return STEPS * beat + sum(within >= limit for limit in (4, 10, 19, 22))


def staves(part: str, notes: Sequence[Sounding], program: int) -> tuple[Staff, ...]:
    """The staves of a part: two for chords that need them, one otherwise.

    Args:
        part: one of PARTS.
        notes: from :func:`on_grid`; may be empty.
        program: General MIDI program, which decides between clefs.
    """
    if part == "drums":
        hands = _line([n for n in notes if n[2] not in _FEET], drums=True)
        feet = _line([n for n in notes if n[2] in _FEET], drums=True)
        return (Staff(PERCUSSION, (hands, feet)),)
    pitches = [n[2] for n in notes]
    if part != "chords":
        return (Staff(_clef(pitches, _BASS_CLEFS if part == "bass" else _lead_clefs(program)), (_line(notes),)),)
    if program in _GUITARS:
        return (Staff(_clef(pitches, (TREBLE_8VB, TREBLE)), _voices(notes)),)
    clef = _clef(pitches, (TREBLE, BASS))
    both = sum(max(0, _COMFORT[BASS][0] - pitch, pitch - _COMFORT[TREBLE][1]) for pitch in pitches)
    if _strain(pitches, clef) - both <= _STRAIN * len(pitches):
        return (Staff(clef, _voices(notes)),)
    upper, lower = _hands(notes)
    return Staff(TREBLE, _voices(upper)), Staff(BASS, _voices(lower))


def _lead_clefs(program: int) -> tuple[Clef, ...]:
    return (TREBLE, BASS, TREBLE_8VA) if program in _LOW_LEADS else (TREBLE, TREBLE_8VB, TREBLE_8VA)


def _clef(pitches: Sequence[int], clefs: Sequence[Clef]) -> Clef:
    """The clef under which the notes stay on the staff best; the first one where it hardly matters."""
    return min(clefs, key=lambda clef: (_strain(pitches, clef) // max(3 * len(pitches), 1), clefs.index(clef)))


def _strain(pitches: Sequence[int], clef: Clef) -> int:
    """Semitones by which notes lie beyond the first ledger line, in all."""
    low, high = _COMFORT[clef]
    return sum(max(0, low - pitch, pitch - high) for pitch in pitches)


def _hands(notes: Sequence[Sounding]) -> tuple[list[Sounding], list[Sounding]]:
    """Notes of the upper and of the lower staff: what fits into one hand stays together, the rest parts at middle C."""
    upper: list[Sounding] = []
    lower: list[Sounding] = []
    for _, group in groupby(notes, key=itemgetter(0)):
        together = list(group)
        pitches = [n[2] for n in together]
        centre = sum(pitches) / len(pitches)
        if max(pitches) - min(pitches) <= 12 and min(pitches) >= 53 and max(pitches) <= 67:
            (upper if centre >= 60 else lower).extend(together)
            continue
        for note in together:
            (upper if note[2] >= 60 else lower).append(note)
    return upper, lower


def _voices(notes: Sequence[Sounding]) -> tuple[tuple[Event, ...], ...]:
    """One voice, or two where one would cut off much: what is held, and what moves meanwhile."""
    onsets = sorted({n[0] for n in notes})
    following = dict(zip_longest(onsets, onsets[1:], fillvalue=2**31))
    cut = sum(max(0, end - following[onset] - 1) for onset, end, _, _ in notes)
    if cut <= _HELD * sum(end - onset for onset, end, _, _ in notes):
        return (_line(notes),)
    held = [n for n in notes if n[1] >= following[n[0]] + 2]
    moving = [n for n in notes if n[1] < following[n[0]] + 2]
    if not moving:
        return (_line(held),)
    by_height = sorted((held, moving), key=lambda voice: -sum(n[2] for n in voice) / len(voice))
    return tuple(_line(voice) for voice in by_height)


def _line(notes: Sequence[Sounding], *, drums: bool = False) -> tuple[Event, ...]:
    """One voice: notes that begin together as one event, each cut where the next begins."""
    groups = [(onset, list(group)) for onset, group in groupby(notes, key=itemgetter(0))]
    events = []
    for (onset, group), following in zip_longest(groups, (g[0] for g in groups[1:])):
        end = max(n[1] for n in group)
        beat = -(-(onset + 1) // STEPS) * STEPS
        limit = following if following is not None else -(-end // STEPS) * STEPS
        end = min(limit, beat) if drums else _readable_end(onset, min(end, limit), limit)
        ticks = max(n[3] for n in group)
        staccato = not drums and 2 * ticks <= _STEP * (end - onset)
        events.append(Event(onset, end, tuple(n[2] for n in group), staccato))
    return tuple(events)


def _readable_end(onset: int, end: int, limit: int) -> int:
    """A note's end without a rest so short that it only says how it is played."""
    gap = limit - end
    if gap <= 0 or end % STEPS == 0:
        return end
    if gap == 1 or 3 * gap <= limit - onset:
        return min(limit, -(-end // STEPS) * STEPS)
    return end + 1 if end % 2 and onset % 2 == 0 else end
