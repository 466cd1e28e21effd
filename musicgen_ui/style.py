"""The Style: everything a person asks for, and the condition c of every model.

This file is the one place that names a slider, its range, its unit and its default; the page, the command
line, the models and the meters all read it here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import CHOICES, program_number
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.theory import KEYS, parse_key


@dataclass(frozen=True)
class Slider:
    """One numeric control. ``learned`` sliders condition the composer; the others are set exactly by the engine."""

    key: str
    name: str
    low: float
    high: float
    default: float
    unit: str
    step: float
    learned: bool
    help: str


SLIDERS: dict[str, Slider] = {
    s.key: s
    for s in (
        Slider("tempo", "Tempo", 60, 180, 110, "BPM", 1, False, "How fast the beat goes. Obeyed exactly."),
        Slider(
            "mood",
            "Mood",
            0,
            1,
            0.6,
            "minor - major",
            0.01,
            True,
            "Dark and minor on the left, bright and major on the right.",
        ),
        Slider("energy", "Energy", 0, 1, 0.5, "calm - driving", 0.01, True, "How hard the band plays."),
        Slider("density", "Density", 0, 1, 0.5, "sparse - busy", 0.01, True, "How many notes there are in a beat."),
        Slider(
            "syncopation",
            "Syncopation",
            0,
            1,
            0.5,
            "straight - off-beat",
            0.01,
            True,
            "How much falls between the beats.",
        ),
        Slider(
            "complexity",
            "Complexity",
            0,
            1,
            0.4,
            "simple - rich",
            0.01,
            True,
            "How many different notes and chords are used.",
        ),
        Slider(
            "brightness",
            "Brightness",
            0,
            1,
            0.5,
            "warm - bright",
            0.01,
            False,
            "The colour of the sound, from dull to brilliant.",
        ),
        Slider("space", "Space", 0, 1, 0.3, "dry - hall", 0.01, False, "How large the room is."),
    )
}
"""All sliders in the order of the page. Unit sliders are quantiles over the training corpora: 0.5 is the median."""

EFFECTS: dict[str, Slider] = {
    s.key: s
    for s in (
        Slider("vibrato", "Vibrato", 0, 1, 0.0, "depth", 0.01, False, "A slow wobble of pitch on the lead."),
        Slider("noise", "Noise", 0, 1, 0.0, "amount", 0.01, False, "Tape hiss and crackle under the music."),
        Slider("drive", "Drive", 0, 1, 0.0, "amount", 0.01, False, "Warm distortion."),
        Slider(
            "speed",
            "Tape speed",
            0.5,
            2,
            1.0,
            "x",
            0.01,
            False,
            "Plays the tape slower or faster: tempo and pitch move together.",
        ),
    )
}
"""Mixer effects that a person may add; each is neutral at its default."""

GENRES = ("pop", "rock", "jazz", "blues", "latin", "folk", "country", "funk", "dance", "classical", "game")
"""Genres with enough training music. ``dance`` is the ballroom kind (waltz, polka), ``game`` the 1990s game kind."""

PART_LEVELS = (-24.0, 6.0)
"""Range of a part's level in dB."""

AUTO = "auto"


@dataclass(frozen=True)
class PartSetting:
    """One part: on or off, level in dB, and instrument (a name from ``CHOICES`` or ``auto``: fits the genre)."""

    on: bool = True
    level: float = 0.0
    instrument: str = AUTO


