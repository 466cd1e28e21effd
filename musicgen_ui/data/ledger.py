"""The ledger: what became of every source of a corpus, so that a second run converts only what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.data.pieces import read_arrays, write_arrays
from musicgen_ui.data.sources import Source
from musicgen_ui.data.workers import Converted

CODE = (
    "data/beats.py",
    "data/charts.py",
    "data/convert.py",
    "data/corpora.py",
    "data/genres.py",
    "data/pieces.py",
    "data/songs.py",
    "data/sources.py",
    "data/workers.py",
    "music/arrange.py",
    "music/downbeat.py",
    "music/harmony.py",
    "music/midi_file.py",
    "music/modulation.py",
    "music/score.py",
    "music/theory.py",
    "music/voices.py",
)
"""Modules that decide what a piece becomes: a change in one of them converts everything again."""


@dataclass(frozen=True)
class Entry:
    """One source: its fingerprint, and the index rows of its pieces or the reason why it has none."""

    id: str
    fingerprint: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None

    @classmethod
    def of(cls, converted: Converted, fingerprint: str) -> Entry:
        return cls(converted.source_id, fingerprint, converted.rows, converted.reason)


Arrays = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Ledger:
    """All entries of a corpus in order, each with the arrays of its pieces.

    Attributes:
        archive: SHA-256 of the archive they came from, or None for loose files.
        entries: source id to its entry and arrays.
    """

    archive: str | None
    entries: Mapping[str, tuple[Entry, Arrays]]

    @property
    def facts(self) -> tuple[str | None, tuple[Entry, ...]]:
        """The archive's hash and all entries: equal facts mean equal pieces."""
        return self.archive, tuple(entry for entry, _ in self.entries.values())

    @classmethod
    def read(cls, folder: Path, corpus: str) -> Ledger:
        """What an earlier run left; empty when there is nothing, it is damaged, or the code has changed since."""
        try:
            lines = _ledger_path(folder, corpus).read_text(encoding="utf-8").splitlines()
            head = json.loads(lines[0])
            if head["code"] != code_version():
                return cls(None, {})
            entries = [Entry(**json.loads(line)) for line in lines[1:]]
            counts = [[(row["notes"], row["chords"]) for row in entry.rows] for entry in entries]
            arrays = iter(read_arrays(arrays_path(folder, corpus), [pair for pairs in counts for pair in pairs]))
            return cls(
                head["archive"], {e.id: (e, [next(arrays) for _ in c]) for e, c in zip(entries, counts, strict=True)}
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError, StopIteration, EOFError):
            return cls(None, {})

    def write(self, folder: Path, corpus: str) -> None:
        """Writes arrays first: a run that is killed in between leaves a ledger that does not match, and is redone."""
        write_arrays(arrays_path(folder, corpus), (pair for _, arrays in self.entries.values() for pair in arrays))
        head = {"archive": self.archive, "code": code_version()}
        write_lines(_ledger_path(folder, corpus), [head, *(asdict(entry) for entry, _ in self.entries.values())])


def arrays_path(folder: Path, corpus: str) -> Path:
    return folder / "notes" / f"{corpus}.npz"


def _ledger_path(folder: Path, corpus: str) -> Path:
    return folder / "sources" / f"{corpus}.jsonl"


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes JSON lines, all or nothing."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(path)


def code_version() -> str:
    """Hash of the source code named in CODE."""
    root = Path(__file__).resolve().parent.parent
    return hashlib.sha256(b"".join((root / name).read_bytes() for name in CODE)).hexdigest()[:16]


def fingerprint(source: Source) -> str:
    """Hash of everything but the code that a source's pieces depend on."""
    rest = repr([(name, value) for name, value in sorted(vars(source).items()) if name != "midi"])
    return hashlib.sha256((source.midi or b"") + b"\0" + rest.encode("utf-8")).hexdigest()[:32]
