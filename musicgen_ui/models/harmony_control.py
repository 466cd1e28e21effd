"""Which pitch classes and how many chord changes: the lean that moves mood and complexity."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from musicgen_ui.models.control import Control
from musicgen_ui.models.running_measures import RunningMeasures, entropy, key_profiles, mood
from musicgen_ui.models.takes import select
from musicgen_ui.music.theory import MAJOR_PROFILE, MINOR_PROFILE, chord_pitch_classes, scale
from musicgen_ui.music.tokens import CHORD_CLASSES, HIGH, LOW, NO_CHORD, STEPS_PER_BEAT, chord_symbol

NEUTRAL_KEYS = ("C major", "A minor")
"""In which composers write."""

TILT = {"chord": 4.0, "bass": 0.4, "lead": 0.4, "chords": 0.3, "chords+": 0.3}
"""How far each choice follows the tilt: harmony first, the notes then follow it by themselves."""

STAYING, MOST_STAYING = 0.5, 4.0
"""How far a chord's tilt decides on whether it goes on, and at most, in logits."""

HABIT, PHRASE_BARS = 2.0, 4
"""What it weighs, in logits, that a chord came here in the phrase before; only where there is a lean."""

MOST_TILT = 2.5
MOST_CHANGES = 0.7
"""Chord changes a beat that complexity may ask for."""

_PRIOR_BEATS = 4.0
_RAREST = 1e-4
_MISFIT = 0.3


