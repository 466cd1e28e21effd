"""The store of prepared pieces: an index of JSON lines and one array file a corpus; no pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Chord, Note, Score, from_ticks, to_ticks
from musicgen_ui.music.theory import QUALITIES

_QUALITY_NAMES = tuple(QUALITIES)
_NOTE_FIELDS = (
    ("part", np.uint8),
    ("onset", np.int32),
    ("pitch", np.uint8),
    ("duration", np.int32),
    ("velocity", np.uint8),
)
_CHORD_FIELDS = (("onset", np.int32), ("duration", np.int32), ("root", np.uint8), ("quality", np.uint8))


@dataclass(frozen=True)
class PieceInfo:
    """What the index says of a piece without reading its notes.

    Attributes:
        id: ``corpus/name``, with ``#2`` and so on for the sections of one file.
        parts: names of the observed parts.
        tempo_known: False when the corpus's tempo is only a default.
        notes, chords: (first row, rows) in the corpus's arrays.
    """

    id: str
    corpus: str
    title: str
    group: str
    split: str
    genre: dict[str, float]
    licence: str
    tempo: float
    tempo_known: bool
    metre: str
    bars: int
    key: str | None
    parts: tuple[str, ...]
    programs: dict[str, int] = field(default_factory=dict)
    notes: tuple[int, int] = (0, 0)
    chords: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Piece:
    """A prepared piece: where it comes from and its Score, in its own key."""

    id: str
    corpus: str
    title: str
    group: str
    split: str
    genre: dict[str, float]
    licence: str
    score: Score
    tempo_known: bool = True


class PieceStore:
    """Reads a folder that ``prepare`` wrote. Array files are read once each and kept.

    Raises:
        RequestError: the folder holds no prepared pieces, or its index is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / "index.jsonl"
        if not path.is_file():
            raise RequestError(str(folder), "holds no prepared pieces; run the prepare command first")
        try:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            self._index = [_info(row) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(str(path), "is damaged; run the prepare command again") from error
        self._by_id = {info.id: info for info in self._index}
        self._arrays: dict[str, dict[str, np.ndarray]] = {}

    def index(self) -> list[PieceInfo]:
        """Every piece, in a fixed order."""
        return list(self._index)

    def info(self, piece_id: str) -> PieceInfo:
        """The index entry of a piece.

        Raises:
            KeyError: there is no such piece.
        """
        return self._by_id[piece_id]

    def arrays(self, piece_id: str) -> tuple[np.ndarray, np.ndarray]:
        """A piece as integers, for fast readers.

        Returns:
            notes: (n, 5) int64: part number in PARTS, onset in ticks of 1/24 beat, pitch, duration in ticks, velocity;
                sorted by part, then onset.
            chords: (m, 4) int64: onset and duration in ticks, root, index in ``theory.QUALITIES``.
        """
        info = self._by_id[piece_id]
        table = self._table(info.corpus)
        first, count = info.notes
        notes = np.stack(
            [table[f"note_{name}"][first : first + count].astype(np.int64) for name, _ in _NOTE_FIELDS], axis=1
        )
        first, count = info.chords
        chords = np.stack(
            [table[f"chord_{name}"][first : first + count].astype(np.int64) for name, _ in _CHORD_FIELDS], axis=1
        )
        return notes, chords

    def read(self, piece_id: str) -> Piece:
        """A piece with its Score.

        Raises:
            KeyError: there is no such piece.
        """
        info = self._by_id[piece_id]
        notes, chords = self.arrays(piece_id)
        parts: dict[str, tuple[Note, ...]] = {}
        for number, part in enumerate(PARTS):
            if part in info.parts:
                rows = notes[notes[:, 0] == number, 1:].tolist()
                parts[part] = tuple(Note(from_ticks(o), p, from_ticks(d), v) for o, p, d, v in rows)
        symbols = tuple(Chord(from_ticks(o), from_ticks(d), r, _QUALITY_NAMES[q]) for o, d, r, q in chords.tolist())
        score = Score(info.tempo, info.metre, info.bars, parts, symbols, info.key, dict(info.programs))
        return Piece(
            info.id,
            info.corpus,
            info.title,
            info.group,
            info.split,
            dict(info.genre),
            info.licence,
            score,
            info.tempo_known,
        )

    def _table(self, corpus: str) -> dict[str, np.ndarray]:
        if corpus not in self._arrays:
            with np.load(self.folder / "notes" / f"{corpus}.npz", allow_pickle=False) as file:
                self._arrays[corpus] = {name: file[name] for name in file.files}
        return self._arrays[corpus]


def score_arrays(score: Score) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of :meth:`PieceStore.arrays`: a Score's notes and chords as int32 rows."""
    notes = [
        (number, to_ticks(n.onset), n.pitch, to_ticks(n.duration), n.velocity)
        for number, part in enumerate(PARTS)
        for n in score.notes(part)
    ]
    chords = [(to_ticks(c.onset), to_ticks(c.duration), c.root, _QUALITY_NAMES.index(c.quality)) for c in score.chords]
    return np.array(notes, np.int32).reshape(-1, 5), np.array(chords, np.int32).reshape(-1, 4)


def write_arrays(path: Path, pieces: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Writes one corpus's arrays, end to end, so that equal pieces give equal bytes."""
    notes, chords = [np.zeros((0, 5), np.int32)], [np.zeros((0, 4), np.int32)]
    for piece_notes, piece_chords in pieces:
        notes.append(piece_notes)
        chords.append(piece_chords)
    all_notes, all_chords = np.concatenate(notes), np.concatenate(chords)
    columns = {f"note_{name}": all_notes[:, i].astype(kind) for i, (name, kind) in enumerate(_NOTE_FIELDS)}
    columns |= {f"chord_{name}": all_chords[:, i].astype(kind) for i, (name, kind) in enumerate(_CHORD_FIELDS)}
    temporary = path.with_suffix(".part.npz")
    np.savez_compressed(temporary, **columns)
    temporary.replace(path)


def read_arrays(path: Path, counts: Sequence[tuple[int, int]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Inverse of :func:`write_arrays`.

    Args:
        path: what it wrote.
        counts: notes and chords of each piece.

    Raises:
        ValueError: the file holds another number of notes or chords.
    """
    with np.load(path, allow_pickle=False) as file:
        notes = np.stack([file[f"note_{name}"].astype(np.int32) for name, _ in _NOTE_FIELDS], axis=1)
        chords = np.stack([file[f"chord_{name}"].astype(np.int32) for name, _ in _CHORD_FIELDS], axis=1)
    note_ends, chord_ends = np.cumsum(np.array(counts, np.int64).reshape(-1, 2), axis=0).T
    if len(counts) and (note_ends[-1] != len(notes) or chord_ends[-1] != len(chords)):
        raise ValueError(f"{path.name} does not match its ledger")
    return (
        list(zip(np.split(notes, note_ends[:-1]), np.split(chords, chord_ends[:-1]), strict=True))
        if len(counts)
        else []
    )


def to_row(info: PieceInfo) -> dict[str, Any]:
    """The index line of a piece."""
    return asdict(info)


def _info(row: Mapping[str, Any]) -> PieceInfo:
    row = dict(row)
    for name in ("parts", "notes", "chords"):
        row[name] = tuple(row[name])
    return PieceInfo(**row)
