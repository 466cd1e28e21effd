"""The page in a real Chromium: move, generate, hear, stop, take away; alone and with others."""

from __future__ import annotations

import hashlib
import io
import json
import wave

import pytest

pytestmark = pytest.mark.browser


def test_sliders_preset_generate_listen_and_download(studio_visit) -> None:
    here = studio_visit
    page = here.page

    page.click("#preset-sunny-pop")
    page.wait_for_function("document.querySelector('#tempo input[type=number]').value === '112'")
    tempo = page.locator("#tempo input[type=range]")
    tempo.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.locator("#tempo input[type=number]").input_value() == "115"
    page.locator("#mood input[type=number]").fill("0.3")
    page.locator("#seed input").fill("7")
    page.check("#lock input")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("body[data-shown]")
    here.until("done")

    assert page.locator("#heading").inner_text().startswith("Sunny pop")
    here.playing(0.3)
    assert page.evaluate("window.studio.player.level()") > 0
    for figure in ("#figures .wave", "#figures .panel svg"):
        assert page.locator(figure).first.bounding_box()["height"] > 40

    name, sound = here.download("wav16")
    assert name.startswith("sunny-pop_115bpm_")
    assert name.endswith("_seed7.wav")
    with wave.open(io.BytesIO(sound)) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (44_100, 2, 2)
        assert clip.getnframes() == round(16 * 4 * 60 / 115 * 44_100)
    shown = page.evaluate("window.studio.player.now().clip")
    assert hashlib.sha256(sound).hexdigest() == shown["hash"], "the file is what was heard"
    name, notes = here.download("midi")
    assert name.endswith(".mid")
    assert notes[:4] == b"MThd"
    name, recipe = here.download("json")
    told = json.loads(recipe)
    assert told["recipe"]["seed"] == 7
    assert told["recipe"]["style"]["tempo"] == 115
    assert told["recipe"]["style"]["mood"] == 0.3
    assert here.download("stems")[1][:2] == b"PK"
    assert here.errors == []
    assert here.strangers() == []


def test_reset_brings_a_slider_back_and_the_dice_rolls(visit) -> None:
    page = visit().page
    number = page.locator("#energy input[type=number]")
    number.fill("0.9")
    page.click("#energy .reset-button")
    assert number.input_value() == "0.5"
    seeds = set()
    for _ in range(3):
        page.click("#dice")
        page.wait_for_timeout(150)
        seeds.add(page.locator("#seed input").input_value())
    assert len(seeds) >= 2


def test_a_preset_moves_controls_in_closed_drawers_too_and_the_blend_shows_it(visit) -> None:
    here = visit()
    page = here.page
    page.click("#preset-midnight-bossa")
    page.wait_for_function("document.querySelector('#blend').innerText.includes('latin 75%')")
    assert "jazz 25%" in page.locator("#blend").inner_text()
    assert page.locator("#preset-midnight-bossa").get_attribute("aria-pressed") == "true"
    here.generate()
    style = json.loads(here.download("json")[1])["recipe"]["style"]
    assert style["genre"] == {"jazz": 0.25, "latin": 0.75}
    assert style["parts"]["lead"]["instrument"] == "flute"
    page.click("#band button.label-wrap")
    page.wait_for_selector("#lead_instrument input")
    assert page.locator("#lead_instrument input").input_value() == "Flute"


def test_stop_stops_and_keeps_the_last_clip(visit, calls) -> None:
    here = visit()
    page = here.page
    here.generate()
    heading = page.locator("#heading").inner_text()
    calls.pause = 0.08
    page.click("#generate")
    page.wait_for_function("document.querySelector('#status small')?.textContent.match(/^[2-9]/)")
    page.click("#stop")
    here.until("stopped")
    page.wait_for_timeout(700)
    ticks = calls.ticks
    page.wait_for_timeout(500)
    assert calls.ticks == ticks, "the engine went on after Stop"
    assert calls.running == 0
    assert page.locator("#heading").inner_text() == heading
    assert page.locator('#status [data-state="stopped"]').count() == 1
    calls.pause = 0.0
    here.generate()
    assert here.errors == []


def test_closing_the_tab_frees_the_engine(visit, calls) -> None:
    here, other = visit(), visit()
    calls.pause = 0.1
    other.page.click("#generate")
    other.until("working")
    other.page.wait_for_timeout(300)
    other.page.close()
    calls.pause = 0.0
    here.generate()
    here.page.wait_for_timeout(300)
    assert calls.running == 0


def test_two_visitors_see_only_their_own_clip(visit, calls) -> None:
    calls.pause = 0.02
    one, other = visit(), visit()
    for here, seed in ((one, "111"), (other, "222")):
        here.page.locator("#seed input").fill(seed)
        here.page.check("#lock input")
    one.page.click("#generate")
    other.page.click("#generate")
    for here, seed in ((one, 111), (other, 222)):
        here.until("done")
        assert f"seed {seed}" in here.page.locator("#heading").inner_text()
        assert json.loads(here.download("json")[1])["recipe"]["seed"] == seed
    assert calls.most == 1
    assert one.errors == other.errors == []


def test_bad_input_is_one_sentence_and_the_clip_stays(visit) -> None:
    here = visit()
    here.generate()
    page = here.page
    page.locator("#seed input").fill("-5")
    page.check("#lock input")
    page.click("#generate")
    here.until("error")
    assert "seed" in page.locator("#status [role=alert]").inner_text()
    assert page.locator("#announcer").inner_text() == page.locator("#status [role=alert]").inner_text()
    assert page.locator("#heading h2").is_visible()
    page.locator("#seed input").fill("5")
    here.generate()


def test_both_wavenets_make_a_clip(studio_visit) -> None:
    """One composes what the VAE-GAN plays; the other writes the sound of what the LSTM composed."""
    here = studio_visit
    page = here.page
    for drawer in ("sound", "advanced"):
        page.click(f"#{drawer} button.label-wrap")
    page.locator("#bars input[type=number]").fill("4")
    page.locator("#seed input").fill("7")
    page.check("#lock input")
    made = {}
    for composer, synth in (("WaveNet", "vaegan"), ("LSTM", "wavenet")):
        page.click("#composer input")
        page.get_by_role("option", name=composer, exact=True).click()
        page.check(f'#synth input[value="{synth}"]')
        assert page.locator("#fixed").is_visible() == (synth == "wavenet")
        here.generate()
        here.playing(0.3)
        told = json.loads(here.download("json")[1])["recipe"]
        assert (told["composer"], told["synth"]) == (composer.lower(), synth)
        made[synth] = here.download("wav16")[1], here.download("midi")[1]
        page.wait_for_timeout(200)
    with wave.open(io.BytesIO(made["wavenet"][0])) as clip:
        assert clip.getnframes() == round(4 * 4 * 60 / told["style"]["tempo"] * 44_100)
    assert made["vaegan"][1] != made["wavenet"][1], "two composers, two pieces"
    assert here.errors == []
