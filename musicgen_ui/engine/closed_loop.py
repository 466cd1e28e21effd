"""The closed loop: hear what came out, tell the models something better, try again, and keep the best take.

What only the mixer decides is corrected on the stems that are there, which is cheap; the rest needs other notes. A
round is made only where it can be expected to help: where something that was asked is outside its tolerance, and the
expected improvement (Jones et al. 1998) over what is kept is more than chance gives.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.misses import (
    CORRECTED,
    MIXED,
    NOTES,
    Values,
    compared,
    mean_miss,
    misses,
    outside,
    rank,
)
from musicgen_ui.engine.response import Belief, Response, share_of, value_at
from musicgen_ui.music.measures import measure
from musicgen_ui.music.score import Score
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import SLIDERS, Style

WORTHWHILE = 0.008
"""Expected improvement of the mean miss below which other notes are not tried."""

SYMBOLIC_TAKES = 8
"""Scores written in a round that needs other notes: a batch costs little more than one, and the sliders steer each."""

_CLIP_SHARES = {"energy": 0.7, "mood": 0.5, "syncopation": 0.5, "brightness": 0.8, "space": 0.5}
_OTHER_CLIP_SHARE = 0.4
"""Share of a curve's variance that is a clip's own, by its band, timbre and room; the rest changes with every take."""

_STEMS_SHARE = 0.98
"""The same for stems that are mixed again: there is next to nothing left that could change."""


class Rooms(Protocol):
    """The rooms of a studio, bound to one recipe."""

    def compose(self, told: Style, number: int) -> Score:
        """The score of round ``number``, of at least SYMBOLIC_TAKES takes from round 1 on."""

    def play(self, score: Score, told: Style) -> Mapping[str, np.ndarray]:
        """Dry stems."""

    def mix(self, stems: Mapping[str, np.ndarray], told: Style, score: Score) -> Clip:
        """The finished clip."""

    def listen(self, clip: Clip) -> Values:
        """Heard values."""

    def asked(self, score: Score) -> Values:
        """What a listener should hear."""

    def measure(self, score: Score) -> Mapping[str, float]:
        """The notes' own values of NOTES, as far as they can be told."""


@dataclass(frozen=True)
class Take:
    """One round's clip, what was told for it, and what was heard."""

    told: Style
    score: Score
    stems: Mapping[str, np.ndarray]
    clip: Clip
    asked: Values
    heard: Values

    @property
    def rank(self) -> float:
        """How far it is from what was asked."""
        return rank(self.asked, self.heard)


@dataclass(frozen=True)
class Outcome:
    """The take that came closest, and what was tried.

    Attributes:
        take: the best one.
        rounds: one entry a round: ``kind`` (``first``, ``notes`` or ``mix``), ``against`` (number of the round that
            was the best so far, None at first), ``changed`` (slider to what the models were told then and now),
            ``heard`` (what was heard of every slider and the key), ``error`` (mean miss or None), ``outside`` (what
            lies outside its tolerance), ``kept`` (whether it became the best) and ``seconds``.
        gain: ``error`` and ``inside`` (how many of what was heard lie within tolerance) of the first and of the kept
            take, ``of`` how many, ``kept`` (its round), ``seconds`` of the rounds after the first, and ``stopped``
            (why there were no more).
    """

    take: Take
    rounds: tuple[Mapping[str, Any], ...]
    gain: Mapping[str, Any]


def run(
    style: Style, rooms: Rooms, *, rounds: int, response: Response | None = None, keeps_notes: bool = False
) -> Outcome:
    """Makes a clip, and up to ``rounds`` corrections of it.

    Args:
        style: what the person asks for.
        rooms: of the studio; equal rooms give equal outcomes, but for the seconds.
        rounds: at most so many more takes; 0 switches the loop off.
        response: the curves of this composer and synthesizer; None for straight lines, by which the models are told
            at first exactly what was asked.
        keeps_notes: other notes cannot be tried; only what the mixer decides is corrected.
    """
    response = response or Response()
    began = time.perf_counter()
    told = response.first_told(style, CORRECTED)
    score = rooms.compose(told, 0)
    best = _finished(rooms, told, score, rooms.play(score, told))
    reports = [_report(best, began)]
    beliefs = {key: _belief(key, best, response) for key in CORRECTED}
    _learn(beliefs, best.told, best.heard, rooms.measure(score))
    mixes = [(best.told, best.heard)]  # of the stems that are kept
    # Two of three rounds may play other notes, so that on average three take no longer than two first takes.
    plays = 0 if keeps_notes else math.ceil(2 * rounds / 3)
    kept, stopped = 0, "all rounds made" if rounds else "switched off"
    for number in range(1, rounds + 1):
        remixed = _remixed(best, mixes, response)
        kind = _next_kind(best, beliefs, remixed, plays)
        if kind not in ("notes", "mix"):
            stopped = kind
            break
        began = time.perf_counter()
        if kind == "notes":
            plays -= 1
            # A key that was left to the seed stays where the first round found it; a correction keeps the band, too.
            told = _advised(told, beliefs).with_values(key=score.key or style.key)
            fresh = replace(rooms.compose(told, number), programs=score.programs)
            take = _finished(rooms, told, fresh, rooms.play(fresh, told))
            _learn(beliefs, take.told, take.heard, rooms.measure(fresh))
        else:
            take = _finished(rooms, remixed, best.score, best.stems)
            mixes.append((take.told, take.heard))
        reports.append(_report(take, began, kind, kept, best))
        if take.rank < best.rank:
            best, kept = take, number
            mixes = mixes if kind == "mix" else [(take.told, take.heard)]
    return Outcome(best, tuple(reports), _gain(reports, kept, stopped))


