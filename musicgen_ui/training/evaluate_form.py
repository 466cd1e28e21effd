"""Forms, endings and loops in numbers: are sections alike that should be, does an end end, does a join show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.looping import EXCESS_DB, beat_jumps, seam, share_below
from musicgen_ui.audio.waveform import Clip
from musicgen_ui.music.form import FREE, Section, Shape, plan_form
from musicgen_ui.music.frame import closing_beat
from musicgen_ui.music.repetition import bar_contents
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.theory import chord_pitch_classes, key_is_minor, key_tonic
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, Style

QUIET_DBFS = -50.0
"""An end has faded where its last LAST_SECONDS stay below this."""

LAST_SECONDS = 0.05

Write = Callable[[str, Sequence[Style], int, Shape], list[Score]]
"""``write(composer, styles, bars, shape)``: a score a style, in their order."""


class Made(Protocol):
    """What is read of a finished clip."""

    clip: Clip
    score: Score


def drawn_styles(count: int, seed: int = 0) -> list[Style]:
    """Styles anywhere within the sliders, each of one genre."""
    rng = np.random.default_rng([seed, 0xF0])
    styles = []
    for _ in range(count):
        values = {key: float(rng.uniform(0.15, 0.85)) for key in ("energy", "density", "syncopation", "complexity")}
        genre = str(rng.choice(list(GENRES)))
        mood, tempo = float(rng.choice([0.2, 0.8])), float(rng.integers(70, 160))
        styles.append(Style.from_dict({"genre": {genre: 1.0}}).with_values(mood=mood, tempo=tempo, **values))
    return styles


def bar_likeness(score: Score, part: str | None = None) -> np.ndarray:
    """(bars, bars) overlap of what starts in two bars: intersection over union, NaN where both are silent."""
    contents = bar_contents(score, part)
    matrix = np.full((score.bars, score.bars), np.nan)
    for i, a in enumerate(contents):
        for j, b in enumerate(contents):
            if a or b:
                matrix[i, j] = len(a & b) / len(a | b)
    return matrix


def section_likeness(matrix: np.ndarray, a: Section, b: Section) -> float:
    """Mean likeness of the bars of two sections that have the same place in them; NaN where all are silent."""
    bars = min(a.bars, b.bars)
    places = [matrix[a.first + i, b.first + i] for i in range(bars)]
    known = [value for value in places if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def label_likeness(score: Score, sections: Sequence[Section], part: str | None = None) -> dict[str, float | None]:
    """Mean likeness of the pairs of sections that share a subject, and of those that do not; None without a pair.

    A variation shares the subject of its theme.
    """
    matrix = bar_likeness(score, part)
    pairs: dict[str, list[float]] = {"within": [], "between": []}
    for a, b in combinations([s for s in sections if s.label != "intro"], 2):
        same = _subject(a) == _subject(b)
        pairs["within" if same else "between"].append(section_likeness(matrix, a, b))
    return {kind: _mean(values) for kind, values in pairs.items()}


def _subject(section: Section) -> int:
    return section.first if section.repeats is None else section.repeats


def form_report(scores: Sequence[Score], free: Sequence[Score], sections: Sequence[Section]) -> dict[str, Any]:
    """Likeness of sections over clips.

    Args:
        scores: clips of a form.
        free: clips of the same length that have none: how alike their bars are at the same places.
        sections: of the form.

    Returns:
        ``within`` and ``between`` labels, for all parts and by part; ``separated``, the share of the clips whose
        sections of one label are all more alike than any two of different labels; the same of ``free``; and ``matrix``,
        the mean likeness of every two sections.
    """
    made: dict[str, Any] = {"sections": [[s.label, s.bars] for s in sections]}
    for name, clips in (("form", scores), ("free", free)):
        made[name] = _means([label_likeness(score, sections) for score in clips])
    made["parts"] = {part: _means([label_likeness(score, sections, part) for score in scores]) for part in PARTS}
    matrices = [bar_likeness(score) for score in scores]
    tables = np.array([[[section_likeness(m, a, b) for b in sections] for a in sections] for m in matrices])
    made["matrix"] = [[_mean(tables[:, i, j]) for j in range(len(sections))] for i in range(len(sections))]
    subjects = [_subject(s) for s in sections]
    same = np.array([[a == b for b in subjects] for a in subjects])
    off = ~np.eye(len(sections), dtype=bool)
    if (same & off).any() and (~same).any():
        made["separated"] = float(np.mean([np.nanmin(t[same & off]) > np.nanmax(t[~same]) for t in tables]))
    return made


def ending_report(scores: Sequence[Score]) -> dict[str, float]:
    """Shares of the clips whose last bar closes: tonic chord, root in the bass, chord tone on top, nobody after it."""
    facts: dict[str, list[bool]] = {"tonic chord": [], "root in the bass": [], "chord tone on top": [], "held": []}
    for score in scores:
        tonic = key_tonic(score.key)
        quality = "min" if key_is_minor(score.key) else "maj"
        facts["tonic chord"].append((score.chords[-1].root, score.chords[-1].quality) == (tonic, quality))
        if score.notes("bass"):
            facts["root in the bass"].append(score.notes("bass")[-1].pitch % 12 == tonic)
        if score.notes("lead"):
            facts["chord tone on top"].append(score.notes("lead")[-1].pitch % 12 in chord_pitch_classes(tonic, quality))
        last = max((note.onset for part in PARTS for note in score.notes(part)), default=0.0)
        facts["held"].append(last <= closing_beat(score))
    return {name: float(np.mean(values)) for name, values in facts.items() if values}


def last_level(clip: Clip) -> float:
    """Highest sample of the last LAST_SECONDS, in dBFS."""
    last = clip.samples[:, -max(1, round(LAST_SECONDS * clip.sample_rate)) :]
    return float(20 * np.log10(np.abs(last).max() + 1e-9))


def closing_report(made: Sequence[Made]) -> dict[str, Any]:
    """Sound at the end of clips that close: its level, and steps against the inside of the clip."""
    levels = [last_level(result.clip) for result in made]
    clicks = []
    for result in made:
        steps = np.abs(np.diff(result.clip.samples, axis=-1)).max(axis=0)
        last = result.clip.sample_rate // 10
        clicks.append(bool(steps[-last:].max() > 1.01 * steps[:-last].max()))
    return {
        "clips": len(levels),
        "silent": float(np.mean([level < QUIET_DBFS for level in levels])),
        "loudest end (dBFS)": max(levels),
        "clicks": sum(clicks),
    }


def loop_report(made: Sequence[Made]) -> dict[str, Any]:
    """Joins of loops, and for comparison the bar lines inside the same clips, measured in the same way."""
    joins, places, inner, exact = [], [], [], []
    for result in made:
        clip, score = result.clip, result.score
        exact.append(clip.samples.shape[1] == score.samples(clip.sample_rate))
        joins.append(seam(clip.samples, clip.sample_rate, score.beats))
        jumps = beat_jumps(clip.samples, clip.sample_rate, score.beats)
        inner += [_place(jumps, beat) for beat in range(score.beats_per_bar, score.beats, score.beats_per_bar)]
        places.append(_place(jumps, 0))
    return {
        "clips": len(joins),
        "exact length": float(np.mean(exact)),
        "worst step (dB)": max(s.step_db for s in joins),
        "no click": float(np.mean([s.step_db <= 0 for s in joins])),
        "hidden": float(np.mean([s.hidden for s in joins])),
        "joins": _inside(places),
        "bar lines inside": _inside(inner),
    }


def _place(jumps: np.ndarray, beat: int) -> tuple[bool, bool, bool]:
    """Of the jumps (beats, 2) at a beat: is level within 95 % of the others', is spectrum, and do none stand out."""
    others = np.delete(jumps, beat, axis=0).max(axis=0, initial=0.0)
    level, spectrum = (share_below(column, beat) <= 0.95 for column in jumps.T)
    return level, spectrum, bool((jumps[beat] - others <= EXCESS_DB).all())