@dataclass(frozen=True)
class Style:
    """What a person asks for. Every field is checked on construction.

    Attributes:
        tempo: beats per minute; the other numeric fields are described in SLIDERS and EFFECTS.
        key: a name from ``theory.KEYS``, or ``auto``: the mood chooses the mode and the seed the tonic.
        genre: genre name to weight; weights sum to 1. Empty means "any".
        metre: ``4/4`` or ``3/4``.
        parts: part name to PartSetting, for all four parts.

    Raises:
        RequestError: a value is of the wrong type, not finite, out of range or unknown, or no part is on.
    """

    tempo: float = SLIDERS["tempo"].default
    mood: float = SLIDERS["mood"].default
    energy: float = SLIDERS["energy"].default
    density: float = SLIDERS["density"].default
    syncopation: float = SLIDERS["syncopation"].default
    complexity: float = SLIDERS["complexity"].default
    brightness: float = SLIDERS["brightness"].default
    space: float = SLIDERS["space"].default
    vibrato: float = EFFECTS["vibrato"].default
    noise: float = EFFECTS["noise"].default
    drive: float = EFFECTS["drive"].default
    speed: float = EFFECTS["speed"].default
    key: str = AUTO
    metre: str = "4/4"
    genre: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, PartSetting] = field(default_factory=lambda: {p: PartSetting() for p in PARTS})

    def __post_init__(self) -> None:
        for name, slider in (SLIDERS | EFFECTS).items():
            object.__setattr__(self, name, checked_number(name, getattr(self, name), slider.low, slider.high))
        object.__setattr__(self, "key", _checked_key(self.key))
        if not isinstance(self.metre, str) or self.metre not in METRES:
            raise RequestError("metre", f"{self.metre!r} is not one of {', '.join(METRES)}")
        object.__setattr__(self, "genre", _checked_genre(self.genre))
        object.__setattr__(self, "parts", _checked_parts(self.parts))

    @property
    def active_parts(self) -> tuple[str, ...]:
        """Parts that are switched on, in the order of PARTS."""
        return tuple(p for p in PARTS if self.parts[p].on)

    def with_values(self, **values: Any) -> Style:
        """A copy with some fields replaced, checked again.

        Raises:
            RequestError: a name is no field of Style, or a value is bad.
        """
        for name in values:
            if name not in self.__dataclass_fields__:
                known = ", ".join(SLIDERS | EFFECTS)
                raise RequestError(name, f"there is no such slider; the sliders are {known}")
        return replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value with every field, in a fixed order."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Style:
        """Inverse of :meth:`to_dict`; missing fields take their defaults.

        Raises:
            RequestError: an unknown field or a bad value.
        """
        if not isinstance(values, Mapping):
            raise RequestError("style", "must be an object of slider values")
        return cls().with_values(**{str(k): v for k, v in values.items()})


def checked_number(name: str, value: Any, low: float, high: float) -> float:
    """``value`` as a finite float in [low, high].

    Raises:
        RequestError: it is a bool, not a number, not finite, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RequestError(name, f"must be a number from {low:g} to {high:g}, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high:
        raise RequestError(name, f"must be from {low:g} to {high:g}, not {value!r:.40}")
    return number


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise RequestError("key", f"must be a name such as 'A minor', not {key!r}")
    if key.strip().lower() == AUTO:
        return AUTO
    if key in KEYS:
        return key
    try:
        return parse_key(key)
    except ValueError as error:
        raise RequestError("key", str(error)) from None


def _checked_genre(genre: Any) -> dict[str, float]:
    if not isinstance(genre, Mapping):
        raise RequestError("genre", "must map genre names to weights")
    weights: dict[str, float] = {}
    for name, weight in genre.items():
        if name not in GENRES:
            raise RequestError("genre", f"{name!r} is not one of {', '.join(GENRES)}")
        weights[name] = checked_number(f"genre {name}", weight, 0.0, 1e6)
    total = sum(weights.values())
    if weights and total <= 0:
        raise RequestError("genre", "at least one weight must be above 0")
    # Rounded weights sum to 1 within a rounding each: leave them, or a recipe would drift on every reading.
    if abs(total - 1.0) < 1e-6 * len(GENRES):
        total = 1.0
    # Fixed order and equal sums, so that equal blends give equal recipes.
    shares = {name: round(weights[name] / total, 6) for name in GENRES if weights.get(name, 0) > 0}
    return {name: share for name, share in shares.items() if share > 0}


def _checked_parts(parts: Any) -> dict[str, PartSetting]:
    if not isinstance(parts, Mapping):
        raise RequestError("parts", "must map part names to settings")
    for name in parts:
        if name not in PARTS:
            raise RequestError("parts", f"{name!r} is not one of {', '.join(PARTS)}")
    checked = {name: _checked_part(name, parts.get(name, PartSetting())) for name in PARTS}
    if not any(setting.on for setting in checked.values()):
        raise RequestError("parts", "switch on at least one part")
    return checked


def _checked_part(name: str, value: Any) -> PartSetting:
    if isinstance(value, Mapping):
        unknown = set(value) - set(PartSetting.__dataclass_fields__)
        if unknown:
            raise RequestError(f"parts {name}", f"unknown setting {sorted(map(str, unknown))[0]!r}")
        value = PartSetting(**value)
    if not isinstance(value, PartSetting):
        raise RequestError(f"parts {name}", "must be an object with on, level and instrument")
    if not isinstance(value.on, bool):
        raise RequestError(f"parts {name}", f"on must be true or false, not {value.on!r}")
    level = checked_number(f"{name} level", value.level, *PART_LEVELS)
    if value.instrument != AUTO:
        try:
            program_number(name, value.instrument)
        except (KeyError, TypeError):
            raise RequestError(
                f"{name} instrument",
                f"{value.instrument!r} is not offered; choose for example {CHOICES[name][0]!r} or 'auto'",
            ) from None
    return PartSetting(value.on, level, value.instrument)