def round_seed(seed: int, number: int) -> int:
    """Seed of round ``number``: the recipe's own for the first, independent ones after it."""
    return seed if number == 0 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def score_values(score: Score, scales: Mapping[str, UnitScale]) -> dict[str, float]:
    """The notes' own values of NOTES in the sliders' units, as far as they can be told."""
    return {key: scales[key].to_unit(raw) for key, raw in measure(score).items() if raw is not None}


def _finished(rooms: Rooms, told: Style, score: Score, stems: Mapping[str, np.ndarray]) -> Take:
    clip = rooms.mix(stems, told, score)
    return Take(told, score, stems, clip, rooms.asked(score), rooms.listen(clip))


def _belief(key: str, first: Take, response: Response, clip_share: float | None = None) -> Belief:
    """What is believed of a slider before anything was heard."""
    share = _CLIP_SHARES.get(key, _OTHER_CLIP_SHARE) if clip_share is None else clip_share
    return Belief(response.curve(key), share_of(key, float(first.asked[key])), clip_share=share)


def _learn(beliefs: dict[str, Belief], told: Style, heard: Values, notes: Mapping[str, float]) -> None:
    """Update the beliefs by what was told, or by what the notes turned out to be, and what was heard."""
    for key, belief in beliefs.items():
        value = heard.get(key)
        if value is not None:
            cause = notes.get(key, share_of(key, getattr(told, key)))
            beliefs[key] = belief.after(cause, share_of(key, float(value)))


def _advised(told: Style, beliefs: Mapping[str, Belief]) -> Style:
    return told.with_values(**{key: value_at(key, belief.advice()) for key, belief in beliefs.items()})


def _remixed(best: Take, mixes: Sequence[tuple[Style, Values]], response: Response) -> Style:
    """What the mixer should be told next, by what it was told and what was heard of the same stems."""
    beliefs = {key: _belief(key, best, response, _STEMS_SHARE) for key in MIXED}
    for told, heard in mixes:
        _learn(beliefs, told, heard, {})
    return _advised(best.told, beliefs)


def _next_kind(best: Take, beliefs: Mapping[str, Belief], remixed: Style, plays: int) -> str:
    """``notes`` or ``mix``, or why there is nothing more to do."""
    wrong = outside(best.asked, best.heard)
    if not misses(best.asked, best.heard):
        return "nothing was heard"
    if not wrong:
        return "inside tolerance"
    if plays > 0:
        if "tempo" in wrong or "key" in wrong:
            return "notes"
        if any(key in wrong for key in NOTES) and expected_gain(best, beliefs) >= WORTHWHILE:
            return "notes"
    if any(key in wrong and abs(getattr(remixed, key) - getattr(best.told, key)) > 0.005 for key in MIXED):
        return "mix"
    return "little to gain"


def expected_gain(best: Take, beliefs: Mapping[str, Belief]) -> float:
    """Expected improvement of the mean miss when other notes are tried, by what is believed of each slider."""
    now = expected = variance = 0.0
    for key, missed in misses(best.asked, best.heard).items():
        belief = beliefs[key]
        told = belief.advice()
        bias, deviation = belief.expected(told) - belief.asked, belief.deviation(told)
        z = bias / deviation
        # Mean of the absolute value of a normal variable.
        mean = deviation * math.sqrt(2 / math.pi) * math.exp(-z * z / 2) + bias * math.erf(z / math.sqrt(2))
        now += abs(missed)
        expected += mean
        variance += bias * bias + deviation * deviation - mean * mean
    better, deviation = now - expected, math.sqrt(max(variance, 1e-12))
    z = better / deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (better * (1 + math.erf(z / math.sqrt(2))) / 2 + deviation * density) / len(CORRECTED)


def _report(
    take: Take, began: float, kind: str = "first", against: int | None = None, best: Take | None = None
) -> dict[str, Any]:
    """One entry of ``Outcome.rounds``."""
    before = {} if best is None else {key: getattr(best.told, key) for key in CORRECTED}
    changed = {
        key: [value, getattr(take.told, key)] for key, value in before.items() if value != getattr(take.told, key)
    }
    return {
        "kind": kind,
        "against": against,
        "changed": changed,
        "heard": {key: take.heard.get(key) for key in (*SLIDERS, "key")},
        "error": mean_miss(misses(take.asked, take.heard)),
        "outside": list(outside(take.asked, take.heard)),
        "of": len(compared(take.asked, take.heard)),
        "kept": best is None or take.rank < best.rank,
        "seconds": round(time.perf_counter() - began, 4),
    }


def _gain(reports: list[dict[str, Any]], kept: int, stopped: str) -> dict[str, Any]:
    """What the rounds were worth."""
    first, last = reports[0], reports[kept]
    return {
        "error": [first["error"], last["error"]],
        "inside": [entry["of"] - len(entry["outside"]) for entry in (first, last)],
        "of": last["of"],
        "kept": kept,
        "seconds": round(sum(entry["seconds"] for entry in reports[1:]), 4),
        "stopped": stopped,
    }
