"""Stage one: every corpus in a folder becomes a store of pieces."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from musicgen_ui import data, music
from musicgen_ui.data import corpora as registry
from musicgen_ui.data.archives import file_sha256, members
from musicgen_ui.data.pieces import PieceInfo, to_row, write_arrays
from musicgen_ui.data.songs import merged_groups, split_of
from musicgen_ui.data.sources import Source
from musicgen_ui.data.workers import Converted, convert_all
from musicgen_ui.errors import RequestError

OWN = "own"
"""Corpus name of a person's own MIDI files."""

_SHARE_ALIKE = re.compile(r"by[ -]?sa|sharealike", re.I)


@dataclass
class Report:
    """Counts of a run: files read, pieces kept, sources reused from an earlier run, duplicates, and reasons to skip."""

    files: Counter = field(default_factory=Counter)
    pieces: Counter = field(default_factory=Counter)
    reused: Counter = field(default_factory=Counter)
    duplicates: Counter = field(default_factory=Counter)
    skipped: dict[str, Counter] = field(default_factory=dict)

    def table(self) -> str:
        """The counts as text, one line a corpus, then one line a reason."""
        lines = [f"{'corpus':<32}{'files':>7}{'skipped':>9}{'duplicates':>12}{'pieces':>8}{'unchanged':>11}"]
        for name in self.files:
            skipped = sum(self.skipped[name].values())
            counts = (self.files[name], skipped, self.duplicates[name], self.pieces[name], self.reused[name])
            lines.append(f"{name:<32}" + "".join(f"{c:>{w}}" for c, w in zip(counts, (7, 9, 12, 8, 11))))
        totals = Counter(reason for name in self.skipped for reason in self.skipped[name].elements())
        lines += ["", "skipped because the file ..."] if totals else []
        lines += [f"{count:>7}  {reason}" for reason, count in totals.most_common()]
        return "\n".join(lines)


def prepare(
    corpora: str | Path,
    out: str | Path,
    *,
    workers: int = 2,
    only: tuple[str, ...] = (),
    progress: bool = True,
) -> Report:
    """Reads every known archive in a folder, and any loose MIDI files there, into a store that ``PieceStore`` reads.

    A second run converts only sources whose content, labels or converting code changed.

    Args:
        corpora: folder of ``NAME.tar.zst`` archives and MIDI files.
        out: folder to write.
        workers: processes.
        only: names of the corpora to read; all by default.
        progress: whether to show a bar.

    Raises:
        RequestError: the folder is missing or holds nothing to read, or ``out`` cannot be written.
    """
    folder, out = Path(corpora), Path(out)
    if not folder.is_dir():
        raise RequestError("corpora", f"{str(corpora)!r} is not a folder")
    _writable(out)
    archives = {path.name.removesuffix(".tar.zst"): path for path in sorted(folder.glob("*.tar.zst"))}
    names = [n for n in registry.CORPORA if n in archives and (not only or n in only)]
    own = _own_files(folder) if not only or OWN in only else []
    if not names and not own:
        raise RequestError("corpora", f"{str(corpora)!r} holds no known archive and no MIDI file")
    report = Report()
    rows: list[dict[str, Any]] = []
    for name in names:
        digest = file_sha256(archives[name])
        rows += _corpus(name, digest, lambda n=name: _archive_sources(n, archives[n]), out, workers, report, progress)
    if own:
        rows += _corpus(OWN, None, lambda: _own_sources(folder, own), out, workers, report, progress)
    _write_index(rows, out, report)
    return report


