"""The text that composers write: a Score as integer columns over a grid of sixteenth steps.

One row is one sixteenth. Every event starts on a row and says its duration, velocity and micro-timing itself,
so nothing needs a note-off. All values are class indices, small enough for an embedding or a softmax.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from statistics import median

import numpy as np

from musicgen_ui.music.score import METRES, PARTS, TICKS_PER_BEAT, Chord, Note, Score, from_ticks, to_ticks
from musicgen_ui.music.theory import QUALITIES

STEPS_PER_BEAT = 4
TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT

DURATIONS = (3, 6, 8, 12, 16, 18, 24, 30, 36, 48, 60, 72, 96, 144, 192)
"""Duration classes in ticks of 1/24 beat: a 32nd up to eight beats, with triplets."""

VELOCITIES = (24, 40, 52, 64, 76, 88, 100, 116)
"""Centres of the velocity classes."""

TIMINGS = (-3, -2, -1, 0, 1, 2)
"""Micro-timing classes: ticks before or after the step."""

LOW = {"bass": 24, "lead": 48, "chords": 36}
HIGH = {"bass": 60, "lead": 96, "chords": 91}
MAX_CHORD_NOTES = 6

QUALITY_NAMES = tuple(QUALITIES)
NO_CHORD = 0
CHORD_CLASSES = 1 + 12 * len(QUALITY_NAMES)

DRUM_VOICES: tuple[tuple[int, ...], ...] = (
    (36, 35),  # kick
    (38, 40),  # snare
    (37,),  # side stick
    (39,),  # clap
    (42, 44),  # closed hat
    (46,),  # open hat
    (41, 43, 45),  # low tom
    (48, 47, 50),  # high tom
    (49, 52, 55, 57),  # crash
    (51, 53, 59),  # ride
    (70, 54, 69, 82),  # shaker, tambourine
    (63, 60, 61, 62, 64, 65, 66),  # hand drums
    (56, 67, 68, 75, 76, 77, 80, 81, 58, 71, 72, 73, 74),  # bells, blocks
)
"""Kit pieces; the first pitch of each is the one that is written, the others are read as it."""

DRUM_GROUPS = (0, 1, 1, 1, 2, 2, 1, 1, 2, 2, 2, 2, 2)
"""Velocity group of each voice: kick, hand-struck drums, metal and small percussion."""

_VOICE_OF_PITCH = {pitch: voice for voice, pitches in enumerate(DRUM_VOICES) for pitch in pitches}


@dataclass(frozen=True)
class Part:
    """Columns of a pitched part, each (steps,) int16; ``pitch`` 0 means nothing starts here."""

    pitch: np.ndarray
    duration: np.ndarray
    velocity: np.ndarray
    timing: np.ndarray


@dataclass(frozen=True)
class Grid:
    """A score on the step grid.

    Attributes:
        metre: a key of METRES.
        observed: (4,) bool in the order of PARTS.
        chord: (steps,) chord class in force: NO_CHORD or 1 + root * 8 + quality.
        bass, lead: monophonic parts; ``pitch`` is 1 + pitch - LOW.
        chords: polyphonic part; ``pitch`` there counts the notes that start, ``voicing`` holds which.
        voicing: (steps, 56) bool, notes of the chord part from LOW["chords"] up.
        drums: (steps,) bit mask over DRUM_VOICES.
        drum_velocity: (steps, 3) velocity class by DRUM_GROUPS.
        drum_timing: (steps,) timing class.
    """

    metre: str
    observed: np.ndarray
    chord: np.ndarray
    bass: Part
    lead: Part
    chords: Part
    voicing: np.ndarray
    drums: np.ndarray
    drum_velocity: np.ndarray
    drum_timing: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.chord)

    @property
    def steps_per_bar(self) -> int:
        return METRES[self.metre] * STEPS_PER_BEAT


def nearest(classes: tuple[int, ...], value: float) -> int:
    """Index of the class nearest to a value; the smaller class wins a tie. ``classes`` must rise."""
    return bisect_left(_borders(classes), value)


@lru_cache
def _borders(classes: tuple[int, ...]) -> tuple[float, ...]:
    return tuple((a + b) / 2 for a, b in pairwise(classes))


def fold(pitch: int, low: int, high: int) -> int:
    """The pitch moved by octaves into [low, high]."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def chord_class(root: int, quality: str) -> int:
    return 1 + root * len(QUALITY_NAMES) + QUALITY_NAMES.index(quality)


