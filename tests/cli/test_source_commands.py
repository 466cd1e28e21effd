"""``accompany``, ``continue`` and ``regenerate`` over a small fake studio: recipes, options and refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.engine import loading
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.music.score import Note
from musicgen_ui.recipe import COMPOSERS, Recipe
from musicgen_ui.source import Source

NOTES = tuple(Note(float(beat), 60, 1.0, 90) for beat in range(4))


@pytest.fixture
def studio(loaded, monkeypatch):
    """The fakes with a rewriter that notes what it is asked, and adds the asked parts."""
    asked = []
    plain = loading.load_studio

    def rewrite(recipe, score, *, hook):
        asked.append((recipe, score))
        parts = {part: score.notes(part) or NOTES for part in recipe.style.active_parts}
        return replace(score, parts=parts)

    def load(**options):
        studio = plain(**options)
        band = studio._band
        return Studio(
            composers=band.composers,
            synthesizers=band.synthesizers,
            mix=band.mix,
            listen=band.listen,
            checkpoints=studio.checkpoints,
            measure=lambda score: {"density": 0.9, "mood": 0.2},
            rewriters=dict.fromkeys(COMPOSERS, rewrite),
        )

    monkeypatch.setattr(loading, "load_studio", load)
    return asked


def recipe_in(folder) -> Recipe:
    return Recipe.from_dict(json.loads((folder / "clip.json").read_text(encoding="utf-8"))["recipe"])


@pytest.fixture
def clip(studio, tmp_path):
    argv = ["generate", "--bars", "4", "--seed", "5", "--style", "tempo=88", "--style", "density=0.7"]
    assert main([*argv, "--parts", "lead,bass", "--out", str(tmp_path / "clip")]) == 0
    return tmp_path / "clip"


def test_accompany_keeps_a_files_melody(studio, song, tmp_path):
    argv = ["accompany", str(song), "--keep", "lead", "--parts", "bass,drums", "--seed", "3", "--takes", "2"]
    assert main([*argv, "--style", "density=0.25", "--out", str(tmp_path / "out")]) == 0
    recipe, score = studio[0]
    assert recipe.source.action == "accompany"
    assert recipe.source.parts == ("lead",)
    assert recipe.style.active_parts == ("lead", "bass", "drums")
    assert (recipe.seed, recipe.takes, recipe.style.density, recipe.style.mood) == (3, 2, 0.25, 0.2)
    assert (recipe.style.tempo, score.notes("lead")) == (100.0, NOTES)
    saved = recipe_in(tmp_path / "out")
    assert saved.source == recipe.source
    assert len(saved.source.midi_sha256) == 64


def test_a_file_is_gone_on_from_in_its_own_style_and_parts(studio, song, tmp_path):
    assert main(["continue", str(song), "--bars", "3", "--ending", "open", "--out", str(tmp_path / "out")]) == 0
    recipe, _ = studio[0]
    assert (recipe.bars, recipe.ending, recipe.style.density) == (3, "open", 0.9)
    assert recipe.style.active_parts == ("lead", "bass")


def test_a_clip_is_written_anew_in_places_with_its_own_recipe(studio, clip, tmp_path):
    argv = ["regenerate", str(clip / "clip.json"), "--bars", "2-3", "--part", "lead", "--seed", "9"]
    assert main([*argv, "--out", str(tmp_path / "out")]) == 0
    recipe, score = studio[0]
    inner = recipe.source.recipe
    assert recipe.source == Source("regenerate", recipe=inner, parts=("lead",), bars=(1, 3))
    assert (inner.seed, recipe.seed, inner.bars, score.bars) == (5, 9, 4, 4)
    assert inner == replace(recipe_in(clip), checkpoints={})
    assert recipe.style == inner.style


def test_a_clip_of_a_clip_of_a_file_needs_the_file(studio, song, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["accompany", str(song), "--out", str(first)]) == 0
    argv = ["regenerate", str(first / "clip.json"), "--part", "drums", "--out", str(second)]
    assert main(argv) == 2
    assert capsys.readouterr().err == "error: --midi: is required: the clip was made from a MIDI file\n"
    assert main([*argv, "--midi", str(song)]) == 0
    assert recipe_in(second).source.depth == 2
    other = tmp_path / "other.mid"
    other.write_bytes(song.read_bytes().replace(b"musicgen_ui", b"musicgen_iu"))
    assert main([*argv, "--midi", str(other)]) == 2
    assert "is not the file that the clip was made from" in capsys.readouterr().err


def test_options_change_a_clips_style_and_the_rest_stays(studio, clip, tmp_path):
    argv = ["continue", str(clip / "clip.json"), "--style", "energy=0.9", "--genre", "jazz", "--level", "bass=-3"]
    assert main([*argv, "--instrument", "lead=flute", "--synth", "soundfont", "--out", str(tmp_path / "out")]) == 0
    style = studio[0][0].style
    assert (style.energy, style.density, style.genre) == (0.9, 0.7, {"jazz": 1.0})
    assert (style.parts["bass"].level, style.parts["lead"].instrument, style.tempo) == (-3.0, "flute", 88.0)
    assert studio[0][0].synth == "soundfont"


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["accompany", "{song}", "--keep", "flute"], "--keep: 'flute' is not one of"),
        (["accompany", "{song}", "--keep", "lead,chords,bass,drums"], "source: keeps every part"),
        (["accompany", "none.mid"], "none.mid: there is no such file"),
        (["accompany", "{song}", "--style", "tempo=90"], "--style: 'tempo' is not one of"),
        (["accompany", "{song}", "--style", "density=2"], "--style density: must be from 0 to 1"),
        (["continue", "{song}", "--bars", "0"], "--bars: must be from 1 to 128"),
        (["continue", "{song}", "--ending", "loop"], "--ending: invalid choice"),
        (["regenerate", "{song}"], "source: name the bars or the parts"),
        (["regenerate", "{song}", "--bars", "4-2"], "--bars: write it as first-last"),
        (["regenerate", "{song}", "--bars", "٣"], "--bars: write it as first-last"),
        (["regenerate", "{song}", "--part", "piano"], "--part: 'piano' is not one of"),
        (["regenerate", "{empty}", "--bars", "1"], "empty.json: is no JSON file"),
        (["regenerate", "{list}", "--bars", "1"], "list.json: holds no recipe"),
        (["regenerate", "{deep}", "--bars", "1"], "deep.json: is no JSON file"),
        (["regenerate", "{played}", "--bars", "1"], "played.json: is of a MIDI file that was only played"),
        (["regenerate", "{bad}", "--bars", "1"], "bad.json: it holds a bad seed: must be"),
        (["regenerate", "{folder}", "--bars", "1"], "there is no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(studio, song, tmp_path, capsys, argv, complaint):
    texts = {
        "empty": "", "list": "[1]", "deep": "[" * 100_000, "played": json.dumps({"recipe": {"midi_sha256": "0" * 64}}),
        "bad": json.dumps({"recipe": {"seed": -1}}),
    }  # fmt: skip
    names = {"song": song, "folder": tmp_path / "a.json"}
    names["folder"].mkdir()
    for name, text in texts.items():
        names[name] = tmp_path / f"{name}.json"
        names[name].write_text(text, encoding="utf-8")
    assert main([*(word.format(**names) for word in argv), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
    assert not (tmp_path / "out").exists()


def test_notes_of_other_models_are_not_found_again(studio, clip, tmp_path, capsys):
    values = json.loads((clip / "clip.json").read_text(encoding="utf-8"))
    values["recipe"]["checkpoints"] = {"composer_lstm": "1" * 64}
    (clip / "clip.json").write_text(json.dumps(values), encoding="utf-8")
    assert main(["continue", str(clip / "clip.json"), "--out", str(tmp_path / "out")]) == 2
    assert "was made by other models" in capsys.readouterr().err
