"""Reading and writing one step of the table: the embedding of a row, and the chain of heads that predicts one.

Within a step the heads run chord → bass → lead → chord part → drums → durations, velocities and timings; each
reads the composer's context and everything that the step already holds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musicgen_ui.models.last_note import LastNote, struck_last
from musicgen_ui.models.pointer import CopyGate, Recall
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS
from musicgen_ui.music.tokens import MAX_CHORD_NOTES, STEPS_PER_BEAT

DETAILS = tuple(f.name for f in FIELDS if f.name.rsplit("_", 1)[-1].rstrip("012") in ("duration", "velocity", "timing"))
"""Columns that the last head writes, in the order of FIELDS; each only where its part starts something."""

_STARTS = {"bass": "bass_pitch", "lead": "lead_pitch", "chords": "chords_note0", "drums": "drums"}
DETAIL_GATES = tuple(_STARTS[name.split("_")[0]] for name in DETAILS)
"""For each detail, the column that says whether its part starts anything on the step."""

COPIED = {
    "chord": "chord",
    "bass": "bass_pitch",
    "lead": "lead_pitch",
    "chords": "chords_note0",
    "drums": "drums",
}
"""Heads whose choices may be copied, and the column of each (of the first note, for the chord part)."""

PITCHED = ("bass", "lead", "chords")

HEADS = ("chord", "bass", "lead", "chords", "drums", "details")


class RowEmbedding(nn.Module):
    """Sum of one learned vector a column; the six note columns share a table, an unobserved part has its own vector."""

    def __init__(self, width: int) -> None:
        super().__init__()
        offsets, alternatives = [], []
        shared: dict[str, int] = {}
        first_of_part: set[int] = set()
        rows = 1 + len(PARTS)  # row 0 adds nothing (padding_idx), rows 1-4 say "not observed"
        for field in FIELDS:
            table = field.name.rstrip("0123456789") if "note" in field.name else field.name
            if table not in shared:
                shared[table] = rows
                rows += field.classes
            offsets.append(shared[table])
            if field.part is None:
                alternatives.append(-1)
            elif field.part in first_of_part:
                alternatives.append(0)
            else:
                first_of_part.add(field.part)
                alternatives.append(1 + field.part)
        self.weight = nn.Parameter(torch.randn(rows, width) * 0.2)
        parts = [len(PARTS) if f.part is None else f.part for f in FIELDS]
        self.register_buffer("offsets", torch.tensor(offsets), persistent=False)
        self.register_buffer("alternatives", torch.tensor(alternatives), persistent=False)
        self.register_buffer("parts", torch.tensor(parts), persistent=False)

    def indices(self, table: Tensor, observed: Tensor) -> Tensor:
        """Rows of the weight for every cell: table (batch, steps, fields), observed (batch, 4) → the table's shape."""
        seen = F.pad(observed, (0, 1), value=True)[:, self.parts]  # (batch, fields); harmony is always seen
        return torch.where(seen.unsqueeze(1), table + self.offsets, self.alternatives)

    def forward(self, table: Tensor, observed: Tensor) -> Tensor:
        """(batch, steps, fields) int → (batch, steps, width)."""
        batch, steps, columns = table.shape
        index = self.indices(table, observed).reshape(batch * steps, columns)
        return F.embedding_bag(index, self.weight, mode="sum", padding_idx=0).view(batch, steps, -1)

    def column(self, name: str, values: Tensor) -> Tensor:
        """Vectors of one column's values, any shape → (*shape, width)."""
        return F.embedding(values + self.offsets[COLUMN[name]], self.weight)


