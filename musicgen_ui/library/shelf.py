"""The shelf: one folder of files for each clip, as much as there is room for."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import checked_id
from musicgen_ui.library.database import private_folder
from musicgen_ui.recipe import Recipe

Rebuild = Callable[[Recipe, Path], None]
"""Writes the files of a recipe's clip into a folder, in which what cannot be made again already lies."""

LIMIT_BYTES = 2_000_000_000
LIMIT_VARIABLE = "MUSICGEN_DISK"

WHOLE = ("clip.json", "clip.wav", "master.wav", "score.json")
"""A folder without one of these is not whole; the first is written last, and goes first."""

GIVEN = ("given.json",)
"""What no recipe makes again, such as somebody's own notes: it stays when the rest goes."""

STALE_SECONDS = 3600.0
"""Age from which on half a clip is one that nobody is writing any more."""

_FRESH, _OLD = ".fresh-", ".old-"


def limit_bytes() -> int:
    """How much the shelf may hold: ``MUSICGEN_DISK``, in bytes or as ``500MB`` or ``10GB``; 2 GB when it is not set.

    Raises:
        RequestError: the variable holds something else.
    """
    text = os.environ.get(LIMIT_VARIABLE, "").strip().upper()
    if not text:
        return LIMIT_BYTES
    units = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "KB": 10**3, "B": 1}
    unit = next((unit for unit in units if text.endswith(unit)), "")
    digits = text.removesuffix(unit).strip()
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 15:
        raise RequestError(LIMIT_VARIABLE, f"must be a size such as 2GB, not {text!r:.40}")
    return int(digits) * units.get(unit, 1)


class Shelf:
    """Files of clips. They may go at any time: the library's recipe makes them again.

    Args:
        folder: of all clips.
        limit: bytes that are kept; None for :func:`limit_bytes`.
        kept: which of these ids are of clips that somebody keeps; their files go last.
    """

    def __init__(
        self, folder: Path, limit: int | None = None, kept: Callable[[Iterable[str]], set[str]] | None = None
    ) -> None:
        self.root = private_folder(Path(folder))
        self.limit_bytes = limit_bytes() if limit is None else limit
        self.kept = kept or (lambda ids: set())
        self._making_room = threading.Lock()
        for remains in self.root.glob(".*"):
            # Of a program that was stopped half way; but another one may be at work here now.
            if time.time() - _used(remains) > STALE_SECONDS:
                _take_off(remains)

    def folder(self, clip: str) -> Path:
        """Where a clip's files are or will be. Nothing says that they are there."""
        return self.root / checked_id("clip", clip)

    def has(self, clip: str) -> bool:
        """Whether all files of a clip are there."""
        return all((self.folder(clip) / name).is_file() for name in WHOLE)

    def file(self, clip: str, name: str) -> Path | None:
        """One file of a clip, which counts as a use of it; None where it is not there."""
        path = self.folder(clip) / name
        if not path.is_file():
            return None
        with suppress(OSError):
            os.utime(path.parent if path.parent.parent == self.root else self.folder(clip))
        return path

    def put(self, clip: str, write: Callable[[Path], object]) -> Path:
        """Put a clip's folder in place at once: nobody ever sees half of it.

        Args:
            clip: its id.
            write: fills the folder that it is handed.

        Raises:
            RequestError: the disk is full or cannot be written; and whatever ``write`` raises.
        """
        folder = self.folder(clip)
        fresh = self.root / f"{_FRESH}{secrets.token_hex(8)}"
        try:
            fresh.mkdir(mode=0o700)
            for name in GIVEN:
                if (folder / name).is_file():
                    shutil.copy2(folder / name, fresh / name)
            write(fresh)
            self._take_away(folder)
            fresh.rename(folder)
        except OSError as error:
            raise RequestError("shelf", f"a clip cannot be kept there ({error.strerror or error})") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        self.make_room(clip)
        return folder

    def remove(self, clips: Iterable[str]) -> None:
        """Take the files of clips away, with what cannot be made again."""
        for clip in clips:
            self._take_away(self.folder(clip))

    def size(self) -> int:
        """Bytes of all files."""
        return sum(_size(folder) for folder in self._folders())

    def make_room(self, but: str = "") -> None:
        """Takes files away until no more than the limit are left: what nobody keeps first, then what rested longest.

        Args:
            but: the clip that was just put here, which stays.
        """
        with self._making_room:
            folders = {folder.name: (_used(folder), _size(folder)) for folder in self._folders()}
            total = sum(size for _, size in folders.values())
            if total <= self.limit_bytes:
                return
            kept = self.kept(list(folders))
            for name in sorted(folders, key=lambda name: (name in kept, folders[name][0])):
                if total <= self.limit_bytes:
                    return
                if name != but:
                    total -= folders[name][1]
                    self._empty(self.root / name)

    def _folders(self) -> list[Path]:
        return [folder for folder in self.root.iterdir() if folder.is_dir() and not folder.name.startswith(".")]

    def _take_away(self, folder: Path) -> None:
        # Renamed first: a half deleted folder must not look like a clip.
        old = self.root / f"{_OLD}{secrets.token_hex(8)}"
        try:
            folder.rename(old)
        except FileNotFoundError:
            return
        shutil.rmtree(old, ignore_errors=True)

    def _empty(self, folder: Path) -> None:
        if not any((folder / name).is_file() for name in GIVEN):
            self._take_away(folder)
            return
        (folder / WHOLE[0]).unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.name not in GIVEN:
                _take_off(path)


def _take_off(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _used(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).stat().st_size
    return total
