"""Notated rhythm: events on a sixteenth grid as note values, dots, ties, rests and beams that show where the beats are.

A bar has 16 steps (4/4) or 12 (3/4). The rules are those of plain engraving (Gould 2011, Behind Bars, p. 151-175): a
value never hides the middle of a 4/4 bar nor, where it begins off the beat, the next beat; rests are stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

STEPS = 4
"""Steps a beat."""

VALUES = {1: ("16th", 0), 2: ("eighth", 0), 3: ("eighth", 1), 4: ("quarter", 0), 6: ("quarter", 1), 8: ("half", 0),
          12: ("half", 1), 16: ("whole", 0)}  # fmt: skip
"""Steps to the name of a note value and its dots."""


@dataclass(frozen=True)
class Event:
    """Pitches that begin and end together, in steps from the start of the piece."""

    onset: int
    end: int
    pitches: tuple[int, ...]
    staccato: bool = False


@dataclass(frozen=True)
class Piece:
    """One written note, chord or rest (no pitches) within a bar.

    Attributes:
        start: steps from the bar line.
        steps: a key of VALUES, or the whole bar for a bar's rest.
        pitches: from low to high; empty for a rest.
        began: step of the piece of music at which the pitches begin, on this or on an earlier side of a tie.
        tied_from, tied_to: whether a tie comes from the piece before and leads to the next one.
        staccato: whether a dot shortens it.
        beams: what each beam does here, from the outermost: ``begin``, ``continue``, ``end`` or a hook.
    """

    start: int
    steps: int
    pitches: tuple[int, ...] = ()
    began: int = 0
    tied_from: bool = False
    tied_to: bool = False
    staccato: bool = False
    beams: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        return self.start + self.steps


def bars_of(events: Sequence[Event], bars: int, bar_steps: int) -> list[list[Piece]]:
    """The pieces of every bar, without gaps; a bar in which nothing sounds is one rest.

    Args:
        events: of one voice, sorted, without overlaps, within the bars.
        bars: their number.
        bar_steps: steps a bar, 16 or 12.
    """
    sounding: list[list[Piece]] = [[] for _ in range(bars)]
    for event in events:
        for bar in range(event.onset // bar_steps, (event.end - 1) // bar_steps + 1):
            line = bar * bar_steps
            spans = split(max(event.onset, line) - line, min(event.end, line + bar_steps) - line, bar_steps)
            for start, end in spans:
                sounding[bar].append(
                    Piece(
                        start,
                        end - start,
                        event.pitches,
                        event.onset,
                        tied_from=line + start > event.onset,
                        tied_to=line + end < event.end,
                        staccato=event.staccato and line + start == event.onset,
                    )
                )
    return [beamed(_with_rests(pieces, bar_steps), bar_steps) for pieces in sounding]


def split(start: int, end: int, bar_steps: int, *, rest: bool = False) -> list[tuple[int, int]]:
    """A span of a bar as spans that one value each can show; notes tie them."""
    if _is_plain(start, end - start, bar_steps, rest):
        return [(start, end)]
    inside = range(start + 1, end)
    strongest = max(_strength(p, bar_steps) for p in inside)
    places = [p for p in inside if _strength(p, bar_steps) == strongest]
    # From off the beat the next beat is shown; from a beat the value is as long as it can be.
    place = places[-1] if start % STEPS == 0 and not rest else places[0]
    return split(start, place, bar_steps, rest=rest) + split(place, end, bar_steps, rest=rest)


def _strength(place: int, bar_steps: int) -> int:
    if bar_steps == 16 and place == 8:
        return 3
    return 2 if place % STEPS == 0 else int(place % 2 == 0)


def _is_plain(start: int, steps: int, bar_steps: int, rest: bool) -> bool:
    beat, half_bar = start % STEPS, bar_steps == 16 and start < 8 < start + steps
    if steps == bar_steps:
        return True
    if rest:
        return steps == 1 or (steps in (2, 4) and start % steps == 0) or (steps == 8 and start % 8 == 0 and not beat
                                                                         and bar_steps == 16)  # fmt: skip
    if steps in (1, 2, 3):
        return beat + steps <= STEPS
    if steps == 4:
        return beat == 0 or (beat == 2 and not half_bar)
    if steps == 6:
        return beat in (0, 2) and not half_bar
    return steps in (8, 12) and beat == 0


def _with_rests(pieces: Iterable[Piece], bar_steps: int) -> list[Piece]:
    filled: list[Piece] = []
    at = 0
    for piece in [*pieces, Piece(bar_steps, 0)]:
        if piece.start > at:
            filled += [Piece(start, end - start) for start, end in split(at, piece.start, bar_steps, rest=True)]
        if piece.steps:
            filled.append(piece)
        at = piece.end
    return filled


def beamed(pieces: Sequence[Piece], bar_steps: int) -> list[Piece]:
    """The pieces of a bar with beams: beat by beat, or half a 4/4 bar of plain eighths together."""
    out = list(pieces)
    for first, last in _beam_groups(out, bar_steps):
        group = out[first : last + 1]
        for number, piece in enumerate(group):
            out[first + number] = replace(piece, beams=_beams(group, number))
    return out


def _flags(piece: Piece) -> int:
    """Beams that a piece can have: 1 for eighths, 2 for sixteenths, 0 for what has no flag."""
    return 0 if not piece.pitches or piece.steps > 3 else (2 if piece.steps == 1 else 1)


def _beam_groups(pieces: Sequence[Piece], bar_steps: int) -> list[tuple[int, int]]:
    """First and last index of every run of at least two pieces under one beam."""
    unit = [STEPS] * (bar_steps // STEPS)
    groups: list[tuple[int, int]] = []
    window = 8 if bar_steps == 16 else STEPS
    fields: list[int] = []
    for begin in range(0, bar_steps, window):
        inside = [p for p in pieces if begin <= p.start < begin + window]
        plain = window > STEPS and all(p.steps == 2 and p.pitches for p in inside) and len(inside) == window // 2
        fields += [begin] if plain else list(range(begin, begin + window, unit[0]))
    run: list[int] = []
    for index, piece in enumerate(pieces):
        if run and (not _flags(piece) or _field(piece.start, fields) != _field(pieces[run[0]].start, fields)):
            groups += [(run[0], run[-1])] if len(run) > 1 else []
            run = []
        if _flags(piece):
            run.append(index)
    return groups + ([(run[0], run[-1])] if len(run) > 1 else [])


def _field(start: int, fields: Sequence[int]) -> int:
    return max(field for field in fields if field <= start)


def _beams(group: Sequence[Piece], number: int) -> tuple[str, ...]:
    """What the beams do at one piece of a group."""
    before, after = number > 0, number < len(group) - 1
    outer = "continue" if before and after else ("begin" if after else "end")
    if _flags(group[number]) < 2:
        return (outer,)
    inner_before = before and _flags(group[number - 1]) > 1
    inner_after = after and _flags(group[number + 1]) > 1
    if inner_before or inner_after:
        return outer, "continue" if inner_before and inner_after else ("begin" if inner_after else "end")
    return outer, "forward hook" if not before else "backward hook"
