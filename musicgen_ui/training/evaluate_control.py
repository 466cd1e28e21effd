"""How the sliders are obeyed: correlations from asked to heard, cross-talk, tolerances, and calibration curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from scipy.stats import rankdata

from musicgen_ui.music.measures import MEASURED
from musicgen_ui.style import SLIDERS
from musicgen_ui.training.control_design import SHARED, ControlClip
from musicgen_ui.training.evaluate import tempo_verdict

Row = Mapping[str, Any]

FEWEST = 10
"""Clips below which a rank correlation says nothing."""


class Obeyed(Protocol):
    """What is used of a finished clip: ``engine.pipeline.Result`` has all of this."""

    asked: Mapping[str, Any]
    heard: Mapping[str, Any]
    rounds: Sequence[Mapping[str, Any]]


def row_of(clip: ControlClip, result: Obeyed, notes: Mapping[str, float], seconds: float) -> dict[str, Any]:
    """What is kept of a clip: asked; heard at first and in the take that was kept; and what it took.

    Args:
        clip: of a design.
        result: what became of it.
        notes: the kept score's own values of the learned sliders, in their units.
        seconds: wall time of all of it.
    """
    rounds = result.rounds
    names = (*SLIDERS, "key")
    return {
        "id": clip.id,
        "composer": clip.recipe.composer,
        "synth": clip.recipe.synth,
        "moved": clip.moved,
        "level": clip.level,
        "seed": clip.seed,
        "asked": {name: _short(result.asked[name]) for name in names},
        "first": {name: _short((rounds[0]["heard"] if rounds else result.heard).get(name)) for name in names},
        "heard": {name: _short(result.heard[name]) for name in names},
        "notes": {name: _short(value) for name, value in notes.items()},
        "kinds": [entry["kind"] for entry in rounds[1:]],
        "seconds": [round(rounds[0]["seconds"] if rounds else seconds, 3), round(seconds, 3)],
    }


def summarise(rows: Sequence[Row], tolerance: Mapping[str, float]) -> dict[str, Any]:
    """The numbers of one composer with one synthesizer.

    Args:
        rows: from :func:`row_of`, of one design.
        tolerance: slider to its largest miss, as a share of its range; of the tempo itself for ``tempo``.

    Returns:
        ``spearman``: slider to its correlation ``first`` and ``kept``, from asked to the notes (``notes``) and from
        the notes to the ear (``ear``); ``cross-talk``: first and kept, moved slider to other slider to correlation
        and noise; ``inside``; ``tempo``; ``key``; ``clips``; ``rounds``; ``seconds``.
    """
    first, whole = np.mean([row["seconds"] for row in rows], axis=0)
    return {
        "clips": len(rows),
        "spearman": {key: _correlations(_moving(rows, key), key) for key in SLIDERS if _moving(rows, key)},
        "cross-talk": {when: cross_talk(rows, when) for when in ("first", "heard")},
        "inside": {when: _inside(rows, when, tolerance) for when in ("first", "heard")},
        "tempo": {when: _tempo(rows, when) for when in ("first", "heard")},
        "key": {
            when: float(np.mean([row[when]["key"] == row["asked"]["key"] for row in rows]))
            for when in ("first", "heard")
        },
        "rounds": {kind: float(np.mean([row["kinds"].count(kind) for row in rows])) for kind in ("notes", "mix")},
        "seconds": {"first": float(first), "all": float(whole), "times": float(whole / max(first, 1e-3))},
    }


def cross_talk(rows: Sequence[Row], when: str) -> dict[str, dict[str, dict[str, float]]]:
    """How far moving one slider moves what is heard of the others.

    Standardised rank regression: in a sweep the seeds, in shared clips the other sliders, are taken out first, so that
    only chance of the moved slider is left. In expectation it is Spearman's correlation.

    Args:
        rows: of one design.
        when: ``first`` or ``heard``.

    Returns:
        moved slider to heard slider to ``value`` and ``noise``, below which 95 % of the absolute values of unrelated
        sliders lie.
    """
    table: dict[str, dict[str, dict[str, float]]] = {}
    for moved in SLIDERS:
        moving = _moving(rows, moved)
        for other in SLIDERS:
            known = [row for row in moving if row[when][other] is not None]
            if other == moved or len(known) < FEWEST:
                continue
            controls = _controls(known, moved)
            if len(known) < 2 * controls.shape[1]:
                continue
            value, noise = _partial(
                np.array([row["asked"][moved] for row in known], dtype=float),
                np.array([row[when][other] for row in known], dtype=float),
                controls,
            )
            table.setdefault(moved, {})[other] = {"value": value, "noise": noise}
    return table


def curves(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Asked to heard: slider to (levels, 4) shares of its range: asked, median, lower and upper quartile.

    Levels at which nothing was heard are interpolated; a slider heard nowhere, or at two levels only, is left out.
    """
    found = {}
    for key, slider in SLIDERS.items():
        points: dict[float, list[float]] = {}
        for row in _moving(rows, key):
            points.setdefault(row["asked"][key], []).append(row["first"][key])
        asked = np.array(sorted(points))
        heard = np.full((len(asked), 3), np.nan)
        for i, value in enumerate(asked):
            known = [v for v in points[value] if v is not None]
            if known:
                heard[i] = np.percentile(known, (50, 25, 75))
        there = np.isfinite(heard[:, 0]) if len(asked) else np.zeros(0, dtype=bool)
        if there.sum() < 3:
            continue
        heard = np.stack([np.interp(asked, asked[there], column[there]) for column in heard.T], axis=1)
        table = np.column_stack([asked, heard])
        found[key] = (table - slider.low) / (slider.high - slider.low)
    return found


