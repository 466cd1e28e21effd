"""Figures of a clip in a real Chromium: one time axis that seeks, follows and zooms, by mouse, finger and keyboard."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytestmark = pytest.mark.browser

NOW = "window.studio.player.now()"
GUTTER = 46


@pytest.fixture
def shown(bench, bench_clip):
    """The bench with a clip's figures; ``shown.clip`` is its ClipInfo."""

    def open_page(*args, **options):
        page = bench(*args, **options)
        page.evaluate("clip => bench.figures.show(clip)", bench_clip)
        page.wait_for_selector("#figures .wave path.peak", state="attached")
        page.wait_for_selector("#figures .panel svg", state="attached")
        return page

    return open_page


def press(page, selector: str, share: float) -> None:
    box = page.locator(selector).bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def head(page) -> float:
    """Middle of the playhead in pixels from the left of the figures."""
    return page.evaluate(
        "document.querySelector('#figures .playhead').getBoundingClientRect().left + 1"
        " - document.querySelector('#figures .scroll').getBoundingClientRect().left"
    )


def test_a_press_on_any_figure_plays_from_there_and_the_playhead_runs(shown, bench_clip) -> None:
    page = shown()
    assert not page.locator("#figures .playhead").is_visible()
    press(page, "#figures .wave", 0.5)
    page.wait_for_function(f"{NOW}.playing")
    half = bench_clip["seconds"] / 2
    assert page.evaluate(f"{NOW}.at") == pytest.approx(half, abs=0.7)
    before = head(page)
    page.wait_for_function(f"document.querySelector('#figures .playhead').getBoundingClientRect().left > {before} + 30")
    press(page, "#figures .panel .picture", 0.25)
    page.wait_for_function(f"{NOW}.at < {half}")
    box = page.locator("#figures .wave").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 25, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{NOW}.at > {1.5 * half}")


def test_zoom_keeps_its_place_and_the_view_follows_the_music(shown) -> None:
    page = shown()
    whole = page.locator("#figures .wave").bounding_box()["width"]
    assert page.locator(".zooms button").first.is_disabled(), "no further out than the whole clip"
    bars = page.locator("#figures .ruler text.bar").all_text_contents()
    assert bars == ["1", "2", "3", "4"]
    for _ in range(2):
        page.click(".zooms button:last-child")
    wide = page.locator("#figures .wave").bounding_box()["width"]
    assert wide == pytest.approx(min(whole * 1.5**2, 240 * 8.73), rel=0.02)
    assert page.locator("#figures .panel .picture").bounding_box()["width"] == pytest.approx(wide, abs=1)
    page.evaluate("bench.player.play(bench.figures.shownClip(), {at: 7})")
    page.wait_for_function("document.querySelector('#figures .scroll').scrollLeft > 100")
    view = page.locator("#figures .scroll").bounding_box()["width"]
    assert GUTTER <= head(page) <= view
    page.click(".zooms button:nth-child(2)")
    assert page.locator("#figures .wave").bounding_box()["width"] == pytest.approx(whole, abs=1)
    page.mouse.move(700, 120)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"document.querySelector('#figures .wave').clientWidth > {whole} * 1.5")


def test_tabs_and_position_by_keyboard(shown) -> None:
    page = shown()
    page.focus("#figure-tab-roll")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "figure-tab-mel"
    assert page.locator("#figure-tab-mel").get_attribute("aria-selected") == "true"
    page.wait_for_selector("#figures .panel .figure-mel img")
    assert "kHz" in page.locator("#figures .panel figure").get_attribute("aria-label").replace("kilohertz", "kHz")
    slider = page.locator("#figures [role=slider]")
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{NOW}.playing && {NOW}.at >= 1.9")
    page.wait_for_function(
        "document.querySelector('#figures [role=slider]').getAttribute('aria-valuetext') === '0:02 of 0:08'"
    )
    page.keyboard.press("+")
    assert page.locator(".zooms button").first.is_enabled()
    page.keyboard.press(" ")
    page.wait_for_function(f"!{NOW}.playing")


def test_every_tab_shows_its_figure(shown) -> None:
    page = shown()
    for kind in ("mel", "chroma", "mfcc"):
        page.click(f"#figure-tab-{kind}")
        page.wait_for_selector(f"#figures .panel .figure-{kind} img")
        assert page.locator("#figures .scale").is_visible()
    page.click("#figure-tab-sheet")
    page.wait_for_selector("#figures .sheet g.note")
    assert not page.locator("#figures .panel").is_visible()
    later = "[...document.querySelectorAll('#figures .sheet g.note')].at(-1)"
    page.evaluate(f"{later}.scrollIntoView(); {later}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    page.wait_for_function(f"{NOW}.playing && {NOW}.at > 4")
    page.wait_for_selector("#figures .sheet .sounding", state="attached")


def test_chord_names_have_room_on_a_phone_and_nothing_spills(shown) -> None:
    page = shown({"width": 360, "height": 740}, has_touch=True)
    names = page.evaluate(
        "[...document.querySelectorAll('#figures .chord-names span:not([hidden])')]"
        ".map((name) => [name.getBoundingClientRect().left, name.getBoundingClientRect().right])"
    )
    assert names
    assert all(following[0] > name[1] for name, following in pairwise(names))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("#figures .wave").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 30)
    page.wait_for_function(f"{NOW}.playing && {NOW}.at > 3")
