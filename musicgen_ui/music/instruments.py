"""General MIDI instruments: names, families, and which a part may use."""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in text.split(","))


GM_NAMES = _names("""
    acoustic grand piano, bright acoustic piano, electric grand piano, honky-tonk piano, electric piano 1,
    electric piano 2, harpsichord, clavinet, celesta, glockenspiel, music box, vibraphone, marimba, xylophone,
    tubular bells, dulcimer, drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion,
    harmonica, bandoneon, nylon guitar, steel guitar, jazz guitar, clean guitar, muted guitar, overdriven guitar,
    distortion guitar, guitar harmonics, acoustic bass, finger bass, pick bass, fretless bass, slap bass 1,
    slap bass 2, synth bass 1, synth bass 2, violin, viola, cello, contrabass, tremolo strings, pizzicato strings,
    harp, timpani, string ensemble 1, string ensemble 2, synth strings 1, synth strings 2, choir aahs, voice oohs,
    synth voice, orchestra hit, trumpet, trombone, tuba, muted trumpet, french horn, brass section, synth brass 1,
    synth brass 2, soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet, piccolo,
    flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina, square lead, saw lead, calliope lead,
    chiff lead, charang lead, voice lead, fifths lead, bass and lead, new age pad, warm pad, polysynth pad,
    choir pad, bowed pad, metallic pad, halo pad, sweep pad, rain, soundtrack, crystal, atmosphere, brightness,
    goblins, echoes, sci-fi, sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai, tinkle bell, agogo,
    steel drums, woodblock, taiko drum, melodic tom, synth drum, reverse cymbal, guitar fret noise, breath noise,
    seashore, bird tweet, telephone ring, helicopter, applause, gunshot
""")
"""The 128 General MIDI level 1 program names, by program number 0-127."""

FAMILIES = _names("""
    piano, chromatic percussion, organ, guitar, bass, strings, ensemble, brass, reed, pipe, synth lead, synth pad,
    synth effects, ethnic, percussive, sound effects
""")
"""The 16 General MIDI families; program // 8 is the index."""

KITS = {
    "standard kit": 0,
    "room kit": 8,
    "power kit": 16,
    "electronic kit": 24,
    "808 kit": 25,
    "brush kit": 40,
    "orchestra kit": 48,
}
"""Drum kits: name to program number on the percussion bank."""

_LEAD = (
    0,
    4,
    5,
    6,
    11,
    12,
    16,
    18,
    20,
    22,
    24,
    25,
    26,
    27,
    29,
    40,
    42,
    46,
    53,
    56,
    57,
    59,
    60,
    64,
    65,
    66,
    68,
    71,
    72,
    73,
    74,
    75,
    80,
    81,
    105,
    107,
    114,
)
_CHORDS = (
    0,
    1,
    2,
    4,
    5,
    6,
    7,
    11,
    12,
    16,
    17,
    18,
    19,
    20,
    21,
    24,
    25,
    26,
    27,
    28,
    29,
    45,
    46,
    48,
    49,
    50,
    51,
    53,
    61,
    62,
    88,
    89,
    90,
    105,
)
_BASS = (32, 33, 34, 35, 36, 38, 39, 42, 43, 58, 0)

CHOICES: dict[str, tuple[str, ...]] = {
    "lead": tuple(GM_NAMES[p] for p in _LEAD),
    "chords": tuple(GM_NAMES[p] for p in _CHORDS),
    "bass": tuple(GM_NAMES[p] for p in _BASS),
    "drums": tuple(KITS),
}
"""Instruments that the studio offers for each part; every one is covered by the tuning test."""


def program_number(part: str, instrument: str) -> int:
    """General MIDI program of an instrument name; for drums, the kit's program.

    Raises:
        KeyError: the part does not offer that instrument.
    """
    if instrument not in CHOICES[part]:
        raise KeyError(instrument)
    return KITS[instrument] if part == "drums" else GM_NAMES.index(instrument)
