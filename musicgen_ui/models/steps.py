"""Reading and writing one step of the table: the embedding of a row, and the chain of heads that predicts one.

Within a step the heads run chord → bass → lead → chord part → drums → durations, velocities and timings; each
reads the composer's context and everything that the step already holds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS
from musicgen_ui.music.tokens import MAX_CHORD_NOTES, STEPS_PER_BEAT

DETAILS = tuple(f.name for f in FIELDS if f.name.rsplit("_", 1)[-1].rstrip("012") in ("duration", "velocity", "timing"))
"""Columns that the last head writes, in the order of FIELDS; each only where its part starts something."""

_STARTS = {"bass": "bass_pitch", "lead": "lead_pitch", "chords": "chords_note0", "drums": "drums"}
DETAIL_GATES = tuple(_STARTS[name.split("_")[0]] for name in DETAILS)
"""For each detail, the column that says whether its part starts anything on the step."""

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
    """The chain of heads. ``context`` is (…, width); what the step holds is added to it as it is decided."""

    def __init__(self, width: int, hidden: int) -> None:
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

    def losses(
        self, context: Tensor, table: Tensor, observed: Tensor, valid: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Negative log-likelihood of a table, teacher-forced.

        Args:
            context: (batch, steps, width).
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
        out = {"chord": (_nats(self.next_chord(held[beat], before[beat]), chord[beat]), valid.sum())}
        held = held + self.held.column("chord", chord)
        for name in ("bass", "lead"):
            column = f"{name}_pitch"
            pitch = table[..., COLUMN[column]]
            mask = seen[name]
            out[name] = (_nats(getattr(self, name)(held[mask]), pitch[mask]), mask.sum())
            held = held + self.held.column(column, pitch) * mask.unsqueeze(-1)
        notes = table[..., list(NOTE_COLUMNS)]
        out["chords"] = (self._notes_loss(held[seen["chords"]], notes[seen["chords"]]), seen["chords"].sum())
        sounding = (notes > 0) & seen["chords"].unsqueeze(-1)
        held = held + (self.held.column("chords_note0", notes) * sounding.unsqueeze(-1)).sum(dim=-2)
        mask = seen["drums"]
        drums = table[..., COLUMN["drums"]]
        out["drums"] = (_nats(self.drums(held[mask]), drums[mask]), mask.sum())
        held = held + self.held.column("drums", drums) * mask.unsqueeze(-1)
        out["details"] = (self._details_loss(held, table, seen, valid), valid.sum())
        return out

    def next_chord(self, context: Tensor, before: Tensor) -> Tensor:
        """Logits of the chord on a beat. context (n, width), before (n,) the chord in force until then."""
        return self.chord(context) + F.embedding(before, self.chord_after)

    def _notes_loss(self, held: Tensor, notes: Tensor) -> Tensor:
        """Held (n, width), notes (n, slots) → nats of the ascending note lists."""
        inputs, targets, floors = [], [], []
        for slot in range(MAX_CHORD_NOTES):
            previous = notes[:, slot - 1] if slot else None
            rows = torch.arange(len(notes), device=notes.device) if previous is None else previous.nonzero()[:, 0]
            if slot:
                held = held + self.held.column("chords_note0", previous) * (previous > 0).unsqueeze(-1)
            inputs.append(held[rows] + self.slot[slot])
            targets.append(notes[rows, slot])
            floors.append(torch.zeros_like(rows) if previous is None else previous[rows])
        logits = self.only_above(self.chords(torch.cat(inputs)), torch.cat(floors))
        return _nats(logits, torch.cat(targets))

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


def _nats(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits.float(), target, reduction="sum")
