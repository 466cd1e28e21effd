"""app.py: the page at module level, here and in a Space, and bad options in one line."""

from __future__ import annotations

import runpy
from pathlib import Path

import gradio as gr
import pytest

from musicgen_ui.cli import arguments
from musicgen_ui.server import listen

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture
def loaded(studio, cache, monkeypatch: pytest.MonkeyPatch) -> list:
    """Options that the app loads its models with."""
    asked = []

    def load(options, log=None):
        asked.append(options)
        log("composer in 0.1 s")
        return studio

    monkeypatch.setattr(arguments, "load_studio", load)
    return asked


def test_importing_the_app_loads_once_and_gives_the_page(loaded: list, capsys) -> None:
    names = runpy.run_path(str(APP), run_name="app")
    assert isinstance(names["demo"], gr.Blocks)
    assert len(loaded) == 1
    assert loaded[0].host == "127.0.0.1"
    assert "composer in 0.1 s" in capsys.readouterr().out


def test_a_space_is_reachable_from_outside_its_container(loaded: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    runpy.run_path(str(APP), run_name="app")
    assert loaded[0].host == "0.0.0.0"


def test_options_reach_the_server(loaded: list, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(listen, "serve", lambda app, host, port: opened.append((app, host, port)))
    monkeypatch.setattr("sys.argv", ["app.py", "--port", "7999", "--device", "cpu"])
    names = runpy.run_path(str(APP), run_name="__main__")
    assert opened == [(names["app"], "127.0.0.1", 7999)]
    assert loaded[0].device == "cpu"


@pytest.mark.parametrize("options", [["--port", "0"], ["--port", "x"], ["--device", "tpu"], ["--colour"]])
def test_bad_options_are_one_line_and_load_nothing(loaded: list, monkeypatch, capsys, options: list[str]) -> None:
    monkeypatch.setattr("sys.argv", ["app.py", *options])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(APP), run_name="__main__")
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert options[0] in told
    assert not loaded
