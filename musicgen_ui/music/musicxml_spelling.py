"""How pitches are written: key signatures, and the letter and accidental of every note by its key and its chord.

A spelling is a place on the line of fifths (… B♭ -2, F -1, C 0, G 1 … F♯ 6 …; Temperley 2001, The Cognition of Basic
Musical Structures, ch. 5): near the key's own places lies what reads well.
"""

from __future__ import annotations

from dataclasses import dataclass

from musicgen_ui.music.theory import QUALITIES, key_is_minor, key_tonic

_LETTERS = "FCGDAEB"
"""Letters from place -1 on; seven places further comes the same letter with one more sharp."""

_LOWEST_MAJOR, _LOWEST_MINOR = -4, -2
"""Lowest of the twelve places in use, from the signature's: in C major from A♭ to C♯, in A minor from B♭ to D♯."""

_LOWEST_ROOT = -5
"""Roots of chords in major: from D♭ to F♯ in C major, since ♭VI and ♭VII are far more common than ♯V and ♯VI."""

_LEADING = 8
"""Place of a minor key's leading note, from the signature's: G♯ in A minor."""

_INTERVALS = {0: 0, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: 8, 10: -2, 11: 5}
"""Semitones of a chord tone above its root to places on the line."""


@dataclass(frozen=True)
class Spelling:
    """A written pitch: letter, sharps (+) or flats (-), and octave, where middle C begins octave 4."""

    step: str
    alter: int
    octave: int


def signature(key: str | None) -> int:
    """Sharps (+) or flats (-) of a key's signature, -6 to 6; 0 without a key.

    F♯ major has six sharps and E♭ minor six flats, as they are called here.
    """
    if key is None:
        return 0
    major = (key_tonic(key) + (3 if key_is_minor(key) else 0)) % 12
    fifths = (major * 7 + 5) % 12 - 5  # -5 to 6
    return -6 if fifths == 6 and key_is_minor(key) else fifths


class Speller:
    """Spells the pitches of one key.

    Args:
        key: canonical name, or None for C major.
    """

    def __init__(self, key: str | None) -> None:
        self.fifths = signature(key)
        self._minor = key is not None and key_is_minor(key)
        self._lowest = self.fifths + (_LOWEST_MINOR if self._minor else _LOWEST_MAJOR)
        self._lowest_root = self.fifths + (_LOWEST_MINOR if self._minor else _LOWEST_ROOT)

    def root(self, pitch_class: int) -> tuple[str, int]:
        """Letter and accidentals of a chord's root."""
        return _name(_plain(_place(pitch_class, self._lowest_root)))

    def spell(self, pitch: int, chord: tuple[int, str] | None = None) -> Spelling:
        """A MIDI pitch as it is written.

        Args:
            pitch: 0-127.
            chord: root and quality of the chord in force: its own tones are spelled as its thirds, fifths and sevenths.
        """
        place = _place(pitch % 12, self._lowest)
        if chord is not None and (interval := (pitch - chord[0]) % 12) in QUALITIES[chord[1]]:
            place = _place(chord[0], self._lowest_root) + _INTERVALS[interval]
        # A double sharp is the leading note of G♯ minor; elsewhere a plain name reads better than a correct one.
        if not (self._minor and place == self.fifths + _LEADING):
            place = _plain(place)
        step, alter = _name(place)
        # B♯ is written in the octave below, C♭ in the octave above the one in which it sounds.
        return Spelling(step, alter, (pitch - alter) // 12 - 1)


def signature_alters(fifths: int) -> dict[str, int]:
    """Letter to the accidental that a signature gives it."""
    if fifths >= 0:
        return dict.fromkeys(_LETTERS[:fifths], 1)
    return dict.fromkeys(_LETTERS[fifths:], -1)


def _place(pitch_class: int, lowest: int) -> int:
    """The place of a pitch class among the twelve from ``lowest`` on."""
    return lowest + (pitch_class * 7 - lowest) % 12


def _plain(place: int) -> int:
    """The same pitch class without double accidentals."""
    alter = _name(place)[1]
    return place - 12 if alter > 1 else (place + 12 if alter < -1 else place)


def _name(place: int) -> tuple[str, int]:
    return _LETTERS[(place + 1) % 7], (place + 1) // 7