def _inside(places: Sequence[tuple[bool, bool, bool]]) -> dict[str, float]:
    """Shares of the places."""
    names = ("level within 95 % of the beats", "spectrum within 95 % of the beats", "none stands out")
    return {name: float(np.mean(column)) for name, column in zip(names, zip(*places, strict=True), strict=False)}


def evaluate_form(
    write: Write,
    make: Callable[[Recipe], Made],
    recipes: Mapping[str, Sequence[Recipe]],
    *,
    composers: Sequence[str],
    forms: Iterable[str],
    clips: int,
    bars: int,
    hook: Callable[[], None],
) -> dict[str, Any]:
    """The whole report.

    Args:
        write: composes as one batch.
        make: makes a finished clip.
        recipes: ``close`` and ``loop`` clips to be made.
        composers: names for ``write``.
        forms: of ``music.form.FORMS``.
        clips: of each composer and form.
        bars: length of each.
        hook: called after each form, and after each clip that is made.
    """
    styles = drawn_styles(clips)
    report: dict[str, Any] = {"clips": clips, "bars": bars, "forms": {}, "endings": {}}
    for composer in composers:
        free = write(composer, styles, bars, Shape(FREE, ending="open"))
        report["forms"][composer] = {}
        closed: list[Score] = []
        for form in forms:
            scores = write(composer, styles, bars, Shape(form))
            closed += scores
            report["forms"][composer][form] = form_report(scores, free, plan_form(form, bars))
            hook()
        report["endings"][composer] = ending_report(closed)
    for ending, judge in (("close", closing_report), ("loop", loop_report)):
        made = []
        for recipe in recipes.get(ending, ()):
            made.append(make(recipe))
            hook()
        if made:
            report[ending] = judge(made)
    return report


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(known)) if known else None


def _means(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    return {kind: _mean([row[kind] for row in rows]) for kind in ("within", "between")}
