"""The Generate handler as a function: progress, the clip, and errors that leave the last clip alone."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.style import Style
from musicgen_ui.ui.files import cache_folder
from musicgen_ui.ui.handlers import SEEDS, Page
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import PAGE_CONTROLS, from_style, from_timbre

NAMES = (
    *("status", "empty", "result", "heading", "player", "waveform", "roll", "spectrogram", "meters"),
    *("wav", "midi", "recipe", "stems", "seed", "made", "tried"),
)


REST = {"bars": 4, "seed": 7, "composer": "lstm", "synth": "soundfont", "takes": 1, "rounds": 0}
REST |= {"form": "free", "intro": False, "ending": "close"}


def start(studio, *, lock: bool = True, preset: str = "", **changes) -> Iterator[dict]:
    style = PRESETS[preset].style if preset in PRESETS else Style()
    values = from_style(style) | REST | from_timbre() | changes
    page = Page(studio, {name: name for name in NAMES})
    return page.press(*(values[name] for name in PAGE_CONTROLS), lock, preset)


def press(studio, **options) -> list[dict]:
    return list(start(studio, **options))


def state(update: dict) -> str:
    return re.search(r'data-state="(\w+)"', update["status"])[1]


def test_a_press_ends_with_everything_filled(studio, cache: Path) -> None:
    updates = press(studio, preset="sunny-pop", seed=7, key="C major")
    assert state(updates[0]) == "working"
    assert updates[0]["seed"] == 7
    last = updates[-1]
    assert state(last) == "done"
    assert set(last) == set(NAMES) - {"seed"}
    assert Path(last["wav"]).name == "sunny-pop_112bpm_Cmajor_seed7.wav"
    assert last["player"]["value"] == last["wav"]
    assert last["player"]["loop"] is False
    for name in ("wav", "midi", "recipe", "stems"):
        assert Path(last[name]).is_relative_to(cache)
        assert Path(last[name]).stat().st_size > 500
    told = json.loads(Path(last["recipe"]).read_text("utf-8"))
    assert {"recipe", "asked", "heard", "seconds", "checkpoints"} <= set(told)
    with zipfile.ZipFile(last["stems"]) as stems:
        assert sorted(stems.namelist()) == ["bass.wav", "chords.wav", "drums.wav", "lead.wav"]
        assert stems.testzip() is None


def test_without_the_lock_every_press_rolls_and_shows_its_seed(studio, cache: Path) -> None:
    seeds = [press(studio, lock=False)[0]["seed"] for _ in range(4)]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < SEEDS for seed in seeds)


def test_two_presses_share_no_file(studio, cache: Path) -> None:
    one, other = press(studio)[-1], press(studio)[-1]
    assert Path(one["wav"]).parent != Path(other["wav"]).parent
    assert Path(one["wav"]).read_bytes() == Path(other["wav"]).read_bytes()
    assert Path(one["stems"]).read_bytes() == Path(other["stems"]).read_bytes()


@pytest.mark.parametrize(
    "bad", [{"tempo": float("nan")}, {"bars": 0}, {"key": "H"}, {"lead_on": "yes"}, {"seed": None}]
)
def test_bad_input_touches_nothing_but_the_status(studio, calls, cache: Path, bad: dict) -> None:
    updates = press(studio, **bad)
    assert [set(update) for update in updates] == [{"status"}]
    assert state(updates[0]) == "error"
    assert 'role="alert"' in updates[0]["status"]
    assert calls.ticks == 0
    assert not list(cache_folder().glob("clip-*"))


def test_the_timbre_of_the_panel_is_in_the_recipe_and_the_heading(studio, cache: Path) -> None:
    panel = {"timbre_a_kind": "random", "timbre_a_seed": 7, "timbre_morph": 25, "timbre_bass": False}
    last = press(studio, synth="vaegan", **panel)[-1]
    told = json.loads(Path(last["recipe"]).read_text("utf-8"))["recipe"]["timbre"]
    assert told == {"a": {"kind": "random", "seed": 7}, "morph": 0.25, "parts": ["lead", "chords"]}
    assert "Amber chime to Own timbre, 25 %" in last["heading"]
    plain = press(studio, synth="soundfont", **panel)[-1]
    assert "timbre" not in json.loads(Path(plain["recipe"]).read_text("utf-8"))["recipe"]


def test_unknown_preset_names_no_file(studio, cache: Path) -> None:
    assert Path(press(studio)[-1]["wav"]).name.startswith("any-genre_110bpm_")
    assert Path(press(studio, preset="../../etc")[-1]["wav"]).parent.parent == cache_folder()


class Failing:
    """A Studio that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def generate(self, recipe, hook=None, given=None, base=None):
        hook("compose", 1, 2)
        raise self.error


def test_a_failing_engine_is_told_in_one_sentence_without_its_innards(cache: Path, caplog) -> None:
    updates = press(Failing(KeyError("secret /path")))
    assert state(updates[-1]) == "error"
    assert "Something went wrong" in updates[-1]["status"]
    assert "secret" not in updates[-1]["status"]
    assert "secret" in caplog.text


def test_an_engine_that_refuses_says_why(cache: Path) -> None:
    updates = press(Failing(RequestError("composer", "<wavenet> is not in this release yet")))
    assert "composer: &lt;wavenet&gt; is not in this release yet" in updates[-1]["status"]


def test_progress_is_what_the_engine_reported(studio, calls, cache: Path) -> None:
    calls.pause = 0.05
    updates = press(studio, bars=16)
    shares = [float(found[1]) for update in updates[:-1] if (found := re.search(r"--share:([\d.]+)", update["status"]))]
    assert shares == sorted(shares)
    assert len({round(share, 2) for share in shares}) >= 4


def test_leaving_the_handler_stops_the_engine(studio, calls, cache: Path) -> None:
    calls.pause = 0.03
    running = start(studio, bars=128)
    for _ in range(4):
        next(running)
    running.close()
    assert calls.running == 0
    assert calls.ticks < 128
    assert not list(cache_folder().glob("clip-*"))


def test_the_wav_that_is_played_is_the_clip(studio, cache: Path) -> None:
    import soundfile

    last = press(studio)[-1]
    samples, rate = soundfile.read(last["wav"], always_2d=True)
    assert rate == 44_100
    assert float(np.abs(samples).max()) == pytest.approx(0.5, abs=0.01), "a player must not change the level"
