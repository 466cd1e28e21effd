"""Chord symbols: reading them, and hearing them in notes; the key of a Score."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from musicgen_ui.music.score import Chord, Score
from musicgen_ui.music.theory import KEYS, QUALITIES, chord_pitch_classes, key_correlations, pitch_class

_SYMBOL = re.compile(r"([A-G][#b♯♭]*)(.*)")

QUALITY_NAMES = tuple(QUALITIES)
_TEMPLATES = np.array(
    [[1.0 if pc in chord_pitch_classes(r, q) else 0.0 for pc in range(12)] for q in QUALITIES for r in range(12)]
)
"""(qualities * 12, 12): pitch classes of every chord."""

RELATIVE_TOLERANCE = 0.3
"""By how much the relative of a stated key must correlate better with the notes to be believed instead."""

# Cost in the estimator, per quality: rare qualities must earn their place.
_PRIOR = {"maj": 0.0, "min": 0.0, "7": 0.06, "maj7": 0.10, "min7": 0.06, "dim": 0.10, "aug": 0.16, "sus": 0.14}


def parse_chord(symbol: str) -> tuple[int, str] | None:
    """Root pitch class and nearest quality of a chord symbol, or None where there is no chord.

    Reads lead-sheet symbols (``F#m7b5``, ``CM7``, ``Eb/F``, ``G7(b9)``) and Harte's syntax (``C:maj7/3``,
    ``D:sus4(b7,9)``; Harte et al. 2005). A slash bass is dropped: the root stays the root.
    """
    symbol = symbol.strip()
    if symbol in ("", "N", "N.C.", "NC", "X", "None", "z"):
        return None
    match = _SYMBOL.match(symbol)
    if match is None:
        return None
    rest = match[2]
    quality = _harte_quality(rest[1:]) if rest.startswith(":") else _sheet_quality(rest)
    return pitch_class(match[1]), quality


def _sheet_quality(text: str) -> str:
    text = text.split("/")[0].strip().replace("minor-major", "mM7").replace("augmented-ninth", "aug9")
    body = re.sub(r"\(.*?\)", "", text)
    if re.match(r"(dim|o|°|ø)", body) or "m7b5" in text or "m7(b5)" in text or text.startswith("m(b5)"):
        return "dim"
    if re.match(r"(aug|\+)", body) or re.search(r"(?<!m)\(?#5", text):
        return "aug"
    if "sus" in body:
        return "sus"
    if re.match(r"(maj7|maj9|maj13|M7|M9|M13|Δ|ma7)", body):
        return "maj7"
    if re.match(r"m(?!a)|-|min", body):
        return "min7" if re.match(r"(m|-|min)(7|9|11|13)", body) else "min"
    if re.match(r"(7|9|11|13)", body):
        return "7"
    return "maj"


def _harte_quality(text: str) -> str:
    text = text.split("/")[0]
    base, _, extras = text.partition("(")
    if base.startswith(("dim", "hdim")):
        return "dim"
    if base.startswith("aug"):
        return "aug"
    if base.startswith("sus"):
        return "sus"
    if base.startswith("minmaj") or base in ("min", "min6"):
        return "min7" if "b7" in extras else "min"
    if base.startswith("min"):
        return "min7"
    if base.startswith("maj") and base[3:] in ("7", "9", "11", "13"):
        return "maj7"
    if base in ("7", "9", "11", "13") or "b7" in extras:
        return "7"
    return "maj"


def joined(chords: list[Chord]) -> tuple[Chord, ...]:
    """Equal neighbours as one chord; chords cut where the next begins, empty ones dropped."""
    out: list[Chord] = []
    for chord in sorted(chords, key=lambda c: c.onset):
        if out and out[-1].onset + out[-1].duration > chord.onset:
            out[-1] = replace(out[-1], duration=chord.onset - out[-1].onset)
            if out[-1].duration <= 0:
                out.pop()
        if chord.duration <= 0:
            continue
        last = out[-1] if out else None
        if (
            last
            and (last.root, last.quality) == (chord.root, chord.quality)
            and last.onset + last.duration == chord.onset
        ):
            out[-1] = replace(last, duration=last.duration + chord.duration)
        else:
            out.append(chord)
    return tuple(out)


def estimate_chords(score: Score, *, change_penalty: float = 0.18) -> tuple[Chord, ...]:
    """Chords heard in a score's pitched notes, by beats.

    Each beat's duration-weighted pitch classes are compared with chord templates (cosine similarity less a cost for
    rare qualities, weighted by how much sounds), and a Viterbi search pays for changes: least on downbeats, more on
    other beats. A beat in which nothing sounds within two beats has no chord.

    Args:
        score: the score; lead, chords and bass are heard.
        change_penalty: cost of a change on a downbeat, in units of cosine similarity.
    """
    weights = beat_chroma(score)
    total = weights.sum(axis=1)
    if not len(total) or total.max() <= 0:
        return ()
    norms = np.linalg.norm(weights, axis=1, keepdims=True)
    similarity = (weights / np.maximum(norms, 1e-9)) @ (
        _TEMPLATES / np.linalg.norm(_TEMPLATES, axis=1, keepdims=True)
    ).T
    similarity -= np.repeat([_PRIOR[q] for q in QUALITY_NAMES], 12)
    evidence = similarity * np.minimum(total / max(np.median(total[total > 0]), 1e-9), 1.5)[:, None]
    beats_per_bar = score.beats_per_bar
    penalties = np.full(len(total), 2.2 * change_penalty)
    penalties[::beats_per_bar] = change_penalty
    if beats_per_bar == 4:
        penalties[2::4] = 1.4 * change_penalty
    states = _viterbi(evidence, penalties)
    sounding = np.convolve(total, np.ones(5), mode="same")[: len(total)] > 0
    return joined(
        [
            Chord(float(beat), 1.0, int(state % 12), QUALITY_NAMES[state // 12])
            for beat, state in enumerate(states)
            if sounding[beat]
        ]
    )


def _viterbi(evidence: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Best path (n,) through (n, states) evidence, where any change before step i costs ``penalties[i]``."""
    n, states = evidence.shape
    score = evidence[0].copy()
    back = np.empty((n, states), np.int32)
    stay = np.arange(states)
    for i in range(1, n):
        best = int(score.argmax())
        change = score[best] - penalties[i]
        back[i] = np.where(score >= change, stay, best)
        score = np.maximum(score, change) + evidence[i]
    path = np.empty(n, np.int64)
    path[-1] = int(score.argmax())
    for i in range(n - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path


def beat_chroma(score: Score) -> np.ndarray:
    """(beats, 12) sounding time of each pitch class in each beat; the bass counts double, a lone lead half."""
    grid = np.zeros((score.beats, 12))
    for part, weight in (("lead", 0.5), ("chords", 1.0), ("bass", 1.5)):
        notes = score.notes(part)
        if not notes:
            continue
        onset, pitch, duration = np.array([(n.onset, n.pitch, n.duration) for n in notes], float).T
        # Notes that ring on for bars say little about the harmony there.
        end = np.minimum(onset + np.minimum(duration, 8.0), score.beats)
        first = np.floor(onset).astype(int)
        for step in range(9):
            beat = first + step
            share = np.minimum(end, beat + 1.0) - np.maximum(onset, beat)
            hit = (share > 0) & (beat < score.beats)
            np.add.at(grid, (beat[hit], pitch[hit].astype(int) % 12), weight * share[hit])
    return grid


def estimate_key(chroma: np.ndarray) -> tuple[str | None, float]:
    """Best key of (12,) pitch-class weights and its correlation; None when nothing fits."""
    correlations = key_correlations(chroma)
    best = int(correlations.argmax())
    return (KEYS[best] if correlations[best] > 0.3 else None), float(correlations[best])


def relative_key(key: str) -> str:
    """The minor key of the same signature as a major one, and the other way round."""
    index = KEYS.index(key)
    return KEYS[(index + 9) % 12 + 12] if index < 12 else KEYS[(index + 3) % 12]


def with_harmony(score: Score, label: str | None = None, tolerance: float = 0.12) -> Score:
    """The score with chords estimated where it has none, and its key.

    Args:
        score: the score.
        label: the key that the corpus states.
        tolerance: by how much another key must correlate better with the notes to be believed instead.
    """
    chroma = beat_chroma(score).sum(axis=0)
    if chroma.sum() <= 0:
        for chord in score.chords:
            for pc in chord_pitch_classes(chord.root, chord.quality):
                chroma[pc] += chord.duration * (1.3 if pc == chord.root else 1.0)
    key, best = estimate_key(chroma)
    if label is not None and key is not None:
        # Which of two relative keys a piece is in shows less in its pitch classes than in how it ends.
        slack = max(tolerance, RELATIVE_TOLERANCE) if label == relative_key(key) else tolerance
        if key_correlations(chroma)[KEYS.index(label)] >= best - slack:
            key = label
    return replace(score, key=key, chords=_with_ends(score))


def _with_ends(score: Score) -> tuple[Chord, ...]:
    """The score's chords, with estimates before the first and after the last: introductions are seldom written out."""
    if not score.chords:
        return estimate_chords(score)
    first, last = score.chords[0].onset, score.chords[-1].onset + score.chords[-1].duration
    if (first <= 0 and last >= score.beats) or not score.pitched:
        return score.chords
    heard = estimate_chords(score)
    before = [replace(c, duration=min(c.duration, first - c.onset)) for c in heard if c.onset < first]
    after = [
        replace(c, onset=max(c.onset, last), duration=c.onset + c.duration - max(c.onset, last))
        for c in heard
        if c.onset + c.duration > last
    ]
    return joined([*before, *score.chords, *after])