def code_version() -> str:
    """Hash of the source code that decides what a piece becomes: a change there converts everything again."""
    digest = hashlib.sha256()
    roots = [Path(package.__path__[0]) for package in (data, music)]
    skipped = ("prepare.py", "fetch.py", "quantiles.py", "instruments.py", "measures.py")
    for path in sorted(p for root in roots for p in root.glob("*.py") if p.name not in skipped):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(out: Path) -> None:
    try:
        for name in ("notes", "sources"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError("out", f"{str(out)!r} cannot be written ({error.strerror})") from None


def _archive_sources(name: str, path: Path) -> list[Source]:
    return list(registry.sources(registry.CORPORA[name], dict(members(path))))


def _own_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi") and p.is_file())


def _own_sources(folder: Path, paths: list[Path]) -> list[Source]:
    found = []
    for path in paths:
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            content = path.read_bytes() if path.stat().st_size < 10_000_000 else b"too large" * 1_000_000
        except OSError:
            content = b""
        found.append(Source(f"{OWN}/{name}", OWN, path.stem, f"{OWN}:{name}", "own", midi=content))
    return found


def _fingerprint(source: Source) -> str:
    """Hash of everything that a source's pieces depend on, but the code."""
    rest = repr([(k, v) for k, v in sorted(vars(source).items()) if k != "midi"])
    return hashlib.sha256((source.midi or b"") + rest.encode("utf-8")).hexdigest()[:32]


def _corpus(
    name: str, digest: str | None, load: Callable[[], list[Source]], out: Path, workers: int, report: Report, progress: bool
) -> list[dict[str, Any]]:
    """Brings one corpus up to date; returns its piece rows with their place in its array file."""
    version = code_version()
    head, known = _earlier(out, name)
    if head.get("code") != version:
        known = {}
    if known and digest is not None and head.get("archive") == digest:
        entries = [entry for entry, _ in known.values()]
        report.reused[name] = len(entries)
    else:
        entries = _converted(name, load(), known, out, workers, report, progress)
        lines = [{"archive": digest, "code": version}, *entries]
        _write_lines(out / "sources" / f"{name}.jsonl", lines)
    report.files[name] = len(entries)
    report.skipped[name] = Counter(e["reason"] for e in entries if e["reason"])
    return [{**row, "corpus": name} for entry in entries for row in entry["rows"]]


def _converted(
    name: str, sources: list[Source], known: dict[str, tuple[dict, list]], out: Path, workers: int, report: Report, progress: bool
) -> list[dict[str, Any]]:
    prints = {source.id: _fingerprint(source) for source in sources}
    results: dict[str, tuple[dict[str, Any], list]] = {}
    fresh = []
    for source in sources:
        old = known.get(source.id)
        if old is not None and old[0]["fingerprint"] == prints[source.id]:
            results[source.id] = old
            report.reused[name] += 1
        elif _SHARE_ALIKE.search(source.licence):
            results[source.id] = (_entry(Converted(source.id, reason="is share-alike licensed"), prints), [])
        else:
            fresh.append(source)
    bar = tqdm(convert_all(fresh, workers), total=len(fresh), desc=name, unit="file", disable=not progress or not fresh)
    for converted in bar:
        results[converted.source_id] = (_entry(converted, prints), converted.arrays)
    ordered = [results[source.id] for source in sources]
    write_arrays(out / "notes" / f"{name}.npz", (pair for _, arrays in ordered for pair in arrays))
    return [entry for entry, _ in ordered]


def _entry(converted: Converted, prints: dict[str, str]) -> dict[str, Any]:
    return {
        "id": converted.source_id,
        "fingerprint": prints[converted.source_id],
        "reason": converted.reason,
        "rows": converted.rows,
    }


def _earlier(out: Path, name: str) -> tuple[dict[str, Any], dict[str, tuple[dict[str, Any], list]]]:
    """What an earlier run left for a corpus: its head line, and each source's entry with its arrays. Empty if unreadable."""
    try:
        lines = [json.loads(line) for line in (out / "sources" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        with np.load(out / "notes" / f"{name}.npz", allow_pickle=False) as file:
            notes = np.stack([file[f"note_{f}"].astype(np.int32) for f in ("part", "onset", "pitch", "duration", "velocity")], 1)
            chords = np.stack([file[f"chord_{f}"].astype(np.int32) for f in ("onset", "duration", "root", "quality")], 1)
        known = {}
        at = [0, 0]
        for entry in lines[1:]:
            arrays = []
            for row in entry["rows"]:
                arrays.append((notes[at[0] : at[0] + row["notes"]], chords[at[1] : at[1] + row["chords"]]))
                at = [at[0] + row["notes"], at[1] + row["chords"]]
            known[entry["id"]] = (entry, arrays)
        return (lines[0], known) if at == [len(notes), len(chords)] else ({}, {})
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {}, {}


def _write_index(rows: list[dict[str, Any]], out: Path, report: Report) -> None:
    """Drops duplicates, joins songs across corpora, splits, and writes the index."""
    groups = merged_groups((row["group"], row["tune"]) for row in rows)
    seen: set[str] = set()
    lines = []
    for row, notes, chords in _placed(rows):
        if row["content"] in seen:
            report.duplicates[row["corpus"]] += 1
            continue
        seen.add(row["content"])
        group = groups[row["group"]]
        kept = {k: row[k] for k in PieceInfo.__dataclass_fields__ if k in row}
        kept |= {"group": group, "split": split_of(group), "notes": notes, "chords": chords, "parts": tuple(row["parts"])}
        lines.append(to_row(PieceInfo(**kept)))
        report.pieces[row["corpus"]] += 1
    _write_lines(out / "index.jsonl", lines)


def _placed(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], tuple[int, int], tuple[int, int]]]:
    at: dict[str, tuple[int, int]] = {}
    for row in rows:
        notes, chords = at.get(row["corpus"], (0, 0))
        yield row, (notes, row["notes"]), (chords, row["chords"])
        at[row["corpus"]] = (notes + row["notes"], chords + row["chords"])


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(path)
