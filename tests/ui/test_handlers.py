"""The Generate handler as a function: progress, the clip, and errors that leave the last clip alone."""

from __future__ import annotations

import html
import json
import re
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.style import Style
from musicgen_ui.ui.handlers import Page
from musicgen_ui.ui.orders import SEEDS
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import PAGE_CONTROLS, from_style, from_timbre

NAMES = ("status", "heading", "downloads", "meters", "tried", "made", "clip", "stream", "seed")
TOKEN = "a" * 32


REST = {"bars": 4, "seed": 7, "composer": "lstm", "synth": "soundfont", "takes": 1, "rounds": 0}
REST |= {"form": "free", "intro": False, "ending": "close"}


def start(services, *, lock: bool = True, preset: str = "", token: str = TOKEN, **changes) -> Iterator[dict]:
    style = PRESETS[preset].style if preset in PRESETS else Style()
    values = from_style(style) | REST | from_timbre() | changes
    page = Page(services, {name: name for name in NAMES})
    return page.press(*(values[name] for name in PAGE_CONTROLS), lock, preset, token)


def press(services, **options) -> list[dict]:
    return list(start(services, **options))


def state(update: dict) -> str:
    return re.search(r'data-state="(\w+)"', update["status"])[1]


def clip(update: dict) -> dict:
    return json.loads(html.unescape(re.search(r'data-clip="([^"]*)"', update["clip"])[1]))


def test_a_press_ends_with_everything_filled(services) -> None:
    updates = press(services, preset="sunny-pop", seed=7, key="C major")
    assert state(updates[0]) == "working"
    assert updates[0]["seed"] == 7
    assert "data-stream" in updates[0]["stream"], "it can be heard from the start"
    last = updates[-1]
    assert state(last) == "done"
    assert set(last) == set(NAMES) - {"seed", "stream"}
    told = clip(last)
    assert (told["title"], told["key"], told["tempo"]) == ("Sunny pop", "C major", 112.0)
    for name in ("clip.wav", "clip.mid", "clip.json", "dry/lead.wav"):
        assert (services.shelf.folder(told["id"]) / name).stat().st_size > 500
    for kind in ("wav16", "flac", "midi", "stems"):
        assert f'href="studio/clips/{told["id"]}/download/{kind}"' in last["downloads"]


def test_the_stream_of_a_press_holds_the_clip(services) -> None:
    first, *_, last = press(services)
    name = re.search(r'data-stream="([^"]*)"', first["stream"])[1]
    frames = list(services.streams.take(name).read())
    begin, samples = struct.unpack("<II", frames[-1][:8])
    assert begin + samples == pytest.approx(clip(last)["seconds"] * 44_100, abs=50)


def test_without_a_token_nothing_is_made(services, calls) -> None:
    updates = press(services, token="short")
    assert [state(update) for update in updates] == ["error"]
    assert calls.ticks == 0


def test_without_the_lock_every_press_rolls_and_shows_its_seed(services) -> None:
    seeds = [press(services, lock=False)[0]["seed"] for _ in range(4)]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < SEEDS for seed in seeds)


def test_two_presses_share_no_file(services) -> None:
    one, other = press(services)[-1], press(services)[-1]
    assert clip(one)["id"] != clip(other)["id"]
    assert clip(one)["hash"] == clip(other)["hash"]


@pytest.mark.parametrize(
    "bad", [{"tempo": float("nan")}, {"bars": 0}, {"key": "H"}, {"lead_on": "yes"}, {"seed": None}]
)
def test_bad_input_touches_nothing_but_the_status(services, calls, bad: dict) -> None:
    updates = press(services, **bad)
    assert [set(update) for update in updates] == [{"status"}]
    assert state(updates[0]) == "error"
    assert 'role="alert"' in updates[0]["status"]
    assert calls.ticks == 0
    assert not list(services.shelf.root.iterdir())


def test_the_timbre_of_the_panel_is_in_the_recipe_and_the_heading(services) -> None:
    panel = {"timbre_a_kind": "random", "timbre_a_seed": 7, "timbre_morph": 25, "timbre_bass": False}
    last = press(services, synth="vaegan", **panel)[-1]
    told = clip(last)["recipe"]["timbre"]
    assert told == {"a": {"kind": "random", "seed": 7}, "morph": 0.25, "parts": ["lead", "chords"]}
    assert "Amber chime to Own timbre, 25 %" in last["heading"]
    plain = press(services, synth="soundfont", **panel)[-1]
    assert "timbre" not in clip(plain)["recipe"]