class Head(nn.Module):
    """LayerNorm, one hidden layer, logits."""

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class StepHeads(nn.Module):
    """The chain of heads. ``context`` is (…, width); what the step holds is added to it as it is decided.

    With a pointer every choice of a chord, a pitch or a drum is a mixture of the head's own and of a copy.

    Args:
        width: of the context.
        hidden: hidden layer of every head.
        pointer: whether there are copy gates.
        last_notes: whether the pitched heads are told what their part struck last.
    """

    def __init__(self, width: int, hidden: int, *, pointer: bool = False, last_notes: bool = False) -> None:
        super().__init__()
        sizes = {f.name: f.classes for f in FIELDS}
        self.held = RowEmbedding(width)
        self.slot = nn.Parameter(0.1 * torch.randn(MAX_CHORD_NOTES, width))
        self.chord = Head(width, hidden, sizes["chord"])
        # Logits of what follows what, started at "most chords simply go on": the network only has to say when not.
        self.chord_after = nn.Parameter(4.0 * torch.eye(sizes["chord"]))
        self.bass = Head(width, hidden, sizes["bass_pitch"])
        self.lead = Head(width, hidden, sizes["lead_pitch"])
        self.chords = Head(width, hidden, sizes["chords_note0"])
        self.drums = Head(width, hidden, sizes["drums"])
        # A detail is only asked for where something starts, so it has no class "nothing".
        self.detail_sizes = tuple(sizes[name] - 1 for name in DETAILS)
        self.details = Head(width, hidden, sum(self.detail_sizes))
        columns = {name: COPIED[name] for name in PITCHED} if last_notes else {}
        self.last = nn.ModuleDict({name: LastNote(width, sizes[column]) for name, column in columns.items()})
        self.gates = nn.ModuleDict({name: CopyGate(width) for name in COPIED}) if pointer else None

    def losses(
        self, context: Tensor, recall: Recall | None, table: Tensor, observed: Tensor, valid: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Negative log-likelihood of a table, teacher-forced.

        Args:
            context: (batch, steps, width).
            recall: what earlier bars had at each step; None without a pointer.
            table: (batch, steps, fields) int64.
            observed: (batch, 4) bool; parts that are not observed cost nothing.
            valid: (batch, steps) bool; padding costs nothing.

        Returns:
            head name to (sum of nats, number of observed steps), both scalars.
        """
        seen = {part: valid & observed[:, i : i + 1] for i, part in enumerate(PARTS)}
        held = context
        beat = valid.clone()
        beat[:, torch.arange(valid.shape[1], device=valid.device) % STEPS_PER_BEAT != 0] = False
        chord = table[..., COLUMN["chord"]]
        before = F.pad(chord, (1, 0))[:, :-1]
        inside = held[beat]
        logits = self.next_chord(inside, before[beat])
        out = {"chord": (self._nats("chord", inside, _at(recall, beat), logits, chord[beat]), valid.sum())}
        held = held + self.held.column("chord", chord)
        for name in ("bass", "lead"):
            column = f"{name}_pitch"
            pitch = table[..., COLUMN[column]]
            mask = seen[name]
            inside = held[mask]
            logits = self.pitch(name, inside, struck_last(pitch.unsqueeze(-1))[mask])
            out[name] = (self._nats(name, inside, _at(recall, mask), logits, pitch[mask]), mask.sum())
            held = held + self.held.column(column, pitch) * mask.unsqueeze(-1)
        notes = table[..., list(NOTE_COLUMNS)]
        mask = seen["chords"]
        inside = self.tell_chords(held[mask], struck_last(notes)[mask])
        out["chords"] = (self._notes_loss(inside, _at(recall, mask), notes[mask]), mask.sum())
        sounding = (notes > 0) & seen["chords"].unsqueeze(-1)
        held = held + (self.held.column("chords_note0", notes) * sounding.unsqueeze(-1)).sum(dim=-2)
        mask = seen["drums"]
        drums = table[..., COLUMN["drums"]]
        inside = held[mask]
        out["drums"] = (
            self._nats("drums", inside, _at(recall, mask), self.drums(inside), drums[mask]),
            mask.sum(),
        )
        held = held + self.held.column("drums", drums) * mask.unsqueeze(-1)
        out["details"] = (self._details_loss(held, table, seen, valid), valid.sum())
        return out

    def next_chord(self, context: Tensor, before: Tensor) -> Tensor:
        """Logits of the chord on a beat. context (n, width), before (n,) the chord in force until then."""
        return self.chord(context) + F.embedding(before, self.chord_after)

    def pitch(self, name: str, held: Tensor, last: Tensor) -> Tensor:
        """Logits of the bass or the lead: held (n, width), last (n, 1) what the part struck last, 0 for nothing."""
        head = getattr(self, name)
        if name not in self.last:
            return head(held)
        return self.last[name].moved(head(self.last[name].told(held, last)), last[:, 0])

    def tell_chords(self, held: Tensor, last: Tensor) -> Tensor:
        """What the chord part's head reads: held (n, width) with the notes (n, slots) that it struck last."""
        return self.last["chords"].told(held, last) if "chords" in self.last else held

    def copied(self, name: str, held: Tensor, recall: Recall | None, logits: Tensor, column: str) -> Tensor:
        """Logits of a head for drawing from: with copies mixed in where there is a pointer.

        Args:
            name: of the head.
            held: (n, width) that the logits were made from.
            recall: of the same n steps.
            logits: (n, classes).
            column: whose values are copied.
        """
        return logits if self.gates is None else self.gates[name].mixture(held, recall, logits, column)

    def _nats(self, name: str, held: Tensor, recall: Recall | None, logits: Tensor, target: Tensor) -> Tensor:
        """Summed nats of a head: held (n, width), recall of the same n steps, logits (n, classes), target (n,)."""
        if self.gates is None:
            return _nats(logits, target)
        return self.gates[name].nats(held, recall, logits, COPIED[name], target)

    def _notes_loss(self, held: Tensor, recall: Recall | None, notes: Tensor) -> Tensor:
        """Held (n, width), recall of the same, notes (n, slots) → nats of the ascending note lists."""
        total = held.new_zeros((), dtype=torch.float32)
        floor = torch.zeros_like(notes[:, 0])
        for slot, column in enumerate(NOTE_COLUMNS):
            note = notes[:, slot]
            logits = self.only_above(self.chords(held + self.slot[slot]), floor)
            if self.gates is None:
                total = total + _nats(logits, note)
            else:
                total = total + self.gates["chords"].nats(held, recall, logits, FIELDS[column].name, note)
                recall = recall.given(FIELDS[column].name, note)
            going_on = note > 0
            if slot == MAX_CHORD_NOTES - 1 or not going_on.any():
                break
            floor, notes = note[going_on], notes[going_on]
            held = held[going_on] + self.held.column("chords_note0", floor)
            recall = _at(recall, going_on)
        return total

    @staticmethod
    def only_above(logits: Tensor, floor: Tensor) -> Tensor:
        """Notes come in ascending order: classes 1…floor are illegal, class 0 ends the list."""
        classes = torch.arange(logits.shape[-1], device=logits.device)
        illegal = (classes > 0) & (classes <= floor.unsqueeze(-1))
        return logits.float().masked_fill(illegal, float("-inf"))

    def _details_loss(self, held: Tensor, table: Tensor, seen: dict[str, Tensor], valid: Tensor) -> Tensor:
        starts = {
            name: (table[..., COLUMN[gate]] > 0) & seen[name.split("_")[0]]
            for name, gate in zip(DETAILS, DETAIL_GATES, strict=True)
        }
        for group in range(3):
            name = f"drums_velocity{group}"
            starts[name] = starts[name] & (table[..., COLUMN[name]] > 0)
        anything = torch.stack(list(starts.values())).any(dim=0) & valid
        logits = self.details(held[anything]).float()
        total = logits.new_zeros(())
        for name, part in zip(DETAILS, logits.split(self.detail_sizes, dim=-1), strict=True):
            mask = starts[name][anything]
            total = total + _nats(part[mask], table[..., COLUMN[name]][anything][mask] - 1)
        return total


def _at(recall: Recall | None, mask: Tensor) -> Recall | None:
    return None if recall is None else recall.at(mask)


def _nats(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits.float(), target, reduction="sum")
