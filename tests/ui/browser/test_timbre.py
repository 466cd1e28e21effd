"""The timbre panel in a real Chromium: roll, morph, borrow, refuse, reset, and what reaches the clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.timbre import Timbre, TimbrePoint

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def voice(tmp_path):
    """A recording of two seconds."""
    wave = np.sin(np.arange(88_200, dtype=np.float32) * 0.03) * np.linspace(0, 0.5, 88_200, dtype=np.float32)
    write_wav(tmp_path / "voice.wav", wave[None, :], 44_100)
    return tmp_path / "voice.wav"


@pytest.fixture
def panel(visit):
    """``panel(viewport)`` opens the page and its timbre drawer."""

    def opened(*viewport: dict):
        here = visit(*viewport)
        here.page.click("#sound button.label-wrap")
        here.page.wait_for_selector("#timbre_a_card .timbre-card")
        return here

    return opened


def choose(page, slot: str, kind: str) -> None:
    page.check(f'#timbre_{slot}_kind input[value="{kind}"]')


def picture(page, slot: str) -> list[float]:
    return json.loads(page.locator(f"#timbre_{slot}_card .timbre-card").get_attribute("data-z"))


def heights(page) -> list[float]:
    """Signed heights of the bars of the mixture, in units of z."""
    return page.evaluate(
        """() => [...document.querySelectorAll('#morph rect')].map(bar =>
        Number(bar.getAttribute('height')) * (Number(bar.getAttribute('y')) < 23.5 ? 1 : -1) * 3 / 23)"""
    )


def share(here, settled: str) -> Timbre:
    here.page.wait_for_function(settled)
    here.generate()
    return Timbre.from_dict(json.loads(here.download("json")[1])["recipe"].get("timbre", {}))


def borrow(page, slot: str, path) -> None:
    choose(page, slot, "recorded")
    page.locator(f"#timbre_{slot}_file input[type=file]").set_input_files(str(path))


def test_roll_morph_and_borrow_reach_the_clip_and_reset_takes_them_back(panel, voice) -> None:
    here = panel()
    page = here.page
    assert picture(page, "a") == [0.0] * 32
    choose(page, "a", "random")
    page.wait_for_function("document.querySelector('#timbre_a_card span').innerText !== 'Own timbre'")
    first = picture(page, "a")
    page.click("#timbre_a_dice")
    page.wait_for_function(f"document.querySelector('#timbre_a_card .timbre-card').dataset.z !== '{json.dumps(first)}'")
    borrow(page, "b", voice)
    page.wait_for_function("document.querySelector('#timbre_b_card span').innerText === 'Recording'")
    page.locator("#timbre_morph input[type=number]").fill("40")
    page.uncheck("#timbre_bass input")
    a, b = picture(page, "a"), picture(page, "b")
    assert b[0] < b[-1], "the recording grows louder, and the stand-in encoder hears loudness"
    settled = "document.querySelector('#morph .mix').style.getPropertyValue('--share') === '0.4'"
    page.wait_for_function(settled)
    mix = np.clip([0.6 * x + 0.4 * y for x, y in zip(a, b, strict=True)], -3, 3)
    np.testing.assert_allclose(heights(page), mix, atol=0.16)
    assert page.locator("#morph p").inner_text() == "60 % A, 40 % B"

    timbre = share(here, settled)
    np.testing.assert_allclose(timbre.a.noise(), a, atol=0.006)
    assert timbre.b == TimbrePoint("recorded", z=tuple(b))
    assert (timbre.morph, timbre.parts) == (0.4, ("lead", "chords"))
    assert f"{timbre.a.name} to Recording, 40 %" in page.locator("#heading").inner_text()

    page.click("#timbre-reset")
    back = "document.querySelectorAll('#timbre_a_card span, #timbre_b_card span')[1].innerText === 'Own timbre'"
    assert share(here, back) == Timbre()
    assert page.locator("#timbre_bass input").is_checked()
    assert here.errors == []
    assert here.strangers() == []


def test_a_bad_upload_is_one_sentence_and_the_earlier_timbre_stays(panel, voice, tmp_path) -> None:
    here = panel()
    page = here.page
    borrow(page, "a", voice)
    page.wait_for_function("document.querySelector('#timbre_a_card span').innerText === 'Recording'")
    kept = picture(page, "a")
    page.click("#timbre_a_file button[aria-label=Clear]")
    page.wait_for_function("document.querySelector('#timbre_a_card span').innerText === 'No recording yet'")
    borrow(page, "a", voice)
    page.wait_for_function("document.querySelector('#timbre_a_card span').innerText === 'Recording'")
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEnothing")
    borrow(page, "b", tmp_path / "bad.wav")
    told = page.locator("#timbre_b_note [role=alert]")
    told.wait_for()
    assert told.inner_text().startswith("recording: ")
    assert "Traceback" not in told.inner_text()
    assert picture(page, "a") == kept
    borrow(page, "b", voice)
    page.wait_for_function("document.querySelector('#timbre_b_card span').innerText === 'Recording'")
    assert page.locator("#timbre_b_note .note").count() == 0
    assert here.errors == []


def test_fixed_instruments_say_why_there_is_nothing_to_change(panel) -> None:
    here = panel()
    page = here.page
    assert not page.locator("#fixed").is_visible()
    choose(page, "a", "random")
    page.check('#synth input[value="soundfont"]')
    assert page.locator("#fixed").inner_text().startswith("Sampled instruments")
    assert not page.locator("#slots").is_visible()
    page.check('#synth input[value="wavenet"]')
    assert page.locator("#fixed").inner_text().startswith("The classic")
    assert "Sampled" not in page.locator("#fixed").inner_text()
    assert not page.locator("#slots").is_visible()
    assert share(here, "true") == Timbre()
    page.check('#synth input[value="vaegan"]')
    assert page.locator("#slots").is_visible()
    assert share(here, "true").a.kind == "random"


def test_the_panel_fits_a_phone(panel, voice) -> None:
    here = panel(PHONE)
    page = here.page
    choose(page, "a", "random")
    borrow(page, "b", voice)
    page.wait_for_function("document.querySelector('#timbre_b_card span').innerText === 'Recording'")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for name in ("slot-a", "slot-b", "timbre_morph", "morph", "timbre-reset"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"], name
    assert here.errors == []
