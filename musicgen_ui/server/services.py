"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from musicgen_ui.library.rebuilding import Files
from musicgen_ui.library.shelf import Rebuild, Shelf
from musicgen_ui.library.store import Library
from musicgen_ui.server.downloads import Downloads
from musicgen_ui.server.stream import Streams

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Studio


@dataclass
class Services:
    """One of each for the whole server; what is None is not there, and its routes say so.

    Attributes:
        studio: the loaded models.
        library: everybody's clips.
        shelf: the files of clips.
        rebuild: writes the files of a recipe's clip into a folder.
        taste: what learns from likes.
        matching: what finds similar clips.
        figures: kind and folder of a clip to a figure as HTML.
        streams: sound of clips in the making.
        downloads: files in the making.
        files: files of clips, made again where they are gone.
        lane: held by whoever makes a clip: the processor makes one at a time.
    """

    studio: Studio
    library: Library
    shelf: Shelf
    rebuild: Rebuild
    taste: Any = None
    matching: Any = None
    figures: Callable[[str, Path], str] | None = None
    streams: Streams = field(default_factory=Streams)
    lane: Lock = field(default_factory=Lock)
    downloads: Downloads = field(default_factory=Downloads)
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        self.shelf.kept = self.library.clips.kept_among
        self.files = Files(self.library.clips, self.shelf, self.rebuild)
        self.sweep()

    def sweep(self) -> None:
        """Let go of what was deleted long ago, with its files."""
        self.shelf.remove(self.library.clips.sweep())
        self.library.playlists.sweep()

    def turned_over(self, person: str) -> None:
        """A person's clips came or went in numbers: what searches them reads them anew when it is next asked."""
        if self.matching is not None:
            self.matching.matcher.forget(person)
