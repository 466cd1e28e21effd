"""Who plays for whom: the instrument itself, else one of its family, else one that has learned the pitches."""

from __future__ import annotations

import pytest

from musicgen_ui.data.render_lines import BASSES, BOTH, LEADS, pitches_of
from musicgen_ui.models.wavenet.raw import RawWaveNetConfig
from musicgen_ui.models.wavenet.vocabulary import nearest_instrument
from musicgen_ui.music.instruments import CHOICES, GM_NAMES, program_number

PROGRAMS = tuple(sorted((*LEADS, *BASSES, *BOTH)))
CONFIG = RawWaveNetConfig(
    programs=PROGRAMS,
    lows=tuple(pitches_of(p)[0] for p in PROGRAMS),
    highs=tuple(pitches_of(p)[1] for p in PROGRAMS),
    gains=(1.0,) * len(PROGRAMS),
)
MELODY, DEPTH = (60, 64, 67, 72), (31, 33, 36, 40)


def played_by(program: int, pitches: tuple[int, ...]) -> str:
    return GM_NAMES[PROGRAMS[nearest_instrument(CONFIG, program, pitches)]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_learned_plays_itself(program):
    assert PROGRAMS[nearest_instrument(CONFIG, program, pitches_of(program))] == program


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cello", "flute"),
        ("french horn", "trumpet"),
        ("soprano sax", "clarinet"),
        ("alto sax", "clarinet"),
        ("drawbar organ", "clarinet"),
        ("square lead", "clarinet"),
        ("pan flute", "flute"),
        ("steel guitar", "nylon guitar"),
        ("harp", "nylon guitar"),
        ("koto", "nylon guitar"),
        ("steel drums", "vibraphone"),
        ("overdriven guitar", "saw lead"),
        ("string ensemble 1", "clarinet"),
        ("warm pad", "saw lead"),
    ],
)
def test_melodies(name, expected):
    assert played_by(GM_NAMES.index(name), MELODY) == expected


def test_a_bass_line_is_played_by_who_has_learned_such_pitches():
    for name in CHOICES["bass"]:
        index = nearest_instrument(CONFIG, program_number("bass", name), DEPTH)
        assert CONFIG.lows[index] <= min(DEPTH)
    assert played_by(GM_NAMES.index("synth bass 2"), DEPTH) == "synth bass 1"


def test_without_notes_the_kinship_decides():
    assert played_by(GM_NAMES.index("cello"), ()) == "flute"
