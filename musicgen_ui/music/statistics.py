"""Is it music? Plain statistics of a score, to be read beside those of real songs.

None of them is a goal: a value outside what real songs show is a warning, a value inside proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musicgen_ui.music.measures import chroma
from musicgen_ui.music.repetition import SIMILAR, groove_consistency, nearest_step, repeated_bars, self_similarity
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Score, to_ticks
from musicgen_ui.music.theory import KEYS, chord_pitch_classes, key_correlations, scale

STRONG_BEATS = {"4/4": (0, 2), "3/4": (0,)}
"""Beats of a bar on which a listener expects chord tones."""


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
        step = nearest_step(note.onset)
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


def polyphony(score: Score) -> float | None:
    """Mean number of pitched notes that sound together, over the time in which any sounds; None without any."""
    sounding = _sounding(score)
    return float(sounding[sounding > 0].mean()) if sounding.any() else None


def polyphony_rate(score: Score) -> float | None:
    """Share of the time in which two or more pitched notes sound; None without pitched notes."""
    return float((_sounding(score) > 1).mean()) if score.pitched else None


def statistics(score: Score) -> dict[str, float | None]:
    """All statistics of a score, by name; None where one does not apply."""
    return {name: function(score) for name, function in STATISTICS.items()}


def _sounding(score: Score) -> np.ndarray:
    """(ticks,) pitched notes that sound in every 1/24 beat."""
    ticks = score.beats * TICKS_PER_BEAT
    change = np.zeros(ticks + 1, dtype=np.int64)
    for note in score.pitched:
        first = to_ticks(note.onset)
        change[first] += 1
        change[min(max(to_ticks(note.onset + note.duration), first + 1), ticks)] -= 1
    return change.cumsum()[:ticks]


def _of_part(function: Callable[[Score, str], float | None], part: str) -> Callable[[Score], float | None]:
    return lambda score: function(score, part)


STATISTICS: dict[str, Callable[[Score], float | None]] = {
    "in-key rate": in_key_rate,
    "chord-tone rate on strong beats": chord_tone_rate,
    "empty bars": empty_bars,
    **{f"empty bars, {part}": _of_part(empty_bars, part) for part in PARTS},
    "notes per beat": notes_per_beat,
    "polyphony (notes)": polyphony,
    "polyphony rate": polyphony_rate,
    "longest note (beats)": longest_note,
    **{f"pitch range, {part} (semitones)": _of_part(pitch_range, part) for part in PARTS[:3]},
    "repeated bars, exact": repeated_bars,
    "repeated bars, similar": lambda score: repeated_bars(score, SIMILAR),
    "self-similarity of bars": self_similarity,
    **{f"self-similarity of bars, {part}": _of_part(self_similarity, part) for part in PARTS},
    "groove consistency": groove_consistency,
}
"""Name, with its unit, to the function that measures it."""
