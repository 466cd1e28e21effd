"""Judges finished clips with tools that had no part in making them, and scores beside real songs.

Clips: tempo and key as the Listener hears them against what was asked, weighted key by mir_eval (Raffel et al.
2014), loudness by pyloudnorm, true peak by 8 times oversampling. Scores: ``music.statistics`` of the same clips
beside sections of held-out songs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import mir_eval
import numpy as np
import pyloudnorm
from scipy.signal import resample_poly

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.statistics import STATISTICS, statistics
from musicgen_ui.music.theory import KEYS, key_is_minor
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, SLIDERS, Style
from musicgen_ui.training.control_design import random_style

TEMPO_TOLERANCE = 0.04
OCTAVES = (2.0, 0.5, 3.0, 1 / 3)
"""Ratios at which a beat tracker counts another level of the same metre."""

MAX_DC = 1e-3
MAX_TRUE_PEAK = -1.0
LOUDNESS = (-17.0, -15.0)
MAX_SILENCE = 1.5
"""Longest gap in seconds in which a clip may stay below -60 dBFS."""


class Finished(Protocol):
    """What is judged: ``engine.pipeline.Result`` has all of this."""

    score: Score
    clip: Any
    asked: Mapping[str, Any]
    heard: Mapping[str, Any]
    seconds: Mapping[str, float]
    rounds: Sequence[Mapping[str, Any]]


def clip_recipes(tempos: int = 20, seeds: int = 3, recipe: Recipe | None = None) -> Iterator[Recipe]:
    """Recipes over the tempo range with several seeds each, walking through all keys and genres; other sliders rest."""
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    for index, tempo in enumerate(np.linspace(low, high, tempos).round()):
        for seed in range(seeds):
            number = index * seeds + seed
            # 7 and 24 share no factor, so that neighbours differ and all keys come up.
            style = Style(
                tempo=float(tempo), key=KEYS[number * 7 % len(KEYS)], genre={GENRES[number % len(GENRES)]: 1.0}
            )
            yield replace(recipe or Recipe(), style=style, seed=seed)


def random_recipes(clips: int, recipe: Recipe) -> Iterator[Recipe]:
    """Recipes whose sliders are all evenly random, every key and genre equally often, and the tempi evenly spread.

    The mood is drawn on the key's own side: minor and cheerful at once is nothing that one could hear.
    """
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    tempi = np.random.default_rng(0x7E).permutation(np.linspace(low, high, clips).round(1))
    for number, tempo in enumerate(tempi):
        style, key = random_style(number), KEYS[number * 7 % len(KEYS)]
        mood = style.mood / 2 if key_is_minor(key) else 0.5 + style.mood / 2
        genre = {GENRES[number % len(GENRES)]: 1.0}
        yield replace(
            recipe, style=style.with_values(tempo=float(tempo), key=key, mood=round(mood, 3), genre=genre), seed=number
        )


@dataclass(frozen=True)
class Verdict:
    """What one clip was and whether it holds.

    Attributes:
        tempo: ``exact`` (within 4 %), ``octave`` (within 4 % of half, double or a third) or ``wrong``; None unheard.
        key: whether the key is exactly the one asked for; ``key_weighted`` is mir_eval's score for near misses.
        dc: largest mean of a channel.
        true_peak: dBTP. loudness: LUFS. longest_silence: seconds.
        faults: names of the hygiene rules that the clip breaks.
    """

    tempo: str | None
    key: bool
    key_weighted: float
    dc: float
    true_peak: float
    loudness: float
    longest_silence: float
    faults: tuple[str, ...]


def judge(result: Finished) -> Verdict:
    """Judge a clip."""
    samples, rate = result.clip.samples, result.clip.sample_rate
    finite = bool(np.isfinite(samples).all())
    clean = np.nan_to_num(samples.astype(np.float64))
    dc = float(np.abs(clean.mean(axis=1)).max())
    peak = 20 * np.log10(max(float(np.abs(resample_poly(clean, 8, 1, axis=1)).max()), 1e-9))
    loudness = float(pyloudnorm.Meter(rate).integrated_loudness(clean.T))
    silence = longest_silence(clean, rate)
    rules = {
        "finite": finite,
        "dc": dc <= MAX_DC,
        "true peak": peak <= MAX_TRUE_PEAK,
        "loudness": LOUDNESS[0] <= loudness <= LOUDNESS[1],
        "length": samples.shape[1] == result.score.samples(rate),
        "silence": silence <= MAX_SILENCE,
    }
    asked, heard = result.asked["key"], result.heard["key"]
    return Verdict(
        tempo=tempo_verdict(result.asked["tempo"], result.heard["tempo"]),
        key=asked == heard,
        key_weighted=mir_eval.key.weighted_score(asked, heard) if asked and heard else 0.0,
        dc=dc,
        true_peak=float(peak),
        loudness=loudness,
        longest_silence=silence,
        faults=tuple(name for name, holds in rules.items() if not holds),
    )


def tempo_verdict(asked: float, heard: float | None) -> str | None:
    """``exact``, ``octave`` or ``wrong``; None when nothing was heard."""
    if heard is None:
        return None
    if abs(heard / asked - 1) <= TEMPO_TOLERANCE:
        return "exact"
    return "octave" if any(abs(heard / (asked * o) - 1) <= TEMPO_TOLERANCE for o in OCTAVES) else "wrong"


def longest_silence(samples: np.ndarray, sample_rate: int, threshold: float = 1e-3) -> float:
    """Longest stretch in seconds in which every sample of every channel (channels, n) stays below ``threshold``."""
    loud = np.flatnonzero(np.abs(samples).max(axis=0) >= threshold)
    edges = np.concatenate(([-1], loud, [samples.shape[1]]))
    return float((np.diff(edges).max() - 1) / sample_rate)


def summarise(verdicts: Sequence[Verdict], seconds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Rates over all clips, and the median and slowest second of each stage."""
    count = len(verdicts)
    tempo = [v.tempo for v in verdicts]
    stages = list(dict.fromkeys(stage for entry in seconds for stage in entry))
    times = {stage: [entry.get(stage, 0.0) for entry in seconds] for stage in stages}
    times["total"] = [sum(entry.values()) for entry in seconds]
    return {
        "clips": count,
        "tempo": {
            "within 4 %, octave aside": sum(t in ("exact", "octave") for t in tempo) / count,
            "within 4 %": tempo.count("exact") / count,
            "octave": tempo.count("octave") / count,
            "wrong": tempo.count("wrong") / count,
            "unheard": tempo.count(None) / count,
        },
        "key": {
            "exact": sum(v.key for v in verdicts) / count,
            "weighted": float(np.mean([v.key_weighted for v in verdicts])),
        },
        "hygiene": {
            "clips without fault": sum(not v.faults for v in verdicts),
            "faults": {name: sum(name in v.faults for v in verdicts) for v in verdicts for name in v.faults},
            "largest dc": max(v.dc for v in verdicts),
            "highest true peak (dBTP)": max(v.true_peak for v in verdicts),
            "loudness (LUFS)": [min(v.loudness for v in verdicts), max(v.loudness for v in verdicts)],
            "longest silence (s)": max(v.longest_silence for v in verdicts),
        },
        "seconds": {stage: {"median": float(np.median(t)), "slowest": max(t)} for stage, t in times.items()},
    }


