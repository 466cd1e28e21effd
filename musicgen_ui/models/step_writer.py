"""One row from one context: the heads' choices in their order, leant on by a guide and overruled by what is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from musicgen_ui.models.composer_base import Context
from musicgen_ui.models.given import Known, taken
from musicgen_ui.models.pick import SamplingConfig, pick
from musicgen_ui.models.steps import DETAIL_GATES, DETAILS, StepHeads
from musicgen_ui.models.takes import select
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, MAX_LEFT, NOTE_COLUMNS, DrumVocabulary, duration_steps
from musicgen_ui.music.tokens import DURATIONS, MAX_CHORD_NOTES, STEPS_PER_BEAT, TIMINGS

DECISIONS = 4 + MAX_CHORD_NOTES + len(DETAILS)
"""Random numbers that one step may use."""

LEAD_DECISION = 2

_DETAIL_COLUMNS = [COLUMN[name] for name in DETAILS]


class Guide(Protocol):
    """Leans on every choice as it is made, so that what is written comes nearer to something."""

    def lean(self, choice: str, logits: Tensor, step: int) -> Tensor:
        """Logits (takes, classes) to draw from.

        Args:
            choice: ``chord``, ``bass``, ``lead``, ``chords`` (the first note of a chord), ``chords+`` (a further one),
                ``drums``, each with class 0 for "nothing"; or a detail's column, without that class.
            logits: of the composer.
            step: sixteenth step from the start of the table.
        """
        ...

    def wrote(self, row: Tensor, step: int) -> None:
        """What the step became: row (takes, fields)."""
        ...

    def select(self, index: Tensor) -> None:
        """Each take goes on from another: index (takes,), within those that are asked for the same."""
        ...


class StepWriter:
    """Turns contexts into rows. Holds the columns that carry over from one step to the next.

    A guide that has a method ``chose(choice, value (takes,))`` is also told what each part starts, 0 for nothing,
    before the next part of the same step chooses.
    """

    def __init__(
        self,
        heads: StepHeads,
        observed: Tensor,
        vocabulary: DrumVocabulary,
        config: SamplingConfig,
        guide: Guide | None = None,
    ) -> None:
        self.heads, self.config, self.guide = heads, config, guide
        self._tell: Callable[[str, Tensor], None] | None = getattr(guide, "chose", None)
        self.active = {part: bool(observed[0, i]) for i, part in enumerate(PARTS)}
        takes = len(observed)
        self.chord = torch.zeros(takes, dtype=torch.long, device=observed.device)
        self.last = {name: self.chord.new_zeros(takes, 1) for name in ("bass", "lead")}
        self.last["chords"] = self.chord.new_zeros(takes, MAX_CHORD_NOTES)
        self.left = {name: torch.zeros_like(self.chord) for name in ("bass", "lead")}
        self.spans = torch.tensor([0, *(duration_steps(1 + i) for i in range(len(DURATIONS)))], device=observed.device)
        self.drum_groups = torch.from_numpy(vocabulary.group_counts > 0).to(observed.device)

    def write(self, context: Context, noise: Tensor, step: int, given: Known | None = None) -> Tensor:
        """Context of ``takes`` steps, noise (takes, DECISIONS), what is given → row (takes, fields)."""
        heads, config = self.heads, self.config
        held, recall = context
        row = torch.zeros(len(held), len(FIELDS), dtype=torch.long, device=held.device)

        def choose(name: str, logits: Tensor, decision: int, biased: bool = True) -> Tensor:
            # A melody wants a steadier hand than its accompaniment: its leaps are what one hears first.
            temperature = config.lead_temperature if decision == LEAD_DECISION else config.temperature
            limits = {"temperature": temperature, "top_k": config.top_k, "top_p": config.top_p}
            if biased:
                logits = torch.cat([logits[:, :1] - config.rest_bias, logits[:, 1:]], dim=-1)
            return pick(self._leant(name, logits, step), noise[:, decision], rest=True, **limits)

        if step % STEPS_PER_BEAT == 0:
            logits = heads.copied("chord", held, recall, heads.next_chord(held, self.chord), "chord")
            self.chord = self._next_chord(self._leant("chord", logits, step), noise[:, 0])
        self.chord = taken(given, COLUMN["chord"], self.chord)
        row[:, COLUMN["chord"]] = self.chord
        held = held + heads.held.column("chord", self.chord)
        for decision, name in ((1, "bass"), (LEAD_DECISION, "lead")):
            if self.active[name]:
                logits = heads.pitch(name, held, self.last[name])
                pitch = choose(name, heads.copied(name, held, recall, logits, f"{name}_pitch"), decision)
                pitch = self._told(name, taken(given, COLUMN[f"{name}_pitch"], pitch))
                self.last[name] = torch.where(pitch > 0, pitch, self.last[name][:, 0]).unsqueeze(-1)
                row[:, COLUMN[f"{name}_pitch"]] = pitch
                held = held + heads.held.column(f"{name}_pitch", pitch)
        if self.active["chords"]:
            floor = torch.zeros_like(self.chord)
            alive = torch.ones_like(floor, dtype=torch.bool)
            reading = heads.tell_chords(held, self.last["chords"])
            for slot, column in enumerate(NOTE_COLUMNS):
                logits = heads.only_above(heads.chords(reading + heads.slot[slot]), floor)
                logits = heads.copied("chords", reading, recall, logits, FIELDS[column].name)
                note = choose("chords+" if slot else "chords", logits, 4 + slot, biased=slot == 0)
                note = taken(given, column, torch.where(alive, note, 0))
                note = note if slot else self._told("chords", note)
                alive = note > 0
                if not alive.any():
                    break
                row[:, column] = note
                recall = None if recall is None else recall.given(FIELDS[column].name, note)
                reading = reading + heads.held.column("chords_note0", note) * alive.unsqueeze(-1)
                floor = torch.where(alive, note, floor)
            notes = row[:, list(NOTE_COLUMNS)]
            held = held + (heads.held.column("chords_note0", notes) * (notes > 0).unsqueeze(-1)).sum(dim=-2)
            self.last["chords"] = torch.where(notes[:, :1] > 0, notes, self.last["chords"])
        if self.active["drums"]:
            drums = choose("drums", heads.copied("drums", held, context.recall, heads.drums(held), "drums"), 3)
            drums = taken(given, COLUMN["drums"], drums)
            row[:, COLUMN["drums"]] = drums
            held = held + heads.held.column("drums", drums)
        self._write_details(row, held, noise, step)
        if given is not None:
            row[:, _DETAIL_COLUMNS] = torch.where(
                given.mask[:, _DETAIL_COLUMNS], given.values[:, _DETAIL_COLUMNS], row[:, _DETAIL_COLUMNS]
            )
        for name in ("bass", "lead"):
            started = row[:, COLUMN[f"{name}_pitch"]] > 0
            span = self.spans[row[:, COLUMN[f"{name}_duration"]]]
            self.left[name] = torch.where(started, span - 1, (self.left[name] - 1).clamp(min=0))
            row[:, COLUMN[f"{name}_left"]] = self.left[name].clamp(max=MAX_LEFT)
        return row

    def select(self, index: Tensor) -> None:
        """Each take goes on from another, see :class:`Guide`; the guide has to be told, too."""
        select(self, ("chord", "last", "left"), index)

    def _next_chord(self, logits: Tensor, noise: Tensor) -> Tensor:
        """The chord of a beat. Going on keeps its probability, as a rest does; the limits choose what comes instead."""
        going_on = logits.gather(-1, self.chord.unsqueeze(-1))
        others = logits.scatter(-1, self.chord.unsqueeze(-1), float("-inf"))
        limits = {"top_k": self.config.top_k, "top_p": self.config.top_p}
        picked = pick(torch.cat([going_on, others], dim=-1), noise, temperature=1.0, rest=True, **limits)
        return torch.where(picked == 0, self.chord, picked - 1)

    def _write_details(self, row: Tensor, held: Tensor, noise: Tensor, step: int) -> None:
        starts = row[:, [COLUMN[gate] for gate in DETAIL_GATES]] > 0  # (takes, details)
        if not starts.any():
            return
        for group in range(3):
            column = DETAILS.index(f"drums_velocity{group}")
            starts[:, column] &= self.drum_groups[row[:, COLUMN["drums"]], group]
        logits = torch.round(self.heads.details(held).double() / self.config.detail_temperature, decimals=4)
        widest = max(self.heads.detail_sizes)
        padded = torch.full((len(row), len(DETAILS), widest), float("-inf"), dtype=logits.dtype, device=row.device)
        for i, part in enumerate(logits.split(self.heads.detail_sizes, dim=-1)):
            padded[:, i, : part.shape[-1]] = self._leant(DETAILS[i], part, step)
            if step == 0 and DETAILS[i].endswith("timing"):
                padded[:, i, : TIMINGS.index(0)] = float("-inf")  # nothing can start before the first beat
        mass = padded.softmax(dim=-1).cumsum(dim=-1)
        sampled = (mass <= noise[:, 4 + MAX_CHORD_NOTES :].double().unsqueeze(-1)).sum(dim=-1)
        sizes = torch.tensor(self.heads.detail_sizes, device=row.device)
        sampled = torch.minimum(sampled, sizes - 1)
        row[:, _DETAIL_COLUMNS] = torch.where(starts, sampled + 1, 0)

    def _told(self, name: str, value: Tensor) -> Tensor:
        if self._tell is not None:
            self._tell(name, value)
        return value

    def _leant(self, name: str, logits: Tensor, step: int) -> Tensor:
        return logits if self.guide is None else self.guide.lean(name, logits, step)
