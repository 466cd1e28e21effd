"""The Listener's own error: what it hears of audio whose score is known.

Tempo counts as right within 4 %; octave errors (half or twice the tempo) are told apart from wrong ones. Keys are
compared exactly and by mir_eval's weights (a fifth off counts 0.5, relative 0.3, parallel 0.2; Raffel et al.
2014). The unit sliders' measures are compared with those of the score by rank correlation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mir_eval
import numpy as np
from scipy.stats import spearmanr

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.music.measures import MEASURED, chroma, measure
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import KEYS, key_correlations
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.training.listener_data import (
    Play,
    Write,
    composed_scores,
    draw_sections,
    not_music,
    without_some_parts,
)
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound

TEMPO_TOLERANCE = 0.04
FEWEST = 10
"""Clips below which a rank correlation says nothing."""


class HeardLike(Protocol):
    """What is used of ``engine.listen.Heard``."""

    values: dict[str, float | str | None]
    raw: dict[str, float | None]


Listen = Callable[[np.ndarray, int], HeardLike]
"""Samples (channels, n) and their rate to what is heard."""


@dataclass(frozen=True)
class Judged:
    """A score, and what was heard of its sound."""

    score: Score
    heard: HeardLike


def run(  # noqa: PLR0913 - every kind of clip has its maker
    out: Path | None,
    listen: Listen,
    *,
    store: PieceStore | None = None,
    play: Play | None = None,
    neural: Play | None = None,
    write: Write | None = None,
    score_scales: Mapping[str, UnitScale] | None = None,
    clips: int = 100,
    seed: int = 0,
    hook: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Measures the Listener and writes the report as JSON.

    Args:
        out: file to write; None for none.
        listen: the Listener.
        store: prepared pieces; their test split is played when ``play`` is given too.
        play: synthesizer and mixer.
        neural: the neural synthesizer and the mixer; plays the test split once more, and what ``write`` writes.
        write: the composers, asked for random styles.
        score_scales: of the score's measures; with them errors are told in the sliders' units, too.
        clips: of each kind.
        seed: of every choice.
        hook: called as hook(kind, done, total).

    Returns:
        Kind of clip ("synthetic", "held-out pieces" with and without drums, the same played neurally, "composed
        clips", "no music") to its numbers.
    """
    rng = np.random.default_rng(seed)

    def judged(kind: str, made: Iterable[tuple[Score, np.ndarray, int]]) -> list[Judged]:
        results = []
        for score, samples, sample_rate in made:
            results.append(Judged(score, listen(samples, sample_rate)))
            if hook is not None:
                hook(kind, len(results), clips)
        return results

    def summed(kind: str, made: Iterable[tuple[Score, np.ndarray, int]]) -> dict[str, Any]:
        return summary(judged(kind, made), score_scales)

    report: dict[str, Any] = {"synthetic": summed("synthetic", _synthetic(rng, clips))}
    if store is not None and play is not None:
        pieces = judged("held-out pieces", _held_out(store, play, rng, clips))
        report["held-out pieces"] = summary(pieces, score_scales)
        for name, wanted in (("with drums", True), ("without drums", False)):
            some = [j for j in pieces if bool(j.score.notes("drums")) == wanted]
            if some:
                report[f"held-out pieces {name}"] = summary(some, score_scales)
    if store is not None and neural is not None:
        kind = "held-out pieces, neural"
        report[kind] = summed(kind, _held_out(store, neural, rng, clips))
    if neural is not None and write is not None:
        report["composed clips"] = summed("composed clips", _composed(write, neural, rng, clips))
    report["no music"] = refusals(judged("no music", _no_music(rng, clips)))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def _synthetic(rng: np.random.Generator, clips: int) -> Iterable[tuple[Score, np.ndarray, int]]:
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    for number, tempo in enumerate(np.linspace(low, high, clips)):
        score = synthetic_score(
            rng,
            tempo=float(np.round(tempo, 1)),
            key=KEYS[number * 7 % len(KEYS)],
            metre="3/4" if number % 4 == 3 else "4/4",
            bars=12,
            drums=number % 3 > 0,
            offbeat=float(rng.uniform(0.1, 0.7)),
            swing=2 / 3 if number % 5 == 4 else 0.5,
        )
        yield score, synthetic_sound(score, rng), 22_050


def _held_out(
    store: PieceStore, play: Play, rng: np.random.Generator, clips: int
) -> Iterable[tuple[Score, np.ndarray, int]]:
    sections = draw_sections(store, "test", rng)
    for number in range(clips):
        score = without_some_parts(next(sections)[1], rng)
        yield score, *play(score, Style(tempo=score.tempo), number)


def _composed(
    write: Write, play: Play, rng: np.random.Generator, clips: int
) -> Iterable[tuple[Score, np.ndarray, int]]:
    for number, (_, score, style) in enumerate(composed_scores(write, rng, 16, clips)):
        yield score, *play(score, style, number)


