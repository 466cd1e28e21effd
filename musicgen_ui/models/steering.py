"""Steering a composition by the sliders while it is written: a controller for each measure leans on the choices."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from musicgen_ui.models.control import Control
from musicgen_ui.models.harmony_control import HarmonyControl, same_mass
from musicgen_ui.models.onset_control import HABIT, PARTS_IN_ORDER, SHARE, OnsetControl
from musicgen_ui.models.running_measures import Closing, RunningMeasures
from musicgen_ui.models.takes import select
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS, DrumVocabulary
from musicgen_ui.music.tokens import MAX_CHORD_NOTES, STEPS_PER_BEAT, VELOCITIES

STEERED = ("mood", "energy", "density", "syncopation", "complexity")
"""Measures that are steered, in the order of the targets."""

_GATES = [COLUMN[name] for name in ("bass_pitch", "lead_pitch", "chords_note0", "drums")]
_AWAY = 0.8
_ACCENT = 2.2
"""Lean on a velocity 40 higher, for each of the lean to strong beats: many pieces keep one velocity throughout."""

_MIDDLE_VELOCITY, _VELOCITY_SPAN = 76.0, 40.0
_PIECES = 2.0
_ACCENTS_FIRST = 1.0
_FULL_LEAN = 2.0


class SliderGuide:
    """Leans on every choice so that the clip as a whole measures what its sliders ask for.

    It keeps count of what ``music.measures`` measures, and each controller leans only as far as its measure lies
    behind, never in the first notes. Density and syncopation are reached by what starts on the beat and what off it;
    syncopation and energy by how loud that is and by how much starts together; mood and complexity by a tilt over
    pitch classes and by the number of chord changes.

    Args:
        targets: (takes, 5) raw measures in the order of STEERED; nan for any.
        minor: (takes,) bool, in which neutral key a take is.
        chromatic: (takes,) 0 to 1, how far notes outside of the key may be called for.
        vocabulary: of the drums.
        steps: of what is written.
        per_bar: steps a bar.
        closing: the chord that the last bar will be overwritten with; None for none.
        strength: 0 leaves the composer alone, 1 leans as far as it takes.
    """

    def __init__(
        self,
        targets: Tensor,
        minor: Tensor,
        chromatic: Tensor,
        vocabulary: DrumVocabulary,
        *,
        steps: int,
        per_bar: int,
        closing: Closing | None = None,
        strength: float = 1.0,
    ) -> None:
        wanted = dict(zip(STEERED, targets.double().unbind(-1), strict=True))
        self.now = RunningMeasures(len(targets), vocabulary, targets.device, closing)
        steps -= 0 if closing is None else per_bar
        self.onsets = OnsetControl(
            wanted["density"], wanted["syncopation"], self.now, steps=steps, per_bar=per_bar, strength=strength
        )
        self.harmony = HarmonyControl(
            wanted["mood"],
            wanted["complexity"],
            minor,
            chromatic,
            self.now,
            steps=steps,
            per_bar=per_bar,
            strength=strength,
        )
        like = wanted["energy"]
        self.louder, self.off_beat = torch.zeros_like(like), torch.zeros_like(like)
        self.strength = strength
        self._wanted, self._steps = wanted, steps
        self._energy = Control(like, width=1.4, tolerance=0.15, proportional=0.8, integral=0.08, most=4.0)
        self._syncopation = Control(like, width=0.5, tolerance=0.01, proportional=1.5, integral=0.15, most=8.0)
        self._free = torch.ones_like(like, dtype=torch.bool)
        self._chords: deque[tuple[Tensor, Tensor]] = deque(maxlen=per_bar)
        nothing = torch.zeros(len(targets), MAX_CHORD_NOTES, dtype=torch.long, device=targets.device)
        self._voicing = nothing, nothing[:, 0]
        self._drums: deque[Tensor] = deque(maxlen=per_bar)
        self._pieces = torch.from_numpy(vocabulary.group_counts.sum(axis=1) - _PIECES).to(like)
        self._velocity = (like.new_tensor(VELOCITIES) - _MIDDLE_VELOCITY) / _VELOCITY_SPAN

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """See ``step_writer.Guide``."""
        away = _AWAY * self.off_beat if step % STEPS_PER_BEAT else -_AWAY * self.off_beat
        if choice == "chord":
            return self.harmony.lean(choice, logits)
        if "velocity" in choice:
            return logits + (0.5 * self.louder + _ACCENT * away).unsqueeze(-1) * self._velocity
        part = choice.rstrip("+")
        if part not in PARTS_IN_ORDER:
            return logits
        # Accents come first; only what they cannot reach changes how much starts together.
        firm = away - away.clamp(-_ACCENTS_FIRST, _ACCENTS_FIRST)
        joining = (firm + 0.15 * self.louder) * SHARE[part]
        if part != "drums":
            logits = self.harmony.lean(choice, logits)
        if part == "chords":
            # A chord is as strong as all its notes: off the beat a single part may be strong enough.
            logits = torch.cat([logits[:, :1].double(), logits[:, 1:].double() + firm.unsqueeze(-1)], dim=-1)
        if choice == "chords+":
            push = torch.where(joining > 0, 0.3, 0.7) * joining
        else:
            push = self.onsets.push(choice, logits, step, free=self._free, joining=joining)
        something = logits[:, 1:].double()
        if part == "chords":
            something = self._same_chord(something, push)
        if part == "drums":
            something = self._more_drums(something, 0.3 * (firm + self.louder), push)
        return torch.cat([logits[:, :1].double(), something + push.unsqueeze(-1)], dim=-1)

    def chose(self, choice: str, value: Tensor) -> None:
        """See ``step_writer.StepWriter``."""
        self._free = self._free & (value == 0)

    def wrote(self, row: Tensor, step: int) -> None:
        """See ``step_writer.Guide``."""
        self._free = torch.ones_like(self._free)
        if step >= self._steps:
            return
        before = self.now.onsets.clone()
        self.now.wrote(row)
        self.onsets.wrote(row[:, _GATES] > 0, self.now.onsets > before, step)
        self.harmony.wrote(row[:, COLUMN["chord"]])
        notes, symbol = row[:, list(NOTE_COLUMNS)], row[:, COLUMN["chord"]]
        self._chords.append((notes, symbol))
        struck = notes[:, :1] > 0
        self._voicing = (
            torch.where(struck, notes, self._voicing[0]),
            torch.where(struck[:, 0], symbol, self._voicing[1]),
        )
        self._drums.append(row[:, COLUMN["drums"]])
        if step % STEPS_PER_BEAT == STEPS_PER_BEAT - 1:
            self.onsets.update()
            self.harmony.update()
            beats = self.now.beats
            self.louder = self.strength * self._energy.update(self._wanted["energy"] - self.now.energy(), beats)
            missing = self._wanted["syncopation"] - self.now.syncopation()
            self.off_beat = self.strength * self._syncopation.update(missing, beats)

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``."""
        for part in (self.now, self.onsets, self.harmony, self._energy, self._syncopation):
            part.select(index)
        select(self, ("louder", "off_beat", "_free", "_chords", "_voicing", "_drums"), index)

    def _same_chord(self, logits: Tensor, push: Tensor) -> Tensor:
        """The more it leans, the more to the notes of a bar ago or to the last ones, while the harmony is theirs."""
        notes, symbol = self._voicing
        if len(self._chords) == self._chords.maxlen:
            before, then = self._chords[0]
            usable = ((before[:, 0] > 0) & (then == self.harmony.chord)).unsqueeze(-1)
            notes = torch.where(usable, before, notes)
            symbol = torch.where(usable[:, 0], then, symbol)
        again = one_hot(notes, logits.shape[-1] + 1).amax(dim=1)[:, 1:] * (symbol == self.harmony.chord).unsqueeze(-1)
        leaning = (push.abs() + self.harmony.tilt.abs().amax(dim=-1)).clamp(max=_FULL_LEAN) / _FULL_LEAN
        return same_mass(logits, HABIT * again * leaning.unsqueeze(-1))

    def _more_drums(self, logits: Tensor, more: Tensor, push: Tensor) -> Tensor:
        """Leans to sets of more pieces, and the more it leans the more to what was struck here a bar ago."""
        bias = more.unsqueeze(-1) * self._pieces[1:]
        if len(self._drums) == self._drums.maxlen:
            again = one_hot(self._drums[0], logits.shape[-1] + 1)[:, 1:]
            leaning = (push.abs() + more.abs()).clamp(max=_FULL_LEAN) / _FULL_LEAN
            bias = bias + HABIT * again * leaning.unsqueeze(-1)
        return same_mass(logits, bias)