class HarmonyControl:
    """A tilt over pitch classes along the gradients of mood and entropy, and a lean on chord changes.

    Args:
        moods: (takes,) raw mood that is wanted; nan for any.
        complexity: (takes,) raw complexity; nan for any.
        minor: (takes,) bool, which neutral key a take is in.
        chromatic: (takes,) 0 to 1, how far the tilt may lift notes outside of the key.
        now: what has been written; kept up to date by the owner.
        steps: of the whole clip.
        per_bar: steps a bar.
        strength: 0 never leans, 1 as far as it takes.
    """

    def __init__(
        self,
        moods: Tensor,
        complexity: Tensor,
        minor: Tensor,
        chromatic: Tensor,
        now: RunningMeasures,
        *,
        steps: int,
        per_bar: int,
        strength: float,
    ) -> None:
        self.mood, self.complexity, self.now, self.strength = moods, complexity, now, strength
        self.beats = steps / STEPS_PER_BEAT
        self.tilt = moods.new_zeros(len(moods), 12)
        self.change = torch.zeros_like(moods)
        self._control = {
            "mood": Control(moods, width=0.6, tolerance=0.02, proportional=3.0, integral=0.35, most=5.0),
            "entropy": Control(moods, width=0.3, tolerance=0.01, proportional=0.5, integral=0.04, most=2.0),
            "changes": Control(moods, width=0.4, tolerance=0.02, proportional=0.8, integral=0.08, most=5.0),
        }
        self._profiles = key_profiles().to(moods)
        outside = torch.tensor([[float(pc not in scale(key)) for pc in range(12)] for key in NEUTRAL_KEYS]).to(moods)
        self._barred = outside[minor.long()] * (1.0 - chromatic.to(moods).unsqueeze(-1))
        prior = torch.stack([torch.from_numpy(MAJOR_PROFILE), torch.from_numpy(MINOR_PROFILE).roll(9)]).to(moods)
        prior = prior * (1.0 - outside)
        self._prior = (prior / prior.sum(dim=-1, keepdim=True))[minor.long()]
        classes = {part: torch.arange(LOW[part], HIGH[part] + 1, device=moods.device) % 12 for part in LOW}
        self._classes = classes | {"chords+": classes["chords"]}
        self._tones = _chord_tones().to(moods)
        self._history: deque[Tensor] = deque(maxlen=PHRASE_BARS * per_bar)
        self.chord = torch.full_like(minor, NO_CHORD, dtype=torch.long)

    def lean(self, choice: str, logits: Tensor) -> Tensor:
        """Logits (takes, classes), tilted; how likely it is that anything starts stays as it was."""
        if choice == "chord":
            going_on = one_hot(self.chord, CHORD_CLASSES).bool()
            others = logits.double().masked_fill(going_on, -torch.inf)
            bias = TILT[choice] * self.tilt @ self._tones.T + self._again()
            others = same_mass(others, bias) + self.change.unsqueeze(-1)
            # A chord that pulls the wrong way must not stay because there have been changes enough.
            return torch.where(going_on, logits.double() + (STAYING * bias).clamp(-MOST_STAYING, MOST_STAYING), others)
        notes = same_mass(logits[:, 1:], TILT[choice] * self.tilt[:, self._classes[choice]])
        return torch.cat([logits[:, :1].double(), notes], dim=-1)

    def _again(self) -> Tensor:
        """(takes, chord classes) the more it leans, the more to the chord that was here a phrase ago."""
        if len(self._history) < self._history.maxlen:
            return self.tilt.new_zeros(len(self.tilt), CHORD_CLASSES)
        leaning = (self.change.abs() + self.tilt.abs().amax(dim=-1)).clamp(max=2.0) / 2.0
        before = one_hot(self._history[0], CHORD_CLASSES).to(self.tilt)
        fitting = ((before @ self._tones) * self.tilt).sum(dim=-1) > -_MISFIT
        return before * HABIT * (leaning * fitting).unsqueeze(-1)

    def wrote(self, chord: Tensor) -> None:
        """The chord (takes,) in force on a step."""
        self.chord = chord
        self._history.append(chord)

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``; what has been written is the owner's."""
        select(self, ("tilt", "change", "chord", "_history"), index)
        for control in self._control.values():
            control.select(index)

    def update(self) -> None:
        """Finds the leans anew, from everything written so far."""
        done = self.now.beats
        # A few notes say little of a key: a little of the neutral key's profile stands in for what is to come.
        chroma = self.now.sounding() + self._prior * _PRIOR_BEATS * max(1.0 - done / self.beats, 0.0)
        value, rising = mood(chroma, self._profiles)
        share = entropy(chroma)
        missing = self.complexity - share
        changes = self.now.changes_per_beat()
        by_mood = self._control["mood"].update(self.mood - value, done)
        by_entropy = self._control["entropy"].update(missing - 0.5 * changes, done)
        self.change = self._control["changes"].update((2.0 * missing).clamp(0.0, MOST_CHANGES) - changes, done)
        self.change = self.change * self.strength
        p = chroma / chroma.sum(dim=-1, keepdim=True)
        rare = -torch.log(p.clamp(min=_RAREST)) / math.log(12) - share.unsqueeze(-1)
        tilt = by_mood.unsqueeze(-1) * rising / 0.4 + by_entropy.unsqueeze(-1) * rare.clamp(-1.0, 1.0) / 0.5
        tilt = torch.where(tilt > 0, tilt * (1.0 - self._barred), tilt)
        self.tilt = self.strength * torch.nan_to_num(tilt).clamp(-MOST_TILT, MOST_TILT)


def same_mass(logits: Tensor, bias: Tensor) -> Tensor:
    """Logits (takes, classes) with a bias, moved so that all of them together stay as likely as they were."""
    logits = logits.double()
    leant = logits + bias
    before, after = logits.logsumexp(dim=-1, keepdim=True), leant.logsumexp(dim=-1, keepdim=True)
    return torch.where(torch.isfinite(before), leant + before - after, leant)


def _chord_tones() -> Tensor:
    """(chord classes, 12) share of each pitch class in a chord."""
    tones = torch.zeros(CHORD_CLASSES, 12, dtype=torch.float64)
    for index in range(CHORD_CLASSES):
        symbol = chord_symbol(index)
        if symbol is not None:
            members = sorted(chord_pitch_classes(*symbol))
            tones[index, members] = 1.0 / len(members)
    return tones
