"""Writing a table step by step with any composer: legal choices only, all noise drawn beforehand from the seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from musicgen_ui.models.composer_base import Context
from musicgen_ui.models.condition import Condition
from musicgen_ui.models.steps import DETAIL_GATES, DETAILS, StepHeads
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, MAX_LEFT, NOTE_COLUMNS, DrumVocabulary, duration_steps
from musicgen_ui.music.tokens import DURATIONS, MAX_CHORD_NOTES, STEPS_PER_BEAT, TIMINGS

DECISIONS = 4 + MAX_CHORD_NOTES + len(DETAILS)
"""Random numbers that one step may use."""

LEAD_DECISION = 2

ENDING_BARS = 2
FAR_FROM_THE_END = 32

Hook = Callable[[str, int, int], None]


class Composer(Protocol):
    """What the sampler needs of a composer; see ``ComposerBase`` for the meaning of each method."""

    config: Any
    heads: StepHeads
    prior: Callable[[Condition, Tensor], Tensor]

    def start(self, condition: Condition, z: Tensor) -> Any: ...

    def step(self, state: Any, bar: Tensor, total_bars: Tensor, place: Tensor, per_bar: int) -> Context: ...

    def wrote(self, state: Any, row: Tensor, observed: Tensor, per_bar: int) -> None: ...


@dataclass(frozen=True)
class SamplingConfig:
    """How bold the sampler is: softmax temperature, then the ``top_k`` best, then the smallest set of mass ``top_p``.

    ``rest_bias`` is taken off the logit of "nothing starts here" of lead, chords, bass and drums: what it writes itself
    is a little thinner than what it learned from, and thin bars breed thin bars.
    """

    rest_bias: float = 0.6
    temperature: float = 0.9
    lead_temperature: float = 0.8
    detail_temperature: float = 0.8
    top_k: int = 64
    top_p: float = 0.93


def pick(logits: Tensor, noise: Tensor, *, temperature: float, top_k: int, top_p: float, rest: bool = False) -> Tensor:
    """Samples a class from each row by inverting the cumulative distribution (top-p: Holtzman et al. 2020).

    Args:
        logits: (batch, classes); -inf is illegal.
        noise: (batch,) uniform in [0, 1).
        temperature: of the softmax.
        top_k: at most so many classes.
        top_p: and no more than it takes to hold that mass.
        rest: class 0 is "nothing": it keeps its probability, and the two limits choose among the others. On most
            steps nothing starts, so limits over all classes would take away the rarer onsets and empty the music.

    Returns:
        (batch,) int64.
    """
    # Rounding makes near ties fall the same way whatever the order in which a processor adds.
    p = torch.round(logits.double() / temperature, decimals=4).softmax(dim=-1)
    silent = p[:, :1] if rest else p.new_zeros(len(p), 1)
    ranked, order = p[:, int(rest) :].sort(dim=-1, descending=True, stable=True)
    whole = ranked.sum(dim=-1, keepdim=True).clamp(min=1e-300)
    keep = (ranked.cumsum(dim=-1) - ranked) < top_p * whole
    keep[:, top_k:] = False
    kept = ranked * keep
    mass = silent + (kept / kept.sum(dim=-1, keepdim=True).clamp(min=1e-300)).cumsum(dim=-1) * (1 - silent)
    threshold = noise.double().unsqueeze(-1)
    index = (mass <= threshold).sum(dim=-1, keepdim=True)
    # Rounding at the very end must not leave the kept set.
    index = torch.minimum(index, keep.sum(dim=-1, keepdim=True) - 1)
    chosen = order.gather(-1, index)[:, 0] + int(rest)
    return torch.where(threshold[:, 0] < silent[:, 0], 0, chosen)


def draw_noise(seeds: Sequence[int], steps: int, latent: int) -> tuple[Tensor, Tensor]:
    """Latent noise and uniform numbers of every take, from a generator each, so that takes do not depend on each other.

    Returns:
        (takes, latent) standard normal, which the composer's prior turns into z, and (takes, steps, DECISIONS) uniform.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    latents = torch.stack([torch.randn(latent, generator=g) for g in generators])
    noise = torch.stack([torch.rand(steps, DECISIONS, generator=g) for g in generators])
    return latents, noise


