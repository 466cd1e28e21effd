"""A server over a library in the test's own folder, with a Studio that makes small real clips in a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from musicgen_ui.audio.waveform import Clip as Sound
from musicgen_ui.engine.pipeline import Result
from musicgen_ui.engine.shelve import shelve
from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.people import key_of
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.library.store import Library
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.routes import router
from musicgen_ui.server.services import Services

ANN, BEN = "a" * 32, "b" * 32
RATE = 44_100


class SmallStudio:
    """Two parts of noise, half a second long; odd seeds it cannot make."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def generate(self, recipe: Recipe) -> Result:
        if recipe.seed % 2:
            raise RequestError("synth", "is not loaded")
        self.made.append(recipe.seed)
        score = Score(
            120.0, "4/4", 1, {"lead": (Note(0.0, 60, 1.0, 90),), "bass": (Note(0.0, 36, 1.0, 90),)}, (), "A minor"
        )
        rng = np.random.default_rng(recipe.seed)
        stems = {part: (0.1 * rng.standard_normal(RATE // 2)).astype(np.float32) for part in ("lead", "bass")}
        sound = Sound(np.tile(sum(stems.values()), (2, 1)).astype(np.float32), RATE)
        asked = {"tempo": 120.0, "mood": 0.5, "genre": None}
        return Result(recipe, score, stems, sound, asked, {"tempo": 120.2, "mood": 0.4, "key": "A minor"}, {})

    def mixed_stems(self, stems, told, score, recipe):
        return {part: np.tile(samples, (2, 1)) for part, samples in stems.items()}


@pytest.fixture
def studio() -> SmallStudio:
    return SmallStudio()


@pytest.fixture
def services(tmp_path: Path, studio: SmallStudio) -> Iterator[Services]:
    library = Library(None, tmp_path / "data")

    def rebuild(recipe: Recipe, folder: Path) -> None:
        shelve(studio.generate(recipe), folder, "")

    yield Services(studio, library, Shelf(tmp_path / "shelf"), rebuild)
    library.close()


@pytest.fixture
def app(services: Services) -> FastAPI:
    app = FastAPI()
    app.include_router(router(services))
    return app


@pytest.fixture
def ann(app: FastAPI) -> Iterator[TestClient]:
    """Ann's browser."""
    with TestClient(app, headers={"X-Person": ANN}, raise_server_exceptions=False) as browser:
        yield browser


@pytest.fixture
def ben(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, headers={"X-Person": BEN}, raise_server_exceptions=False) as browser:
        yield browser


@pytest.fixture
def nobody(app: FastAPI) -> Iterator[TestClient]:
    """A browser that does not say who asks."""
    with TestClient(app, raise_server_exceptions=False) as browser:
        yield browser


@pytest.fixture
def make(services: Services, studio: SmallStudio) -> Callable[..., Clip]:
    """``make(seed, **fields)``: a clip of Ann's, with its files where the studio can make them."""

    def made(seed: int = 0, **values: object) -> Clip:
        recipe, name = Recipe(seed=seed), new_id()
        title = values.get("title", f"Clip {seed}")
        digest = f"{seed:064x}"
        if seed % 2 == 0:
            digest = shelve(studio.generate(recipe), services.shelf.folder(name), title)
            studio.made.clear()
        known = {
            "id": name, "title": title, "made": 0, "hash": digest, "seconds": 0.5, "tempo": 120.0, "key": "A minor",
            "recipe": recipe.to_dict(), "code": recipe.to_code(), "heard": {"mood": 0.4},
        }  # fmt: skip
        return services.library.clips.add(key_of(ANN), Clip(**{**known, **values}))

    return made
