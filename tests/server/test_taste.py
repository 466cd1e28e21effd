"""Taste over HTTP: what a page asks, and what it may not ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.people import key_of
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.library.store import Library
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.taste import taste_router
from musicgen_ui.style import Style

TOKEN = {"X-Person": "c" * 32}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(None, tmp_path / "data")
    yield library
    library.close()


@pytest.fixture
def client(library: Library, tmp_path: Path) -> TestClient:
    services = SimpleNamespace(library=library, shelf=Shelf(tmp_path / "shelf"), taste=None)
    app = FastAPI()
    app.include_router(taste_router(services), prefix="/studio")
    return TestClient(app)


def like(library: Library, count: int) -> None:
    person = key_of(TOKEN["X-Person"])
    for number in range(count):
        recipe = Recipe(style=Style(tempo=70 if number % 2 else 170, genre={"jazz": 1}), seed=number)
        clip = Clip(new_id(), "A", 0, "0" * 64, 20.0, 70.0, recipe.to_dict(), recipe.to_code())
        library.clips.like(person, library.clips.add(person, clip).id, 1 if number % 2 else -1)


def test_a_taste_is_told_with_its_reasons(client, library):
    like(library, 12)
    told = client.get("/studio/taste", headers=TOKEN).json()
    assert told["on"] is True
    assert told["counts"] == {"liked": 6, "disliked": 6, "played": 0}
    assert told["phrases"][0]["words"][0] == "slower"
    assert len(told["phrases"][0]["clips"]) > 0
    assert told["weights"][0]["name"] == "tempo"


def test_a_proposal_is_a_recipe_that_can_be_made(client, library):
    like(library, 12)
    body = {"recipe": {"bars": 4, "synth": "soundfont", "seed": 3, "style": {"tempo": 60}}}
    made = [client.post("/studio/taste/propose", headers=TOKEN, json=body).json() for _ in range(3)]
    recipes = [Recipe.from_dict(entry["recipe"]) for entry in made]
    assert {(recipe.bars, recipe.synth) for recipe in recipes} == {(4, "soundfont")}
    assert len({recipe.seed for recipe in recipes}) == 3
    assert all(entry["title"] and entry["why"]["lead"] and 0 <= entry["chance"] <= 1 for entry in made)
    proposed = client.get("/studio/taste", headers=TOKEN).json()["proposed"]
    assert [entry["seed"] for entry in proposed] == [recipe.seed for recipe in recipes]


def test_a_proposal_needs_no_body(client):
    answer = client.post("/studio/taste/propose", headers=TOKEN)
    assert answer.status_code == 200
    assert answer.json()["reason"] == "tour"


def test_it_is_switched_off_and_on_and_reset(client, library):
    like(library, 6)
    assert client.put("/studio/taste", headers=TOKEN, json={"on": False}).json()["on"] is False
    assert client.get("/studio/taste", headers=TOKEN).json()["phrases"] == []
    assert client.put("/studio/taste", headers=TOKEN, json={"on": True}).json()["counts"]["liked"] == 3
    assert client.post("/studio/taste/reset", headers=TOKEN).json()["counts"]["liked"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "argument"),
    [
        ("put", "", {"on": "yes"}, "on"),
        ("put", "", {}, "on"),
        ("post", "/propose", {"recipe": 7}, "recipe"),
        ("post", "/propose", {"recipe": {"bars": 100000}}, "bars"),
        ("post", "/propose", {"recipe": {"composer": "me"}}, "composer"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(client, method, path, body, argument):
    answer = getattr(client, method)(f"/studio/taste{path}", headers=TOKEN, json=body)
    assert answer.status_code == 400
    assert answer.json()["argument"] == argument
    assert answer.json()["error"].startswith(argument)


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("put", ""), ("post", "/reset"), ("post", "/propose")])
def test_nobody_is_answered_who_says_not_who(client, method, path):
    assert getattr(client, method)(f"/studio/taste{path}").status_code == 401
    assert getattr(client, method)(f"/studio/taste{path}", headers={"X-Person": "short"}).status_code == 401


def test_nobody_sees_anothers_taste(client, library):
    like(library, 8)
    assert client.get("/studio/taste", headers={"X-Person": "d" * 32}).json()["counts"]["liked"] == 0
