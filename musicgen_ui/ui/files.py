"""A clip's files for one visitor: a folder of its own with a name nobody can guess, and names that mean something."""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from musicgen_ui.engine.export import STEMS, save
from musicgen_ui.engine.names import clip_name
from musicgen_ui.engine.pipeline import Result

PREFIX = "clip-"
KEPT_SECONDS = 3600
"""Age at which a visitor's files, and what else is kept of a clip or an upload, go."""

EMPTY_FOR_SECONDS = 3600.0
"""Gradio deletes old files but not their folders; folders empty for this long are removed at the next clip."""


@dataclass(frozen=True)
class ClipFiles:
    """What a person can take away."""

    wav: Path
    midi: Path
    recipe: Path
    stems: Path


def cache_folder() -> Path:
    """Where Gradio serves files from: ``GRADIO_TEMP_DIR``, else a folder in the system's temporary one."""
    folder = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def write_files(result: Result, title: str) -> ClipFiles:
    """Write WAV, MIDI, JSON and a zip of the stems into a fresh folder.

    Raises:
        RequestError: the disk is full or cannot be written.
    """
    root = cache_folder()
    _remove_empty(root)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    name = clip_name(title, result.score.tempo, result.score.key, result.recipe.seed)
    save(result, folder, argument="temporary folder")
    files = ClipFiles(*(folder / f"{name}{ending}" for ending in (".wav", ".mid", ".json", "_stems.zip")))
    for plain, named in (("clip.wav", files.wav), ("clip.mid", files.midi), ("clip.json", files.recipe)):
        (folder / plain).rename(named)
    _zip_stems(folder / STEMS, files.stems)
    return files


def _zip_stems(stems: Path, out: Path) -> None:
    """Zip and remove the stems. Stored, not packed: PCM hardly shrinks; and undated: equal clips give equal bytes."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(stems.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
            path.unlink()
    stems.rmdir()


def _remove_empty(root: Path) -> None:
    horizon = time.time() - EMPTY_FOR_SECONDS
    for folder in root.glob(f"{PREFIX}*"):
        try:
            if folder.stat().st_mtime < horizon:
                folder.rmdir()
        except OSError:
            continue  # still holds files, or another request was first
