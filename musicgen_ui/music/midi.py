"""Score to MIDI file and back. The same Score gives the same bytes on every machine."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.music import arrange, harmony
from musicgen_ui.music.instruments import GM_NAMES
from musicgen_ui.music.midi_file import Notes, read_midi
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Note, Score, to_ticks
from musicgen_ui.music.theory import key_is_minor, key_tonic
from musicgen_ui.music.voices import without_overlaps

__all__ = ["read_comment", "read_midi", "read_song", "score_from_midi", "score_to_midi"]

DIVISION = 480
"""Ticks a beat in written files; a multiple of 24, so that nothing is rounded twice."""

CHANNELS = {"lead": 0, "chords": 1, "bass": 2, "drums": 9}
DEFAULT_PROGRAMS = {"lead": 80, "chords": 0, "bass": 33, "drums": 0}


def score_to_midi(
    score: Score,
    path: str | os.PathLike[str] | None = None,
    *,
    programs: Mapping[str, int] | None = None,
    comment: str | None = None,
) -> bytes:
    """Writes a Score as a type 1 file: a conductor track and a named track for each observed part.

    Args:
        score: the Score.
        path: where to write the file; None only returns the bytes.
        programs: part to General MIDI program (kit for drums); ``score.programs`` and then defaults fill gaps.
        comment: text kept in the conductor track, such as the recipe's JSON; see :func:`read_comment`.

    Returns:
        The bytes of the file; a function of the arguments alone.
    """
    chosen = {**DEFAULT_PROGRAMS, **score.programs, **(programs or {})}
    chunks = [_conductor(score, comment)]
    chunks += [_part_track(part, score.notes(part), chosen[part], score.beats) for part in PARTS if part in score.parts]
    data = struct.pack(">4sIHHH", b"MThd", 6, 1, len(chunks), DIVISION)
    data += b"".join(b"MTrk" + struct.pack(">I", len(c)) + c for c in chunks)
    if path is not None:
        Path(path).write_bytes(data)
    return data


@dataclass(frozen=True)
class Song:
    """A person's MIDI file as a Score, and what became of its tracks.

    Attributes:
        score: the notes.
        tracks: number of tracks that have notes.
        left_out: names of the tracks that no part can play, such as timpani and sound effects.
    """

    score: Score
    tracks: int
    left_out: tuple[str, ...]


def score_from_midi(source: str | Path | bytes, name: str | None = None) -> Score:
    """The Score of a person's MIDI file; see :func:`read_song`."""
    return read_song(source, name).score


def read_song(source: str | Path | bytes, name: str | None = None) -> Song:
    """Reads a person's MIDI file: tracks merged into parts, metre of its longest section, chords and key estimated.

    A metre that the grid lacks is read in bars of four beats: the notes keep their beats, only bar lines differ.

    Raises:
        RequestError: see :func:`musicgen_ui.music.midi_file.read_midi`.
    """
    midi = read_midi(source, name)
    label = name or ("MIDI file" if isinstance(source, bytes) else Path(source).name)
    parts, programs, left_out = arrange.merge(midi)
    if not any(len(notes) for notes in parts.values()):
        raise RequestError(label, "has no notes that any of the four parts can play")
    sections = arrange.sections(midi)
    metre = max(sections, key=lambda s: s.end - s.start).metre or "4/4"
    length = max(int(n.onset.max()) for n in parts.values() if len(n)) + 1
    beats_per_bar = 3 if metre == "3/4" else 4
    bars = -(-length // (beats_per_bar * TICKS_PER_BEAT))
    score = arrange.to_score(parts, tempo=midi.tempo_between(0, midi.beats), metre=metre, bars=bars, programs=programs)
    names = tuple(track.name or GM_NAMES[track.program] for track in left_out)
    return Song(harmony.with_harmony(score), len(midi.tracks), names)


def read_comment(source: str | Path | bytes) -> str | None:
    """The comment that :func:`score_to_midi` wrote, or None when the file has none."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    if data[:4] != b"MThd" or data[14:18] != b"MTrk":
        return None
    length = int.from_bytes(data[18:22], "big")
    track = data[22 : 22 + length]
    at = 0
    # The conductor track holds nothing but meta events: delta, FF, type, length, text.
    while at < len(track):
        _, at = _read_variable(track, at)
        if track[at : at + 1] != b"\xff":
            return None
        kind = track[at + 1]
        size, at = _read_variable(track, at + 2)
        if kind == 0x01:
            return track[at : at + size].decode("utf-8", errors="replace")
        at += size
    return None


def notes_to_arrays(notes: tuple[Note, ...]) -> Notes:
    """Note values as tick arrays."""
    rows = np.array([(to_ticks(n.onset), n.pitch, max(to_ticks(n.duration), 1), n.velocity) for n in notes], np.int64)
    return Notes(*rows.reshape(-1, 4).T)


def _conductor(score: Score, comment: str | None) -> bytes:
    numerator = score.beats_per_bar
    events = [_meta(0x03, b"musicgen_ui")]
    if comment is not None:
        events.append(_meta(0x01, comment.encode("utf-8")))
    events.append(_meta(0x51, round(60e6 / score.tempo).to_bytes(3, "big")))
    events.append(_meta(0x58, bytes((numerator, 2, 24, 8))))
    if score.key is not None:
        # Sharps on the circle of fifths, -6..5 so that no key needs seven; a minor key has its relative major's.
        minor = key_is_minor(score.key)
        major_tonic = (key_tonic(score.key) + (3 if minor else 0)) % 12
        sharps = (major_tonic * 7 + 6) % 12 - 6
        events.append(_meta(0x59, struct.pack(">bB", sharps, int(minor))))
    # The end mark keeps the score's length even when its last bars are silent.
    events.append(_variable(score.beats * DIVISION) + b"\xff\x2f\x00")
    return b"".join(events)


def _part_track(part: str, notes: tuple[Note, ...], program: int, beats: int) -> bytes:
    channel = CHANNELS[part]
    scale = DIVISION // TICKS_PER_BEAT
    arrays = without_overlaps(notes_to_arrays(notes))
    # Sort key: time, then offs before ons, so that a repeated note is not cut by its own predecessor's end.
    events = [(onset * scale, 1, pitch, velocity) for onset, pitch, _, velocity in arrays.rows()]
    events += [((onset + duration) * scale, 0, pitch, 0) for onset, pitch, duration, _ in arrays.rows()]
    chunks = [_meta(0x03, part.encode("ascii")), b"\x00" + bytes((0xC0 | channel, program))]
    now = 0
    for time, on, pitch, velocity in sorted(events):
        status = (0x90 if on else 0x80) | channel
        chunks.append(_variable(time - now) + bytes((status, pitch, velocity)))
        now = time
    chunks.append(_variable(max(beats * DIVISION - now, 0)) + b"\xff\x2f\x00")
    return b"".join(chunks)


def _meta(kind: int, payload: bytes) -> bytes:
    return b"\x00\xff" + bytes((kind,)) + _variable(len(payload)) + payload


def _variable(value: int) -> bytes:
    """Variable-length quantity: seven bits a byte, most significant first."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))


def _read_variable(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for byte in data[at : at + 4]:  # the standard allows four bytes; without an end a number would grow for ever
        at += 1
        value = (value << 7) | (byte & 0x7F)
        if not byte & 0x80:
            break
    return value, at
