"""What stands around a piece: an introduction made of its own beginning, and an ending that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from musicgen_ui.music.repetition import nearest_step
from musicgen_ui.music.score import TICKS_PER_BEAT, Chord, Note, Score, from_ticks, to_ticks
from musicgen_ui.music.theory import QUALITIES, key_is_minor, key_tonic
from musicgen_ui.music.tokens import HIGH, LOW, STEPS_PER_BEAT

ENTRIES = ("chords", "bass", "drums", "lead")
"""Who enters first; the lead keeps silent until the piece proper begins, unless it is alone."""

SOFT = 0.8
"""Velocity at the start of an introduction, against the piece's own."""

HELD = 0.75
"""Share of the last bar for which the last chord is held; then it rings out."""

_KICK, _CRASH, _RIDE = 36, 49, 51
_LOUD = 70.0
"""Mean velocity from which on the last hit is a crash."""


def introduced(score: Score, bars: int) -> Score:
    """The score with its own first bars in front, in which the parts enter one after the other.

    Args:
        score: the piece.
        bars: length of the introduction; 0 for none.
    """
    if not bars:
        return score
    per_bar = score.beats_per_bar
    shift = bars * per_bar
    material = [score.section(bar % score.bars, 1) for bar in range(bars)]
    starts = {part: [_starts_of(score, part, bar % score.bars) for bar in range(bars)] for part in score.parts}
    entries = _entries(starts, bars)
    parts = {}
    for part, notes in score.parts.items():
        before = [
            replace(
                moved := _later(note, (bar - bar % score.bars) * per_bar),
                duration=min(note.duration, shift - moved.onset),
                velocity=max(1, round(note.velocity * (SOFT + (1 - SOFT) * bar / bars))),
            )
            for bar in range(entries.get(part, bars), bars)
            for note in starts[part][bar]
        ]
        after = [_later(note, shift) for note in notes]
        parts[part] = tuple(sorted([*(note for note in before if note.duration > 0), *after]))
    chords = [replace(chord, onset=chord.onset + bar * per_bar) for bar, m in enumerate(material) for chord in m.chords]
    chords += [replace(chord, onset=chord.onset + shift) for chord in score.chords]
    return replace(score, bars=score.bars + bars, parts=parts, chords=_joined(chords))


def _later(note: Note, beats: int) -> Note:
    """A note some whole beats later, on the very same tick."""
    return replace(note, onset=from_ticks(to_ticks(note.onset) + beats * TICKS_PER_BEAT))


def _starts_of(score: Score, part: str, bar: int) -> list[Note]:
    """Notes that belong to a bar: those played a little early to its first beat, too."""
    steps = score.beats_per_bar * STEPS_PER_BEAT
    return [note for note in score.notes(part) if nearest_step(note.onset) // steps == bar]


def _entries(starts: dict[str, list[list[Note]]], bars: int) -> dict[str, int]:
    """Part → the bar in which it enters. Somebody plays from the first bar on."""
    playing = [part for part in ENTRIES if part in starts and any(starts[part])]
    order = [part for part in playing if part != "lead"] or playing
    order.sort(key=lambda part: not starts[part][0])  # who has nothing to say in the first bar enters later
    return {part: number * bars // len(order) for number, part in enumerate(order)}


def _joined(chords: Sequence[Chord]) -> tuple[Chord, ...]:
    """Chords of which equal neighbours are one."""
    joined = list(chords[:1])
    for chord in chords[1:]:
        last = joined[-1]
        if (last.root, last.quality, last.onset + last.duration) == (chord.root, chord.quality, chord.onset):
            joined[-1] = replace(last, duration=last.duration + chord.duration)
        else:
            joined.append(chord)
    return tuple(joined)


def closing_beat(score: Score) -> int:
    """Beat of the last chord of an ending: the first of the last bar, or the middle of the only one."""
    return score.beats - score.beats_per_bar if score.bars > 1 else score.beats_per_bar - 2


def closed(score: Score) -> Score:
    """The score with an end: on the last strong beat everybody plays the tonic chord, holds it, and stops.

    A score without a key, or without notes, is left alone. A part that never plays keeps silent.
    """
    if score.key is None or not any(score.parts.values()):
        return score
    beat, tonic = closing_beat(score), key_tonic(score.key)
    quality = "min" if key_is_minor(score.key) else "maj"
    chord = [(tonic + interval) % 12 for interval in QUALITIES[quality]]
    step = beat * STEPS_PER_BEAT
    parts = {}
    for part, notes in score.parts.items():
        kept = [
            replace(note, duration=min(note.duration, beat - note.onset))
            for note in notes
            if nearest_step(note.onset) < step
        ]
        before = kept or list(notes)
        last = _last_notes(part, before, chord, float(beat), HELD * (score.beats - beat)) if before else []
        parts[part] = tuple(sorted([*kept, *last]))
    chords = [replace(c, duration=min(c.duration, beat - c.onset)) for c in score.chords if c.onset < beat]
    final = Chord(float(beat), float(score.beats - beat), tonic, quality)
    return replace(score, parts=parts, chords=_joined([*chords, final]))


def _last_notes(part: str, before: Sequence[Note], chord: Sequence[int], onset: float, duration: float) -> list[Note]:
    """What a part that has played ``before`` plays at the end. ``chord`` holds pitch classes, the root first."""
    recent = before[-8:]
    velocity = round(sum(note.velocity for note in recent) / len(recent))
    if part == "drums":
        cymbal = _CRASH if velocity >= _LOUD else _RIDE
        return [Note(onset, pitch, 1 / STEPS_PER_BEAT, min(127, velocity + 8)) for pitch in (_KICK, cymbal)]
    if part == "bass":
        pitches = [_nearest(before[-1].pitch, chord[:1], part)]
    elif part == "lead":
        pitches = [_nearest(before[-1].pitch, chord, part)]
    else:
        sounding = [note.pitch for note in before if note.onset == before[-1].onset]
        pitches = _voicing(sum(sounding) / len(sounding), chord)
    return [Note(onset, pitch, duration, velocity) for pitch in pitches]


def _nearest(pitch: int, classes: Sequence[int], part: str) -> int:
    """The pitch of a part's range nearest to ``pitch`` in one of the pitch classes; the earlier class wins a tie."""
    candidates = [p for p in range(LOW[part], HIGH[part] + 1) if p % 12 in classes]
    return min(candidates, key=lambda p: (abs(p - pitch), classes.index(p % 12)))


def _voicing(centre: float, chord: Sequence[int]) -> list[int]:
    """The close position of a triad whose middle lies nearest to ``centre``, from low to high."""
    tones = [p for p in range(LOW["chords"], HIGH["chords"] + 1) if p % 12 in chord]
    triads = [tones[i : i + 3] for i in range(len(tones) - 2)]
    return min(triads, key=lambda triad: abs(sum(triad) / 3 - centre))