def first_try(clips: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, float]:
    """Shares of the clips whose tempo and key were right before any correction, from asked and first heard values."""
    return {
        "tempo": sum(tempo_verdict(asked["tempo"], heard["tempo"]) == "exact" for asked, heard in clips) / len(clips),
        "key": sum(asked["key"] == heard["key"] for asked, heard in clips) / len(clips),
    }


def held_out_sections(store: PieceStore, bars: int = 16, per_piece: int = 2) -> Iterator[Score]:
    """Sections of test songs in which all four parts play: real music of the kind that the studio writes.

    At most ``per_piece`` sections of a song, spread evenly, so that long pieces do not count for more.
    """
    for info in store.index():
        if info.split != "test" or set(info.parts) != set(PARTS) or info.bars < bars:
            continue
        score = store.read(info.id).score
        starts = np.unique(np.linspace(0, info.bars // bars - 1, per_piece).astype(int)) * bars
        for start in starts:
            section = score.section(int(start), bars)
            if all(section.notes(part) for part in PARTS):
                yield section


def sanity_table(generated: Iterable[Score], held_out: Iterable[Score]) -> list[dict[str, Any]]:
    """A row a statistic: the held-out 5th, 50th and 95th percentile, the generated median and mean.

    ``inside`` says whether the generated median lies within the held-out 5-95 %, ``share inside`` how many of the
    clips do; of the held-out sections themselves it is at least 0.9. The mean decides nothing: where nearly all
    songs have 0, such as empty bars, their own mean lies outside.
    """
    ours, theirs = [statistics(score) for score in generated], [statistics(score) for score in held_out]
    rows = []
    for name in STATISTICS:
        real = [entry[name] for entry in theirs if entry[name] is not None]
        made = [entry[name] for entry in ours if entry[name] is not None]
        if not real or not made:
            continue
        low, middle, high = (float(value) for value in np.percentile(real, (5, 50, 95)))
        median, mean = float(np.median(made)), float(np.mean(made))
        row = {"statistic": name, "p5": low, "p50": middle, "p95": high, "median": median, "mean": mean}
        row |= {
            "inside": low <= median <= high,
            "share inside": sum(low <= value <= high for value in made) / len(made),
        }
        rows.append(row | {"sections": len(real), "clips": len(made)})
    return rows


def evaluate_clips(
    generate: Callable[[Recipe], Finished],
    recipes: Sequence[Recipe],
    store: PieceStore | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Make and judge clips, and compare their scores with held-out songs where a store is given.

    Audio is dropped after judging, so that memory does not grow with the number of clips.
    """
    verdicts, seconds, scores, first = [], [], [], []
    for index, recipe in enumerate(recipes):
        result = generate(recipe)
        verdicts.append(judge(result))
        seconds.append(dict(result.seconds))
        scores.append(result.score)
        if recipe.rounds:
            first.append((result.asked, result.rounds[0]["heard"]))
        progress(index + 1, len(recipes))
    sections = [] if store is None else list(held_out_sections(store, recipes[0].bars))
    rows = [
        {"seed": r.seed, "tempo": r.style.tempo, "key": r.style.key, "genre": list(r.style.genre)} | vars(v)
        for r, v in zip(recipes, verdicts, strict=True)
    ]
    report = summarise(verdicts, seconds) | ({"first": first_try(first)} if first else {})
    return report | {"sanity": sanity_table(scores, sections), "each clip": rows}