def _no_music(rng: np.random.Generator, clips: int) -> Iterable[tuple[Score, np.ndarray, int]]:
    for _ in range(clips):
        example = not_music(rng)
        yield example.score, example.samples, example.sample_rate


def summary(judged: Sequence[Judged], score_scales: Mapping[str, UnitScale] | None = None) -> dict[str, Any]:
    """Tempo, key and correlations of clips whose scores are known.

    Returns:
        ``clips``; ``tempo``: shares that are exact, an octave off, wrong and not told, and the median and 99th
        percentile of the error of the right ones in percent; ``key``: shares that are exact and not told,
        mir_eval's weighted score, and the exact share of the clips whose notes themselves point to the labelled
        key; ``spearman``: measure to rank correlation, None for too few clips; ``error`` and ``80th percentile``:
        how far what is heard of a measure lies from the score's, in slider units, in the mean and at most in four of
        five clips; empty without ``score_scales``.
    """
    far = slider_errors(judged, score_scales or {})
    return {
        "clips": len(judged),
        "tempo": _tempo_summary(judged),
        "key": _key_summary([j for j in judged if j.score.key is not None and j.score.pitched]),
        "spearman": agreement([(measure(j.score), j.heard.raw) for j in judged]),
        "error": {name: float(np.mean(miss)) for name, miss in far.items()},
        "80th percentile": {name: float(np.percentile(miss, 80)) for name, miss in far.items()},
    }


def slider_errors(judged: Sequence[Judged], score_scales: Mapping[str, UnitScale]) -> dict[str, list[float]]:
    """How far heard values lie from the scores', in slider units, by measure; only where both are known."""
    misses: dict[str, list[float]] = {name: [] for name in MEASURED if name in score_scales}
    for one in judged:
        truth = measure(one.score)
        for name, found in misses.items():
            heard = one.heard.values[name]
            if truth[name] is not None and heard is not None:
                found.append(abs(float(heard) - score_scales[name].to_unit(truth[name])))
    return {name: found for name, found in misses.items() if found}


def _tempo_summary(judged: Sequence[Judged]) -> dict[str, float | None]:
    ratios = np.array([(j.heard.values["tempo"] or np.nan) / j.score.tempo for j in judged])
    octaves = np.log2(ratios)
    tolerance = np.log2(1 + TEMPO_TOLERANCE)
    right = np.abs(octaves) <= tolerance
    octave = ~right & (np.abs(octaves - np.round(octaves)) <= tolerance)
    errors = 100.0 * np.abs(ratios[right] - 1.0)
    untold = np.isnan(ratios)
    return {
        "exact": float(right.mean()),
        "octave off": float(octave.mean()),
        "wrong": float((~right & ~octave & ~untold).mean()),
        "not told": float(untold.mean()),
        "median error (%)": float(np.median(errors)) if errors.size else None,
        "99th percentile (%)": float(np.percentile(errors, 99)) if errors.size else None,
    }


def _key_summary(judged: Sequence[Judged]) -> dict[str, float | None]:
    told = [(j.score, str(j.heard.values["key"])) for j in judged if j.heard.values["key"] is not None]
    clear = [(s, key) for s, key in told if KEYS[int(key_correlations(chroma(s)).argmax())] == s.key]
    weights = [mir_eval.key.weighted_score(s.key, key) for s, key in told]
    return {
        "exact": _share(s.key == key for s, key in told),
        "exact where the notes agree with the label": _share(s.key == key for s, key in clear),
        "clips where they agree": float(len(clear)),
        "weighted": float(np.mean(weights)) if weights else None,
        "not told": 1.0 - len(told) / len(judged) if judged else None,
    }


def _share(hits: Iterable[bool]) -> float | None:
    hits = list(hits)
    return float(np.mean(hits)) if hits else None


def agreement(
    rows: Sequence[tuple[dict[str, float | None], dict[str, float | None]]],
) -> dict[str, float | None]:
    """Rank correlation (Spearman) of each measure of scores with the same measure of their sound.

    Args:
        rows: (score's measures, raw measures heard) of each clip.

    Returns:
        Measure to correlation over the clips where both are known; None for fewer than ten, or where all are alike.
    """
    table: dict[str, float | None] = {}
    for name in MEASURED:
        pairs = [(a[name], b[name]) for a, b in rows if a.get(name) is not None and b.get(name) is not None]
        differ = all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
        table[name] = float(spearmanr(*zip(*pairs, strict=True))[0]) if differ and len(pairs) >= FEWEST else None
    return table


def refusals(judged: Sequence[Judged]) -> dict[str, float | None]:
    """Share of clips without music for which nothing was claimed, by value."""
    names = ("tempo", "key", *MEASURED)
    told = [j.heard.values | j.heard.raw | {"key": j.heard.values["key"]} for j in judged]
    return {name: _share(values[name] is None for values in told) for name in names}