def chord_symbol(index: int) -> tuple[int, str] | None:
    """(root, quality) of a chord class, None for NO_CHORD."""
    if index == NO_CHORD:
        return None
    root, quality = divmod(index - 1, len(QUALITY_NAMES))
    return root, QUALITY_NAMES[quality]


def locate(onset: float, steps: int) -> tuple[int, int]:
    """(step, timing class) of an onset in beats."""
    tick = to_ticks(onset)
    step = min((tick + TICKS_PER_STEP // 2) // TICKS_PER_STEP, steps - 1)
    offset = min(max(tick - step * TICKS_PER_STEP, TIMINGS[0]), TIMINGS[-1])
    return step, TIMINGS.index(offset)


def encode(score: Score) -> Grid:
    """Writes a score onto the grid.

    Pitches fold by octaves into each part's range; of several bass notes on a step the lowest stays, of several
    lead notes the highest; a chord keeps its MAX_CHORD_NOTES highest distinct notes.
    """
    steps = score.beats * STEPS_PER_BEAT
    bass, _ = _encode_pitched(score.notes("bass"), "bass", steps)
    lead, _ = _encode_pitched(score.notes("lead"), "lead", steps)
    chords, voicing = _encode_pitched(score.notes("chords"), "chords", steps)
    drums, drum_velocity, drum_timing = _encode_drums(score.notes("drums"), steps)
    chord = np.zeros(steps, dtype=np.int16)
    for symbol in score.chords:
        first = round(symbol.onset) * STEPS_PER_BEAT
        last = round(symbol.onset + symbol.duration) * STEPS_PER_BEAT
        chord[first:last] = chord_class(symbol.root, symbol.quality)
    observed = np.array([part in score.parts for part in PARTS])
    return Grid(score.metre, observed, chord, bass, lead, chords, voicing, drums, drum_velocity, drum_timing)


def decode(grid: Grid, *, tempo: float, key: str | None = None) -> Score:
    """Reads a grid back as a score. Notes that would ring past the end are cut there."""
    if grid.steps % grid.steps_per_bar:
        raise ValueError("a grid must hold whole bars")
    parts: dict[str, tuple[Note, ...]] = {}
    for index, name in enumerate(PARTS):
        if grid.observed[index]:
            notes = _decode_drums(grid) if name == "drums" else _decode_pitched(grid, name)
            parts[name] = tuple(sorted(notes))
    bars = grid.steps // grid.steps_per_bar
    return Score(tempo, grid.metre, bars, parts, _decode_chords(grid.chord), key)


def crop(grid: Grid, first_step: int, steps: int) -> Grid:
    """Rows ``first_step`` to ``first_step + steps``."""
    rows = slice(first_step, first_step + steps)

    def part(columns: Part) -> Part:
        return Part(columns.pitch[rows], columns.duration[rows], columns.velocity[rows], columns.timing[rows])

    return replace(
        grid, chord=grid.chord[rows], bass=part(grid.bass), lead=part(grid.lead), chords=part(grid.chords),
        voicing=grid.voicing[rows], drums=grid.drums[rows], drum_velocity=grid.drum_velocity[rows],
        drum_timing=grid.drum_timing[rows],
    )  # fmt: skip


def _encode_pitched(notes: Sequence[Note], name: str, steps: int) -> tuple[Part, np.ndarray]:
    low, high = LOW[name], HIGH[name]
    rows: dict[int, list[tuple[Note, int]]] = {}
    for note in notes:
        step, timing = locate(note.onset, steps)
        rows.setdefault(step, []).append((note, timing))
    columns = np.zeros((4, steps), dtype=np.int16)
    voicing = np.zeros((steps, high - low + 1 if name == "chords" else 0), dtype=bool)
    for step, found in rows.items():
        if name == "chords":
            pitches = sorted({fold(n.pitch, low, high) for n, _ in found})[-MAX_CHORD_NOTES:]
            voicing[step, [p - low for p in pitches]] = True
            pitch_class = len(pitches)
            duration, velocity = (median(getattr(n, f) for n, _ in found) for f in ("duration", "velocity"))
            timing = sorted(t for _, t in found)[len(found) // 2]
        else:
            choose = min if name == "bass" else max
            note, timing = choose(found, key=lambda pair: pair[0].pitch)
            pitch_class = 1 + fold(note.pitch, low, high) - low
            duration, velocity = note.duration, note.velocity
        columns[:, step] = (
            pitch_class,
            nearest(DURATIONS, duration * TICKS_PER_BEAT),
            nearest(VELOCITIES, velocity),
            timing,
        )
    return Part(*columns), voicing


def _encode_drums(notes: Sequence[Note], steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    masks = np.zeros(steps, dtype=np.int16)
    velocity = np.zeros((steps, 3), dtype=np.int16)
    timing = np.full(steps, TIMINGS.index(0), dtype=np.int16)
    loudest = np.zeros(steps)
    for note in notes:
        voice = _VOICE_OF_PITCH.get(note.pitch)
        if voice is None:
            continue
        step, offset = locate(note.onset, steps)
        masks[step] |= 1 << voice
        group = DRUM_GROUPS[voice]
        velocity[step, group] = max(velocity[step, group], nearest(VELOCITIES, note.velocity))
        if note.velocity > loudest[step]:
            loudest[step] = note.velocity
            timing[step] = offset
    return masks, velocity, timing


def _onset_tick(step: int, timing: int) -> int:
    return max(0, step * TICKS_PER_STEP + TIMINGS[timing])


def _decode_pitched(grid: Grid, name: str) -> list[Note]:
    part: Part = getattr(grid, name)
    end = grid.steps * TICKS_PER_STEP
    notes = []
    starts = np.flatnonzero(part.pitch)
    ticks = [_onset_tick(int(step), int(part.timing[step])) for step in starts]
    for i, step in enumerate(starts):
        onset = ticks[i]
        limit = end
        if name != "chords" and i + 1 < len(starts):
            limit = ticks[i + 1]  # monophonic: the next note ends this one
        duration = max(1, min(DURATIONS[part.duration[step]], limit - onset))
        if name == "chords":
            pitches = [LOW[name] + int(p) for p in np.flatnonzero(grid.voicing[step])]
        else:
            pitches = [LOW[name] + int(part.pitch[step]) - 1]
        velocity = VELOCITIES[part.velocity[step]]
        notes.extend(Note(from_ticks(onset), p, from_ticks(duration), velocity) for p in pitches)
    return _without_overlaps(notes)


def _without_overlaps(notes: list[Note]) -> list[Note]:
    """Ends a note where the same pitch starts again: a MIDI channel cannot sound one pitch twice."""
    following: dict[int, float] = {}
    cut = []
    for note in sorted(notes, reverse=True):
        end = min(note.onset + note.duration, following.get(note.pitch, float("inf")))
        following[note.pitch] = note.onset
        cut.append(replace(note, duration=end - note.onset))
    return [note for note in cut if note.duration > 0]


def _decode_drums(grid: Grid) -> list[Note]:
    notes = []
    end = grid.steps * TICKS_PER_STEP
    for step in np.flatnonzero(grid.drums):
        onset = _onset_tick(int(step), int(grid.drum_timing[step]))
        duration = from_ticks(min(TICKS_PER_STEP, end - onset))
        for voice, pitches in enumerate(DRUM_VOICES):
            if int(grid.drums[step]) >> voice & 1:
                velocity = VELOCITIES[grid.drum_velocity[step, DRUM_GROUPS[voice]]]
                notes.append(Note(from_ticks(onset), pitches[0], duration, velocity))
    return _without_overlaps(notes)


def _decode_chords(column: np.ndarray) -> tuple[Chord, ...]:
    edges = [0, *(np.flatnonzero(np.diff(column)) + 1).tolist(), len(column)]
    chords = []
    for start, stop in pairwise(edges):
        symbol = chord_symbol(int(column[start]))
        if symbol is not None:
            chords.append(Chord(start / STEPS_PER_BEAT, (stop - start) / STEPS_PER_BEAT, *symbol))
    return tuple(chords)
