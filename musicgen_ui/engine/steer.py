"""From a style's sliders to what steers the composer: raw targets that can be met, the guide, and the last trim."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from musicgen_ui.models.composer_base import steps_per_bar
from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition
from musicgen_ui.models.harmony_control import NEUTRAL_KEYS
from musicgen_ui.models.running_measures import Closing
from musicgen_ui.models.steering import STEERED, SliderGuide
from musicgen_ui.music.frame import HELD
from musicgen_ui.music.measures import energy
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.music.theory import QUALITIES, key_tonic
from musicgen_ui.music.tokens import STEPS_PER_BEAT
from musicgen_ui.scale import UnitScale

LOUDER = (0.6, 1.5)
"""Factors between which all velocities may be moved after composing."""

STRONGER = 3.0
"""By how much an active part can make what falls on the beat stronger than what falls off it."""

SPARSEST = 0.9
"""Onsets a beat that are steered to at least: the sparsest pieces of the corpora fall silent for bars."""

CHROMATIC_FROM = 0.6
"""Complexity from which on notes outside of the key may be called for."""

_MODE_MINOR = 2
_CLOSER = 0.006

_LEVEL = 0.6
_CORRECTIONS = 3


@dataclass(frozen=True)
class Steering:
    """How a composition is steered by its sliders.

    Attributes:
        strength: 0 leaves the composer alone, 1 leans as far as it takes.
        targets: slider to the unit value that is steered to instead of the style's own; the composer itself is still
            told the style's.
    """

    strength: float = 1.0
    targets: Mapping[str, float] = field(default_factory=dict)


def slider_guide(
    condition: Condition,
    scales: Mapping[str, UnitScale],
    vocabulary: DrumVocabulary,
    *,
    steps: int,
    steering: Steering,
    closes: bool = False,
) -> SliderGuide | None:
    """The guide of a batch of takes; None where nothing is to be steered.

    Args:
        condition: of the takes, what the composer is told.
        scales: score side of the slider scales.
        vocabulary: of the drums.
        steps: of what is written.
        steering: how strongly, and to what.
        closes: whether ``music.frame.closed`` will overwrite the last bar.
    """
    if steering.strength <= 0:
        return None
    parts = int(condition.active[0].sum())
    rows = []
    for sliders in condition.sliders.tolist():
        units = attainable(dict(zip(CONDITION_SLIDERS, sliders, strict=True)) | dict(steering.targets), parts, scales)
        raw = {key: scales[key].from_unit(units[key]) for key in STEERED}
        raw["density"] = max(raw["density"], SPARSEST)
        rows.append([*raw.values(), units["complexity"]])
    wanted = torch.tensor(rows, dtype=torch.float64, device=condition.sliders.device)
    return SliderGuide(
        wanted[:, :-1],
        condition.mode == _MODE_MINOR,
        ((wanted[:, -1] - CHROMATIC_FROM) / (1.0 - CHROMATIC_FROM)).clamp(0.0, 1.0),
        vocabulary,
        steps=steps,
        per_bar=steps_per_bar(condition),
        closing=_closing(condition, steps) if closes and steps > steps_per_bar(condition) else None,
        strength=steering.strength,
    )


def _closing(condition: Condition, steps: int) -> Closing:
    """The held tonic chord at the end of every take."""
    active = dict(zip(PARTS, condition.active[0].tolist(), strict=True))
    bar = steps_per_bar(condition) / STEPS_PER_BEAT
    chroma = torch.zeros(len(NEUTRAL_KEYS), 12, dtype=torch.float64)
    for mode, quality in enumerate(("maj", "min")):
        tonic = key_tonic(NEUTRAL_KEYS[mode])
        for place, interval in enumerate(QUALITIES[quality]):
            # The bass takes the root, the lead any tone of the chord, the chord part all of them.
            voices = active["chords"] + active["lead"] / 3 + active["bass"] * (place == 0)
            chroma[mode, (tonic + interval) % 12] = HELD * bar * voices
    notes = 3 * active["chords"] + active["lead"] + active["bass"] + 2 * active["drums"]
    chroma = chroma.to(condition.sliders.device)[(condition.mode == _MODE_MINOR).long()]
    return Closing(steps / STEPS_PER_BEAT - bar, bar, _LEVEL * notes, chroma)


def attainable(units: Mapping[str, float], parts: int, scales: Mapping[str, UnitScale]) -> dict[str, float]:
    """Unit values that can be met together: busy and straight contradict each other, so both give way.

    Where more than one onset falls on a beat, a share of strength off the beat needs onsets on the beat that are so
    much stronger; with few parts they cannot be.
    """
    density, syncopation = units["density"], units["syncopation"]
    while density > 0 and syncopation < 1:
        off = scales["density"].from_unit(density) - 1.0
        share = scales["syncopation"].from_unit(syncopation)
        if off * (1.0 - share) <= STRONGER * parts * share or off <= 0:
            break
        density, syncopation = density - _CLOSER, syncopation + 2 * _CLOSER
    return dict(units) | {"density": max(density, 0.0), "syncopation": min(syncopation, 1.0)}


def levelled(score: Score, target: float) -> Score:
    """All velocities moved by one factor within LOUDER, so that the score's energy comes nearest to a raw target."""
    factor = 1.0
    for _ in range(_CORRECTIONS):
        reached = energy(_louder(score, factor))
        if reached is None:
            return score
        # A note that is at its loudest already does not follow, so the others are asked for a little more.
        factor = min(max(factor * math.exp(0.5 * (target - reached)), LOUDER[0]), LOUDER[1])
    return _louder(score, factor)


def _louder(score: Score, factor: float) -> Score:
    parts = {
        name: tuple(replace(note, velocity=min(max(round(note.velocity * factor), 1), 127)) for note in notes)
        for name, notes in score.parts.items()
    }
    return replace(score, parts=parts)
