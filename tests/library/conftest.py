"""A library in a folder of the test's own; and one in PostgreSQL, where ``MUSICGEN_TEST_POSTGRES`` says which."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.people import key_of
from musicgen_ui.library.store import Library
from musicgen_ui.recipe import Recipe

POSTGRES = os.environ.get("MUSICGEN_TEST_POSTGRES")
BACKENDS = ("sqlite", *(("postgres",) if POSTGRES else ()))


class Clock:
    """Time that passes when a test says so, a millisecond with every look."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000

    def __call__(self) -> int:
        self.time += 1
        return self.time


def postgres_schema() -> Iterator[str]:
    """An empty schema of its own; gives the address that leads into it."""
    name = f"test_{secrets.token_hex(8)}"
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    yield f"{POSTGRES}?options=-csearch_path%3D{name}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the library is: None for a file."""
    if request.param == "sqlite":
        yield None
    else:
        yield from postgres_schema()


@pytest.fixture
def open_library(url: str | None, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Library]]:
    """Opens the test's library, as often as it likes."""
    opened = []

    def start() -> Library:
        opened.append(Library(url, tmp_path / "data", clock))
        return opened[-1]

    yield start
    for library in opened:
        library.close()


@pytest.fixture
def library(open_library: Callable[[], Library]) -> Library:
    return open_library()


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> Iterator[Library]:
    """A second, empty library in a file."""
    library = Library(None, tmp_path / "other", clock)
    yield library
    library.close()


@pytest.fixture
def ann() -> str:
    return key_of("a" * 32)


@pytest.fixture
def ben() -> str:
    return key_of("b" * 32)


@pytest.fixture
def clip() -> Callable[..., Clip]:
    """``clip(seed, **fields)``: a clip whose sound is ``sound(seed)``."""

    def make(seed: int = 0, **values: object) -> Clip:
        recipe = Recipe(seed=seed)
        digest = hashlib.sha256(sound(seed)).hexdigest()
        known = {
            "id": new_id(), "title": f"Clip {seed}", "made": 0, "hash": digest, "seconds": 30.0, "tempo": 110.0,
            "recipe": recipe.to_dict(), "code": recipe.to_code(), "asked": {"mood": 0.5}, "heard": {"mood": 0.5},
        }  # fmt: skip
        return Clip(**{**known, **values})

    return make


def sound(seed: int) -> bytes:
    """What a test takes for the bytes of a clip."""
    return b"RIFF%d" % seed


FILES = ("clip.json", "clip.wav", "clip.mid", "master.wav", "score.json")


@pytest.fixture
def rebuild() -> Callable[[Recipe, Path], None]:
    """Writes what a test takes for the files of a clip."""

    def write(recipe: Recipe, folder: Path) -> None:
        for name in FILES:
            (folder / name).write_bytes(sound(recipe.seed) if name == "clip.wav" else b"{}")

    return write
