"""``vary``, ``morph`` and ``perform`` over a small fake studio: recipes, options and refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.cli.evaluate_variations import print_variations
from musicgen_ui.engine import loading
from musicgen_ui.engine.derive import morphed, performed, varied
from musicgen_ui.engine.perform import performed as played_again
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.recipe import COMPOSERS, Recipe
from musicgen_ui.training.evaluate_variations import AMOUNTS, MIXES


@pytest.fixture
def studio(loaded, monkeypatch):
    """The fakes with a rewriter that notes what it is asked."""
    asked = []
    plain = loading.load_studio

    def rewrite(recipe, score, *, hook):
        asked.append((recipe, score))
        if recipe.source.action == "perform":
            return played_again(score, recipe)
        return score[0] if isinstance(score, tuple) else score

    def load(**options):
        studio = plain(**options)
        band = studio._band
        return Studio(
            composers=band.composers,
            synthesizers=band.synthesizers,
            mix=band.mix,
            listen=band.listen,
            checkpoints=studio.checkpoints,
            rewriters=dict.fromkeys(COMPOSERS, rewrite),
        )

    monkeypatch.setattr(loading, "load_studio", load)
    return asked


def recipe_in(folder) -> Recipe:
    recipe = Recipe.from_dict(json.loads((folder / "clip.json").read_text(encoding="utf-8"))["recipe"])
    return replace(recipe, checkpoints={})


@pytest.fixture
def clips(studio, tmp_path):
    for name, options in (("a", ["--seed", "5", "--form", "AABA"]), ("b", ["--seed", "6", "--style", "tempo=88"])):
        assert main(["generate", "--bars", "4", *options, "--out", str(tmp_path / name)]) == 0
    return tmp_path / "a", tmp_path / "b"


def test_a_clip_is_varied_as_the_page_would(studio, clips, tmp_path):
    argv = ["vary", str(clips[0] / "clip.json"), "--amount", "0.3", "--seed", "9", "--style", "energy=0.8"]
    assert main([*argv, "--out", str(tmp_path / "out")]) == 0
    assert recipe_in(tmp_path / "out") == varied(recipe_in(clips[0]), 0.3, 9, energy=0.8)
    assert studio[0][1].bars == 4


def test_a_file_is_varied_too(studio, song, tmp_path):
    assert main(["vary", str(song), "--out", str(tmp_path / "out")]) == 0
    assert studio[0][0].source.amount == 0.3
    assert len(studio[0][0].source.midi_sha256) == 64


def test_two_clips_are_morphed(studio, clips, tmp_path):
    argv = ["morph", *(str(clip / "clip.json") for clip in clips), "--mix", "0.75", "--bars", "2", "--takes", "3"]
    assert main([*argv, "--out", str(tmp_path / "out")]) == 0
    expected = replace(morphed(*map(recipe_in, clips), 0.75, 2), takes=3)
    assert recipe_in(tmp_path / "out") == expected
    assert [score.tempo for score in studio[0][1]] == [110.0, 88.0]


def test_a_clip_is_performed_anew(studio, clips, loaded, tmp_path):
    argv = ["perform", str(clips[0] / "clip.json"), "--instrument", "lead=flute", "--style", "space=.8"]
    assert main([*argv, "--parts", "lead,bass", "--synth", "soundfont", "--out", str(tmp_path / "out")]) == 0
    parts = {"lead": {"instrument": "flute"}, "chords": {"on": False}, "drums": {"on": False}}
    assert recipe_in(tmp_path / "out") == performed(recipe_in(clips[0]), synth="soundfont", space=0.8, parts=parts)
    assert loaded.synthesizer.programs["lead"] == 73
    assert set(loaded.synthesizer.programs) == {"lead", "bass"}


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["vary", "{a}", "--amount", "1.5"], "--amount: must be a number from 0 to 1, not '1.5'"),
        (["vary", "{a}", "--amount", "much"], "--amount: must be a number from 0 to 1, not 'much'"),
        (["morph", "{a}", "{a}", "--mix", "nan"], "--mix: must be a number from 0 to 1, not 'nan'"),
        (["morph", "{a}", "{song}"], "song.mid: must be the clip.json of a clip"),
        (["morph", "{a}", "none.json"], "none.json: there is no such file"),
        (["morph", "{a}"], "B: is required"),
        (["morph", "{a}", "{a}", "--bars", "0"], "--bars: must be from 1 to 128"),
        (["perform", "{song}"], "song.mid: must be the clip.json of a clip"),
        (["perform", "{a}", "--style", "density=0.9"], "density: is in the notes, which a performance keeps"),
        (["perform", "{a}", "--style", "tempo=90"], "--style: 'tempo' is not one of"),
        (["perform", "{a}", "--instrument", "lead=spoon"], "--instrument lead: 'spoon' is not offered"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(studio, clips, song, tmp_path, capsys, argv, complaint):
    words = [word.format(a=clips[0] / "clip.json", song=song) for word in argv]
    capsys.readouterr()
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
    assert not (tmp_path / "out").exists()


def test_clips_of_other_models_are_refused(studio, clips, tmp_path, capsys):
    file = clips[1] / "clip.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["recipe"]["checkpoints"] = {"composer_lstm": "1" * 64}
    file.write_text(json.dumps(values), encoding="utf-8")
    for argv in (["perform", str(file)], ["morph", str(clips[0] / "clip.json"), str(file)]):
        assert main([*argv, "--out", str(tmp_path / "out")]) == 2
        assert f"{file}: was made by other models" in capsys.readouterr().err


def test_the_tables_of_the_evaluation(capsys):
    course = {"spearman": {"mean": -0.99, "weakest": -0.9}, "monotone": 0.75}
    vary = course | {"clips": 2, "amounts": AMOUNTS, "notes": [0.5] * 6, "bars": [0.25] * 6, "exact": 1.0}
    ends = {end: course | {"notes": [0.75] * 5} for end in "ab"}
    morph = ends | {"pairs": 2, "mixes": MIXES, "exact": 1.0, "strangers": 0.04}
    print_variations({"lstm": {"vary": vary | {"frame": 1.0, "strangers": 0.03}, "morph": morph}})
    printed = capsys.readouterr().out
    assert "lstm: similar bars" in printed
    assert printed.count("-0.990") == 3
    assert "the very notes at 0 in 100%" in printed
