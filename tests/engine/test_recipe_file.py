"""A recipe comes back from every file that we give away; from all others comes one sentence."""

from __future__ import annotations

import io
import json
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.__main__ import main
from musicgen_ui.audio.encode import SOUND_FORMATS, encode
from musicgen_ui.engine.recipe_file import read_recipe
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.musicxml import to_musicxml
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.style import Style
from musicgen_ui.timbre import Z_SIZE, Timbre, TimbrePoint

RECIPE = Recipe(
    style=Style(tempo=124.0, key="F minor", genre={"jazz": 0.7, "pop": 0.3}),
    seed=274688,
    timbre=Timbre(TimbrePoint("random", 5), TimbrePoint("recorded", z=(0.123,) * Z_SIZE), 0.25, ("lead",)),
)
SCORE = Score(120.0, "4/4", 1, {"lead": (Note(0.0, 60, 1.0, 90),)})
SOUND = np.zeros((2, 2000), np.float32)


def zipped(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def every_file(recipe):
    text = recipe.to_json()
    files = {format: encode(SOUND, 44_100, format, {"recipe": text}) for format in SOUND_FORMATS}
    clip = json.dumps({"title": "烟雾", "recipe": recipe.to_dict()}, indent=1)
    return files | {
        "midi": score_to_midi(SCORE, comment=text),
        "musicxml": to_musicxml(SCORE, "<&>", recipe=text).encode(),
        "clip.json": clip.encode(),
        "recipe.json": text.encode(),
        "json with a mark": b"\xef\xbb\xbf" + clip.encode(),
        "zip": zipped({"dry/lead.wav": b"x" * 1000, "recipe.json": text}),
        "zip within a folder": zipped({"stems/a.wav": b"", "stems/recipe.json": text}),
    }


FILES = every_file(RECIPE)


@pytest.mark.parametrize("kind", FILES)
def test_the_recipe_comes_back(kind, tmp_path):
    assert read_recipe(FILES[kind]) == RECIPE
    (tmp_path / "any name").write_bytes(FILES[kind])
    assert read_recipe(tmp_path / "any name") == RECIPE


def test_a_recipe_that_we_have_never_heard_of_is_refused_by_name():
    values = RECIPE.to_dict()
    for change, reason in (
        ({"seed": -1}, "recipe cannot be followed: seed must be from 0"),
        ({"shell": "rm"}, "recipe has no field 'shell'"),
        ({"synth": "orchestra"}, "synth 'orchestra' is not one of"),
    ):
        with pytest.raises(RequestError, match=reason):
            read_recipe(json.dumps({"recipe": values | change}).encode())
    with pytest.raises(RequestError, match="was played from a MIDI file"):
        read_recipe(score_to_midi(SCORE, comment=RenderRecipe("ab" * 32).to_json()))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0" * 5000, b"hello", b"{", b"{}", b'{"style": 5', b"[" * 100_000, b'{"recipe": ' * 50_000,
        b"PK\x03\x04",
        b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\x7f\xff\xff\xff" + b"\xff" * 200_000, b'<!DOCTYPE a [<!ENTITY b "b">]>',
        encode(SOUND, 44_100, "flac", {}), encode(SOUND, 44_100, "mp3", {"title": "of another program"}),
        score_to_midi(SCORE, comment="a comment"), zipped({"a.txt": "a"}), zipped({"recipe.json": "x" * 5_000_000}),
    ],
)  # fmt: skip
def test_files_without_a_recipe_are_one_sentence(data):
    with pytest.raises(RequestError, match=r"^song\.x: holds no recipe: a WAV, FLAC, .* made here does$"):
        read_recipe(data, "song.x")


def test_a_zip_that_would_unpack_to_gigabytes_is_not_unpacked():
    bomb = zipped({"recipe.json": b'{"style":' + b" " * 50_000_000})
    with pytest.raises(RequestError, match="holds no recipe"):
        read_recipe(bomb)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(FILES)),
    edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=6)), max_size=5),
    cut=st.integers(0, 600),
)
def test_damage_is_one_sentence_or_the_recipe_itself(kind, edits, cut):
    data = bytearray(FILES[kind])
    for at, new in edits:
        at %= len(data)
        data[at : at + len(new)] = new
    try:
        found = read_recipe(bytes(data[: len(data) - cut]))
    except RequestError:
        return
    assert isinstance(found, Recipe)


def test_the_command_prints_it(tmp_path, capsys):
    (tmp_path / "a.flac").write_bytes(FILES["flac"])
    assert main(["recipe", str(tmp_path / "a.flac")]) == 0
    assert Recipe.from_dict(json.loads(capsys.readouterr().out)) == RECIPE
    assert main(["recipe", str(tmp_path / "a.flac"), "--code"]) == 0
    assert Recipe.from_code(capsys.readouterr().out.strip()) == RECIPE
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    assert main(["recipe", str(tmp_path / "b.wav")]) == 2
    assert re.fullmatch(r"error: b\.wav: holds no recipe: .*\n", capsys.readouterr().err)
    assert main(["recipe", str(tmp_path / "nowhere")]) == 2
    assert "there is no such file" in capsys.readouterr().err
