"""A simulated voice that hums the lead of a score: in another key, octave and tempo, with vibrato, drift and faults."""

from __future__ import annotations

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.cli.similar_clips import Changes, Fragment, noisy
from musicgen_ui.music.score import Note, Score

HUMMED = Changes(tempo=0.1, semitones=6, noise_db=20.0, seconds=10.0)

_VIBRATO_HZ, _VIBRATO_CENTS = 5.5, 35.0
_DRIFT_CENTS = 20.0  # over the whole fragment, up or down
_FAULT_CENTS = 15.0  # standard deviation of a note
_LATE_SECONDS = 0.03  # standard deviation of a note's start
_GLIDE_SECONDS = 0.05
_LOW, _HIGH = 45, 76  # A2 to E5: where people hum
_PARTIALS = (1.0, 0.5, 0.35, 0.2, 0.12, 0.06)


def hum(score: Score, changes: Changes, rng: np.random.Generator) -> Fragment | None:
    """A fragment of the lead, hummed; None where the lead has fewer than eight notes there.

    The octave is the voice's own: a lead that lies too high or too low for it is hummed where it can be.
    """
    factor = float(rng.uniform(1.0 - changes.tempo, 1.0 + changes.tempo))
    shift = int(rng.integers(-changes.semitones, changes.semitones + 1))
    per_beat = 60.0 / score.tempo / factor
    line = top_line(score)
    length = min(changes.seconds, score.seconds / factor)
    first = float(rng.uniform(0.0, max(1e-9, score.seconds / factor - length)))
    notes = [n for n in line if first <= n.onset * per_beat < first + length - 0.1]
    if len(notes) < 8:
        return None
    middle = float(np.median([n.pitch for n in notes])) + shift
    octave = 12 * round((rng.uniform(_LOW + 8, _HIGH - 8) - middle) / 12)
    samples = np.zeros(round(length * SAMPLE_RATE), dtype=np.float32)
    drift = rng.uniform(-_DRIFT_CENTS, _DRIFT_CENTS) / 100.0
    previous = None
    for note in notes:
        begin = max(0.0, note.onset * per_beat - first + rng.normal(0.0, _LATE_SECONDS))
        seconds = min(max(0.12, 0.92 * note.duration * per_beat), length - begin)
        if seconds < 0.08:
            continue
        pitch = note.pitch + shift + octave + rng.normal(0.0, _FAULT_CENTS / 100.0) + drift * begin / length
        sung = _sung(pitch, previous, seconds, rng)
        at = round(begin * SAMPLE_RATE)
        samples[at : at + len(sung)] += sung[: len(samples) - at]
        previous = pitch
    return Fragment(noisy(samples, changes.noise_db, rng), first * factor, (first + length) * factor, factor, shift)


def top_line(score: Score) -> list[Note]:
    """The lead as one voice: the highest note of each onset, ended by the next."""
    highest: dict[float, Note] = {}
    for note in score.notes("lead"):
        highest[note.onset] = max(note, highest.get(note.onset, note), key=lambda n: n.pitch)
    line = sorted(highest.values())
    if not line:
        return []
    ends = [note.onset for note in line[1:]] + [float(score.beats)]
    return [Note(n.onset, n.pitch, min(n.duration, e - n.onset), n.velocity) for n, e in zip(line, ends, strict=True)]


def _sung(pitch: float, previous: float | None, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """One note of a voice that glides into it and trembles once it holds it."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    start = pitch if previous is None else previous
    glide = start + (pitch - start) * np.minimum(time / _GLIDE_SECONDS, 1.0)
    depth = _VIBRATO_CENTS / 100.0 * np.clip((time - 0.15) / 0.2, 0.0, 1.0)
    curve = glide + depth * np.sin(2 * np.pi * _VIBRATO_HZ * time + rng.uniform(0, 2 * np.pi))
    phase = 2 * np.pi * np.cumsum(440.0 * 2.0 ** ((curve - 69.0) / 12.0)) / SAMPLE_RATE
    tone = sum(level * np.sin((k + 1) * phase) for k, level in enumerate(_PARTIALS))
    envelope = np.minimum(1.0, np.minimum(time / 0.04, (seconds - time) / 0.06).clip(0.0))
    return (0.2 * tone * envelope).astype(np.float32)
