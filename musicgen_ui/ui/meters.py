"""Asked against heard: one row a control, and the verdict in words as well as in colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from musicgen_ui.music.theory import KEYS, key_is_minor, key_tonic
from musicgen_ui.style import SLIDERS

TEMPO_TOLERANCE = 0.04
"""Relative error of the tempo that counts as right, as in mir_eval's detection metric at half its 8 %."""

CLOSE, NEAR = 0.10, 0.20
"""Distance on a unit slider up to which a value counts as spot on, or as close."""

NOT_MEASURED = "cannot be measured here"


@dataclass(frozen=True)
class Meter:
    """One row.

    Attributes:
        name: of the control.
        asked: what was asked, in words.
        heard: what was measured, in words.
        verdict: in words.
        grade: ``good``, ``fair``, ``far`` or ``none``: the colour.
        ask: position of the asked tick on the track, 0 to 1, or None.
        hear: position of the heard bar, 0 to 1, or None.
    """

    name: str
    asked: str
    heard: str
    verdict: str
    grade: str
    ask: float | None = None
    hear: float | None = None


def meters(asked: Mapping[str, Any], heard: Mapping[str, Any]) -> list[Meter]:
    """Rows for all sliders, the key and the genre, in the order of the page.

    Args:
        asked: slider name to value; ``key`` a canonical name; ``genre`` the heaviest
            of the blend. None where anything would do.
        heard: the same names to what was measured, None where it could not be.
    """
    rows = [_slider(name, asked.get(name), heard.get(name)) for name in SLIDERS]
    return [*rows, _key(asked.get("key"), heard.get("key")), _genre(asked.get("genre"), heard.get("genre"))]


def meters_html(rows: list[Meter]) -> str:
    """The rows as a list."""
    return (
        '<section class="meters" aria-label="Asked and heard">'
        '<h3>Asked <i class="tick"></i> and heard <i class="bar"></i>'
        "<small>measured on the finished audio</small></h3>"
        f"<ul>{''.join(map(_row, rows))}</ul></section>"
    )


def compare_tempo(asked: float, heard: float) -> tuple[str, str]:
    """(verdict, grade). Half and double time are told apart from a wrong tempo: the pulse is right."""
    for factor, words in ((1.0, "spot on"), (2.0, "counted at double time"), (0.5, "counted at half time")):
        if abs(heard / (asked * factor) - 1.0) <= TEMPO_TOLERANCE:
            return words, "good" if factor == 1.0 else "fair"
    off = heard / asked - 1.0
    return f"{abs(off):.0%} too {'fast' if off > 0 else 'slow'}", "far"


def compare_keys(asked: str, heard: str) -> tuple[str, str]:
    """(verdict, grade) in the classes of MIREX: the same, a fifth off, relative, parallel, other."""
    if asked == heard:
        return "spot on", "good"
    gap = (key_tonic(heard) - key_tonic(asked)) % 12
    if key_is_minor(asked) == key_is_minor(heard):
        return ("a fifth away", "fair") if gap in (5, 7) else ("another key", "far")
    relative = 3 if key_is_minor(asked) else 9
    if gap == relative:
        return "its relative key: the same notes", "fair"
    return ("same tonic, other mode", "fair") if gap == 0 else ("another key", "far")


def pretty_key(key: str) -> str:
    """``Bb minor`` as ``B♭ minor``."""
    tonic, _, mode = key.partition(" ")
    return f"{tonic[0]}{tonic[1:].replace('b', '♭').replace('#', '♯')} {mode}"


def _slider(name: str, asked: Any, heard: Any) -> Meter:
    slider = SLIDERS[name]
    span = slider.high - slider.low

    def place(value: float) -> float:
        return min(1.0, max(0.0, (value - slider.low) / span))

    def words(value: float) -> str:
        return f"{value:.0f} BPM" if name == "tempo" else f"{value:.2f}"

    ask = place(asked) if asked is not None else None
    said = words(asked) if asked is not None else "any"
    if heard is None:
        return Meter(slider.name, said, "", NOT_MEASURED, "none", ask)
    if asked is None:
        return Meter(slider.name, said, words(heard), "not asked", "none", None, place(heard))
    if name == "tempo":
        verdict, grade = compare_tempo(asked, heard)
    else:
        verdict, grade = _compare_unit(asked, heard)
    return Meter(slider.name, said, words(heard), verdict, grade, ask, place(heard))


def _compare_unit(asked: float, heard: float) -> tuple[str, str]:
    gap = heard - asked
    if abs(gap) <= CLOSE:
        return "spot on", "good"
    side = "above" if gap > 0 else "below"
    return (f"a little {side}", "fair") if abs(gap) <= NEAR else (f"{abs(gap):.2f} {side}", "far")


def _key(asked: Any, heard: Any) -> Meter:
    said = pretty_key(asked) if asked in KEYS else "any"
    if heard not in KEYS:
        return Meter("Key", said, "", NOT_MEASURED, "none")
    if asked not in KEYS:
        return Meter("Key", said, pretty_key(heard), "not asked", "none")
    return Meter("Key", said, pretty_key(heard), *compare_keys(asked, heard))


def _genre(asked: Any, heard: Any) -> Meter:
    said = asked if isinstance(asked, str) else "any"
    if not isinstance(heard, str):
        return Meter("Genre", said, "", NOT_MEASURED, "none")
    if not isinstance(asked, str):
        return Meter("Genre", said, heard, "not asked", "none")
    return Meter("Genre", said, heard, *(("spot on", "good") if asked == heard else ("another genre", "far")))


def _row(meter: Meter) -> str:
    marks = ""
    if meter.hear is not None:
        marks += f'<i class="bar" style="width:{100 * meter.hear:.1f}%"></i>'
    if meter.ask is not None:
        marks += f'<i class="tick" style="left:{100 * meter.ask:.1f}%"></i>'
    has_track = meter.ask is not None or meter.hear is not None
    track = f'<span class="track" aria-hidden="true">{marks}</span>' if has_track else '<span class="notrack"></span>'
    heard = f'<span class="heard"><span class="sr">heard </span>{escape(meter.heard)}</span>' if meter.heard else ""
    return (
        f'<li class="{meter.grade}"><b>{escape(meter.name)}</b>{track}'
        f'<span class="values"><span class="asked"><span class="sr">asked </span>{escape(meter.asked)}</span>'
        f"{'<i aria-hidden=true>→</i>' if heard else ''}{heard}</span>"
        f"<em>{escape(meter.verdict)}</em></li>"
    )
