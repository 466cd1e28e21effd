"""From the tracks of a MIDI file to the four parts of a Score.

A track's role is taken from its name where the name says it (the accompaniment generator MMA and POP909 name
their tracks by role), else from its channel, program, range, polyphony and how much of the piece it plays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from musicgen_ui.music.midi_file import MidiFile, MidiTrack, Notes
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Note, Score, from_ticks
from musicgen_ui.music.voices import coverage, fold, polyphony, relay, split_line, thin, without_overlaps

RANGES = {"lead": (48, 96), "chords": (36, 91), "bass": (24, 60), "drums": (27, 87)}
"""Lowest and highest pitch a part keeps: pitched parts fold by octaves, drum keys outside are dropped."""

MAX_CHORD_NOTES = 6
LEAD_FLOOR = 55
"""Below this pitch a keyboard's highest note is no melody."""

BASS_CEILING = 48
"""Below this pitch a keyboard's lowest line may serve as the bass."""

METRE_OF = {(4, 4): "4/4", (2, 4): "4/4", (2, 2): "4/4", (3, 4): "3/4"}

_LEAD_NAME = re.compile(
    r"melod|lead|vocal|\bvoice\b|\bvoix\b|\bsing|gesang|solo|soprano|cantus|theme|violin ?(1|i)\b", re.I
)
_CHORD_NAME = re.compile(r"chord|rhythm|pad|arp|plectrum|comp|accomp|string", re.I)
_BASS_NAME = re.compile(r"\bbass(?!oon|o cont)|\bwalk|b[aä]sse?\b|violoncello|\bcello|contrabass", re.I)


@dataclass(frozen=True)
class Section:
    """Ticks [start, end) in one metre; ``metre`` is None when the grid lacks it, ``signature`` says which."""

    start: int
    end: int
    metre: str | None
    signature: str


def sections(midi: MidiFile) -> list[Section]:
    """Splits a file where its metre changes; 2/4 and 2/2 count as 4/4, and join it where bars stay whole."""
    length = round(midi.beats * TICKS_PER_BEAT)
    events = [(round(beat * TICKS_PER_BEAT), (n, d)) for beat, n, d in midi.metres] or [(0, (4, 4))]
    if events[0][0] > 0:
        events.insert(0, (0, (4, 4)))
    found: list[Section] = []
    for i, (start, signature) in enumerate(events):
        end = events[i + 1][0] if i + 1 < len(events) else max(length, start)
        if end <= start:
            continue
        section = Section(start, end, METRE_OF.get(signature), f"{signature[0]}/{signature[1]}")
        last = found[-1] if found else None
        bar = 72 if section.metre == "3/4" else 96
        if (
            last and last.metre == section.metre and (last.end - last.start) % bar == 0 and section.metre is not None
        ) or (last and last.signature == section.signature):
            found[-1] = Section(last.start, section.end, last.metre, last.signature)
        else:
            found.append(section)
    return found


def arrange(midi: MidiFile, roles: Sequence[str | None] | None = None) -> tuple[dict[str, Notes], dict[str, int]]:
    """Maps the tracks of a file to parts.

    Args:
        midi: the file.
        roles: the part of each track, or None for a track to leave out, where the corpus knows; else they are guessed.

    Returns:
        part to notes (parts that no track plays are missing), and part to the program of its main track.
    """
    length = max(round(midi.beats * TICKS_PER_BEAT), 1)
    tracks = _assigned(midi, roles, length)
    if tracks is None:
        return _split_keyboard(_pitched(midi), length, in_range)
    parts: dict[str, Notes] = {"drums": Notes.join([t.notes for t in tracks["drums"]])}
    parts["bass"], _ = split_line(relay([t.notes for t in tracks["bass"]]), top=False)
    parts["lead"], left = split_line(relay([t.notes for t in tracks["lead"]]), top=True)
    parts["chords"] = _layers([t.notes for t in tracks["chords"]], length)
    programs = {part: found[0].program for part, found in tracks.items() if found}
    if len(left) > 0.5 * len(parts["lead"]):
        # The melody's own instrument also accompanies, as a right hand does.
        parts["chords"] = Notes.join([parts["chords"], left])
        programs.setdefault("chords", programs["lead"])
    if not len(parts["bass"]) and len(parts["chords"]):
        parts["bass"], parts["chords"] = low_line(parts["chords"], length)
        programs["bass"] = programs["chords"]
    return _finished(parts, programs, in_range)


