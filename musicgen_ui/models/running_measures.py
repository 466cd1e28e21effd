"""What ``music.measures`` measures, kept up to date row by row for a batch of takes while they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from musicgen_ui.models.takes import select
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS, DrumVocabulary
from musicgen_ui.music.theory import MAJOR_PROFILE, MINOR_PROFILE
from musicgen_ui.music.tokens import DURATIONS, HIGH, LOW, STEPS_PER_BEAT, TICKS_PER_STEP, VELOCITIES

_LEVELS = (0.0, *(velocity / 127.0 for velocity in VELOCITIES))
_TICKS_PER_BEAT = STEPS_PER_BEAT * TICKS_PER_STEP
_CHORD_PITCHES = HIGH["chords"] - LOW["chords"] + 1


def key_profiles() -> Tensor:
    """(24, 12) the key profiles, centred and of length 1, in the order of ``theory.KEYS``."""
    rows = []
    for profile in (MAJOR_PROFILE, MINOR_PROFILE):
        centred = torch.from_numpy(profile - profile.mean())
        centred = centred / centred.norm()
        rows.extend(torch.roll(centred, tonic) for tonic in range(12))
    return torch.stack(rows)


@dataclass(frozen=True)
class Closing:
    """What a held last chord, which is not written row by row, will add to the measures.

    Attributes:
        after: beats before it.
        beats: of its bar.
        strength: of everything that starts with it.
        chroma: (takes, 12) beats that each pitch class sounds in it.
    """

    after: float
    beats: float
    strength: float
    chroma: Tensor


class RunningMeasures:
    """Sums over the rows written so far; micro-timing, which no measure hears, is left out.

    The measures see a closing chord coming: as much of it counts as has been written of what comes before it.

    Args:
        takes: how many are written at once.
        vocabulary: of the drums.
        device: of the rows.
        closing: the chord that it will end with; None for no such end.

    Attributes:
        steps: rows so far.
        onsets: (takes,) steps on which something starts.
        strength: (takes, 2) sum of velocity / 127 off the beat and on it.
        squares: (takes,) sum of its square.
        chroma: (takes, 12) beats that each pitch class sounds.
        changes: (takes,) chord changes.
    """

    def __init__(
        self, takes: int, vocabulary: DrumVocabulary, device: torch.device, closing: Closing | None = None
    ) -> None:
        def zeros(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.zeros(takes, *shape, dtype=dtype, device=device)

        self.closing = closing or Closing(1.0, 0.0, 0.0, zeros(12))
        self.steps = 0
        self.onsets, self.squares, self.changes = zeros(), zeros(), zeros()
        self.strength, self.chroma = zeros(2), zeros(12)
        self._chord = zeros(dtype=torch.long)
        self._classes = {name: zeros(dtype=torch.long) for name in ("bass", "lead")}
        self._ringing = {name: zeros() for name in ("bass", "lead")} | {"chords": zeros(_CHORD_PITCHES + 1)}
        self._levels = torch.tensor(_LEVELS, dtype=torch.float64, device=device)
        self._ticks = torch.tensor([0, *DURATIONS], dtype=torch.float64, device=device)
        self._pieces = torch.from_numpy(vocabulary.group_counts).to(device, torch.float64)
        # Slot 0 of the chord part's ringing notes stands for "no note".
        classes = (torch.arange(_CHORD_PITCHES + 1, device=device) - 1 + LOW["chords"]) % 12
        self._chord_classes = torch.nn.functional.one_hot(classes, 12).to(torch.float64)
        self._chord_classes[0] = 0.0

    def wrote(self, row: Tensor) -> None:
        """Takes in the next row (takes, fields)."""
        total, squares = torch.zeros_like(self.onsets), torch.zeros_like(self.onsets)
        for name in ("bass", "lead"):
            pitch = row[:, COLUMN[f"{name}_pitch"]]
            level = torch.where(pitch > 0, self._levels[row[:, COLUMN[f"{name}_velocity"]]], 0.0)
            total, squares = total + level, squares + level * level
            duration = self._ticks[row[:, COLUMN[f"{name}_duration"]]]
            self._ringing[name] = torch.where(pitch > 0, duration, self._ringing[name])
            self._classes[name] = torch.where(pitch > 0, (pitch - 1 + LOW[name]) % 12, self._classes[name])
            played = self._ringing[name].clamp(max=TICKS_PER_STEP)
            self._ringing[name] = self._ringing[name] - played
            self.chroma.scatter_add_(1, self._classes[name].unsqueeze(1), played.unsqueeze(1) / _TICKS_PER_BEAT)
        notes = row[:, list(NOTE_COLUMNS)]
        level = self._levels[row[:, COLUMN["chords_velocity"]]]
        count = (notes > 0).sum(dim=-1)
        total, squares = total + level * count, squares + level * level * count
        ringing = self._ringing["chords"]
        ringing.scatter_(1, notes, self._ticks[row[:, COLUMN["chords_duration"]]].unsqueeze(1).expand_as(notes))
        played = ringing.clamp(max=TICKS_PER_STEP)
        self._ringing["chords"] = ringing - played
        self.chroma += played @ self._chord_classes / _TICKS_PER_BEAT
        pieces = self._pieces[row[:, COLUMN["drums"]]]
        level = self._levels[row[:, [COLUMN[f"drums_velocity{group}"] for group in range(3)]]]
        total, squares = total + (pieces * level).sum(dim=-1), squares + (pieces * level * level).sum(dim=-1)
        self.onsets += total > 0
        self.squares += squares
        self.strength[:, int(self.steps % STEPS_PER_BEAT == 0)] += total
        chord = row[:, COLUMN["chord"]]
        self.changes += (chord > 0) & (self._chord > 0) & (chord != self._chord)
        self._chord = torch.where(chord > 0, chord, self._chord)
        self.steps += 1

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``."""
        select(self, ("onsets", "squares", "changes", "strength", "chroma", "_chord", "_classes", "_ringing"), index)

    @property
    def beats(self) -> float:
        """Beats so far."""
        return self.steps / STEPS_PER_BEAT

    @property
    def share(self) -> float:
        """How much of what comes before the closing chord has been written; 0 without one."""
        return min(self.beats / self.closing.after, 1.0) if self.closing.beats else 0.0

    @property
    def span(self) -> float:
        """Beats so far, with the closing chord's."""
        return self.beats + self.share * self.closing.beats

    def sounding(self) -> Tensor:
        """(takes, 12) beats that each pitch class sounds."""
        return self.chroma + self.share * self.closing.chroma

    def density(self) -> Tensor:
        """(takes,) as ``measures.density``."""
        return (self.onsets + self.share) / self.span

    def syncopation(self) -> Tensor:
        """(takes,) as ``measures.syncopation``; nan where nothing was struck."""
        struck = self.strength.sum(dim=-1)
        return self.strength[:, 0] / (struck + self.share * self.closing.strength * (struck > 0))

    def energy(self) -> Tensor:
        """(takes,) as ``measures.energy``, without a closing chord; nan where nothing was struck."""
        return torch.log(self.squares / self.onsets)

    def changes_per_beat(self) -> Tensor:
        """(takes,) chord changes a beat."""
        return (self.changes + self.share) / self.span

    def complexity(self) -> Tensor:
        """(takes,) as ``measures.complexity``; nan without pitched notes."""
        return entropy(self.sounding()) + 0.5 * self.changes_per_beat()

    def mood(self) -> Tensor:
        """(takes,) as ``measures.mood``; nan without pitched notes."""
        return mood(self.sounding(), key_profiles().to(self.chroma))[0]


def entropy(chroma: Tensor) -> Tensor:
    """(…, 12) weights → (…,) entropy as a share of log 12; nan where all weights are 0."""
    p = chroma / chroma.sum(dim=-1, keepdim=True)
    return torch.special.entr(p).sum(dim=-1) / math.log(12)


def mood(chroma: Tensor, profiles: Tensor) -> tuple[Tensor, Tensor]:
    """Best major minus best minor key correlation, and in which direction of weights it rises.

    Args:
        chroma: (takes, 12) weights.
        profiles: (24, 12) of :func:`key_profiles`.

    Returns:
        (takes,) nan where all weights are 0, and (takes, 12), the gradient times the length of the centred weights.
    """
    x = chroma - chroma.mean(dim=-1, keepdim=True)
    x = x / x.norm(dim=-1, keepdim=True)
    correlation = x @ profiles.T
    major, minor = correlation[:, :12], correlation[:, 12:]
    value = major.amax(dim=-1) - minor.amax(dim=-1)
    contrast = profiles[:12][major.argmax(dim=-1)] - profiles[12:][minor.argmax(dim=-1)]
    return value, contrast - value.unsqueeze(-1) * x
