"""A person's MIDI file as music to go on from: its notes as they are, its bars, and what was made of the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from musicgen_ui.errors import RequestError
from musicgen_ui.music import arrange
from musicgen_ui.music.downbeat import bar_phase
from musicgen_ui.music.harmony import with_harmony
from musicgen_ui.music.instruments import GM_NAMES
from musicgen_ui.music.midi_file import MidiFile, Notes, read_midi
from musicgen_ui.music.score import METRES, PARTS, TICKS_PER_BEAT, Score
from musicgen_ui.music.theory import KEYS
from musicgen_ui.music.voices import off_grid, polyphony
from musicgen_ui.source import MAX_BARS, MAX_SECONDS

OFF_GRID = 0.85
"""Distance from every beat grid, see ``voices.off_grid``, from which on there is no beat to write to."""

ENOUGH_NOTES = 24
"""Notes from which on that distance, or a pickup, can be told."""

RINGS = 4
"""Bars that the last notes may ring on after the bar in which the last one begins."""

OTHER_METRE = 0.1
"""Share of the file that may be in another metre before its bars make no sense."""

PICKUP_TRUST = {True: 0.12, False: 0.3}
"""Advantage, see ``downbeat.bar_phase``, from which on a pickup is believed, by whether chords or a bass play.

On training songs whose first bar was cut to begin with the music, 99 % (97 % of melodies alone) of those without a
pickup are left as they are, and 59 % (17 %) of pickups are found.
"""

TEMPO_SPREAD = 1.1
"""Ratio of the tempos of a file from which on a person is told that only one of them is played."""


@dataclass(frozen=True)
class Imported:
    """Music of a person.

    Attributes:
        score: the notes, with chords and key estimated.
        sha256: of the file.
        remarks: sentences for the person: what was left out or read in some way.
    """

    score: Score
    sha256: str
    remarks: tuple[str, ...]


def read_music(source: str | Path | bytes, name: str | None = None, *, keep: Sequence[str] = ()) -> Imported:
    """Reads a MIDI file that other music is to be made from.

    Notes stay where they are, at a resolution of 1/24 beat. A file with one instrument that plays one note at a time is
    the part that ``keep`` names, else the melody.

    Args:
        source: a path, or the bytes of a file.
        name: what to call the file in messages.
        keep: parts that are to be kept.

    Raises:
        RequestError: the file is missing, damaged or too long, or has no metre or beat that music can be written to.
    """
    data = source if isinstance(source, bytes) else None
    label = name or ("MIDI file" if data is not None else Path(source).name)
    midi = read_midi(source, label)
    if data is None:
        data = Path(source).read_bytes()
    parts, programs, left_out = arrange.merge(midi, _roles(midi, keep), folded=False)
    if not parts:
        raise RequestError(label, "has no notes that any of the four parts can play")
    texture = Notes.join(list(parts.values()))
    if len(texture) >= ENOUGH_NOTES and off_grid(texture) > OFF_GRID:
        raise RequestError(label, "follows no beat; play it to a metronome, or quantise it first")
    metre, start, remarks = _bars_of(midi, parts, label)
    bar = METRES[metre] * TICKS_PER_BEAT
    bars = -(-(int(texture.onset.max()) + 1 - start) // bar)
    bars = max(bars, min(bars + RINGS, -(-(int(texture.end.max()) - start) // bar)))
    if bars > MAX_BARS:
        raise RequestError(label, f"has {bars:,} bars; at most {MAX_BARS} can be gone on from")
    score = arrange.to_score(
        parts, tempo=midi.tempo_between(0, midi.beats), metre=metre, bars=bars, start=start, programs=programs
    )
    if score.seconds > MAX_SECONDS:
        raise RequestError(
            label, f"lasts {score.seconds / 60:.0f} minutes; at most {MAX_SECONDS / 60:.0f} are possible"
        )
    tempos = [qpm for _, qpm in midi.tempos]
    if max(tempos) > TEMPO_SPREAD * min(tempos):
        remarks.append(f"its tempo changes; it is played at {score.tempo:.4g} BPM throughout")
    if left_out:
        names = ", ".join(track.name or GM_NAMES[track.program] for track in left_out)
        remarks.append(f"no part can play {names:.200}")
    return Imported(with_harmony(score, _signature(midi)), hashlib.sha256(data).hexdigest(), tuple(remarks))


def _roles(midi: MidiFile, keep: Sequence[str]) -> list[str | None] | None:
    """What the only track of a file plays, where it is one line; None leaves the roles to be guessed."""
    if len(midi.tracks) != 1 or midi.tracks[0].is_drum or polyphony(midi.tracks[0].notes) >= 1.15:
        return None
    if midi.tracks[0].name in PARTS:
        return None
    return [keep[0] if len(keep) == 1 and keep[0] != "drums" else "lead"]


def _bars_of(midi: MidiFile, parts: dict[str, Notes], label: str) -> tuple[str, int, list[str]]:
    """Metre, tick of the first bar line, and remarks."""
    sections = arrange.sections(midi)
    main = max(sections, key=lambda s: s.end - s.start)
    if main.metre is None:
        known = " and ".join(METRES)
        raise RequestError(label, f"is in {main.signature}; only {known} can be written")
    bar = METRES[main.metre] * TICKS_PER_BEAT
    lead_in = main.start if sections.index(main) == 1 and main.start < bar else 0
    others = sum(s.end - s.start for s in sections if s.metre != main.metre) - lead_in
    if others > OTHER_METRE * round(midi.beats * TICKS_PER_BEAT):
        other = next(s.signature for s in sections if s.metre != main.metre)
        raise RequestError(label, f"changes between {main.signature} and {other}; give the bars of one metre")
    if lead_in:
        return main.metre, lead_in - bar, []  # a short first bar is a pickup
    pitched = Notes.join([notes for part, notes in parts.items() if part != "drums"])
    if len(pitched) < ENOUGH_NOTES or int(pitched.onset[0]) >= TICKS_PER_BEAT:
        return main.metre, 0, []
    phase = bar_phase(pitched, bar, trust=PICKUP_TRUST["chords" in parts or "bass" in parts])
    if not phase:
        return main.metre, 0, []
    beats = phase / TICKS_PER_BEAT
    return main.metre, phase - bar, [f"it is heard to open with a pickup of {beats:g} beat{'s' if beats != 1 else ''}"]


def _signature(midi: MidiFile) -> str | None:
    """The key that the file states."""
    if midi.key is None:
        return None
    sharps, minor = midi.key
    return KEYS[(sharps * 7 + 9 * minor) % 12 + 12 * minor]