def merge(
    midi: MidiFile, roles: Sequence[str | None] | None = None, *, folded: bool = True
) -> tuple[dict[str, Notes], dict[str, int], tuple[MidiTrack, ...]]:
    """Maps the tracks of a person's file to parts and keeps all their notes, however many tracks share a part.

    Where :func:`arrange` thins a part to what a model learns from, this one plays everything: notes move by octaves
    into a part's range unless ``folded`` is False, and only what sounds twice at once and drum keys outside the kit
    disappear. ``roles`` are as in :func:`arrange`.

    Returns:
        part to notes, part to the program of its main track, and the tracks that no part can play.
    """
    length = max(round(midi.beats * TICKS_PER_BEAT), 1)
    into = partial(in_range, most=None) if folded else _in_place
    tracks = _assigned(midi, roles, length)
    if tracks is None:
        parts, programs = _split_keyboard(_pitched(midi), length, into)
        return parts, programs, tuple(t for t in midi.tracks if t not in _pitched(midi))
    parts = {part: Notes.join([t.notes for t in found]) for part, found in tracks.items()}
    programs = {part: found[0].program for part, found in tracks.items() if found}
    if not len(parts["bass"]) and len(parts["chords"]):
        parts["bass"], parts["chords"] = low_line(parts["chords"], length)
        programs["bass"] = programs["chords"]
    used = [track for found in tracks.values() for track in found]
    return *_finished(parts, programs, into), tuple(t for t in midi.tracks if t not in used)


def _assigned(midi: MidiFile, roles: Sequence[str | None] | None, length: int) -> dict[str, list[MidiTrack]] | None:
    """The tracks of each part, its main track first; None for a keyboard, whose two hands are split by note."""
    tracks: dict[str, list[MidiTrack]] = {part: [] for part in PARTS}
    if roles is None and all(track.name in PARTS for track in midi.tracks):
        roles = [track.name for track in midi.tracks]  # a file that we wrote
    if roles is None:
        tracks["drums"] = [t for t in midi.tracks if t.is_drum]
        pitched = _pitched(midi)
        if not tracks["drums"] and _is_keyboard(pitched):
            return None
        tracks["bass"] = _bass_tracks(pitched, length)
        pitched = [t for t in pitched if t not in tracks["bass"]]
        tracks["lead"] = _lead_tracks(pitched, length)
        tracks["chords"] = [t for t in pitched if t not in tracks["lead"]]
    else:
        for track, part in zip(midi.tracks, roles, strict=True):
            if part is not None:
                tracks[part].append(track)
        tracks["bass"].sort(key=lambda t: _bass_order(t, length))
    tracks["chords"] = _chord_order(tracks["chords"], length)
    return tracks


def _pitched(midi: MidiFile) -> list[MidiTrack]:
    """Tracks with melody or harmony: no drums, timpani, percussive programs or sound effects, but steel drums (114)."""
    return [t for t in midi.tracks if not t.is_drum and t.program != 47 and (t.program < 112 or t.program == 114)]


