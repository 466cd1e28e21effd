"""Where drums and cymbals are written, and with which noteheads.

After Weinberg 1998, Guide to Standardized Drumset Notation.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drum:
    """How one instrument of the kit is written.

    Attributes:
        name: in General MIDI.
        step, octave: the place on a staff with a treble clef.
        head: MusicXML notehead; None for the usual one.
    """

    name: str
    step: str
    octave: int
    head: str | None = None


_ROWS = """
    35 Acoustic Bass Drum, E4 | 36 Bass Drum 1, F4 | 37 Side Stick, C5 x | 38 Acoustic Snare, C5 | 39 Hand Clap, E5 x
    40 Electric Snare, C5 | 41 Low Floor Tom, G4 | 42 Closed Hi-Hat, G5 x | 43 High Floor Tom, A4
    44 Pedal Hi-Hat, D4 x | 45 Low Tom, B4 | 46 Open Hi-Hat, G5 circle-x | 47 Low-Mid Tom, D5 | 48 Hi-Mid Tom, D5
    49 Crash Cymbal 1, A5 x | 50 High Tom, E5 | 51 Ride Cymbal 1, F5 x | 52 Chinese Cymbal, C6 x
    53 Ride Bell, F5 diamond | 54 Tambourine, B4 triangle | 55 Splash Cymbal, B5 x | 56 Cowbell, E5 triangle
    57 Crash Cymbal 2, A5 x | 58 Vibraslap, D6 triangle | 59 Ride Cymbal 2, F5 x | 60 High Bongo, E5 diamond
    61 Low Bongo, D5 diamond | 62 Muted High Conga, B4 diamond | 63 Open High Conga, A4 diamond
    64 Low Conga, G4 diamond | 65 High Timbale, E5 diamond | 66 Low Timbale, D5 diamond | 67 High Agogo, A5 triangle
    68 Low Agogo, F5 triangle | 69 Cabasa, B5 triangle | 70 Maracas, B5 triangle | 71 Short Whistle, D6 triangle
    72 Long Whistle, D6 triangle | 73 Short Guiro, C6 triangle | 74 Long Guiro, C6 triangle | 75 Claves, B5 diamond
    76 High Wood Block, A5 triangle | 77 Low Wood Block, F5 triangle | 78 Muted Cuica, D5 triangle
    79 Open Cuica, E5 triangle | 80 Muted Triangle, C6 triangle | 81 Open Triangle, C6 triangle
    82 Shaker, B5 triangle
"""


def _drums() -> dict[int, Drum]:
    drums = {}
    for row in _ROWS.replace("\n", "|").split("|"):
        if row.strip():
            sound, place = row.split(",")
            number, name = sound.strip().split(" ", 1)
            written, *head = place.split()
            drums[int(number)] = Drum(name, written[0], int(written[1]), head[0] if head else None)
    return drums


DRUMS = _drums()
"""General MIDI percussion key to how it is written."""

OTHER = Drum("Percussion", "B", 5, "triangle")
"""Any other key."""


def drum(pitch: int) -> Drum:
    """How a percussion key is written."""
    return DRUMS.get(pitch, OTHER)
