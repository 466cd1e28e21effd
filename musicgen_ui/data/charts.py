"""Chord charts without notes: the McGill Billboard annotations and roman-numeral progressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from musicgen_ui.data.sources import Source
from musicgen_ui.music.harmony import parse_chord
from musicgen_ui.music.theory import PITCH_NAMES, pitch_class

_NUMERALS = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_MINOR_NUMERALS = {"i": 0, "ii": 2, "iii": 3, "iv": 5, "v": 7, "vi": 8, "vii": 10}
_PROGRESSION_REPEATS = 4


def billboard(corpus: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Source]:
    """Songs of the McGill Billboard set (Burgoyne et al. 2011): a chord or ``.`` (hold) for each beat of a bar."""
    for row in rows:
        metre = str(row.get("metre"))
        beats = {"4/4": 4, "3/4": 3}.get(metre)
        chords: list[tuple[float, float, str]] = []
        at = 0.0
        for line in row.get("lines", ()):
            for bar in line.get("bars", ()):
                if beats:
                    chords.extend(_bar_chords(bar, at, beats, chords[-1][2] if chords else "N"))
                    at += beats
        yield Source(
            id=f"{corpus}/billboard_{row['id']}",
            corpus=corpus,
            title=f"{row.get('title')} ({row.get('artist')})",
            group=f"song:billboard:{row['id']}",
            licence="CC0-1.0",
            tempo=row.get("beat_bpm_est"),
            chords=tuple(chords),
            metre=metre,
            key=_chart_key(chords, row.get("tonic")),
        )


def _bar_chords(bar: str, at: float, beats: int, previous: str) -> Iterator[tuple[float, float, str]]:
    """Chords of one bar. A bar of its own length, as in ``(2/4) A:maj``, is stretched to keep the grid whole."""
    symbols = [s for s in bar.split() if not s.startswith(("(", "&", "*"))]
    if not symbols:
        symbols = [previous]
    step = beats / len(symbols)
    held = previous
    for i, symbol in enumerate(symbols):
        held = held if symbol == "." else symbol
        # On a beat: six symbols in four beats fall between.
        start, end = round(i * step), round((i + 1) * step)
        if end > start:
            yield at + start, float(end - start), held


def progressions(corpus: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Source]:
    """Roman-numeral progressions, a bar a chord, in C (modal ones too) or A minor, repeated to a chorus."""
    for number, row in enumerate(rows):
        minor = row.get("mode") == "minor"
        symbols = [roman_chord(r, minor) for r in row.get("romans", ())]
        chords = tuple((4.0 * i, 4.0, s) for i, s in enumerate(symbols * _PROGRESSION_REPEATS))
        yield Source(
            id=f"{corpus}/progression_{number:03d}",
            corpus=corpus,
            title=" ".join(row.get("romans", ())),
            group=f"{corpus}:progression_{number:03d}",
            licence="MIT",
            chords=chords,
            metre="4/4",
            key={"minor": "A minor", "major": "C major"}.get(str(row.get("mode"))),
            tempo_known=False,
        )


def roman_chord(numeral: str, minor: bool) -> str:
    """Lead-sheet symbol of a roman numeral over C major or A minor; ``N`` when it is none.

    Upper case is major, lower case minor; a suffix gives the rest (``Idom7``, ``viidim``, ``iim7``).
    """
    match = re.fullmatch(r"([b#]?)(VII|VI|V|IV|III|II|I|vii|vi|v|iv|iii|ii|i)(.*)", numeral.strip())
    if match is None:
        return "N"
    steps = _MINOR_NUMERALS if minor else _NUMERALS
    shift = {"b": -1, "#": 1, "": 0}[match[1]]
    root = PITCH_NAMES[((9 if minor else 0) + steps[match[2].lower()] + shift) % 12]
    suffix = match[3].replace("dom", "")
    small = match[2].islower()
    if suffix.startswith(("dim", "aug", "sus", "m", "M")):
        return root + suffix
    dominant = {"V"} if not minor else {"V", "VII"}
    if suffix == "7" and not small and "dom" not in match[3] and match[2] not in dominant:
        return root + "maj7"
    return root + ("m" if small else "") + suffix


def _chart_key(chords: Iterable[tuple[float, float, str]], tonic: Any) -> str | None:
    """Key of a chart whose tonic is known: minor when its tonic chords mostly are."""
    try:
        root = pitch_class(str(tonic))
    except ValueError:
        return None
    parsed = [(parse_chord(symbol), duration) for _, duration, symbol in chords]
    votes = [
        (duration if c[1] in ("min", "min7", "dim") else -duration) for c, duration in parsed if c and c[0] == root
    ]
    return f"{PITCH_NAMES[root]} {'minor' if sum(votes) > 0 else 'major'}"
