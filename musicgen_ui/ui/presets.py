"""Presets: named starting points that really sound different.

Each is a complete Style: sliders, genre blend, instruments, levels and effects, so that picking one replaces
everything but the length and the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from musicgen_ui.style import PartSetting, Style


@dataclass(frozen=True)
class Preset:
    """A named Style.

    Attributes:
        name: what the person reads; its slug names the files.
        blurb: one short line: what to expect.
        style: the whole setting.
    """

    name: str
    blurb: str
    style: Style

    @property
    def slug(self) -> str:
        """``name`` in lower case with dashes: safe in file names and element ids."""
        return self.name.lower().replace(" ", "-")


def _preset(name: str, blurb: str, band: Mapping[str, tuple[str, float] | None], **values: Any) -> Preset:
    """``band`` maps each part to (instrument, level in dB), or to None where the part rests."""
    parts = {
        part: PartSetting(on=False) if choice is None else PartSetting(True, choice[1], choice[0])
        for part, choice in band.items()
    }
    return Preset(name, blurb, Style(parts=parts, **values))


_ALL = (
    _preset(
        "Sunny pop",
        "Open windows, clean guitar, four chords.",
        {
            "lead": ("clean guitar", 0),
            "chords": ("acoustic grand piano", -3),
            "bass": ("finger bass", 0),
            "drums": ("standard kit", -2),
        },
        genre={"pop": 1},
        tempo=112,
        mood=0.85,
        energy=0.6,
        density=0.5,
        syncopation=0.45,
        complexity=0.35,
        brightness=0.65,
        space=0.25,
    ),
    _preset(
        "Lo-fi evening",
        "Slow, warm and a little worn, with tape hiss.",
        {
            "lead": ("vibraphone", -2),
            "chords": ("electric piano 1", 0),
            "bass": ("fretless bass", 0),
            "drums": ("room kit", -6),
        },
        genre={"jazz": 0.6, "pop": 0.4},
        tempo=76,
        mood=0.4,
        energy=0.25,
        density=0.3,
        syncopation=0.55,
        complexity=0.6,
        brightness=0.2,
        space=0.4,
        noise=0.35,
        vibrato=0.2,
    ),
    _preset(
        "Smoky jazz club",
        "Tenor sax over walking bass and brushes.",
        {
            "lead": ("tenor sax", 0),
            "chords": ("jazz guitar", -4),
            "bass": ("acoustic bass", 1),
            "drums": ("brush kit", -3),
        },
        genre={"jazz": 1},
        tempo=124,
        mood=0.45,
        energy=0.4,
        density=0.6,
        syncopation=0.7,
        complexity=0.9,
        brightness=0.35,
        space=0.4,
    ),
    _preset(
        "Midnight bossa",
        "Nylon strings, a flute, nobody in a hurry.",
        {"lead": ("flute", -1), "chords": ("nylon guitar", 0), "bass": ("acoustic bass", 0), "drums": ("room kit", -8)},
        genre={"latin": 0.75, "jazz": 0.25},
        tempo=132,
        mood=0.35,
        energy=0.3,
        density=0.45,
        syncopation=0.8,
        complexity=0.75,
        brightness=0.4,
        space=0.3,
    ),
    _preset(
        "Barn dance",
        "Banjo up front, boots on the floor.",
        {
            "lead": ("banjo", 0),
            "chords": ("steel guitar", -2),
            "bass": ("acoustic bass", 0),
            "drums": ("standard kit", -4),
        },
        genre={"country": 0.7, "folk": 0.3},
        tempo=138,
        mood=0.95,
        energy=0.7,
        density=0.7,
        syncopation=0.25,
        complexity=0.15,
        brightness=0.7,
        space=0.15,
    ),
    _preset(
        "Blues bar",
        "Harmonica and organ, late and low.",
        {
            "lead": ("harmonica", 0),
            "chords": ("drawbar organ", -5),
            "bass": ("finger bass", 0),
            "drums": ("room kit", -3),
        },
        genre={"blues": 1},
        tempo=86,
        mood=0.5,
        energy=0.5,
        density=0.4,
        syncopation=0.6,
        complexity=0.5,
        brightness=0.4,
        space=0.3,
        drive=0.2,
    ),
    _preset(
        "Funk workout",
        "Slap bass, clavinet and everything off the beat.",
        {"lead": ("alto sax", -2), "chords": ("clavinet", -2), "bass": ("slap bass 1", 2), "drums": ("power kit", 0)},
        genre={"funk": 1},
        tempo=106,
        mood=0.45,
        energy=0.8,
        density=0.8,
        syncopation=0.9,
        complexity=0.5,
        brightness=0.75,
        space=0.1,
    ),
    _preset(
        "Boss battle",
        "Square waves, minor key, no mercy.",
        {
            "lead": ("square lead", -2),
            "chords": ("synth strings 1", -3),
            "bass": ("synth bass 1", 1),
            "drums": ("electronic kit", 0),
        },
        genre={"game": 0.8, "rock": 0.2},
        tempo=168,
        mood=0.05,
        energy=0.95,
        density=0.85,
        syncopation=0.5,
        complexity=0.6,
        brightness=0.85,
        space=0.2,
        drive=0.15,
        key="E minor",
    ),
    _preset(
        "Ballroom waltz",
        "One-two-three with violin and accordion.",
        {"lead": ("violin", 0), "chords": ("accordion", -4), "bass": ("contrabass", 0), "drums": None},
        genre={"dance": 0.7, "classical": 0.3},
        tempo=156,
        metre="3/4",
        mood=0.75,
        energy=0.45,
        density=0.35,
        syncopation=0.1,
        complexity=0.35,
        brightness=0.5,
        space=0.6,
    ),
    _preset(
        "Chamber morning",
        "Oboe, strings and cello in a bright hall.",
        {"lead": ("oboe", 0), "chords": ("string ensemble 1", -3), "bass": ("cello", 0), "drums": None},
        genre={"classical": 1},
        tempo=84,
        mood=0.7,
        energy=0.3,
        density=0.5,
        syncopation=0.15,
        complexity=0.65,
        brightness=0.45,
        space=0.8,
    ),
    _preset(
        "Campfire folk",
        "A recorder, a guitar and the fire.",
        {"lead": ("recorder", -3), "chords": ("steel guitar", 0), "bass": None, "drums": None},
        genre={"folk": 1},
        tempo=94,
        mood=0.65,
        energy=0.2,
        density=0.4,
        syncopation=0.2,
        complexity=0.1,
        brightness=0.55,
        space=0.1,
    ),
    _preset(
        "Big rock",
        "Loud guitars and a louder drummer.",
        {
            "lead": ("overdriven guitar", 0),
            "chords": ("rock organ", -4),
            "bass": ("pick bass", 1),
            "drums": ("power kit", 2),
        },
        genre={"rock": 1},
        tempo=144,
        mood=0.3,
        energy=1.0,
        density=0.65,
        syncopation=0.35,
        complexity=0.3,
        brightness=0.7,
        space=0.35,
        drive=0.4,
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({p.slug: p for p in _ALL})
"""All presets by slug, in the order of the page."""
