"""How well accompaniments fit melodies of held-out songs, beside the songs' own and those of other songs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.data.pieces import PieceInfo, PieceStore
from musicgen_ui.errors import RequestError
from musicgen_ui.music.harmonization import agreement, symbol_agreement
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.statistics import in_key_rate
from musicgen_ui.music.theory import key_is_minor, key_tonic

MEASURES: dict[str, Callable[[Score], float | None]] = {
    "chord tones (sounding)": agreement,
    "chord tones (symbols)": symbol_agreement,
    "accompaniment in key": lambda score: in_key_rate(score.with_parts(("chords", "bass"))),
    "chord changes a bar": lambda score: chord_changes(score),
    "accompaniment notes a beat": lambda score: (
        sum(len(score.notes(part)) for part in ("chords", "bass")) / score.beats if score.notes("chords") else None
    ),
}
"""The first two: share of the melody's time in which the accompaniment, or its chord symbol, has the melody's pitch."""

ORIGINAL, OTHER = "the song's own", "another song's"
CLOSE = 0.05
"""Chord tones by which an accompaniment may fall short of the song's own."""

_DRAWS = 2000
_MIN_MELODY = 8

Accompany = Callable[[Score, int], Score]
"""(a score with only the melody, seed) → the score with every part."""


@dataclass(frozen=True)
class AccompanimentSettings:
    """How many songs in all four parts, how many lead sheets, how many bars of each, and the seed of the choice."""

    songs: int = 24
    sheets: int = 12
    bars: int = 16
    seed: int = 0


def evaluate_accompaniment(
    data: Path, accompanists: Mapping[str, Accompany], settings: AccompanimentSettings, hook: Callable[[], Any]
) -> dict[str, Any]:
    """Tables for songs in which all four parts play and for lead sheets, whose own accompaniment is chord symbols.

    Args:
        data: what ``prepare`` wrote.
        accompanists: name to what writes.
        settings: see there.
        hook: called after every accompaniment.

    Raises:
        RequestError: there are no prepared pieces, or none that is held out and has a melody.
    """
    store = PieceStore(data)
    rng = np.random.default_rng(settings.seed)
    held = [info for info in store.index() if info.split == "test" and info.bars >= settings.bars and info.key]
    full = [info for info in held if len(info.parts) == len(PARTS)]
    sheets = [info for info in held if info.parts == ("lead",) and info.chords[1]]
    groups = {
        "songs": _sections(store, full, settings.songs, settings.bars, rng),
        "lead sheets": _sections(store, sheets, settings.sheets, settings.bars, rng),
    }
    if not groups["songs"]:
        raise RequestError("--data", "no held-out song has all four parts")
    report: dict[str, Any] = {"settings": vars(settings), "close": CLOSE}
    for name, songs in groups.items():
        if songs:
            report[name] = compare(songs, accompanists, settings.seed, hook)
    return report


def compare(
    songs: Sequence[Score], accompanists: Mapping[str, Accompany], seed: int, hook: Callable[[], Any]
) -> dict[str, Any]:
    """One group of songs.

    Returns:
        ``count``; ``rows``: accompaniment to measure to mean; ``behind``: accompanist to the mean of its chord tones
        less the song's own, with a 95 % interval; ``kept``: accompanist to the share of songs whose melody came back
        note for note.
    """
    scores: dict[str, list[Score]] = {ORIGINAL: list(songs), OTHER: []}
    for number, song in enumerate(songs):
        others = [*songs[number + 1 :], *songs[:number]]
        scores[OTHER] += [borrowed(song, other) for other in others if other.metre == song.metre][:1]
    kept = {}
    for name, accompany in accompanists.items():
        made = []
        for number, song in enumerate(songs):
            made.append(accompany(replace(song.with_parts(("lead",)), chords=(), programs={}), seed + number))
            hook()
        scores[name] = made
        kept[name] = float(np.mean([a.notes("lead") == b.notes("lead") for a, b in zip(made, songs, strict=True)]))
    measure = "chord tones (sounding)" if songs[0].notes("chords") else "chord tones (symbols)"
    behind = {}
    for name in accompanists:
        pairs = [
            (MEASURES[measure](made), MEASURES[measure](own)) for made, own in zip(scores[name], songs, strict=True)
        ]
        behind[name] = _interval([a - b for a, b in pairs if a is not None and b is not None], seed)
    rows = {
        name: {measure: _mean([function(score) for score in group]) for measure, function in MEASURES.items()}
        for name, group in scores.items()
    }
    return {"count": len(songs), "rows": rows, "behind": behind, "kept": kept, "measure": measure}


def borrowed(song: Score, other: Score) -> Score:
    """A song's melody over another song's accompaniment, which moves into the song's key, or its relative one."""
    shift = key_tonic(song.key) - key_tonic(other.key)
    if key_is_minor(song.key) != key_is_minor(other.key):
        shift += 3 if key_is_minor(song.key) else -3
    moved = other.transposed((shift + 6) % 12 - 6)
    return replace(moved, parts={**moved.parts, "lead": song.notes("lead")}, key=song.key)


def chord_changes(score: Score) -> float | None:
    """Changes of the chord symbol a bar; None without symbols."""
    symbols = [(chord.root, chord.quality) for chord in score.chords]
    return sum(a != b for a, b in pairwise(symbols)) / score.bars if symbols else None


def _sections(
    store: PieceStore, infos: Sequence[PieceInfo], count: int, bars: int, rng: np.random.Generator
) -> list[Score]:
    """At most ``count`` sections of different songs, each from the bars in which a melody plays."""
    found: list[Score] = []
    for index in rng.permutation(len(infos)):
        if len(found) == count:
            break
        score = store.read(infos[index].id).score
        section = score.section(int(rng.integers(0, score.bars - bars + 1)), bars)
        playing = all(section.notes(part) for part in section.parts)
        if playing and len(section.notes("lead")) >= _MIN_MELODY:
            found.append(section)
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _interval(values: Sequence[float], seed: int) -> dict[str, float] | None:
    """Mean and 95 % bootstrap interval over songs."""
    if not values:
        return None
    sample = np.asarray(values)
    draws = np.random.default_rng(seed).choice(sample, (_DRAWS, len(sample))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"mean": float(sample.mean()), "low": float(low), "high": float(high)}
