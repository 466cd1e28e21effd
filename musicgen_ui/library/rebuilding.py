"""Files of clips, made again from the recipe where they are gone."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Clip
from musicgen_ui.library.clips import Clips
from musicgen_ui.library.shelf import Rebuild, Shelf
from musicgen_ui.recipe import Recipe

SOUND, FACTS = "clip.wav", "clip.json"

WAITING = 8
"""Clips that wait to be made again, beside the one that is."""

MAX_ASKING = 24
"""Requests that wait for them: each holds a thread of the server."""


class Busy(RequestError):  # noqa: N818 - a sentence, as every RequestError
    """Too much is waiting already."""


class Files:
    """Hands out files of clips. At most one clip is made again at a time, and each only once, whoever asks.

    Args:
        clips: the recipes.
        shelf: the files.
        rebuild: makes a clip again.
        waiting: how many may wait for it.
    """

    def __init__(self, clips: Clips, shelf: Shelf, rebuild: Rebuild, waiting: int = WAITING) -> None:
        self._clips = clips
        self._shelf = shelf
        self._rebuild = rebuild
        self._waiting = waiting
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._wanted: dict[str, tuple[threading.Lock, int]] = {}

    def file(self, clip: str, name: str) -> Path:
        """A file of a clip, such as ``clip.wav``; the clip is made again where it is gone.

        Raises:
            Missing: there is neither file nor clip.
            Busy: too many clips are waiting to be made again.
            RequestError: it cannot be made again.
        """
        found = self._shelf.file(clip, name)
        if found is not None:
            return found
        # What is no file of a whole clip would not be there after making it again either.
        if not self._shelf.has(clip):
            self.restore(self._clips.find(clip))
        found = self._shelf.file(clip, name)
        if found is None:
            raise RequestError("file", f"the clip has no {name}")
        return found

    def restore(self, clip: Clip) -> Path:
        """The folder of a clip, with all files.

        Raises:
            Busy, RequestError: as :meth:`file`.
        """
        with self._alone(clip.id):
            if not self._shelf.has(clip.id):
                with self._turn:
                    self._make(clip)
        return self._shelf.folder(clip.id)

    def _make(self, clip: Clip) -> None:
        recipe = Recipe.from_dict(clip.recipe)
        before = self._shelf.folder(clip.id) / SOUND

        def write(into: Path) -> None:
            self._rebuild(recipe, into)
            # Another release may make other sound: what is there and right is not given up for it.
            if sha256(into / SOUND) != clip.hash and before.is_file() and sha256(before) == clip.hash:
                shutil.copy2(before, into / SOUND)

        folder = self._shelf.put(clip.id, write)
        differs = sha256(folder / SOUND) != clip.hash
        if differs != clip.rebuilt_differs:
            self._clips.mark_rebuilt(clip.id, differs)
        if not clip.heard and (folder / FACTS).is_file():
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            self._clips.learn(clip.id, facts.get("asked", {}), facts.get("heard", {}))

    @contextmanager
    def _alone(self, clip: str) -> Iterator[None]:
        """One at a time for each clip, and a bounded crowd."""
        with self._lock:
            asking = sum(users for _, users in self._wanted.values())
            if asking >= MAX_ASKING or (clip not in self._wanted and len(self._wanted) > self._waiting):
                raise Busy("clip", "too many clips are being made again; try again in a moment")
            lock, users = self._wanted.get(clip, (threading.Lock(), 0))
            self._wanted[clip] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._wanted.pop(clip)
                if users > 1:
                    self._wanted[clip] = (lock, users - 1)


def sha256(path: Path) -> str:
    """Hash of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
