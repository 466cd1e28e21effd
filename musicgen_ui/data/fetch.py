"""``--fetch NAME``: a public corpus at a pinned commit, believed only when its SHA-256 is the expected one."""

from __future__ import annotations

import csv
import http.client
import io
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from musicgen_ui.data.archives import SUFFIX, content_sha256, file_sha256, members, write_archive
from musicgen_ui.errors import RequestError

REGISTRY = Path(__file__).with_name("registry.json")
"""The corpora that ship with the project: only those whose hash is known from a copy that was trained on."""

SECONDS = 60.0
MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class Download:
    """One entry of a registry.

    Attributes:
        name: what ``--fetch`` is given; the archive becomes ``NAME.tar.zst``.
        url: where it is; ``{commit}`` in it is replaced.
        commit: the pinned commit.
        licence: of the files.
        sha256: of the downloaded file, or of what ``include`` takes from it if ``content`` is true.
        content: whether ``sha256`` is that of the files (``archives.content_sha256``): hosts that pack an archive
            anew for every download give it another hash, but never other files.
        include: patterns of the files to keep, below the archive's top folder; empty keeps all.
        strip: prefix to take off their names.
        labels: how to make ``labels.jsonl``: ``none``, ``files`` or ``groove``.
        max_bytes: size at which the download is given up.
    """

    name: str
    url: str
    commit: str
    licence: str
    sha256: str
    content: bool = False
    include: tuple[str, ...] = ()
    strip: str = ""
    labels: str = "none"
    max_bytes: int = MAX_BYTES


def load_registry(path: str | Path | None = None) -> dict[str, Download]:
    """Reads a registry: a JSON object of name to the fields of :class:`Download` but ``name``.

    Args:
        path: the file; the one that ships with the project by default.

    Raises:
        RequestError: it is missing or malformed.
    """
    path = REGISTRY if path is None else Path(path)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        entries = {name: _entry(name, fields) for name, fields in table.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise RequestError("--registry", f"{path.name} is not a registry of corpora ({error})") from None
    return entries


def _entry(name: str, fields: Mapping[str, Any]) -> Download:
    entry = Download(name=name, **{**fields, "include": tuple(fields.get("include", ()))})
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} cannot be a file name")
    if len(entry.sha256) != 64 or set(entry.sha256) - set("0123456789abcdef"):
        raise ValueError(f"{name} has no SHA-256")
    if entry.labels not in _LABELS:
        raise ValueError(f"{name} has unknown labels {entry.labels!r}")
    return entry


def fetch(name: str, folder: str | Path, *, registry: str | Path | None = None) -> Path:
    """Downloads a corpus into a folder as ``NAME.tar.zst``; nothing is left behind unless its hash is right.

    Args:
        name: an entry of the registry.
        folder: where to put it; made if missing.
        registry: another registry file.

    Returns:
        The archive. One that is there already is kept, without asking the network.

    Raises:
        RequestError: the name is unknown, the download fails, is too large, or is not the expected file.
    """
    entries = load_registry(registry)
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise RequestError("--fetch", f"there is no corpus {name!r}; known: {known}")
    entry = entries[name]
    folder = Path(folder)
    target = folder / f"{name}{SUFFIX}"
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as space:
            ready = urlsplit(entry.url).path.endswith(SUFFIX)
            packed = Path(space) / f"{name}{SUFFIX if ready else '.tar.gz'}"
            _download(entry, packed)
            if not entry.content:
                _check(entry, file_sha256(packed))
            if ready and not entry.content:
                packed.replace(target)
            else:
                _repack(entry, packed, target)
    except OSError as error:
        raise RequestError("--fetch", f"{name} could not be saved in {str(folder)!r} ({error.strerror})") from None
    return target


def _download(entry: Download, path: Path) -> None:
    url = entry.url.replace("{commit}", entry.commit)
    if urlsplit(url).scheme not in ("http", "https"):
        raise RequestError("--fetch", f"{entry.name} has an address that is not on the web")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as reply, path.open("wb") as file:
            size = 0
            while block := reply.read(1 << 20):
                size += len(block)
                if size > entry.max_bytes:
                    raise RequestError("--fetch", f"{entry.name} is larger than {entry.max_bytes:,} bytes")
                file.write(block)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise RequestError("--fetch", f"{entry.name} could not be downloaded ({reason})") from None


def _check(entry: Download, found: str) -> None:
    if found != entry.sha256:
        raise RequestError(
            "--fetch", f"{entry.name} is not the expected file: its SHA-256 is {found[:12]}…, not {entry.sha256[:12]}…"
        )


def _repack(entry: Download, packed: Path, target: Path) -> None:
    """Keeps the wanted files, checks them if they were not, adds labels, and writes our kind of archive."""
    files: dict[str, bytes] = {}
    for name, content in members(packed):
        if not entry.include or any(fnmatch(name, pattern) for pattern in entry.include):
            files[name.removeprefix(entry.strip)] = content
    if entry.content:
        _check(entry, content_sha256(files))
    rows = _LABELS[entry.labels](files)
    if rows is not None:
        lines = [json.dumps({"licence": entry.licence, **row}, ensure_ascii=False) + "\n" for row in rows]
        files["labels.jsonl"] = "".join(lines).encode("utf-8")
    source = f"{entry.url}\ncommit: {entry.commit}\nlicence: {entry.licence}\n"
    files.setdefault("SOURCE.txt", source.encode("utf-8"))
    write_archive(target, files)


def _file_labels(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """A label for each MIDI file that says no more than its name."""
    return [
        {"path": name, "title": Path(name).stem} for name in sorted(files) if name.lower().endswith((".mid", ".midi"))
    ]


def _groove_labels(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Labels of the Groove MIDI data set from its ``info.csv``."""
    rows = csv.DictReader(io.StringIO(files.get("info.csv", b"").decode("utf-8")))
    return [
        {
            "path": row["midi_filename"],
            "genre": row["style"].split("/")[0],
            "style": row["style"],
            "tempo_qpm": float(row["bpm"]),
            "time_sig": row["time_signature"].replace("-", "/"),
            "group": row["session"],
        }
        for row in rows
        if row["midi_filename"] in files
    ]


_LABELS: dict[str, Callable[[Mapping[str, bytes]], list[dict[str, Any]] | None]] = {
    "none": lambda files: None,
    "files": _file_labels,
    "groove": _groove_labels,
}
