"""Asked against heard as values: one meter a control, its tolerance, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from musicgen_ui.engine.listen import PRECISION
from musicgen_ui.engine.misses import TOLERANCE
from musicgen_ui.music.theory import KEYS, key_is_minor, key_tonic
from musicgen_ui.style import SLIDERS

NOT_MEASURED = "cannot be measured here"
UNSURE = "Heard to within {:.2f} in four clips of five: the ear itself may be wrong by more than the tolerance."
NOT_ASKED = "not asked"

NO_BEAT, NO_PITCH = "No steady beat was heard.", "No clear pitches were heard."
REASONS: Mapping[str, str] = MappingProxyType({
    "tempo": NO_BEAT, "energy": NO_BEAT, "density": NO_BEAT, "syncopation": NO_BEAT, "mood": NO_PITCH, "key": NO_PITCH,
    "complexity": "That needs both a steady beat and clear pitches.", "brightness": "The clip is too short or silent.",
    "space": "No room was heard: the clip is too short, or not stereo.",
    "genre": "The genre was not recognised with enough confidence.",
})  # fmt: skip
"""Why a value may be missing, where the listener gave no reason of its own."""


@dataclass(frozen=True)
class Meter:
    """One row.

    Attributes:
        name: of the control.
        asked: what was asked, in words.
        heard: what was measured, in words.
        verdict: in words.
        grade: ``good`` inside the tolerance, ``fair`` near it or musically related, ``far``, or ``none``.
        ask: position of the asked tick on the track, 0 to 1, or None.
        hear: position of the heard bar, 0 to 1, or None.
        band: the tolerance around the tick, as positions of its two ends, or None.
        tolerance: the same in words, empty where there is none.
        why: one sentence that says why nothing could be measured, or why what was heard may be wrong.
        shares: genre to probability, for the genre's row.
    """

    name: str
    asked: str
    heard: str
    verdict: str
    grade: str
    ask: float | None = None
    hear: float | None = None
    band: tuple[float, float] | None = None
    tolerance: str = ""
    why: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)


def meters(
    asked: Mapping[str, Any],
    heard: Mapping[str, Any],
    *,
    tolerance: Mapping[str, float] = TOLERANCE,
    reasons: Mapping[str, str] = MappingProxyType({}),
    genres: Mapping[str, float] | None = None,
    blend: Mapping[str, float] | None = None,
) -> list[Meter]:
    """Rows for all sliders, the key and the genre, in the order of the page.

    Args:
        asked: slider name to value; ``key`` a canonical name; ``genre`` the heaviest
            of the blend. None where anything would do.
        heard: the same names to what was measured, None where it could not be.
        tolerance: slider name to the error that counts as obeyed; of the tempo relative.
        reasons: name to one sentence, for what could not be measured.
        genres: genre to the probability that it was heard with.
        blend: genre to its asked share.
    """
    reasons = {**REASONS, **reasons}
    rows = [_slider(name, asked.get(name), heard.get(name), tolerance[name], reasons[name]) for name in SLIDERS]
    genre = _genre(asked.get("genre"), heard.get("genre"), genres or {}, blend or {}, reasons["genre"])
    return [*rows, _key(asked.get("key"), heard.get("key"), reasons["key"]), genre]


def summary(rows: list[Meter]) -> str:
    """How many of what was asked and could be measured was obeyed: ``9 of 10 inside tolerance``."""
    judged = [row for row in rows if row.grade != "none"]
    unheard = sum(row.verdict == NOT_MEASURED for row in rows)
    rest = f", {unheard} cannot be measured here" if unheard else ""
    if not judged:
        return "Nothing could be compared" + rest
    return f"{sum(row.grade == 'good' for row in judged)} of {len(judged)} inside tolerance{rest}"


def compare_tempo(asked: float, heard: float, tolerance: float) -> tuple[str, str]:
    """(verdict, grade). Half and double time are told apart from a wrong tempo: the pulse is right.

    Args:
        asked: in BPM.
        heard: in BPM.
        tolerance: relative error that counts as right.
    """
    for factor, words in ((1.0, "spot on"), (2.0, "heard at double time"), (0.5, "heard at half time")):
        if abs(heard / (asked * factor) - 1.0) <= tolerance:
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


def percents(shares: Mapping[str, float], most: int = 3) -> str:
    """The largest shares in words: ``jazz 62 %, pop 20 %``; what rounds to nothing is left out."""
    largest = sorted(shares.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in largest if share >= 0.005)


def _slider(name: str, asked: Any, heard: Any, tolerance: float, why: str) -> Meter:
    slider = SLIDERS[name]
    span = slider.high - slider.low

    def place(value: float) -> float:
        return min(1.0, max(0.0, (value - slider.low) / span))

    def words(value: float) -> str:
        return f"{value:.0f} BPM" if name == "tempo" else f"{value:.2f}"

    if asked is None:
        if heard is None:
            return Meter(slider.name, "any", "", NOT_MEASURED, "none", why=why)
        return Meter(slider.name, "any", words(heard), NOT_ASKED, "none", None, place(heard))
    half = asked * tolerance if name == "tempo" else tolerance
    band = (place(asked - half), place(asked + half))
    within = f"{tolerance:.0%}".replace("%", " %") if name == "tempo" else f"{tolerance:.2f}"
    if heard is None:
        return Meter(slider.name, words(asked), "", NOT_MEASURED, "none", place(asked), None, band, within, why)
    compare = compare_tempo if name == "tempo" else _compare_unit
    marks = (place(asked), place(heard), band, within)
    verdict, grade = compare(asked, heard, tolerance)
    doubt = "" if grade == "good" or PRECISION[name] <= tolerance else UNSURE.format(PRECISION[name])
    return Meter(slider.name, words(asked), words(heard), verdict, grade, *marks, doubt)


def _compare_unit(asked: float, heard: float, tolerance: float) -> tuple[str, str]:
    gap = heard - asked
    # Both come with rounding errors, and a value on the very edge of the band is drawn inside it.
    if abs(gap) <= tolerance + 1e-9:
        return ("spot on" if abs(gap) <= tolerance / 2 else "inside tolerance"), "good"
    side = "above" if gap > 0 else "below"
    return (f"a little {side}", "fair") if abs(gap) <= 2 * tolerance else (f"{abs(gap):.2f} {side}", "far")


def _key(asked: Any, heard: Any, why: str) -> Meter:
    said = pretty_key(asked) if asked in KEYS else "any"
    if heard not in KEYS:
        return Meter("Key", said, "", NOT_MEASURED, "none", why=why)
    if asked not in KEYS:
        return Meter("Key", said, pretty_key(heard), NOT_ASKED, "none")
    return Meter("Key", said, pretty_key(heard), *compare_keys(asked, heard))


def _genre(asked: Any, heard: Any, shares: Mapping[str, float], blend: Mapping[str, float], why: str) -> Meter:
    said = percents(blend) if len(blend) > 1 else asked if isinstance(asked, str) else "any"
    if not isinstance(heard, str):
        return Meter("Genre", said, "", NOT_MEASURED, "none", why=why)
    if not isinstance(asked, str):
        return Meter("Genre", said, heard, NOT_ASKED, "none", shares=shares)
    if asked == heard:
        verdict, grade = "spot on", "good"
    elif heard in blend:
        verdict, grade = "one of the blend", "fair"
    else:
        verdict, grade = "another genre", "far"
    return Meter("Genre", said, heard, verdict, grade, shares=shares)
