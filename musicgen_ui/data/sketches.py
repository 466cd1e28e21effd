"""The index of the training corpora that ships: names, licences, tunes and chords of every training piece."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.tables import load_tables
from musicgen_ui.music.sketch import STEPS_PER_CHORD, from_columns
from musicgen_ui.music.table import COLUMN

FORMAT = 1


def write_index(folder: Path, path: Path) -> int:
    """Writes the sketches of all training pieces that have a tune or chords.

    Args:
        folder: what ``prepare`` wrote.
        path: an ``.npz`` file; the same pieces give the same arrays.

    Returns:
        How many pieces it holds.
    """
    store = PieceStore(folder)
    facts, tunes, chords = [], [], []
    for piece in load_tables(folder)[0]:
        if piece.split != "train":
            continue
        sketch = from_columns(piece.table[:, COLUMN["lead_pitch"]], piece.table[:, COLUMN["chord"]], piece.metre)
        if not (sketch.tune.any() or sketch.chord.any()):
            continue
        info = store.info(piece.id)
        facts.append([info.title, info.corpus, info.licence, piece.metre, len(sketch.tune), info.group])
        tunes.append(sketch.tune)
        chords.append(sketch.chord)
    corpora, licences = (sorted({row[column] for row in facts}) for column in (1, 2))
    groups = {group: number for number, group in enumerate(dict.fromkeys(row[5] for row in facts))}
    pieces = [[t, corpora.index(c), licences.index(x), m, n, groups[g]] for t, c, x, m, n, g in facts]
    head = {
        "format": FORMAT,
        "steps_per_chord": STEPS_PER_CHORD,
        "corpora": corpora,
        "licences": licences,
        "pieces": pieces,
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    temporary = path.with_name(path.name + ".part.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        temporary,
        facts=np.frombuffer(text, dtype=np.uint8),
        tune=np.concatenate(tunes) if tunes else np.zeros(0, np.uint8),
        chord=np.concatenate(chords) if chords else np.zeros(0, np.uint8),
    )
    temporary.replace(path)
    return len(pieces)
