"""The piano roll: three pitched parts on one pitch axis, drums below, chord names above, bar lines through all.

It is inline SVG with percentages across and pixels down: it fills any width without scaling its text or its
note heights, and takes its colours from the page's theme. All chord names are there; the page hides those that
have no room at the width that it gives the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from musicgen_ui.music.form import Section
from musicgen_ui.music.score import PARTS, Chord, Note, Score
from musicgen_ui.music.theory import PITCH_NAMES
from musicgen_ui.ui.figure import Figure, figure_html

PITCHED_HEIGHT = 144
DRUM_ROW = 8
DRUM_GAP = 6
NAMES_HEIGHT = 20
MIN_SPAN = 24
"""Least number of semitones shown, so that a drone does not fill the picture."""

SYMBOLS = {"maj": "", "min": "m", "7": "7", "maj7": "maj7", "min7": "m7", "dim": "dim", "aug": "aug", "sus": "sus"}
"""Chord quality to what is written after the root."""

DRUM_ROWS = ("cymbals", "hi-hat", "toms", "snare", "kick")
"""Rows of the drum lane from the top."""

_DRUM_ROW_OF = {35: 4, 36: 4, **dict.fromkeys((37, 38, 39, 40), 3), **dict.fromkeys((41, 43, 45, 47, 48, 50), 2),
                **dict.fromkeys((42, 44, 46, 54, 69, 70, 82), 1)}  # fmt: skip


def roll_figure(score: Score, labels: Mapping[str, str], sections: Sequence[Section] = ()) -> str:
    """The figure as HTML.

    Args:
        score: what to draw; parts that are not observed are left out.
        labels: part name to instrument name, for the legend.
        sections: named above the chords, if there are any.
    """
    parts = [part for part in PARTS if part in score.parts]
    low, high = _pitch_range(score)
    drums_height = DRUM_ROW * len(DRUM_ROWS) + DRUM_GAP if "drums" in parts else 0
    height = PITCHED_HEIGHT + drums_height
    head = NAMES_HEIGHT * (2 if sections else 1)
    body = [_grid(score, low, high, height)]
    for part in parts:
        rects = "".join(
            _drum(note, score.beats) if part == "drums" else _note(note, score.beats, low, high)
            for note in score.notes(part)
        )
        body.append(f'<g class="part {part}">{rects}</g>')
    legend = "".join(
        f'<li class="{part}"><i></i><span>{part}</span> <small>{escape(labels.get(part, ""))}</small></li>'
        for part in parts
    )
    whole = height + head
    axis = [((head + _y(pitch, low, high)) / whole, f"C{pitch // 12 - 1}") for pitch in _octaves(low, high)]
    if drums_height:
        axis.append(((head + PITCHED_HEIGHT + drums_height / 2) / whole, "drums"))
    picture = (
        f'{_section_names(sections)}<div class="chord-names" aria-hidden="true">{_chord_names(score)}</div>'
        f'<svg width="100%" height="{height}" aria-hidden="true">{"".join(body)}</svg>'
    )
    says, key = _summary(score, parts, sections), f'<ul class="legend">{legend}</ul>'
    return figure_html(Figure("roll", says, score.seconds, whole, picture, axis, "", key))


def spelled(name: str) -> str:
    """A pitch name with the signs of music: ``F♯``."""
    return name[0] + name[1:].replace("b", "♭").replace("#", "♯")


def chord_name(chord: Chord) -> str:
    """Short symbol such as ``F♯m7``."""
    return spelled(PITCH_NAMES[chord.root]) + SYMBOLS[chord.quality]


def _pitch_range(score: Score) -> tuple[int, int]:
    pitches = [note.pitch for note in score.pitched]
    low, high = (min(pitches), max(pitches)) if pitches else (48, 72)
    spare = max(2, MIN_SPAN - (high - low))
    return low - (spare + 1) // 2, high + (spare + 1) // 2


def _octaves(low: int, high: int) -> list[int]:
    return [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]


def _y(pitch: float, low: int, high: int) -> float:
    """Middle of a pitch's row in pixels from the top."""
    return PITCHED_HEIGHT * (high + 0.5 - pitch) / (high - low + 1)


def _grid(score: Score, low: int, high: int, height: int) -> str:
    strong = ' class="strong"'
    bars = "".join(
        f'<line x1="{100 * bar / score.bars:.3f}%" x2="{100 * bar / score.bars:.3f}%" y1="0" y2="{height}"'
        f"{strong if bar % 4 == 0 else ''}/>"
        for bar in range(score.bars + 1)
    )
    rows = "".join(
        f'<line x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="row"/>'
        for y in (_y(p, low, high) for p in _octaves(low, high))
    )
    return f'<g class="grid">{rows}{bars}</g>'


def _note(note: Note, beats: int, low: int, high: int) -> str:
    row = PITCHED_HEIGHT / (high - low + 1)
    thick = max(2.5, row - 0.5)
    top = _y(note.pitch, low, high) - thick / 2
    return _rect(note, beats, max(note.duration, 0.08), top, thick)


def _drum(note: Note, beats: int) -> str:
    top = PITCHED_HEIGHT + DRUM_GAP + DRUM_ROW * _DRUM_ROW_OF.get(note.pitch, 0)
    return _rect(note, beats, 0.14, top, DRUM_ROW - 2)


def _rect(note: Note, beats: int, duration: float, top: float, thick: float) -> str:
    x, width = 100 * note.onset / beats, 100 * min(duration, beats - note.onset) / beats
    return (
        f'<rect x="{x:.3f}%" y="{top:.1f}" width="{max(width, 0.12):.3f}%" height="{thick:.1f}"'
        f' opacity="{0.45 + 0.55 * note.velocity / 127:.2f}"/>'
    )


def _chord_names(score: Score) -> str:
    changes: list[tuple[float, str]] = []
    for chord in score.chords:
        name = chord_name(chord)
        if not changes or changes[-1][1] != name:
            changes.append((chord.onset / score.beats, name))
    return "".join(f'<span style="left:{100 * at:.3f}%">{escape(name)}</span>' for at, name in changes)


def _section_names(sections: Sequence[Section]) -> str:
    """A row of fields, each as wide as its section is long."""
    fields = "".join(f'<span style="flex-grow:{section.bars}">{escape(section.label)}</span>' for section in sections)
    return f'<div class="section-names" aria-hidden="true">{fields}</div>' if sections else ""


def _summary(score: Score, parts: list[str], sections: Sequence[Section]) -> str:
    counts = ", ".join(f"{part} {len(score.notes(part))} notes" for part in parts)
    names = [chord_name(chord) for chord in score.chords]
    chords = f" Chords: {' '.join(names[:16])}{' and so on' if len(names) > 16 else ''}." if names else ""
    form = f" Sections: {', '.join(f'{part.label} {part.bars} bars' for part in sections)}." if sections else ""
    return f"Piano roll of {score.bars} bars in {score.metre}: {counts}.{form}{chords}"
