"""The shelf: one folder of files for each clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from musicgen_ui.library.clip import checked_id
from musicgen_ui.library.database import private_folder
from musicgen_ui.recipe import Recipe

Rebuild = Callable[[Recipe, Path], None]
"""Writes the files of a recipe's clip into a folder."""

LIMIT_BYTES = 2_000_000_000


class Shelf:
    """Files of clips. They may go at any time: the library's recipe makes them again.

    Args:
        folder: of all clips.
        limit_bytes: how much is kept.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.root = private_folder(Path(folder))
        self.limit_bytes = limit_bytes

    def folder(self, clip_id: str) -> Path:
        """Where a clip's files are or will be. Nothing says that they are there."""
        return self.root / checked_id("clip", clip_id)
