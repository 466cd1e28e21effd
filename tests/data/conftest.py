"""A FluidSynth that plays the small SoundFont which is always installed, and a store of a few pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import embedded_path
from musicgen_ui.data.fluid import FluidRenderer
from musicgen_ui.data.ledger import write_lines
from musicgen_ui.data.pieces import PieceInfo, score_arrays, to_row, write_arrays
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Note, Score

SPLITS = ("train", "validation", "test")


def open_renderer() -> FluidRenderer:
    """The renderer, or a skipped test where FluidSynth is not installed."""
    try:
        return FluidRenderer.open(embedded_path())
    except RequestError as error:
        pytest.skip(error.reason)


@pytest.fixture(scope="session")
def renderer() -> FluidRenderer:
    return open_renderer()


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder: two pieces of each split, all parts busy for 16 bars."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "notes").mkdir()
    rng = np.random.default_rng(5)
    infos, arrays, at = [], [], 0
    for number in range(6):
        parts = {}
        for part, low in zip(PARTS, (60, 55, 36, 36), strict=True):
            onsets = np.arange(0, 64, 0.5)
            pitches = low + rng.integers(0, 4 if part == "drums" else 12, len(onsets))
            velocities = rng.integers(50, 110, len(onsets))
            columns = (onsets.tolist(), pitches.tolist(), velocities.tolist())
            parts[part] = tuple(Note(o, p, 0.75, v) for o, p, v in zip(*columns, strict=True))
        score = Score(120.0, "4/4", 16, parts)
        notes, chords = score_arrays(score)
        facts = (f"own/{number}", "own", "A piece", f"song:{number}", SPLITS[number % 3], {}, "CC0", 120.0, True, "4/4")
        infos.append(PieceInfo(*facts, 16, None, PARTS, {}, (at, len(notes)), (0, 0)))
        arrays.append((notes, chords))
        at += len(notes)
    write_arrays(folder / "notes" / "own.npz", arrays)
    write_lines(folder / "index.jsonl", map(to_row, infos))
    return folder
