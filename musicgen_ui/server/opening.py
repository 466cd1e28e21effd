"""Opening the library beside a Studio: everything that the routes and the page work with."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from threading import Lock

from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.engine.shelve import shelve
from musicgen_ui.library.database import data_folder
from musicgen_ui.library.shelf import GIVEN, Shelf
from musicgen_ui.library.store import Library
from musicgen_ui.music.score_json import score_from_dict
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.services import Services
from musicgen_ui.server.taste import library_taste

DATABASE = "MUSICGEN_DATABASE"
"""Environment variable with the address of another database, such as one of PostgreSQL."""


def open_services(studio: Studio, folder: Path | None = None) -> Services:
    """Open library and shelf.

    Args:
        studio: loaded models.
        folder: where everything is kept; None for :func:`musicgen_ui.library.database.data_folder`.

    Raises:
        RequestError: the folder cannot be used, or the database cannot be opened.
    """
    folder = data_folder() if folder is None else folder
    library = Library(os.environ.get(DATABASE) or None, folder)

    lane = Lock()

    def rebuild(recipe: Recipe, into: Path) -> None:
        path = into / GIVEN[0]
        given = score_from_dict(json.loads(path.read_text("utf-8"))) if path.is_file() else None
        with lane:
            shelve(studio.generate(replace(recipe, checkpoints={}), None, given), into, "")

    shelf = Shelf(folder / "clips")
    return Services(studio, library, shelf, rebuild, taste=library_taste(library, shelf), lane=lane)
