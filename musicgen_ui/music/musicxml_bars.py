"""The bars of one part as MusicXML elements: attributes, notes, rests, accidentals, stems and ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from musicgen_ui.music.musicxml_drums import drum
from musicgen_ui.music.musicxml_rhythm import STEPS, VALUES, Piece, bars_of
from musicgen_ui.music.musicxml_spelling import Speller, Spelling, signature_alters
from musicgen_ui.music.musicxml_voices import PERCUSSION, Staff
from musicgen_ui.music.score import Score

_SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_VOICES_A_STAFF = 4
"""Voices of the second staff count from 5 on, as is usual."""


def add(parent: Element, name: str, text: str | None = None, /, **attributes: str) -> Element:
    """A new last child of an element."""
    child = SubElement(parent, name, attributes)
    child.text = text
    return child


@dataclass(frozen=True)
class _Line:
    """One voice in one bar: its staff and its number, both from 1, and whether stems have a side and rests are seen."""

    staff: int
    voice: int
    pieces: Sequence[Piece]
    stem: str | None = None
    rests: bool = True


class PartWriter:
    """Writes the bars of one part.

    Args:
        score: of the part; metre and length count here.
        staves: what to write.
        speller: of the key.
        minor: mode of the key.
        ident: of the part in the document.
        chord_at: root and quality of the chord in force, step by step.
    """

    def __init__(
        self,
        score: Score,
        staves: Sequence[Staff],
        *,
        speller: Speller,
        minor: bool,
        ident: str,
        chord_at: Sequence[tuple[int, str] | None],
    ) -> None:
        self._staves, self._speller, self._ident, self._chord_at = staves, speller, ident, chord_at
        self._mode = "minor" if minor else "major"
        self._beats, self._bars = score.beats_per_bar, score.bars
        self._pieces = [[bars_of(v, score.bars, self._beats * STEPS) for v in staff.voices] for staff in staves]
        self._unpitched = staves[0].clef == PERCUSSION
        self._signature = signature_alters(speller.fifths)

    def measure(self, part: Element, bar: int, marks: Sequence[Element]) -> None:
        """Append a bar, counted from 0, with its directions and chord symbols, to the part's element."""
        measure = add(part, "measure", number=str(bar + 1))
        if bar == 0:
            self._attributes(measure)
        measure.extend(marks)
        first = True
        for number, voices in enumerate(self._pieces, 1):
            lines = _lines(number, [voice[bar] for voice in voices])
            signs = {} if self._unpitched else self._accidentals(lines)
            for line in lines:
                if not first:
                    add(add(measure, "backup"), "duration", str(self._beats * STEPS))
                first = False
                for piece in line.pieces:
                    self._write(measure, line, piece, signs)
        if bar == self._bars - 1:
            add(add(measure, "barline", location="right"), "bar-style", "light-heavy")

    def _attributes(self, measure: Element) -> None:
        attributes = add(measure, "attributes")
        add(attributes, "divisions", str(STEPS))
        key = add(attributes, "key")
        add(key, "fifths", "0" if self._unpitched else str(self._speller.fifths))
        if not self._unpitched:
            add(key, "mode", self._mode)
        time = add(attributes, "time")
        add(time, "beats", str(self._beats))
        add(time, "beat-type", "4")
        if len(self._staves) > 1:
            add(attributes, "staves", str(len(self._staves)))
        for number, staff in enumerate(self._staves, 1):
            clef = add(attributes, "clef", **({"number": str(number)} if len(self._staves) > 1 else {}))
            add(clef, "sign", staff.clef.sign)
            add(clef, "line", str(staff.clef.line))
            if staff.clef.octave:
                add(clef, "clef-octave-change", str(staff.clef.octave))

    def _spelling(self, piece: Piece, pitch: int) -> Spelling:
        return self._speller.spell(pitch, self._chord_at[piece.began])

    def _accidentals(self, lines: Sequence[_Line]) -> dict[tuple[int, int], str]:
        """(Start, pitch) to the sign that a note of this staff and bar needs: an accidental holds to the bar line."""
        in_force: dict[tuple[str, int], int] = {}
        signs = {}
        for piece in sorted((p for line in lines for p in line.pieces if p.pitches), key=lambda p: p.start):
            for pitch in piece.pitches:
                spelling = self._spelling(piece, pitch)
                place = spelling.step, spelling.octave
                now = in_force.get(place, self._signature.get(spelling.step, 0))
                # What a tie brings over the bar line needs no sign, and gives none to what follows it.
                if spelling.alter != now and not piece.tied_from:
                    in_force[place] = spelling.alter
                    signs[piece.start, pitch] = _SIGNS[spelling.alter]
        return signs

    def _write(self, measure: Element, line: _Line, piece: Piece, signs: dict[tuple[int, int], str]) -> None:
        if not piece.pitches:
            note = add(measure, "note", **({} if line.rests else {"print-object": "no"}))
            whole = piece.steps == self._beats * STEPS
            add(note, "rest", **({"measure": "yes"} if whole else {}))
            self._value(note, line, piece, typed=not whole)
            return
        for number, pitch in enumerate(piece.pitches):
            note = add(measure, "note")
            if number:
                add(note, "chord")
            self._head(note, piece, pitch)
            self._value(note, line, piece, pitch, sign=signs.get((piece.start, pitch)))
            if not number:
                for level, beam in enumerate(piece.beams, 1):
                    add(note, "beam", beam, number=str(level))
            self._notations(note, piece, first=not number)

    def _head(self, note: Element, piece: Piece, pitch: int) -> None:
        if self._unpitched:
            place = add(note, "unpitched")
            add(place, "display-step", drum(pitch).step)
            add(place, "display-octave", str(drum(pitch).octave))
            return
        spelling = self._spelling(piece, pitch)
        place = add(note, "pitch")
        add(place, "step", spelling.step)
        if spelling.alter:
            add(place, "alter", str(spelling.alter))
        add(place, "octave", str(spelling.octave))

    def _value(
        self,
        note: Element,
        line: _Line,
        piece: Piece,
        pitch: int | None = None,
        *,
        sign: str | None = None,
        typed: bool = True,
    ) -> None:
        """Everything between a note's pitch and its beams, in the order that MusicXML demands."""
        add(note, "duration", str(piece.steps))
        for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
            if tied:
                add(note, "tie", type=kind)
        if pitch is not None:
            add(note, "instrument", id=f"{self._ident}-I{pitch if self._unpitched else 1}")
        add(note, "voice", str((line.staff - 1) * _VOICES_A_STAFF + line.voice))
        if typed:
            name, dots = VALUES[piece.steps]
            add(note, "type", name)
            for _ in range(dots):
                add(note, "dot")
        if sign is not None:
            add(note, "accidental", sign)
        if pitch is not None and line.stem is not None:
            add(note, "stem", line.stem)
        if pitch is not None and self._unpitched and drum(pitch).head is not None:
            add(note, "notehead", drum(pitch).head)
        if len(self._staves) > 1:
            add(note, "staff", str(line.staff))

    def _notations(self, note: Element, piece: Piece, *, first: bool) -> None:
        staccato = piece.staccato and first
        if not (piece.tied_from or piece.tied_to or staccato):
            return
        notations = add(note, "notations")
        for tied, kind in ((piece.tied_from, "stop"), (piece.tied_to, "start")):
            if tied:
                add(notations, "tied", type=kind)
        if staccato:
            add(add(notations, "articulations"), "staccato")


def _lines(staff: int, voices: Sequence[Sequence[Piece]]) -> list[_Line]:
    """The voices of a staff that say something in a bar; where two do, stems part and the sparser one's rests hide."""
    notes = [sum(bool(p.pitches) for p in pieces) for pieces in voices]
    if len(voices) == 1 or not all(notes):
        busy = max(range(len(voices)), key=lambda v: notes[v])
        return [_Line(staff, busy + 1, voices[busy])]
    sparser = 1 if notes[1] <= notes[0] else 0
    return [_Line(staff, v + 1, voices[v], ("up", "down")[v], v != sparser) for v in (0, 1)]
