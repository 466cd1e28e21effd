"""``library``: a person's clips from the command line."""

from __future__ import annotations

import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.database import data_folder
from musicgen_ui.library.people import key_of
from musicgen_ui.library.store import Library
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import Style


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The library is in the test's own folder."""
    monkeypatch.setenv("MUSICGEN_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MUSICGEN_DATABASE", raising=False)
    return tmp_path


def put(token, seed=7):
    """A kept clip of two bars."""
    library, recipe = Library(), Recipe(style=Style(tempo=120), seed=seed, bars=2)
    clip = Clip(
        new_id(), "Smoky", 0, "0" * 64, 4.0, 120.0, recipe.to_dict(), recipe.to_code(), key="A minor", kept=True
    )
    library.clips.add(key_of(token), clip)
    library.clips.like(key_of(token), clip.id, 1)
    library.close()
    return clip


def test_out_and_in_again(folder, capsys):
    token = "t" * 32
    clip = put(token)
    assert main(["library", "export", str(folder / "x.zip"), "--person", token]) == 0
    assert main(["library", "forget", "--person", token]) == 2
    assert main(["library", "forget", "--sure", "--person", token]) == 0
    assert main(["library", "import", str(folder / "x.zip"), "--person", token]) == 0
    capsys.readouterr()
    assert main(["library", "list", "--person", token, "--text", "smok", "--liked"]) == 0
    assert capsys.readouterr().out.split() == [clip.id, "+", "120.0", "A", "minor", "recipe", "Smoky"]
    assert main(["library", "list", "--person", token, "--history"]) == 0
    assert capsys.readouterr().out == ""


def test_this_machine_has_a_person_of_its_own(folder, capsys):
    assert main(["library", "list"]) == 0
    path = data_folder() / "person"
    token = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    clip = put(token)
    main(["library", "list"])
    assert clip.id in capsys.readouterr().out
    assert path.read_text().strip() == token


def test_missing_sound_is_made_again(loaded, capsys):
    token = "t" * 32
    clip = put(token)
    assert main(["library", "rebuild", "--person", token]) == 0
    assert "sounds different" in capsys.readouterr().out  # the test's hash is none
    assert (data_folder() / "clips" / clip.id / "clip.wav").exists()
    assert main(["library", "rebuild", clip.id, "--person", token]) == 0
    assert capsys.readouterr().out == "nothing is missing\n"
    assert main(["library", "rebuild", new_id(), "--person", token]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["list", "--person", "short"],
        ["list", "--limit", "0"],
        ["import", "/nowhere.zip"],
        ["export", "/nowhere/x.zip"],
        ["forget"],
        ["sell"],
        [],
    ],
)
def test_what_is_wrong_is_one_line(wrong, capsys):
    assert main(["library", *wrong]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
