"""The command line over a small fake studio: what each option does, what is printed, how it ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from musicgen_ui import __version__
from musicgen_ui.__main__ import COMMANDS, main
from musicgen_ui.cli.report import finite
from musicgen_ui.cli.train import changed, settings
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import SYNTHS, Recipe
from musicgen_ui.style import Style


def recipe_in(folder) -> Recipe:
    return Recipe.from_dict(json.loads((folder / "clip.json").read_text(encoding="utf-8"))["recipe"])


def test_every_option_reaches_the_recipe(loaded, tmp_path):
    options = (
        "generate --seed 7 --bars 2 --style tempo=96 --style energy=0.8 --style drive=0.25 --genre pop=0.7,folk=0.3 "
        "--metre 3/4 --composer wavenet --synth wavenet --takes 3 --rounds 2 --parts lead,bass --level bass=-6 "
        "--form AABA --ending loop "
        "--device cpu --threads 2 --soundfont some.sf2"
    )
    argv = options.split(" ")
    assert main([*argv, "--key", "a min", "--instrument", "lead=nylon guitar", "--out", str(tmp_path / "out")]) == 0
    style = Style().with_values(
        tempo=96.0,
        energy=0.8,
        drive=0.25,
        key="A minor",
        metre="3/4",
        genre={"pop": 0.7, "folk": 0.3},
        parts={
            "lead": {"instrument": "nylon guitar"},
            "chords": {"on": False},
            "bass": {"level": -6.0},
            "drums": {"on": False},
        },
    )
    expected = Recipe(
        style=style, seed=7, bars=2, composer="wavenet", synth="wavenet", takes=3, rounds=2,
        form="AABA", ending="loop",
        checkpoints={"composer_lstm": "0" * 64},
    )  # fmt: skip
    assert recipe_in(tmp_path / "out") == expected
    assert loaded.options["device"] == "cpu"
    assert loaded.options["threads"] == 2
    assert str(loaded.options["soundfont"]) == "some.sf2"


def test_without_options_the_defaults_of_the_recipe_hold(loaded, tmp_path):
    assert main(["generate", "--out", str(tmp_path / "out")]) == 0
    assert recipe_in(tmp_path / "out") == Recipe(checkpoints={"composer_lstm": "0" * 64})


def test_the_promised_files_are_there(loaded, tmp_path):
    assert main(["generate", "--bars", "1", "--parts", "lead,drums", "--out", str(tmp_path / "a" / "b")]) == 0
    files = sorted(str(p.relative_to(tmp_path / "a" / "b")) for p in (tmp_path / "a" / "b").rglob("*") if p.is_file())
    assert files == ["clip.json", "clip.mid", "clip.wav", "stems/drums.wav", "stems/lead.wav"]


def test_json_prints_what_the_file_holds_and_nothing_else(loaded, tmp_path, capsys):
    assert main(["generate", "--bars", "1", "--json", "--out", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == json.loads((tmp_path / "out" / "clip.json").read_text(encoding="utf-8"))
    assert captured.err == ""


def test_the_table_shows_asked_beside_heard(loaded, tmp_path, capsys):
    assert main(["generate", "--bars", "1", "--style", "tempo=96", "--out", str(tmp_path / "out")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["tempo", "96", "96.04"] in rows
    assert ["key", "A", "minor", "-"] in rows


def test_a_genre_without_weight_weighs_one(loaded, tmp_path):
    assert main(["generate", "--bars", "1", "--genre", "jazz", "--out", str(tmp_path / "out")]) == 0
    assert recipe_in(tmp_path / "out").style.genre == {"jazz": 1.0}


def test_ctrl_c_ends_with_130_and_leaves_nothing(loaded, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loaded.synthesizer, "render", interrupted)
    assert main(["generate", "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "stopped\n"
    assert not (tmp_path / "out").exists()


def test_a_programming_error_is_not_dressed_up_as_bad_input(loaded, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(loaded.synthesizer, "render", broken)
    with pytest.raises(ValueError, match="a bug"):
        main(["generate", "--out", str(tmp_path / "out")])


def test_version_and_help(capsys):
    for argv in (
        ["--version"],
        ["--help"],
        *([module.__name__.split(".")[-1].rstrip("_").replace("_", "-"), "--help"] for module in COMMANDS),
    ):
        with pytest.raises(SystemExit) as end:
            main(argv)
        assert end.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_arguments_are_checked_before_anything_heavy_is_imported(root, tmp_path):
    script = (
        "import sys\n"
        "from musicgen_ui.__main__ import main\n"
        "assert main(['generate', '--bars', '0', '--out', 'out']) == 2\n"
        "assert main(['serve', '--port', '0']) == 2\n"
        "heavy = {'torch', 'torchaudio', 'librosa', 'scipy', 'matplotlib', 'gradio', 'numba', 'soundfile'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_evaluate_clips_prints_tables_and_writes_json(loaded, tmp_path, capsys):
    report = tmp_path / "reports" / "clips.json"
    assert main(["evaluate", "clips", "--tempos", "2", "--seeds", "1", "--bars", "2", "--report", str(report)]) == 0
    out = capsys.readouterr().out
    assert "tempo within 4 %" in out
    assert "  fault: dc" in out, "the fake clip is nothing but an offset"
    values = json.loads(report.read_text(encoding="utf-8"))
    assert values["clips"] == 2
    assert values["sanity"] == []
    assert values["checkpoints"] == {"composer_lstm": "0" * 64}


def test_bench_prints_a_row_for_each_case(loaded, tmp_path, capsys):
    report = tmp_path / "bench.json"
    assert main(["bench", "--repeats", "1", "--report", str(report)]) == 0
    values = json.loads(report.read_text(encoding="utf-8"))
    out = capsys.readouterr().out
    assert all(name in out for name in values["cases"])
    assert all(case["times real time"] > 0 for case in values["cases"].values())
    assert list(values["four stems of 30 s"]) == list(SYNTHS)
    assert all(speed["times real time"] > 1 for speed in values["four stems of 30 s"].values())


def test_evaluate_listener_prints_what_the_listener_missed(tmp_path, capsys):
    report = tmp_path / "listener.json"
    assert main(["evaluate", "listener", "--clips", "2", "--report", str(report)]) == 0
    assert "tempo exact" in capsys.readouterr().out
    assert json.loads(report.read_text(encoding="utf-8"))["synthetic"]["clips"] == 2


def test_a_report_holds_null_where_json_has_no_number():
    assert finite({"a": [float("nan"), 1.0], "b": (float("inf"),), "c": "x"}) == {
        "a": [None, 1.0],
        "b": [None],
        "c": "x",
    }


def test_a_report_that_cannot_be_written_is_told(loaded, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"in the way")
    assert main(["bench", "--repeats", "1", "--report", str(tmp_path / "file" / "bench.json")]) == 2
    assert capsys.readouterr().err.startswith("error: --report: ")


def test_serve_finds_a_taken_port_before_it_loads_anything(loaded, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --port: {port} cannot be used")
    assert loaded.options is None


def test_prepare_prints_what_was_kept_and_what_was_skipped(tmp_path, capsys):
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    notes = tuple(Note(float(beat), 60 + beat % 7, 1.0, 90) for beat in range(64))
    score_to_midi(Score(120.0, "4/4", 16, {"lead": notes, "bass": notes}), corpora / "song.mid")
    (corpora / "broken.mid").write_bytes(b"no music")
    assert main(["prepare", "--corpora", str(corpora), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert "is not a MIDI file" in capsys.readouterr().out
    assert len(PieceStore(tmp_path / "out").index()) == 1


def test_any_plain_field_of_a_training_configuration_can_be_set():
    from musicgen_ui.training.composer import ComposerTraining

    config = changed(changed(ComposerTraining(), "loop.steps", "12"), "loop.bf16", "false")
    assert (config.loop.steps, config.loop.bf16) == (12, False)
    assert settings(config)["batch"] == ComposerTraining().batch
    with pytest.raises(RequestError, match=r"--set: loop\.steps must be int"):
        changed(config, "loop.steps", "many")
    with pytest.raises(RequestError, match="--set: 'loop' is not one of"):
        changed(config, "loop", "1")
