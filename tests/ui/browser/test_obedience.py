"""Asking, hearing and mending in a real Chromium: form, loop, dead zones, files, and work on a finished clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def told(here) -> dict:
    """The recipe of the clip on the stage."""
    return json.loads(here.download("json")[1])["recipe"]


def open_drawers(page, *names: str) -> None:
    for name in names:
        page.click(f"#{name} button.label-wrap")


def press(here, button: str) -> None:
    """Press a button that makes a clip, and wait for the clip."""
    before = here.page.evaluate("document.body.dataset.shown ?? ''")
    here.page.click(f"#{button}")
    here.page.wait_for_function("before => (document.body.dataset.shown ?? '') !== before", arg=before)
    here.until("done")
    here.page.wait_for_timeout(200)


@pytest.fixture
def files(tmp_path):
    """A melody, a recording, and two files that are neither."""
    notes = tuple(Note(float(beat), 60 + beat % 7, 1.0, 90) for beat in range(16))
    score_to_midi(Score(96.0, "4/4", 4, {"lead": notes}), tmp_path / "tune.mid")
    wave = 0.4 * np.sin(np.arange(88_200, dtype=np.float32) * 0.07)
    write_wav(tmp_path / "song.wav", wave[None, :], 44_100)
    write_wav(tmp_path / "still.wav", np.full((1, 88_200), 0.01, np.float32), 44_100)
    (tmp_path / "bad.mid").write_bytes(b"MThd\x00")
    return tmp_path


def test_form_and_loop_reach_the_clip_the_roll_and_the_player(visit) -> None:
    here = visit()
    page = here.page
    open_drawers(page, "structure", "correct")
    page.click("#form input")
    page.get_by_role("option", name="AABA", exact=True).click()
    page.check("#intro input")
    page.wait_for_function("document.querySelectorAll('#sections .form span').length > 4")
    page.check('#ending input[value="loop"]')
    assert page.locator("#ending-hint").inner_text().startswith("Leads back")
    page.locator("#rounds input[type=number]").fill("2")
    press(here, "generate")
    recipe = told(here)
    assert (recipe["form"], recipe["intro"], recipe["ending"], recipe["rounds"]) == ("AABA", True, "loop", 2)
    page.wait_for_selector("#figures .panel .section-names")
    assert page.locator("#figures .section-names span").all_inner_texts()[:3] == ["intro", "A", "A"]
    here.playing()
    assert page.evaluate("window.studio.player.now().loop")
    assert "seam: " in page.locator("#heading").inner_text()
    assert page.locator("#meters .summary").inner_text().endswith("1 cannot be measured here")
    assert "pop 70 %, rock 20 %" in page.locator("#meters").inner_text()
    assert page.locator("#tried li").count() >= 2
    why = page.locator("#meters .why").last
    why.focus()
    assert why.locator("[role=tooltip]").is_visible()
    page.check('#ending input[value="open"]')
    press(here, "generate")
    assert page.evaluate("window.studio.player.now().clip.loop"), "the next clip does not cut off the one that plays"
    assert here.errors == []
    assert here.strangers() == []


def test_dead_zones_follow_composer_and_synthesizer_and_leave_the_slider_alone(visit) -> None:
    page = visit().page
    open_drawers(page, "sound")
    dead = "getComputedStyle(document.querySelector('#mood input[type=range]')).getPropertyValue('--dead')"
    page.wait_for_function(f"{dead} !== ''")
    assert "below 0.25" in page.evaluate(
        "getComputedStyle(document.querySelector('#mood .info-text'), '::after').content"
    )
    page.locator("#mood input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#mood input[type=number]").input_value() == "0.61"
    page.check('#synth input[value="soundfont"]')
    page.wait_for_function(f"{dead} === ''")
    page.check('#synth input[value="vaegan"]')
    page.wait_for_function(f"{dead} !== ''")


def test_a_clip_is_continued_and_mended_and_a_bad_wish_leaves_it(visit) -> None:
    here = visit(PHONE)
    page = here.page
    press(here, "generate")
    first = told(here)
    open_drawers(page, "bench")
    page.wait_for_timeout(1000)  # a drawer that has just been opened sets its sliders once more
    page.locator("#more input[type=number]").fill("4")
    page.locator("#more input[type=number]").press("Tab")
    page.wait_for_timeout(500)
    press(here, "continue")
    recipe = told(here)
    assert recipe["source"]["action"] == "continue"
    assert (recipe["bars"], recipe["source"]["recipe"]["seed"]) == (4, first["seed"])
    assert "continued" in page.locator("#heading").inner_text()
    page.locator("#last-bar input").fill("99")
    page.click("#regenerate")
    here.until("error")
    assert page.locator("#status [role=alert]").inner_text().startswith("to bar: must be from 1 to")
    assert "continued" in page.locator("#heading").inner_text()
    page.locator("#first-bar input").fill("2")
    page.locator("#last-bar input").fill("3")
    page.locator("#renew-parts").get_by_label("Bass").check()
    press(here, "regenerate")
    source = told(here)["source"]
    assert (source["bars"], source["parts"]) == ([1, 3], ["bass"])
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert here.errors == []


def test_files_are_accompanied_matched_or_refused(visit, files) -> None:
    here = visit()
    page = here.page
    open_drawers(page, "start")
    page.click("#accompany")
    here.until("error")
    assert page.locator("#status [role=alert]").inner_text() == "MIDI file: there is none yet; choose one first"
    song, recording = page.locator("#song input[type=file]"), page.locator("#recording input[type=file]")
    song.set_input_files(str(files / "bad.mid"))
    page.locator("#song-note [role=alert]").wait_for()
    assert page.locator("#song-note").inner_text().startswith("MIDI file: ")
    song.set_input_files(str(files / "tune.mid"))
    page.wait_for_function("document.querySelector('#song-note b')?.innerText === 'tune'")
    assert page.locator("#keep").get_by_label("Lead").is_checked()
    press(here, "accompany")
    source = told(here)["source"]
    assert (source["action"], source["parts"], len(source["midi_sha256"])) == ("accompany", ["lead"], 64)
    recording.set_input_files(str(files / "still.wav"))
    page.locator("#match-note [role=alert]").wait_for()
    assert page.locator("#tempo input[type=number]").input_value() == "110"
    recording.set_input_files(str(files / "song.wav"))
    page.wait_for_function("document.querySelector('#tempo input[type=number]').value === '93'")
    page.wait_for_function("document.querySelector('#blend').innerText.includes('jazz 75%')")
    assert "Heard 93 BPM, D minor" in page.locator("#match-note").inner_text()
    press(here, "generate")
    style = told(here)["style"]
    assert (style["tempo"], style["key"], style["metre"]) == (93, "D minor", "3/4")
    assert here.errors == []
