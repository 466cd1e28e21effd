"""Is it music? Plain statistics of a score, to be read beside those of real songs.

None of them is a goal: a value outside what real songs show is a warning, a value inside proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musicgen_ui.music.measures import chroma
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Score, to_ticks
from musicgen_ui.music.theory import KEYS, chord_pitch_classes, key_correlations, scale

STRONG_BEATS = {"4/4": (0, 2), "3/4": (0,)}
"""Beats of a bar on which a listener expects chord tones."""

SIMILAR = 0.8
"""Overlap (intersection over union of note starts) at which two bars count as the same idea."""

_STEP = TICKS_PER_BEAT // 4


def key_of(score: Score) -> str | None:
    """The score's key, else the best match of its notes; None without pitched notes."""
    weights = chroma(score)
    if score.key is not None or weights.sum() <= 0:
        return score.key
    return KEYS[int(np.argmax(key_correlations(weights)))]


def in_key_rate(score: Score) -> float | None:
    """Share of the pitched notes that belong to the key's scale (in minor with both sevenths)."""
    key = key_of(score)
    notes = score.pitched
    if key is None or not notes:
        return None
    members = scale(key)
    return sum(note.pitch % 12 in members for note in notes) / len(notes)


def chord_tone_rate(score: Score) -> float | None:
    """Share of the pitched notes starting on a strong beat that belong to the chord there; None without chords."""
    hits = total = 0
    for note in score.pitched:
        step = _step(note.onset)
        beat = step / 4
        if step % 4 or beat % score.beats_per_bar not in STRONG_BEATS[score.metre]:
            continue
        chord = next((c for c in score.chords if c.onset <= beat < c.onset + c.duration), None)
        if chord is not None:
            total += 1
            hits += note.pitch % 12 in chord_pitch_classes(chord.root, chord.quality)
    return hits / total if total else None


def empty_bars(score: Score, part: str | None = None) -> float | None:
    """Share of the bars in which nothing sounds, in one part or in all together; None for a part not observed."""
    names = PARTS if part is None else (part,)
    if part is not None and part not in score.parts:
        return None
    sounding = np.zeros(score.bars, dtype=bool)
    for name in names:
        for note in score.notes(name):
            first = int(note.onset // score.beats_per_bar)
            # A note that ends on the bar line does not sound in the next bar.
            last = int(np.ceil((note.onset + note.duration) / score.beats_per_bar))
            sounding[first : max(last, first + 1)] = True
    return float(1.0 - sounding.mean())


def notes_per_beat(score: Score) -> float:
    """Notes of all parts per beat."""
    return sum(len(score.notes(part)) for part in PARTS) / score.beats


def longest_note(score: Score) -> float | None:
    """Longest pitched note in beats, a stuck key if there is one; None without pitched notes."""
    return max((note.duration for note in score.pitched), default=None)


def pitch_range(score: Score, part: str) -> float | None:
    """Semitones between a part's lowest and highest note; None for a part without notes."""
    pitches = [note.pitch for note in score.notes(part)]
    return float(max(pitches) - min(pitches)) if pitches else None


def repeated_bars(score: Score, similar: float = 1.0) -> float | None:
    """Share of the sounding bars, from the second on, that an earlier bar had said already.

    Args:
        score: the score; two bars are compared by part, sixteenth step and pitch of what starts in them.
        similar: overlap that counts; 1 wants the same bar, SIMILAR the same idea.

    Returns:
        0 to 1; None with fewer than two bars in which something starts.
    """
    bars = [content for content in bar_contents(score) if content]
    if len(bars) < 2:
        return None
    repeats = sum(
        any(len(bar & earlier) >= similar * len(bar | earlier) for earlier in bars[:index])
        for index, bar in enumerate(bars)
        if index
    )
    return repeats / (len(bars) - 1)


def bar_contents(score: Score) -> list[frozenset[tuple[str, int, int]]]:
    """For every bar, the (part, step within the bar, pitch) of what starts in it."""
    steps = score.beats_per_bar * 4
    contents: list[set[tuple[str, int, int]]] = [set() for _ in range(score.bars)]
    for part in PARTS:
        for note in score.notes(part):
            bar, step = divmod(min(_step(note.onset), score.bars * steps - 1), steps)
            contents[bar].add((part, step, note.pitch))
    return [frozenset(content) for content in contents]


def statistics(score: Score) -> dict[str, float | None]:
    """All statistics of a score, by name; None where one does not apply."""
    return {name: function(score) for name, function in STATISTICS.items()}


def _step(beats: float) -> int:
    """Nearest sixteenth step of a time in beats."""
    return (to_ticks(beats) + _STEP // 2) // _STEP


def _of_part(function: Callable[[Score, str], float | None], part: str) -> Callable[[Score], float | None]:
    return lambda score: function(score, part)


STATISTICS: dict[str, Callable[[Score], float | None]] = {
    "in-key rate": in_key_rate,
    "chord-tone rate on strong beats": chord_tone_rate,
    "empty bars": empty_bars,
    **{f"empty bars, {part}": _of_part(empty_bars, part) for part in PARTS},
    "notes per beat": notes_per_beat,
    "longest note (beats)": longest_note,
    **{f"pitch range, {part} (semitones)": _of_part(pitch_range, part) for part in PARTS[:3]},
    "repeated bars, exact": repeated_bars,
    "repeated bars, similar": lambda score: repeated_bars(score, SIMILAR),
}
"""Name, with its unit, to the function that measures it."""
