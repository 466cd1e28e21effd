"""A clip's files for one visitor: a folder of its own with a name nobody can guess, and names that mean something."""

from __future__ import annotations

import os
import re
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from musicgen_ui.engine.export import STEMS, save
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


def clip_name(result: Result, title: str) -> str:
    """File name without ending, such as ``sunny-pop_110bpm_Cmajor_seed7``.

    Args:
        result: the clip.
        title: what it is based on; anything but letters and digits becomes a dash.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "clip"
    key = (result.score.key or "any key").replace(" ", "").replace("#", "sharp")
    return f"{slug}_{result.score.tempo:.0f}bpm_{key}_seed{result.recipe.seed}"


def write_files(result: Result, title: str) -> ClipFiles:
    """Write WAV, MIDI, JSON and a zip of the stems into a fresh folder.

    Raises:
        RequestError: the disk is full or cannot be written.
    """
    root = cache_folder()
    _remove_empty(root)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    name = clip_name(result, title)
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
