"""The library: everybody's clips, playlists and memories, in one database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from musicgen_ui.library.clips import Clips
from musicgen_ui.library.database import Database, data_folder, now
from musicgen_ui.library.events import Events
from musicgen_ui.library.fingerprints import Fingerprints
from musicgen_ui.library.people import People
from musicgen_ui.library.playlists import Playlists


class Library:
    """Opens the database, and makes or brings up its tables.

    Args:
        url: ``postgresql+psycopg://user:password@host/name``; None for a SQLite file in ``folder``.
        folder: of the file; None for :func:`musicgen_ui.library.database.data_folder`.
        clock: milliseconds since 1970.

    Attributes:
        clips: what there is to do with clips.
        events: what people did.
        playlists: clips in an order.
        people: what else is remembered of them.
        fingerprints: what clips sound like.

    Raises:
        RequestError: it cannot be opened, or a newer release wrote it.
    """

    def __init__(self, url: str | None = None, folder: Path | None = None, clock: Callable[[], int] = now) -> None:
        self.database = Database(url, data_folder() if folder is None else Path(folder), clock)
        self.clips = Clips(self.database)
        self.events = Events(self.database)
        self.playlists = Playlists(self.database)
        self.people = People(self.database)
        self.fingerprints = Fingerprints(self.database)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()
