"""All stems of a clip in one zip: dry as they were played, mixed as they stand in the clip, and the recipe."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from musicgen_ui.audio.float_wav import read_float_wav
from musicgen_ui.audio.waveform import SAMPLE_RATE, wav_bytes
from musicgen_ui.engine.recipe_file import RECIPE_ENTRY
from musicgen_ui.engine.shelve import DRY, FACTS
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS

MIXED = "mixed"

_BITS = 24


def write_stems_zip(folder: Path, out: Path | BinaryIO) -> None:
    """Write ``recipe.json``, ``dry/{part}.wav`` and, where there are mixed stems, ``mixed/{part}.wav``.

    The dry stems are mono, 24 bit WAV; the mixed ones are the files as they are: they add up to the clip. Nothing is
    packed, for sound hardly shrinks, and nothing is dated: equal clips give equal bytes.

    Args:
        folder: the clip's own, with the files that ``engine.shelve`` has written.
        out: where to write.

    Raises:
        RequestError: ``clip`` has no stems there, or damaged ones.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        try:
            recipe = json.loads((folder / FACTS).read_text(encoding="utf-8"))["recipe"]
            archive.writestr(_entry(RECIPE_ENTRY), json.dumps(recipe, sort_keys=True, separators=(",", ":")) + "\n")
            for name, data in _stems(folder):
                archive.writestr(_entry(name), data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RequestError("clip", "its stems are gone or damaged; it can be made again from its recipe") from error


def _stems(folder: Path) -> Iterator[tuple[str, bytes]]:
    for part in PARTS:
        if (dry := folder / DRY / f"{part}.wav").exists():
            yield f"{DRY}/{part}.wav", wav_bytes(read_float_wav(dry), SAMPLE_RATE, _BITS)
    for part in PARTS:
        if (mixed := folder / MIXED / f"{part}.wav").exists():
            yield f"{MIXED}/{part}.wav", mixed.read_bytes()


def _entry(name: str) -> zipfile.ZipInfo:
    """A file of the year 1980, readable by all: the same on every system."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry
