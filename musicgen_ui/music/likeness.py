"""How alike two scores are, note for note, wherever their keys lie."""

from __future__ import annotations

from itertools import zip_longest

from musicgen_ui.music.repetition import SIMILAR, BarContent, bar_contents
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import key_is_minor, key_tonic

_NEUTRAL = {False: 0, True: 9}


def note_likeness(a: Score, b: Score) -> float:
    """Notes that both have in the same bar, part, sixteenth step and degree of the key, over those that either has.

    Octaves do not count, and relative keys count as one: a score moved to another key is as it was.

    Returns:
        0 to 1; 1 where neither has notes.
    """
    both = _bars(a, b)
    union = sum(len(x | y) for x, y in both)
    return sum(len(x & y) for x, y in both) / union if union else 1.0


def bar_likeness(a: Score, b: Score, similar: float = SIMILAR) -> float:
    """Share of the bars in which either sounds that hold the same idea in both: an overlap of ``similar`` or more."""
    both = [(x, y) for x, y in _bars(a, b) if x | y]
    return sum(len(x & y) >= similar * len(x | y) for x, y in both) / len(both) if both else 1.0


def _bars(a: Score, b: Score) -> list[tuple[BarContent, BarContent]]:
    """What starts in each bar of either; nothing past its end."""
    return list(zip_longest(_contents(a), _contents(b), fillvalue=frozenset()))


def _contents(score: Score) -> list[BarContent]:
    """What starts in each bar, by degree of the key."""
    shift = 0 if score.key is None else key_tonic(score.key) - _NEUTRAL[key_is_minor(score.key)]
    return [
        frozenset((part, step, pitch if part == "drums" else (pitch - shift) % 12) for part, step, pitch in content)
        for content in bar_contents(score)
    ]
