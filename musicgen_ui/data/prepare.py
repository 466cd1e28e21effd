"""Stage one: every corpus in a folder becomes a store of pieces, and the sliders get their meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from musicgen_ui.data.archives import SUFFIX, file_sha256, members
from musicgen_ui.data.corpora import CORPORA, OWN, corpus_named, own_sources, sources
from musicgen_ui.data.ledger import Arrays, Entry, Ledger, fingerprint, write_lines
from musicgen_ui.data.pieces import PieceInfo, to_row
from musicgen_ui.data.report import Report
from musicgen_ui.data.sections import fit_scales
from musicgen_ui.data.songs import merged_groups, split_of
from musicgen_ui.data.sources import Source
from musicgen_ui.data.tables import load_tables
from musicgen_ui.data.workers import convert_all
from musicgen_ui.errors import RequestError
from musicgen_ui.scale import save_scales

_SHARE_ALIKE = re.compile(r"by[ -]?sa|by \(?sa|share-?alike", re.I)


def prepare(
    corpora: str | Path,
    out: str | Path,
    *,
    workers: int = 2,
    only: tuple[str, ...] = (),
    progress: bool = True,
    scales: bool = True,
) -> Report:
    """Reads every archive in a folder, and any loose MIDI files there, into a store that ``PieceStore`` reads.

    A second run converts only sources whose content, labels or converting code changed.

    Args:
        corpora: folder of ``NAME.tar.zst`` archives and of a person's own MIDI files.
        out: folder to write.
        workers: processes.
        only: names of the corpora to read; all by default.
        progress: whether to show a bar.
        scales: whether to fit the unit sliders as well, which takes longer than all the rest.

    Raises:
        RequestError: the folder is missing or holds nothing to read, or ``out`` cannot be written.
    """
    folder, out = Path(corpora), Path(out)
    if not folder.is_dir():
        raise RequestError("--corpora", f"{str(corpora)!r} is not a folder")
    archives = {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}
    # Known corpora first and in their fixed order: of two equal pieces the one with the better labels stays.
    names = [name for name in (*CORPORA, *archives) if name in archives and (not only or name in only)]
    names = list(dict.fromkeys(names))
    own = _midi_files(folder, out) if not only or OWN in only else []
    if not names and not own:
        raise RequestError("--corpora", f"{str(corpora)!r} holds no archive and no MIDI file")
    _make_folders(out)
    report = Report()
    rows: list[dict[str, Any]] = []
    for name in names:
        digest, path = file_sha256(archives[name]), archives[name]
        rows += _corpus(name, digest, lambda n=name, p=path: _archive_sources(n, p), out, workers, report, progress)
    if own:
        rows += _corpus(OWN, None, lambda: own_sources(folder, own), out, workers, report, progress)
    _write_index(rows, out, report)
    if scales:
        report.scales = _fit_sliders(out, workers)
    return report


def _make_folders(out: Path) -> None:
    try:
        for name in ("notes", "sources"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError("--out", f"{str(out)!r} cannot be written ({error.strerror})") from None


def _midi_files(folder: Path, out: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi") and p.is_file())
    return sorted(p for p in found if not p.resolve().is_relative_to(out.resolve()))


def _archive_sources(name: str, path: Path) -> list[Source]:
    return list(sources(corpus_named(name), dict(members(path))))


def _corpus(
    name: str,
    digest: str | None,
    load: Callable[[], list[Source]],
    out: Path,
    workers: int,
    report: Report,
    progress: bool,
) -> list[dict[str, Any]]:
    """Brings one corpus up to date; returns the rows of its pieces."""
    ledger = Ledger.read(out, name)
    if digest is not None and ledger.archive == digest:
        report.unchanged[name] = len(ledger.entries)
    else:
        try:
            found = load()
        except RequestError as error:
            report.files[name], report.skipped[name] = 1, Counter([error.reason])
            return []
        earlier, ledger = ledger, Ledger(digest, _converted(name, found, ledger, workers, report, progress))
        if ledger.facts != earlier.facts:
            ledger.write(out, name)
        if ledger.facts[1] != earlier.facts[1]:
            # Tables were laid out from the old pieces.
            (out / "tables.npz").unlink(missing_ok=True)
    _, entries = ledger.facts
    report.files[name] = len(entries)
    report.skipped[name] = Counter(entry.reason for entry in entries if entry.reason)
    return [{**row, "corpus": name} for entry in entries for row in entry.rows]


def _converted(
    name: str, found: list[Source], earlier: Ledger, workers: int, report: Report, progress: bool
) -> dict[str, tuple[Entry, Arrays]]:
    prints = {source.id: fingerprint(source) for source in found}
    results: dict[str, tuple[Entry, Arrays]] = {}
    fresh = []
    for source in found:
        known = earlier.entries.get(source.id)
        if known is not None and known[0].fingerprint == prints[source.id]:
            results[source.id] = known
            report.unchanged[name] += 1
        elif _SHARE_ALIKE.search(source.licence):
            results[source.id] = (Entry(source.id, prints[source.id], reason="is share-alike licensed"), [])
        else:
            fresh.append(source)
    bar = tqdm(convert_all(fresh, workers), total=len(fresh), desc=name, unit="file", disable=not progress or not fresh)
    for converted in bar:
        results[converted.source_id] = (Entry.of(converted, prints[converted.source_id]), converted.arrays)
    return {source.id: results[source.id] for source in found}


def _write_index(rows: list[dict[str, Any]], out: Path, report: Report) -> None:
    """Drops duplicates, joins songs across corpora, splits, and writes the index."""
    groups = merged_groups((row["group"], row["tune"]) for row in rows)
    seen: set[str] = set()
    ends: dict[str, tuple[int, int]] = {}
    lines = []
    for row in rows:
        corpus = row["corpus"]
        note, chord = ends.get(corpus, (0, 0))
        ends[corpus] = (note + row["notes"], chord + row["chords"])
        if row["content"] in seen:
            report.duplicates[corpus] += 1
            continue
        seen.add(row["content"])
        group = groups[row["group"]]
        kept = {key: row[key] for key in PieceInfo.__dataclass_fields__ if key in row}
        kept |= {"group": group, "split": split_of(group), "parts": tuple(row["parts"])}
        kept |= {"notes": (note, row["notes"]), "chords": (chord, row["chords"])}
        lines.append(to_row(PieceInfo(**kept)))
        report.pieces[corpus] += 1
    write_lines(out / "index.jsonl", lines)


def _fit_sliders(out: Path, workers: int) -> bool:
    """Writes ``measures.json``: quantiles of every measure over the training split. False when there is too little."""
    pieces, vocabulary = load_tables(out, workers=workers)
    train = [piece for piece in pieces if piece.split == "train"]
    try:
        found = fit_scales(train, vocabulary)
    except ValueError:
        return False
    save_scales(out / "measures.json", {"score": found})
    return True
