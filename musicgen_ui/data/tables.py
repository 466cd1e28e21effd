"""Stage 2: prepared pieces → integer tables in C major or A minor, cached beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from musicgen_ui.data.pieces import Piece, PieceStore
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, DrumVocabulary, to_table
from musicgen_ui.music.theory import KEYS, key_correlations, key_is_minor, key_tonic
from musicgen_ui.music.tokens import STEPS_PER_BEAT, encode
from musicgen_ui.style import GENRES

MIN_BARS = 4
"""Shorter pieces are left out."""


@dataclass(frozen=True)
class TablePiece:
    """A piece on the grid, moved to C major or A minor.

    Attributes:
        table: (steps, fields) int16.
        tempo: beats per minute, None when the corpus does not know it.
        observed: (4,) bool.
        mode: 0 unknown, 1 major, 2 minor.
        genre: (genres,) float32 weights, all zero when unknown.
    """

    id: str
    corpus: str
    split: str
    metre: str
    tempo: float | None
    mode: int
    observed: np.ndarray
    genre: np.ndarray
    table: np.ndarray

    @property
    def bars(self) -> int:
        return len(self.table) // (METRES[self.metre] * STEPS_PER_BEAT)


def neutral_shift(key: str) -> int:
    """Semitones, in [-6, 5], that move a key to C major or A minor."""
    target = 9 if key_is_minor(key) else 0
    return (target - key_tonic(key) + 6) % 12 - 6


def to_table_piece(piece: Piece, vocabulary: DrumVocabulary) -> TablePiece:
    """Moves a piece to the neutral key and onto the grid; without a key it takes the best correlated one."""
    score, key = piece.score, piece.score.key
    if key is None and (score.pitched or score.chords):
        weights = np.zeros(12)
        for note in score.pitched:
            weights[note.pitch % 12] += note.duration
        for chord in score.chords if not weights.any() else ():
            weights[chord.root] += chord.duration
        key = KEYS[int(key_correlations(weights).argmax())]
    if key is not None:
        score = score.transposed(neutral_shift(key))
    return TablePiece(
        id=piece.id,
        corpus=piece.corpus,
        split=piece.split,
        metre=score.metre,
        tempo=score.tempo if piece.tempo_known else None,
        mode=0 if key is None else 2 if key_is_minor(key) else 1,
        observed=np.array([part in score.parts for part in PARTS]),
        genre=np.array([piece.genre.get(name, 0.0) for name in GENRES], dtype=np.float32),
        table=to_table(encode(score), vocabulary),
    )


def _tables_of(folder: Path, ids: Sequence[str], masks: tuple[int, ...]) -> list[TablePiece]:
    store, vocabulary = PieceStore(folder), DrumVocabulary(masks)
    return [to_table_piece(store.read(i), vocabulary) for i in ids]


def _masks_of(folder: Path, ids: Sequence[str]) -> np.ndarray:
    store = PieceStore(folder)
    found = [encode(store.read(i).score.with_parts(("drums",))).drums for i in ids]
    return np.concatenate([m[m > 0] for m in found]) if found else np.zeros(0, dtype=np.int16)


def load_tables(folder: Path, *, workers: int = 2) -> tuple[list[TablePiece], DrumVocabulary]:
    """All prepared pieces on the grid, and the drum vocabulary of the training split. The result is cached beside them.

    Args:
        folder: what ``prepare`` wrote.
        workers: processes for the first run.
    """
    folder = Path(folder)
    store = PieceStore(folder)
    infos = [i for i in store.index() if i.bars >= MIN_BARS]
    ids = [i.id for i in infos]
    cache = folder / "tables.npz"
    if cache.exists():
        cached = _read_cache(cache, ids)
        if cached is not None:
            return cached
    with ProcessPoolExecutor(workers) as pool:
        drummed = [i.id for i in infos if i.split == "train" and "drums" in i.parts]
        jobs = [pool.submit(_masks_of, folder, chunk) for chunk in _chunks(drummed)]
        vocabulary = DrumVocabulary.fit(
            np.concatenate([job.result() for job in jobs] or [np.zeros(0, np.int16)]).tolist()
        )
        jobs = [pool.submit(_tables_of, folder, chunk, vocabulary.masks) for chunk in _chunks(ids)]
        pieces = [piece for job in jobs for piece in job.result()]
    _write_cache(cache, pieces, vocabulary)
    return pieces, vocabulary


def with_vocabulary(piece: TablePiece, old: DrumVocabulary, new: DrumVocabulary) -> TablePiece:
    """The piece with its drums in the classes of another vocabulary: a checkpoint keeps the one it was trained with."""
    table = piece.table.copy()
    table[:, COLUMN["drums"]] = new.classes(old.to_masks(table[:, COLUMN["drums"]].astype(np.int64)))
    return replace(piece, table=table)


def _chunks(ids: Sequence[str], size: int = 100) -> list[Sequence[str]]:
    return [ids[i : i + size] for i in range(0, len(ids), size)]


def _write_cache(path: Path, pieces: Sequence[TablePiece], vocabulary: DrumVocabulary) -> None:
    facts = [[p.id, p.corpus, p.split, p.metre, p.tempo, p.mode, len(p.table)] for p in pieces]
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            facts=np.frombuffer(json.dumps([[f.name for f in FIELDS], facts]).encode(), dtype=np.uint8),
            masks=np.array(vocabulary.masks, dtype=np.int16),
            observed=np.stack([p.observed for p in pieces]),
            genre=np.stack([p.genre for p in pieces]),
            tables=np.concatenate([p.table for p in pieces]),
        )


def _read_cache(path: Path, ids: Sequence[str]) -> tuple[list[TablePiece], DrumVocabulary] | None:
    """The cached tables, or None when they are of other pieces or another layout."""
    with np.load(path) as arrays:
        names, facts = json.loads(arrays["facts"].tobytes())
        if names != [f.name for f in FIELDS] or [f[0] for f in facts] != list(ids):
            return None
        tables, observed, genre = arrays["tables"], arrays["observed"], arrays["genre"]
        vocabulary = DrumVocabulary(tuple(int(m) for m in arrays["masks"]))
    pieces, start = [], 0
    for i, (id_, corpus, split, metre, tempo, mode, steps) in enumerate(facts):
        table = tables[start : start + steps]
        pieces.append(TablePiece(id_, corpus, split, metre, tempo, mode, observed[i], genre[i], table))
        start += steps
    return pieces, vocabulary
