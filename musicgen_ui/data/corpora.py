"""The corpora: how each archive's labels become Sources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from musicgen_ui.data import charts, genres
from musicgen_ui.data.beats import beat_map
from musicgen_ui.data.sources import Source
from musicgen_ui.music.midi_file import MAX_BYTES
from musicgen_ui.music.theory import parse_key

OWN = "own"
"""Corpus name of a person's own MIDI files."""

Files = Mapping[str, bytes]
Label = Mapping[str, Any]


@dataclass(frozen=True)
class Corpus:
    """One archive.

    Attributes:
        name: file name without ``.tar.zst``.
        licence: licence of the files, where they do not state their own.
        build: one labelled file to a Source.
    """

    name: str
    licence: str
    build: Callable[[Corpus, Label, Files], Source]


def sources(corpus: Corpus, files: Files) -> Iterator[Source]:
    """Sources of an unpacked archive, in the order of its labels.

    Args:
        corpus: which archive.
        files: member name to content.
    """
    files = {**files, **_annotations(files)}
    for label in read_lines(files.get("labels.jsonl", b"")):
        if label.get("path") in files:
            yield corpus.build(corpus, label, files)
    if "billboard.jsonl" in files:
        yield from charts.billboard(corpus.name, read_lines(files["billboard.jsonl"]))
    if "progressions.jsonl" in files:
        yield from charts.progressions(corpus.name, read_lines(files["progressions.jsonl"]))


def _annotations(files: Files) -> Files:
    """POP909's ``annot.jsonl`` as a member for each song, so that a song finds its own line."""
    lines = files.get("annot.jsonl", b"").splitlines()
    found = ((re.match(rb'\s*\{\s*"id"\s*:\s*"(\w+)"', line), line) for line in lines)
    return {f"annot/{match[1].decode()}": line for match, line in found if match}


def read_lines(data: bytes) -> list[dict[str, Any]]:
    """JSON lines; a line that is no JSON object is passed over."""
    rows = []
    for line in data.decode("utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _base(corpus: Corpus, label: Label, files: Files, **more: Any) -> Source:
    """What every corpus's labels share."""
    path = str(label["path"])
    stem = path.rsplit(".", 1)[0].removeprefix("midi/")
    values = {
        "id": f"{corpus.name}/{stem}",
        "corpus": corpus.name,
        "title": str(label.get("title") or stem),
        "group": f"{corpus.name}:{label.get('group') or stem}",
        "licence": str(label.get("licence") or corpus.licence),
        "midi": files[path],
        "key": _key(label),
        "genre": genres.plain(label.get("genre")),
        "tempo_known": label.get("tempo_source") not in ("default", "default-96", "genre default"),
    }
    return Source(**{**values, **more})


def _key(label: Label) -> str | None:
    for name, trusted in (("key", True), ("key_est", (label.get("key_conf") or 0) >= 0.8)):
        if label.get(name) and trusted:
            try:
                return parse_key(label[name])
            except ValueError:
                continue
    return None


def _arranged(corpus: Corpus, label: Label, files: Files) -> Source:
    rows = label.get("chords_per_beat") or []
    at = float((label.get("intro_bars") or 0) * (label.get("beats_per_bar") or 4))
    chords = []
    for bar in rows:
        for symbol in bar:
            chords.append((at, 1.0, symbol or "N"))
            at += 1.0
    group = str(label["group"]).removeprefix("openewld:")
    return _base(
        corpus, label, files, naming="mma", chords=tuple(chords), group=f"song:{group}", tempo=label["tempo_qpm"]
    )


def _openewld(corpus: Corpus, label: Label, files: Files) -> Source:
    onsets = label.get("chords") or []
    ends = [c[0] for c in onsets[1:]] + [c[0] + 4.0 for c in onsets[-1:]]
    chords = tuple((float(at), float(end - at), symbol) for (at, symbol), end in zip(onsets, ends, strict=True))
    genre = genres.blended(label.get("genres")) or genres.plain(label.get("genre"))
    return _base(corpus, label, files, chords=chords, group=f"song:{label['group']}", genre=genre, pickup=True)


def _groove(corpus: Corpus, label: Label, files: Files) -> Source:
    # The drummers' "dance" is disco and breakbeat, not our ballroom.
    genre = {} if label.get("genre") == "dance" else genres.plain(label.get("genre"))
    return _base(corpus, label, files, electronic_kit=True, key=None, genre=genre, title=label.get("style") or "drums")


def _pop909(corpus: Corpus, label: Label, files: Files) -> Source:
    song = str(label["group"])
    note = next((row for row in read_lines(files.get(f"annot/{song}", b""))), {})
    chords = tuple((a, b - a, symbol) for a, b, symbol in note.get("chord_midi", ()))
    return _base(corpus, label, files, naming="pop909", chords=chords or None, beats=beat_map(note))


def _classical(corpus: Corpus, label: Label, files: Files) -> Source:
    return _base(corpus, label, files, pickup=True)


def _openscore(corpus: Corpus, label: Label, files: Files) -> Source:
    # Labels group by composer, which would put all of Mozart on one side: a file is a whole song or quartet.
    source = _base(corpus, label, files, pickup=True)
    return replace(source, group=source.id)


def _polish(corpus: Corpus, label: Label, files: Files) -> Source:
    return _base(corpus, label, files, pickup=True, genre=genres.polish(label.get("style")))


def _plain(corpus: Corpus, label: Label, files: Files) -> Source:
    return _base(corpus, label, files)


CORPORA: dict[str, Corpus] = {
    c.name: c
    for c in (
        Corpus("arranged", "no claim on output (MMA, GPL-2.0 patterns)", _arranged),
        Corpus("freedoom_bsd", "BSD-3-Clause", _plain),
        Corpus("easyrpg_rtp_ccby", "CC BY 4.0", _plain),
        Corpus("lmms_demos_mixed", "unknown", _plain),
        Corpus("pop909_mit", "MIT", _pop909),
        Corpus("groove_midi_ccby", "CC BY 4.0", _groove),
        Corpus("openewld_pd1930", "public domain", _openewld),
        Corpus("openscore_lieder_cc0", "CC0-1.0", _openscore),
        Corpus("openscore_quartets_cc0", "CC0-1.0", _openscore),
        Corpus("mutopia_pd_ccby", "unknown", _classical),
        Corpus("polish_dances_ccby", "CC BY 4.0", _polish),
        Corpus("chords_billboard_cc0_fmc_mit", "CC0-1.0", _plain),
    )
}
"""Every corpus whose labels ``prepare`` knows, by archive name."""


def corpus_named(name: str) -> Corpus:
    """A known corpus, or one whose labels are read as they come."""
    return CORPORA.get(name) or Corpus(name, "unknown", _plain)


def own_sources(folder: Path, paths: Sequence[Path]) -> list[Source]:
    """A person's own MIDI files. Those that cannot be read stay in the list, to be skipped with a reason."""
    found = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            # One byte more than is allowed is enough to be refused.
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError:
            content = b""
        found.append(Source(f"{OWN}/{name}", OWN, path.stem, f"{OWN}:{name}", "own", midi=content))
    return found
