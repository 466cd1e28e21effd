"""Corpora of clips beside real songs: statistics within quartiles, overlap of distributions, and novelty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from musicgen_ui.music.novelty import PITCH_COLUMNS, PhraseIndex, phrases
from musicgen_ui.music.score import Score
from musicgen_ui.music.statistics import STATISTICS, statistics
from musicgen_ui.training.held_out import Corpus

WIDEST_INTERVAL = 24
DISTANCE_BINS = 32
RESAMPLES = 1000
BAND = (2.5, 97.5)
"""Percentiles of the human corpus's own band."""


def statistic_rows(corpora: Mapping[str, Corpus], real: Corpus) -> list[dict[str, Any]]:
    """A row for each of ``music.statistics.STATISTICS``: the real songs' quartiles, then every corpus beside them.

    ``inside`` says whether a corpus's median lies within the real songs' quartiles; ``share inside`` how many of its
    clips do, which is about a half for real songs.
    """
    theirs = [statistics(score) for score in real.scores]
    ours = {name: [statistics(score) for score in corpus.scores] for name, corpus in corpora.items()}
    rows = []
    for statistic in STATISTICS:
        values = _present(theirs, statistic)
        if not len(values):
            continue
        low, middle, high = np.percentile(values, (25, 50, 75))
        row: dict[str, Any] = {"statistic": statistic, "p25": low, "p50": middle, "p75": high, "mean": values.mean()}
        row["corpora"] = {
            name: _beside(_present(entries, statistic), low, high)
            for name, entries in ours.items()
            if len(_present(entries, statistic))
        }
        rows.append(row)
    return rows


def _present(entries: Sequence[Mapping[str, float | None]], statistic: str) -> np.ndarray:
    return np.array([entry[statistic] for entry in entries if entry[statistic] is not None], dtype=np.float64)


def _beside(values: np.ndarray, low: float, high: float) -> dict[str, Any]:
    median = float(np.median(values))
    share = float(((low <= values) & (values <= high)).mean())
    inside = bool(low <= median <= high)
    return {"median": median, "mean": float(values.mean()), "inside": inside, "share inside": share}


def pitch_classes(score: Score) -> np.ndarray:
    """(12,) counts of the pitched notes; scores here are in neutral keys, so classes are degrees of the scale."""
    return np.bincount([note.pitch % 12 for note in score.pitched], minlength=12).astype(np.float64)


def intervals(score: Score, part: str) -> np.ndarray:
    """(49,) counts of the steps from a part's note to its next one, in semitones, two octaves down to two up."""
    steps = [b.pitch - a.pitch for a, b in pairwise(score.notes(part))]
    clipped = np.clip(np.array(steps, dtype=np.int64), -WIDEST_INTERVAL, WIDEST_INTERVAL) + WIDEST_INTERVAL
    return np.bincount(clipped, minlength=2 * WIDEST_INTERVAL + 1).astype(np.float64)


HISTOGRAMS: dict[str, Callable[[Score], np.ndarray]] = {
    "pitch classes": pitch_classes,
    "intervals, lead": lambda score: intervals(score, "lead"),
    "intervals, bass": lambda score: intervals(score, "bass"),
}


def overlap_rows(corpora: Mapping[str, Corpus], real: Corpus) -> dict[str, dict[str, dict[str, float]]]:
    """Corpus → histogram → its two overlaps with the real songs, each 0 (nothing in common) to 1 (the same).

    ``histogram``: the overlap area of the two corpora's mean histograms. ``distances``: the overlap area of the
    distribution of distances between clips and real songs with that of the distances among real songs, after Yang &
    Lerch (2020), with histograms of DISTANCE_BINS bins in place of kernels; it also sees a corpus whose mean is right
    and whose clips are all alike.
    """
    rows: dict[str, dict[str, dict[str, float]]] = {name: {} for name in corpora}
    for feature, histogram in HISTOGRAMS.items():
        theirs, songs = _histograms(real, histogram)
        for name, corpus in corpora.items():
            ours, _ = _histograms(corpus, histogram)
            if len(ours) and len(theirs):
                rows[name][feature] = {
                    "histogram": overlap_area(ours.mean(axis=0), theirs.mean(axis=0)),
                    "distances": distance_overlap(ours, theirs, songs),
                }
    return rows


