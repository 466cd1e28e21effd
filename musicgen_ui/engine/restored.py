"""A written table as notes, in which what is as it was in a clip comes back as that clip's very own notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicgen_ui.models.lean import LAYER_COLUMNS
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.music.table import COLUMN, DrumVocabulary
from musicgen_ui.music.tokens import STEPS_PER_BEAT, locate

_GROUPS = 3


@dataclass(frozen=True)
class Ingredient:
    """A clip that a table was written from.

    Attributes:
        score: in the key of the result.
        table: (steps, fields) the same as it is laid out for the result.
        origin: (steps,) the step of the score that lies there; -1 for none.
    """

    score: Score
    table: np.ndarray
    origin: np.ndarray


Cells = Mapping[tuple[str, int], Sequence[Note]]


def restored(
    written: np.ndarray, decoded: Score, ingredients: Sequence[Ingredient], vocabulary: DrumVocabulary
) -> Score:
    """The decoded table with the ingredients' own notes in every cell that is the same as theirs.

    A table rounds time, length and velocity; these notes come back as they were. A note ends at the latest where its
    part goes on with something of another origin.

    Args:
        written: (steps, fields) the table.
        decoded: the same as a score, in its key.
        ingredients: the first one that has the same cell is taken.
        vocabulary: of the drums.
    """
    new, own = _cells(decoded), [_cells(ingredient.score) for ingredient in ingredients]
    alike = [_alike(written, ingredient, vocabulary) for ingredient in ingredients]
    parts = {}
    for part in decoded.parts:
        pieces: list[tuple[Note, tuple[int, int]]] = []
        for step in range(len(written)):
            number = next((k for k, same in enumerate(alike) if same[part][step]), None)
            if number is None:
                pieces += [(note, (-1, 0)) for note in new.get((part, step), ())]
                continue
            begin = int(ingredients[number].origin[step])
            beats = (step - begin) / STEPS_PER_BEAT
            pieces += [
                (replace(note, onset=note.onset + beats) if beats else note, (number, step - begin))
                for note in own[number].get((part, begin), ())
            ]
        parts[part] = _joined(pieces, float(decoded.beats))
    return replace(decoded, parts=parts)


def _cells(score: Score) -> Cells:
    """Notes by part and step."""
    found: dict[tuple[str, int], list[Note]] = defaultdict(list)
    for part, notes in score.parts.items():
        for note in notes:
            found[part, locate(note.onset, score.beats * STEPS_PER_BEAT)[0]].append(note)
    return found


def _alike(written: np.ndarray, ingredient: Ingredient, vocabulary: DrumVocabulary) -> dict[str, np.ndarray]:
    """By part, the steps (steps,) bool on which the table says the same as the ingredient."""
    there = ingredient.origin >= 0
    found = {}
    for part in PARTS:
        columns = list(LAYER_COLUMNS[part])
        same = written[:, columns] == ingredient.table[:, columns]
        if part == "drums":
            # How loud a group is that is not struck says nothing.
            silent = vocabulary.group_counts[written[:, COLUMN["drums"]]] == 0
            for group in range(_GROUPS):
                same[:, columns.index(COLUMN[f"drums_velocity{group}"])] |= silent[:, group]
        found[part] = there & same.all(axis=1)
    return found


def _joined(pieces: list[tuple[Note, tuple[int, int]]], end: float) -> tuple[Note, ...]:
    """Notes with their origins as one part."""
    joined: list[Note] = []
    following: dict[tuple[int, int], float] = {}
    for note, origin in sorted(pieces, reverse=True):
        others = (onset for other, onset in following.items() if other != origin and onset > note.onset)
        duration = min(note.duration, min(others, default=end) - note.onset, end - note.onset)
        following[origin] = note.onset
        if duration > 0:
            joined.append(note if duration == note.duration else replace(note, duration=duration))
    return tuple(sorted(joined))