def _moving(rows: Sequence[Row], key: str) -> list[Row]:
    """Rows in which the slider is moved by the design."""
    return [row for row in rows if row["moved"] in (key, SHARED)]


def _correlations(rows: Sequence[Row], key: str) -> dict[str, float | None]:
    asked = [row["asked"][key] for row in rows]
    found = {when: spearman(asked, [row[when][key] for row in rows]) for when in ("first", "heard")}
    if key in MEASURED:
        notes = [row["notes"].get(key) for row in rows]
        found["notes"] = spearman(asked, notes)
        found["ear"] = spearman(notes, [row["heard"][key] for row in rows])
    return found


def spearman(one: Sequence[float | None], other: Sequence[float | None]) -> float | None:
    """Rank correlation of the pairs that are both known; None for too few, or where one of them never changes."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if len(pairs) < FEWEST:
        return None
    a, b = (rankdata(column) for column in zip(*pairs, strict=True))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else None


def _controls(rows: Sequence[Row], moved: str) -> np.ndarray:
    """(rows, columns) of what is taken out: the seeds of a sweep, the other sliders of shared clips."""
    if rows[0]["moved"] == SHARED:
        return np.column_stack([rankdata([row["asked"][key] for row in rows]) for key in SLIDERS if key != moved])
    seeds = np.array([row["seed"] for row in rows])
    return (seeds[:, None] == np.unique(seeds)[None, :-1]).astype(float)


def _partial(moved: np.ndarray, heard: np.ndarray, controls: np.ndarray) -> tuple[float, float]:
    """Standardised coefficient of ``moved`` for ``heard`` (both ranked), and its 95 % bound under independence."""
    x, y = rankdata(moved), rankdata(heard)
    if y.std() == 0 or x.std() == 0:
        return 0.0, 0.0
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    design = np.column_stack([x, controls - controls.mean(axis=0), np.ones(len(x))])
    weights, _, columns, _ = np.linalg.lstsq(design, y, rcond=None)
    free = max(len(y) - int(columns), 1)
    residual = y - design @ weights
    return float(weights[0]), float(1.96 * np.sqrt(np.square(residual).sum() / free / len(y)))


def _inside(rows: Sequence[Row], when: str, tolerance: Mapping[str, float]) -> dict[str, Any]:
    """Share of the clips in which each slider is within tolerance, in which all are, and the mean miss."""
    found: dict[str, Any] = {}
    good = np.ones(len(rows), dtype=bool)
    for key, slider in SLIDERS.items():
        asked = np.array([row["asked"][key] for row in rows], dtype=float)
        heard = np.array([np.nan if row[when][key] is None else row[when][key] for row in rows], dtype=float)
        gap = np.abs(heard / asked - 1) if key == "tempo" else np.abs(heard - asked) / (slider.high - slider.low)
        known = np.isfinite(gap)
        good &= ~known | (gap <= tolerance[key])
        if known.any():
            share = float((gap[known] <= tolerance[key]).mean())
            found[key] = {"inside": share, "miss": float(gap[known].mean()), "heard": float(known.mean())}
    sliders = [entry["inside"] for entry in found.values()]
    return {"sliders": found, "mean": float(np.mean(sliders)), "clips": float(good.mean())}


def _tempo(rows: Sequence[Row], when: str) -> dict[str, float]:
    verdicts = [tempo_verdict(row["asked"]["tempo"], row[when]["tempo"]) for row in rows]
    return {name or "unheard": verdicts.count(name) / len(verdicts) for name in ("exact", "octave", "wrong", None)}


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
