"""A file that was made here brings its recipe back; any other is one sentence."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.recipes import recipes_router


class Room:
    """As much of Services as the route needs."""

    def __init__(self, root) -> None:
        self.shelf = self
        self.root = root


@pytest.fixture
def client(tmp_path) -> TestClient:
    app = FastAPI()
    app.include_router(recipes_router(Room(tmp_path)))
    return TestClient(app)


def test_the_recipe_of_a_file_comes_back(client, tmp_path) -> None:
    recipe = Recipe(seed=31, bars=4)
    score = Score(100.0, "4/4", 1, {"lead": (Note(0.0, 60, 1.0, 90),)})
    score_to_midi(score, tmp_path / "x.mid", comment=recipe.to_json())
    answer = client.post("/recipe", content=(tmp_path / "x.mid").read_bytes())
    assert answer.status_code == 200
    assert Recipe.from_code(answer.json()["code"]) == recipe
    assert Recipe.from_dict(answer.json()["recipe"]) == recipe


@pytest.mark.parametrize("data", [b"", b"RIFF....WAVE", b"MThd" * 9, b"{}", b"PK\x03\x04junk", bytes(1000)])
def test_any_other_file_is_one_sentence_and_leaves_nothing(client, tmp_path, data: bytes) -> None:
    answer = client.post("/recipe", content=data)
    assert answer.status_code == 400
    assert answer.json()["argument"] == "file"
    assert not list(tmp_path.iterdir())
