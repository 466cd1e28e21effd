"""What is wrong in the embedded SoundFont TimGM6mb, and how it is put right.

Found by measuring every semitone of every instrument that the studio offers; FluidSynth plays the same faults, so
they are the file's own. ``tests/audio/test_soundfont.py`` measures again.
"""

from __future__ import annotations

SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"
"""Of TimGM6mb.sf2 as pretty_midi carries it; the corrections hold for these bytes only."""

RANGES: dict[int, tuple[int, int]] = {
    21: (21, 72),  # accordion: half a semitone flat from 73 on
    22: (25, 108),  # harmonica: flat below
    32: (28, 108),  # acoustic bass: below its low E the sample has no clear pitch
    56: (28, 108),  # trumpet, muted trumpet: flat below
    57: (21, 95),  # trombone, tuba, muted trumpet, brass: flat by more than a semitone above
    58: (21, 97),
    59: (28, 96),
    61: (21, 93),
    62: (21, 93),
    64: (36, 102),  # soprano sax: an octave too high above, thin below
    68: (36, 108),  # oboe: silent below
    72: (29, 108),  # piccolo, recorder: breath without pitch below
    74: (31, 108),
    81: (21, 100),
}
"""General MIDI program to the lowest and highest note that sounds right; others sound right from 21 to 108."""

RETUNED: dict[int, tuple[tuple[int, int, int, float], ...]] = {
    # (first note, last note, keys to press higher, semitones to tune up)
    22: ((65, 70, 0, 0.30), (71, 73, 0, 0.36)),  # harmonica: two flat zones
    65: ((64, 64, 1, -1.0),),  # alto sax: no zone covers this key
    81: ((91, 100, 0, 0.78),),  # saw lead: one flat zone
}


def correct(program: int, pitch: int) -> tuple[int, float]:
    """How to make a melodic instrument sound a note.

    Args:
        program: General MIDI program 0-127.
        pitch: MIDI note wanted.

    Returns:
        The key to press and the semitones by which to tune it up. A note that the instrument cannot play is moved
        by octaves to one that it can.
    """
    low, high = RANGES.get(program, (21, 108))
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    for first, last, keys, semitones in RETUNED.get(program, ()):
        if first <= pitch <= last:
            return pitch + keys, semitones
    return pitch, 0.0
