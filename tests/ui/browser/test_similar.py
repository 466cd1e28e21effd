"""Find similar in a real Chromium: from what plays, from a file, from a microphone; and whether a clip is new."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from tests.ui.browser.stock import PHONE, TALL_ENOUGH, new_token, remembered, serious

pytestmark = pytest.mark.browser

MAKE = """async (seed) => {
    const { make } = await import('./studio/static/bus.js');
    const recipe = { style: { tempo: 100 + 20 * seed }, seed, bars: 4 };
    return (await make({ action: 'again', recipe, title: `Piece ${seed}` }, { to: 'takes' })).id;
}"""

LISTEN = """() => {
    const send = window.fetch;
    window.fetch = async (address, options) => {
        if (options?.body instanceof Blob) window.sent = [...new Uint8Array(await options.body.arrayBuffer())];
        return send(address, options);
    };
}"""
REFUSE = (
    "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
)


@pytest.fixture
def found(visit, site, calls):
    """``found()`` visits the room with three clips that have sound."""

    def go(**options):
        here = visit(**options, **remembered(site[0], new_token(), **{"library-part": "similar"}))
        here.page.set_default_timeout(30_000)
        here.ids = [here.page.evaluate(MAKE, seed) for seed in (1, 2, 3)]
        here.page.click("#rooms [data-room=library]")
        return here

    return go


def tones() -> bytes:
    """Four seconds of a broken chord as a WAV file at 48 kHz."""
    rate, held = 48_000, io.BytesIO()
    notes = [np.sin(2 * np.pi * 220 * 2 ** (k / 12) * np.arange(rate // 2) / rate) for k in (0, 4, 7, 12, 7, 4, 0, 7)]
    with wave.open(held, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((20_000 * np.concatenate(notes)).astype("<i2").tobytes())
    return held.getvalue()


def test_from_what_plays_to_the_place_that_is_like_it(found) -> None:
    here = found()
    page = here.page
    page.click("#part-clips")
    page.click("[data-shelf=history]")
    page.click("[aria-label='More for Piece 1']")
    page.click("[role=menuitem] >> text=Find similar")
    page.wait_for_selector(".match")
    assert page.locator(".given h3").inner_text() == "Piece 1"
    assert page.locator(".stretch rect").count() == 160
    titles = page.locator(".match .title").all_inner_texts()
    assert titles
    assert set(titles) <= {"Piece 2", "Piece 3"}
    place = page.locator(".match .place").first
    name = place.get_attribute("aria-label")
    assert name.startswith(f"Play {titles[0]} from 0:")
    place.click()
    page.wait_for_selector(f"#player-bar .title >> text={titles[0]}")

    end = page.locator(".stretch [aria-label=End]")
    end.focus()
    page.keyboard.press("Home")
    assert end.get_attribute("aria-valuetext") == "0:02"
    with page.expect_request("**/studio/similar/clip") as asked:
        page.click(".given >> text=Find similar")
    assert asked.value.post_data_json == {"clip": here.ids[0], "begin": 0, "end": 2}
    page.wait_for_selector("#similar-results:not([aria-busy])")
    assert serious(page) == []
    page.click(".given >> text=Is this new?")
    page.wait_for_selector("dialog .verdict", timeout=60_000)
    assert page.locator("dialog .verdict").inner_text().endswith(".")
    assert page.locator("dialog .pieces li").count() >= 1
    assert serious(page) == []
    page.keyboard.press("Escape")
    assert here.errors == []


def test_from_a_file_and_from_the_microphone(found, tmp_path) -> None:
    here = found(viewport=PHONE, theme="dark", has_touch=True, permissions=["microphone"])
    page = here.page
    assert page.evaluate(TALL_ENOUGH, "#library-app") == []
    assert serious(page) == []
    (tmp_path / "broken chord.wav").write_bytes(tones())
    page.evaluate(LISTEN)
    with page.expect_file_chooser() as chosen:
        page.click("text=A sound file")
    chosen.value.set_files(tmp_path / "broken chord.wav")
    page.wait_for_function("window.sent")
    with wave.open(io.BytesIO(bytes(page.evaluate("window.sent")))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22_050, 1, 2)
        assert abs(file.getnframes() / 22_050 - 4.0) < 0.05
    page.wait_for_selector("#similar-results:not([aria-busy]) :is(.match, .nothing)")
    assert page.locator(".given h3").inner_text() == "broken chord.wav"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TALL_ENOUGH, "#library-app") == []
    assert serious(page) == []

    page.click("[aria-label='Look for something else']")
    page.click("text=Hum it")
    page.wait_for_function("document.querySelector('[role=meter]')?.ariaValueNow > 5")
    page.wait_for_function("document.querySelector('.clock b').textContent >= '0:02'")
    page.evaluate("window.sent = null")
    page.click("text=Stop and search")
    page.wait_for_function("window.sent")
    assert bytes(page.evaluate("window.sent.slice(0, 12)"))[8:] == b"WAVE"
    page.wait_for_selector("#similar-results:not([aria-busy]) :is(.match, .nothing)")
    assert page.locator(".given h3").inner_text() == "Your recording"
    page.click("[aria-label='Look for something else']")
    (tmp_path / "words.mp3").write_text("no sound at all")
    with page.expect_file_chooser() as chosen:
        page.click("text=A sound file")
    chosen.value.set_files(tmp_path / "words.mp3")
    page.wait_for_selector(".toast >> text=no sound that the browser can read")
    page.evaluate(REFUSE)
    page.click("text=Hum it")
    page.wait_for_selector(".toast >> text=may not use the microphone")
    assert page.locator(".sources").is_visible()
    assert here.errors == []
