"""Which General MIDI instruments play a score when the person leaves the choice to the studio."""

from __future__ import annotations

import numpy as np

from musicgen_ui.music.instruments import program_number
from musicgen_ui.style import AUTO, Style

ANY = "any"

BANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "pop": {
        "lead": ("electric piano 1", "acoustic grand piano", "clean guitar", "saw lead"),
        "chords": ("acoustic grand piano", "electric piano 1", "steel guitar"),
        "bass": ("finger bass", "synth bass 1"),
        "drums": ("standard kit", "room kit"),
    },
    "rock": {
        "lead": ("overdriven guitar", "clean guitar"),
        "chords": ("clean guitar", "rock organ", "overdriven guitar"),
        "bass": ("pick bass", "finger bass"),
        "drums": ("power kit", "room kit"),
    },
    "jazz": {
        "lead": ("tenor sax", "muted trumpet", "vibraphone", "alto sax"),
        "chords": ("acoustic grand piano", "jazz guitar", "electric piano 1"),
        "bass": ("acoustic bass",),
        "drums": ("brush kit", "standard kit"),
    },
    "blues": {
        "lead": ("harmonica", "jazz guitar", "tenor sax"),
        "chords": ("drawbar organ", "clean guitar", "acoustic grand piano"),
        "bass": ("finger bass", "acoustic bass"),
        "drums": ("standard kit", "room kit"),
    },
    "latin": {
        "lead": ("flute", "nylon guitar", "trumpet"),
        "chords": ("nylon guitar", "acoustic grand piano"),
        "bass": ("acoustic bass", "fretless bass"),
        "drums": ("standard kit",),
    },
    "folk": {
        "lead": ("flute", "violin", "recorder"),
        "chords": ("nylon guitar", "steel guitar", "acoustic grand piano"),
        "bass": ("acoustic bass",),
        "drums": ("brush kit", "standard kit"),
    },
    "country": {
        "lead": ("violin", "steel guitar", "harmonica"),
        "chords": ("steel guitar", "banjo", "acoustic grand piano"),
        "bass": ("acoustic bass", "finger bass"),
        "drums": ("standard kit", "brush kit"),
    },
    "funk": {
        "lead": ("alto sax", "clean guitar", "trumpet"),
        "chords": ("clavinet", "electric piano 1", "muted guitar"),
        "bass": ("slap bass 1", "finger bass"),
        "drums": ("room kit", "standard kit"),
    },
    "dance": {
        "lead": ("violin", "clarinet", "flute"),
        "chords": ("accordion", "acoustic grand piano", "string ensemble 1"),
        "bass": ("acoustic bass", "cello"),
        "drums": ("orchestra kit", "standard kit"),
    },
    "classical": {
        "lead": ("violin", "flute", "oboe", "acoustic grand piano"),
        "chords": ("acoustic grand piano", "string ensemble 1", "harpsichord"),
        "bass": ("cello", "contrabass"),
        "drums": ("orchestra kit",),
    },
    "game": {
        "lead": ("square lead", "saw lead", "overdriven guitar"),
        "chords": ("overdriven guitar", "synth strings 1", "polysynth pad"),
        "bass": ("synth bass 1", "pick bass"),
        "drums": ("power kit", "electronic kit"),
    },
    ANY: {
        "lead": ("flute", "electric piano 1", "violin", "tenor sax"),
        "chords": ("acoustic grand piano", "electric piano 1", "nylon guitar"),
        "bass": ("finger bass", "acoustic bass"),
        "drums": ("standard kit", "room kit"),
    },
}
"""For each genre, instruments that its records use, the most typical first."""


def choose_programs(style: Style, seed: int) -> dict[str, int]:
    """General MIDI programs of the active parts: the person's choice, else one of the leading genre's band by seed."""
    genre = max(style.genre, key=lambda g: style.genre[g]) if style.genre else ANY
    rng = np.random.default_rng([seed, 0xBA2D])
    programs = {}
    for part, choices in BANDS[genre].items():
        automatic = choices[
            int(rng.integers(len(choices)))
        ]  # drawn for every part, so that switching one leaves the others
        instrument = style.parts[part].instrument
        if style.parts[part].on:
            programs[part] = program_number(part, automatic if instrument == AUTO else instrument)
    return programs
