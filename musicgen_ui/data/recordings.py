"""A person's own recordings with the MIDI that was played, as passages to learn from.

A recording and its MIDI rarely begin at the same instant. Both are heard as onsets: those of the recording, and those
of the MIDI's notes played as plain decaying tones; where the two agree best is the offset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.signal import correlate, correlation_lags

from musicgen_ui.audio.decode import mono_44k
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.spectral import onset_flux
from musicgen_ui.audio.waveform import SAMPLE_RATE, ReadLimits, read_audio
from musicgen_ui.data.fluid import BLOCK, whole_blocks
from musicgen_ui.data.render_passages import DRUM_HOLD, without_restrikes
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi_file import MidiTrack, read_midi

AUDIO_SUFFIXES = (".wav", ".flac")
MIDI_SUFFIXES = (".mid", ".midi")

LIMITS = ReadLimits(file_bytes=2**30, seconds=1800.0, pcm_bytes=2**31)

MAX_OFFSET_SECONDS = 2.0
"""How far a recording and its MIDI may be apart."""

MIN_AGREEMENT = 0.25
"""Correlation of the onsets at the best offset below which the pair is refused: it is another performance, or
begins its notes so softly that it cannot be aligned. Pieces on one steady grid agree more, so this is no proof."""

LEVEL_DB = -20.0
"""Root mean square, where it sounds, that a recording is brought to: that of the rendered timbres."""

LISTEN_SECONDS = 90
"""As much of a recording is compared with its MIDI."""

_LATENESS = 256
"""Samples by which the sharpest attack is heard after it began."""

_RESOLUTION = 480
_HOP = 128
_WINDOW = 2048
_MIN_STRIKES = 4
_BASS_PROGRAMS = range(32, 40)


@dataclass(frozen=True)
class Recording:
    """One recording, cut up.

    Attributes:
        id: of its timbre: ``r`` and eight hexadecimal digits of its contents.
        name: stem of its files.
        program: of its MIDI, or the kit's number.
        drums: it is a drum kit.
        offset: seconds by which the recording came later than its MIDI.
        sounds: (passage samples,) float32 of each passage.
        notes: of each passage.
    """

    id: str
    name: str
    program: int
    drums: bool
    offset: float
    sounds: tuple[np.ndarray, ...] = field(repr=False)
    notes: tuple[tuple[PlayedNote, ...], ...] = field(repr=False)


def pairs(folder: Path) -> tuple[list[tuple[Path, Path]], list[tuple[str, str]]]:
    """Recordings and their MIDI files, and what has no partner.

    Returns:
        (audio, MIDI) of each pair, sorted; (file name, reason) of the rest.

    Raises:
        RequestError: the folder is missing or holds no pair.
    """
    if not folder.is_dir():
        raise RequestError("audio", f"{str(folder)!r} is not a folder")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    midi = {path.with_suffix(""): path for path in files if path.suffix.lower() in MIDI_SUFFIXES}
    sounds = {path.with_suffix(""): path for path in files if path.suffix.lower() in AUDIO_SUFFIXES}
    found = [(path, midi[stem]) for stem, path in sounds.items() if stem in midi]
    if not found:
        raise RequestError("audio", f"{str(folder)!r} holds no .wav or .flac file with a .mid file of the same name")
    alone = [(path.name, "has no MIDI file of the same name") for stem, path in sounds.items() if stem not in midi]
    alone += [(path.name, "has no recording of the same name") for stem, path in midi.items() if stem not in sounds]
    return found, alone


def read_recording(audio: Path, midi: Path, length: int, part: str | None = None) -> Recording:
    """Reads, aligns and cuts one pair.

    Args:
        audio: recording of one instrument.
        midi: what it plays.
        length: samples of a passage.
        part: read only the MIDI tracks that this part would be; needed where the MIDI has several instruments.

    Raises:
        RequestError: a file cannot be read, or the two do not go together; says why.
    """
    samples, rate = read_audio(audio, LIMITS)
    sound = mono_44k(samples, rate)
    notes, program, drums = _played(midi, part)
    offset = find_offset(sound, notes)
    moved = [PlayedNote(n.start + offset, n.end + offset, n.pitch, n.velocity) for n in notes]
    digest = hashlib.sha256(audio.read_bytes() + midi.read_bytes()).hexdigest()[:8]
    sounds, tables = _cut(_levelled(sound), without_restrikes([n for n in moved if n.start >= 0]), length, drums)
    if not sounds:
        seconds = length / SAMPLE_RATE
        raise RequestError(audio.name, f"has no {seconds:g} seconds with at least {_MIN_STRIKES} notes")
    return Recording(f"r{digest}", audio.stem, program, drums, offset / SAMPLE_RATE, tuple(sounds), tuple(tables))


def find_offset(sound: np.ndarray, notes: Sequence[PlayedNote]) -> int:
    """Samples by which a recording is later than its notes.

    Args:
        sound: (n,) at 44.1 kHz.
        notes: times as in the MIDI.

    Raises:
        RequestError: they agree nowhere within MAX_OFFSET_SECONDS.
    """
    end = LISTEN_SECONDS * SAMPLE_RATE
    heard = _onsets(sound[:end])
    written = _onsets(_plain_tones([n for n in notes if n.start < end] or notes[:1]))
    score = sum(correlate(h, w, mode="full") for h, w in zip(heard, written, strict=True))
    score /= np.linalg.norm(heard) * np.linalg.norm(written) + 1e-12
    lags = correlation_lags(heard.shape[1], written.shape[1], mode="full")
    near = np.abs(lags) <= MAX_OFFSET_SECONDS * SAMPLE_RATE / _HOP
    score, lags = score[near], lags[near]
    if not len(score) or score.max() < MIN_AGREEMENT:
        raise RequestError("audio", "does not sound like its MIDI within two seconds of the start")
    best = int(np.argmax(score))
    return int(lags[best]) * _HOP - _LATENESS


def _onsets(sound: np.ndarray) -> np.ndarray:
    """(5, frames) onset strength without its mean, so that busy places do not agree with everything."""
    flux = onset_flux(sound, SAMPLE_RATE, n_fft=_WINDOW, hop=_HOP).astype(np.float64)
    return flux - flux.mean(axis=1, keepdims=True)


def _plain_tones(notes: Sequence[PlayedNote]) -> np.ndarray:
    """(n,) each note as a decaying sine with a few overtones."""
    time = np.arange(int(0.5 * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.zeros(max(n.start for n in notes) + len(time))
    for note in notes:
        frequency = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0)
        harmonics = np.arange(1, 7)[frequency * np.arange(1, 7) < 0.45 * SAMPLE_RATE]
        tone = sum(np.sin(2.0 * np.pi * frequency * k * time) / k for k in harmonics)
        sound[note.start : note.start + len(time)] += note.velocity / 127.0 * np.exp(-time / 0.12) * tone
    return sound


def _played(midi: Path, part: str | None) -> tuple[list[PlayedNote], int, bool]:
    """Notes at the times of the MIDI's own tempo map, the program, and whether it is percussion."""
    file = read_midi(midi, resolution=_RESOLUTION)
    tracks = [track for track in file.tracks if part is None or _may_be(track, part)]
    if not tracks:
        raise RequestError(midi.name, f"has no track for the part {part}")
    instruments = sorted({(track.is_drum, track.program) for track in tracks})
    if len(instruments) > 1:
        hint = "record one alone" if part else "name its --part, or record one alone"
        raise RequestError(midi.name, f"plays {len(instruments)} instruments where one is needed: {hint}")
    drums, program = instruments[0]
    notes = []
    for track in tracks:
        starts = file.seconds(track.notes.onset / _RESOLUTION) * SAMPLE_RATE
        ends = file.seconds(track.notes.end / _RESOLUTION) * SAMPLE_RATE
        columns = (starts.tolist(), ends.tolist(), track.notes.pitch.tolist(), track.notes.velocity.tolist())
        for start, end, pitch, velocity in zip(*columns, strict=True):
            first = whole_blocks(start)
            last = first + DRUM_HOLD if drums else max(whole_blocks(end), first + BLOCK)
            notes.append(PlayedNote(first, last, pitch, velocity))
    return sorted(notes), program, drums