def _histograms(corpus: Corpus, histogram: Callable[[Score], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(clips, bins) shares of the clips that have any, and the songs of those clips."""
    counts = np.stack([histogram(score) for score in corpus.scores])
    some = counts.sum(axis=1) > 0
    return counts[some] / counts[some].sum(axis=1, keepdims=True), np.array(corpus.songs)[some]


def overlap_area(a: np.ndarray, b: np.ndarray) -> float:
    """Shared area of two histograms that sum to 1."""
    return float(np.minimum(a, b).sum())


def distance_overlap(ours: np.ndarray, theirs: np.ndarray, songs: np.ndarray) -> float:
    """Overlap area of inter-set and intra-set Euclidean distances (Yang & Lerch 2020).

    Args:
        ours: (n, bins) histograms.
        theirs: (m, bins) of the reference.
        songs: (m,) song of each; two sections of one song are no pair.
    """
    between = np.linalg.norm(ours[:, None] - theirs[None], axis=-1).ravel()
    apart = np.triu(songs[:, None] != songs[None, :], 1)
    within = np.linalg.norm(theirs[:, None] - theirs[None], axis=-1)[apart]
    if not len(within):
        return float("nan")
    edges = np.linspace(0.0, max(between.max(), within.max()) + 1e-9, DISTANCE_BINS + 1)
    shares = [np.histogram(values, edges)[0] / len(values) for values in (between, within)]
    return overlap_area(*shares)


def novelty_rows(
    corpora: Mapping[str, Corpus], humans: Mapping[str, Corpus], training: Sequence[np.ndarray], *, seed: int = 0
) -> list[dict[str, Any]]:
    """A row a part: how many clips say for eight beats, note for note, what a training song says.

    See ``music.novelty`` for what counts as a phrase. The band is what chance makes of a human corpus's own share:
    percentiles BAND over corpora of as many songs, drawn from its songs with replacement. ``inside`` says that a
    corpus does not copy more than the upper end of the first human corpus's band.

    Args:
        corpora: the generated clips.
        humans: songs that are not in ``training``; the first are those that the clips are judged by.
        training: tables of the training songs.
        seed: of the resampling.
    """
    rows = []
    for part in PITCH_COLUMNS:
        index = PhraseIndex(training, part)
        row: dict[str, Any] = {"part": part, "known phrases": len(index), "humans": {}, "corpora": {}}
        for name, corpus in humans.items():
            numbers, copied, songs = _copies(corpus, index)
            low, high = _band(copied, songs, np.random.default_rng(seed))
            row["humans"][name] = numbers | {"low": low, "high": high}
        limit = next(iter(row["humans"].values()))["high"]
        for name, corpus in corpora.items():
            numbers, _, _ = _copies(corpus, index)
            row["corpora"][name] = numbers | {"inside": numbers["clips with a copy"] <= limit}
        rows.append(row)
    return rows


def _copies(corpus: Corpus, index: PhraseIndex) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Shares of the clips in which the part plays; whether each of them holds a copied phrase, and their songs."""
    columns = list(PITCH_COLUMNS[index.part])
    plays = np.array([bool((table[:, columns] > 0).any()) for table in corpus.tables], dtype=bool)
    found = phrases(corpus.tables, index.part)
    known = index.sources(found)[0] >= 0
    copied, telling = np.zeros_like(plays), np.zeros_like(plays)
    copied[found.piece[known]] = True
    telling[found.piece] = True
    numbers = {
        "clips": int(plays.sum()),
        "clips with a telling phrase": float(telling[plays].mean()) if plays.any() else 0.0,
        "clips with a copy": float(copied[plays].mean()) if plays.any() else 0.0,
        "phrases": len(found.step),
        "phrases copied": float(known.mean()) if len(known) else 0.0,
        "phrases left out": found.plain,
    }
    return numbers, copied[plays], np.array(corpus.songs)[plays]


def _band(copied: np.ndarray, songs: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Percentiles BAND of the share of sections with a copy; whole songs are drawn, as their sections are alike."""
    if not len(copied):
        return 0.0, 0.0
    _, song = np.unique(songs, return_inverse=True)
    sections, hits = np.bincount(song), np.bincount(song, weights=copied)
    drawn = rng.integers(0, len(sections), (RESAMPLES, len(sections)))
    shares = hits[drawn].sum(axis=1) / sections[drawn].sum(axis=1)
    low, high = np.percentile(shares, BAND)
    return float(low), float(high)