def test_unknown_preset_names_no_file(services) -> None:
    assert clip(press(services, preset="../../etc")[-1])["title"] == "Any genre"


@pytest.fixture
def failing(services, monkeypatch: pytest.MonkeyPatch):
    """``failing(error)``: services whose Studio fails."""

    def fail(error: Exception):
        def generate(recipe, hook=None, given=None, base=None, preview=None):
            hook("compose", 1, 2)
            raise error

        monkeypatch.setattr(services.studio, "generate", generate)
        return services

    return fail


def test_a_failing_engine_is_told_in_one_sentence_without_its_innards(failing, caplog) -> None:
    updates = press(failing(KeyError("secret /path")))
    assert state(updates[-1]) == "error"
    assert "Something went wrong" in updates[-1]["status"]
    assert "secret" not in updates[-1]["status"]
    assert "secret" in caplog.text


def test_an_engine_that_refuses_says_why(failing) -> None:
    updates = press(failing(RequestError("composer", "<wavenet> is not in this release yet")))
    assert "composer: &lt;wavenet&gt; is not in this release yet" in updates[-1]["status"]


def test_progress_is_what_the_engine_reported(services, calls) -> None:
    calls.pause = 0.05
    updates = press(services, bars=16)
    shares = [float(found[1]) for update in updates[:-1] if (found := re.search(r"--share:([\d.]+)", update["status"]))]
    assert shares == sorted(shares)
    assert len({round(share, 2) for share in shares}) >= 4


@pytest.mark.parametrize("looks", [1, 4])
def test_leaving_the_handler_stops_the_engine(services, calls, looks: int) -> None:
    calls.pause = 0.03
    running = start(services, bars=128)
    for _ in range(looks):
        next(running)
    running.close()
    assert calls.running == 0
    assert calls.ticks < 128
    assert not list(services.shelf.root.iterdir())


def test_the_wav_that_is_played_is_the_clip(services) -> None:
    import soundfile

    wav = services.shelf.folder(clip(press(services)[-1])["id"]) / "clip.wav"
    samples, rate = soundfile.read(wav, always_2d=True)
    assert rate == 44_100
    assert float(np.abs(samples).max()) == pytest.approx(0.5, abs=0.01), "a player must not change the level"


def order(services, **request) -> list[dict]:
    page = Page(services, {name: name for name in NAMES})
    return list(page.make(json.dumps({"token": "3"} | request), TOKEN))


def test_a_clip_made_for_elsewhere_leaves_the_stage_alone(services) -> None:
    recipe = clip(press(services)[-1])["recipe"]
    last = order(services, action="again", recipe=recipe, to="takes")[-1]
    assert set(last) == {"status", "clip"}
    assert 'data-to="takes" data-token="3"' in last["clip"]
    assert clip(last)["origin"] == "take"


def test_a_link_makes_the_same_clip(services) -> None:
    first = clip(press(services, seed=21)[-1])
    again = clip(order(services, action="open", code=first["code"])[-1])
    assert again["hash"] == first["hash"]
    assert again["origin"] == "opened"


def test_a_clip_of_the_library_is_opened_again(services) -> None:
    first = clip(press(services, seed=21)[-1])
    assert clip(order(services, action="open", clip=first["id"])[-1])["hash"] == first["hash"]


@pytest.mark.parametrize(
    ("request_text", "sentence"),
    [
        ("", "request: must be an object"),
        ("[1]", "request: must be an object"),
        ("{" * 5000, "request: must be an object"),
        ('{"action": "explode"}', "action: must be one of"),
        ('{"action": "open", "to": "moon"}', "to: must be one of"),
        ('{"action": "open", "code": "m1.xx"}', "share link: it was cut or changed"),
        ('{"action": "open", "clip": "../../etc/passwd"}', "there is no such thing here"),
        ('{"action": "again", "recipe": {"bars": 0}}', "bars: must be from 1"),
        ('{"action": "vary", "clip": 7}', "there is no such thing here"),
    ],
)
def test_a_bad_request_is_one_sentence(services, calls, request_text: str, sentence: str) -> None:
    page = Page(services, {name: name for name in NAMES})
    updates = list(page.make(request_text, TOKEN))
    assert [set(update) for update in updates] == [{"status"}]
    assert sentence in html.unescape(updates[0]["status"])
    assert calls.ticks == 0