class StepWriter:
    """Turns contexts into rows. Holds the columns that carry over from one step to the next."""

    def __init__(self, heads: StepHeads, observed: Tensor, vocabulary: DrumVocabulary, config: SamplingConfig) -> None:
        self.heads, self.config = heads, config
        self.active = {part: bool(observed[0, i]) for i, part in enumerate(PARTS)}
        takes = len(observed)
        self.chord = torch.zeros(takes, dtype=torch.long, device=observed.device)
        self.last = {name: self.chord.new_zeros(takes, 1) for name in ("bass", "lead")}
        self.last["chords"] = self.chord.new_zeros(takes, MAX_CHORD_NOTES)
        self.left = {name: torch.zeros_like(self.chord) for name in ("bass", "lead")}
        self.spans = torch.tensor([0, *(duration_steps(1 + i) for i in range(len(DURATIONS)))], device=observed.device)
        self.drum_groups = torch.from_numpy(vocabulary.group_counts > 0).to(observed.device)

    def write(self, context: Context, noise: Tensor, step: int) -> Tensor:
        """Context of ``takes`` steps, noise (takes, DECISIONS) → row (takes, fields)."""
        heads, config = self.heads, self.config
        held, recall = context
        row = torch.zeros(len(held), len(FIELDS), dtype=torch.long, device=held.device)

        def choose(logits: Tensor, decision: int, biased: bool = True) -> Tensor:
            # A melody wants a steadier hand than its accompaniment: its leaps are what one hears first.
            temperature = config.lead_temperature if decision == LEAD_DECISION else config.temperature
            limits = {"temperature": temperature, "top_k": config.top_k, "top_p": config.top_p}
            if biased:
                logits = torch.cat([logits[:, :1] - config.rest_bias, logits[:, 1:]], dim=-1)
            return pick(logits, noise[:, decision], rest=True, **limits)

        if step % STEPS_PER_BEAT == 0:
            logits = heads.copied("chord", held, recall, heads.next_chord(held, self.chord), "chord")
            self.chord = self._next_chord(logits, noise[:, 0])
        row[:, COLUMN["chord"]] = self.chord
        held = held + heads.held.column("chord", self.chord)
        for decision, name in ((1, "bass"), (LEAD_DECISION, "lead")):
            if self.active[name]:
                logits = heads.pitch(name, held, self.last[name])
                pitch = choose(heads.copied(name, held, recall, logits, f"{name}_pitch"), decision)
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
                note = torch.where(alive, choose(logits, 4 + slot, biased=slot == 0), 0)
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
            drums = choose(heads.copied("drums", held, context.recall, heads.drums(held), "drums"), 3)
            row[:, COLUMN["drums"]] = drums
            held = held + heads.held.column("drums", drums)
        self._write_details(row, held, noise, step)
        for name in ("bass", "lead"):
            started = row[:, COLUMN[f"{name}_pitch"]] > 0
            span = self.spans[row[:, COLUMN[f"{name}_duration"]]]
            self.left[name] = torch.where(started, span - 1, (self.left[name] - 1).clamp(min=0))
            row[:, COLUMN[f"{name}_left"]] = self.left[name].clamp(max=MAX_LEFT)
        return row

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
            padded[:, i, : part.shape[-1]] = part
            if step == 0 and DETAILS[i].endswith("timing"):
                padded[:, i, : TIMINGS.index(0)] = float("-inf")  # nothing can start before the first beat
        mass = padded.softmax(dim=-1).cumsum(dim=-1)
        sampled = (mass <= noise[:, 4 + MAX_CHORD_NOTES :].double().unsqueeze(-1)).sum(dim=-1)
        sizes = torch.tensor(self.heads.detail_sizes, device=row.device)
        sampled = torch.minimum(sampled, sizes - 1)
        row[:, [COLUMN[name] for name in DETAILS]] = torch.where(starts, sampled + 1, 0)


@torch.inference_mode()
def write_tables(
    composer: Composer,
    condition: Condition,
    z: Tensor,
    noise: Tensor,
    *,
    steps_per_bar: int,
    config: SamplingConfig,
    hook: Hook,
    first_bar: int = 0,
) -> Tensor:
    """Composes a batch of takes.

    Args:
        composer: in evaluation mode.
        condition: of the same batch as z; every take has the same active parts.
        z: (takes, latent).
        noise: (takes, steps, DECISIONS) uniform; steps must hold whole bars.
        steps_per_bar: 16 or 12.
        config: how bold.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.
        first_bar: where in the piece it begins; the piece ends where the table does.

    Returns:
        (takes, steps, fields) int64 on the CPU.
    """
    device = z.device
    takes, steps = noise.shape[:2]
    state = composer.start(condition, z)
    writer = StepWriter(composer.heads, condition.active, DrumVocabulary(composer.config.drum_masks), config)
    end = first_bar + steps // steps_per_bar
    noise = noise.to(device)
    rows = []
    for step in range(steps):
        now = first_bar + step // steps_per_bar
        # Pieces thin out long before they stop; a clip of a few bars must not, so it learns of its end near the end.
        total = end if end - now <= ENDING_BARS else now + FAR_FROM_THE_END
        bar = torch.full((takes,), now, device=device)
        total_bars = torch.full((takes,), total, device=device)
        place = torch.full((takes,), step % steps_per_bar, device=device)
        context = composer.step(state, bar, total_bars, place, steps_per_bar)
        row = writer.write(context, noise[:, step], step)
        composer.wrote(state, row, condition.active, steps_per_bar)
        rows.append(row)
        if step % STEPS_PER_BEAT == STEPS_PER_BEAT - 1:
            hook("compose", step + 1, steps)
    return torch.stack(rows, dim=1).cpu()