def _may_be(track: MidiTrack, part: str) -> bool:
    if part == "drums" or track.is_drum:
        return part == "drums" and track.is_drum
    return (part == "bass") == (track.program in _BASS_PROGRAMS)


def _levelled(sound: np.ndarray) -> np.ndarray:
    """The recording at LEVEL_DB where it sounds: in the louder half of its tenths of a second."""
    frame = SAMPLE_RATE // 10
    power = np.array([np.mean(sound[i : i + frame] ** 2) for i in range(0, len(sound), frame)])
    loud = power[power >= np.median(power)].mean()
    return (sound * (10.0 ** (LEVEL_DB / 20.0) / np.sqrt(loud + 1e-12))).astype(np.float32)


def _cut(
    sound: np.ndarray, notes: Sequence[PlayedNote], length: int, drums: bool
) -> tuple[list[np.ndarray], list[tuple[PlayedNote, ...]]]:
    """Passages that begin with a note and, where the music lets them, with no other note still held."""
    sounds: list[np.ndarray] = []
    tables: list[tuple[PlayedNote, ...]] = []
    starts = np.array([n.start for n in notes])
    ends = starts if drums else np.array([n.end for n in notes])
    cursor = 0
    while True:
        # Beginnings within half a passage: what is skipped is lost.
        choice = np.flatnonzero((starts >= cursor) & (starts < cursor + length // 2))
        if not len(choice):
            following = starts[starts >= cursor]
            if not len(following):
                return sounds, tables
            cursor = int(following[0])
            continue
        held = [int(np.sum((starts < starts[i]) & (ends > starts[i]))) for i in choice]
        first = int(starts[choice[int(np.argmin(held))]])
        cursor = first + length
        if cursor > len(sound):
            return sounds, tables
        inside = [n for n in notes if first <= n.start < cursor]
        if len(inside) >= _MIN_STRIKES:
            sounds.append(sound[first:cursor])
            tables.append(
                tuple(PlayedNote(n.start - first, min(n.end - first, length), n.pitch, n.velocity) for n in inside)
            )