def _is_keyboard(tracks: list[MidiTrack]) -> bool:
    """One polyphonic instrument on one to four staves, none of them named as a melody or a bass."""
    if any(_LEAD_NAME.search(t.name) or _BASS_NAME.search(t.name) for t in tracks):
        return False
    families = {t.program // 8 for t in tracks}
    return 1 <= len(tracks) <= 4 and len(families) == 1 and max(polyphony(t.notes) for t in tracks) >= 1.25


def _split_keyboard(
    tracks: list[MidiTrack], length: int, into: Callable[[str, Notes], Notes]
) -> tuple[dict[str, Notes], dict[str, int]]:
    """The skyline is the melody, a low line the bass, the rest the chord part."""
    notes = Notes.join([t.notes for t in tracks])
    high = notes.pitch >= LEAD_FLOOR
    line, left = split_line(notes.take(high), top=True)
    rest = Notes.join([left, notes.take(~high)])
    if coverage(line, length) < 0.6:
        line, rest = Notes.empty(), notes
    bass, chords = low_line(rest, length)
    program = tracks[0].program
    return _finished({"lead": line, "chords": chords, "bass": bass}, dict.fromkeys(PARTS[:3], program), into)


def _finished(
    parts: dict[str, Notes], programs: dict[str, int], into: Callable[[str, Notes], Notes]
) -> tuple[dict[str, Notes], dict[str, int]]:
    kept = {p: into(p, parts[p]) for p in PARTS if len(parts.get(p, ()))}
    done = {p: notes for p, notes in kept.items() if len(notes)}
    return done, {p: programs[p] for p in done if p in programs}


def in_range(part: str, notes: Notes, most: int | None = MAX_CHORD_NOTES) -> Notes:
    """Notes of a part in its range, no pitch twice at once; chords of at most ``most`` notes, None for any size."""
    low, high = RANGES[part]
    if part == "drums":
        return without_overlaps(notes.take((notes.pitch >= low) & (notes.pitch <= high)))
    notes = without_overlaps(fold(notes, low, high))
    return thin(notes, most) if part == "chords" and most is not None else notes


def _in_place(part: str, notes: Notes) -> Notes:
    return in_range(part, notes) if part == "drums" else without_overlaps(notes)


def low_line(notes: Notes, length: int) -> tuple[Notes, Notes]:
    """The bass line hidden in a keyboard's left hand, and the other notes; an empty line when there is none to trust.

    Trusted when notes below C3 begin in at least 60 % of bars and mostly one (or its octave) at a time.
    """
    low = notes.pitch < BASS_CEILING
    below = notes.take(low)
    if len(below) < 8 or coverage(below, length) < 0.6 or polyphony(below) > 1.8:
        return Notes.empty(), notes
    line, left = split_line(below, top=False)
    return line, Notes.join([left, notes.take(~low)])


def to_score(
    parts: Mapping[str, Notes],
    *,
    tempo: float,
    metre: str,
    bars: int,
    start: int = 0,
    programs: Mapping[str, int] | None = None,
) -> Score:
    """Parts from tick ``start`` on as a Score of ``bars`` bars; notes are cut at its end."""
    end = bars * (72 if metre == "3/4" else 96)
    made: dict[str, tuple[Note, ...]] = {}
    for part in PARTS:
        if part in parts:
            notes = parts[part]
            notes = notes.take((notes.onset >= start) & (notes.onset < start + end))
            rows = notes.rows()
            made[part] = tuple(
                Note(from_ticks(o - start), p, from_ticks(min(d, end + start - o)), v) for o, p, d, v in rows
            )
    return Score(float(tempo), metre, bars, made, programs=dict(programs or {}))


def _bass_tracks(tracks: list[MidiTrack], length: int) -> list[MidiTrack]:
    """Bass candidates, most active first: by program or name, else the lowest track when it is one low line."""
    named = [t for t in tracks if 32 <= t.program <= 39 or (_BASS_NAME.search(t.name) and _mean_pitch(t) < 60)]
    named = [t for t in named if not _LEAD_NAME.search(t.name)]
    if named:
        return sorted(named, key=lambda t: _bass_order(t, length))
    if len(tracks) < 2:
        return []
    lowest = min(tracks, key=_mean_pitch)
    clear = _mean_pitch(lowest) < 54 and polyphony(lowest.notes) < 1.15 and coverage(lowest.notes, length) > 0.5
    second = min(_mean_pitch(t) for t in tracks if t is not lowest)
    return [lowest] if clear and second > _mean_pitch(lowest) + 3 else []


def _bass_order(track: MidiTrack, length: int) -> tuple[float, bool]:
    """Most active first; of equally active ones a plain bass before an effect in the bass register."""
    return -round(coverage(track.notes, length), 1), track.name not in ("Bass", "Walk")


def _lead_tracks(tracks: list[MidiTrack], length: int) -> list[MidiTrack]:
    """Melody candidates, best first; empty when nothing sounds like a melody."""
    top = max((_mean_pitch(t) for t in tracks), default=0.0)
    scored = [(_lead_likeness(t, length) * (1.2 if _mean_pitch(t) == top else 1.0), t) for t in tracks]
    good = sorted((p for p in scored if p[0] >= 0.12), key=lambda p: -p[0])
    if not good:
        return []
    best = good[0][0]
    return [t for s, t in good if s >= 0.5 * best][:3]


def _lead_likeness(track: MidiTrack, length: int) -> float:
    voices = polyphony(track.notes)
    mono = 1.0 if voices < 1.15 else 0.5 if voices < 1.5 else 0.12
    pitch = _mean_pitch(track)
    register = 1.0 if 60 <= pitch <= 86 else 0.5 if 52 <= pitch < 60 or 86 < pitch <= 92 else 0.1
    variety = min(len(np.unique(track.notes.pitch)) / 6, 1.0)
    name = 2.5 if _LEAD_NAME.search(track.name) else 0.35 if _CHORD_NAME.search(track.name) else 1.0
    # Pads, string ensembles and choirs carry harmony more often than tunes.
    program = 0.4 if 88 <= track.program <= 103 or 48 <= track.program <= 52 else 1.0
    return coverage(track.notes, length) * mono * register * variety * name * program


def _chord_order(tracks: list[MidiTrack], length: int) -> list[MidiTrack]:
    """Tracks for the chord part, best first: they play often, in chords, in rhythm."""

    def rank(track: MidiTrack) -> float:
        rhythm = min(len(np.unique(track.notes.onset)) / max(length / 48, 1), 1.0)
        chordal = min(polyphony(track.notes), 3.0) / 3
        return coverage(track.notes, length) * (0.3 + 0.7 * chordal) * (0.4 + 0.6 * rhythm)

    return sorted(tracks, key=lambda t: -rank(t))


def _layers(tracks: list[Notes], length: int) -> Notes:
    """The best comping track, the others where it is silent, and one or two more lines while it is a single line."""
    chords = relay(tracks)
    for notes in tracks[1:3]:
        if polyphony(chords) >= 2 or coverage(notes, length) < 0.2:
            break
        chords = without_overlaps(Notes.join([chords, notes]))
    return chords


def _mean_pitch(track: MidiTrack) -> float:
    return float(track.notes.pitch.mean())
