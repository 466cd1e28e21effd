"""The room Library in a real Chromium: found, kept, named, deleted and had back, taken away and brought in."""

from __future__ import annotations

import pytest

from tests.ui.browser.stock import PHONE, TALL_ENOUGH, ask, clips, new_token, remembered, serious, stock

pytestmark = pytest.mark.browser

MANY = 2000


@pytest.fixture(scope="module")
def many(site, tmp_path_factory) -> str:
    """Somebody with many clips, who only looks."""
    return stock(site[0], tmp_path_factory.mktemp("many"), clips(MANY))


@pytest.fixture
def few(site, tmp_path) -> str:
    """Somebody with ten clips."""
    return stock(site[0], tmp_path, clips(10))


def library(visit, site, token: str, *, shelf: str = "kept", **options):
    here = visit(**options, **remembered(site[0], token, **{"library-shelf": shelf}))
    here.page.set_default_timeout(20_000)
    here.page.click("#rooms [data-room=library]")
    here.page.wait_for_selector("#part-clips-panel .count b")
    return here


def titles(page) -> list[str]:
    return page.locator("#part-clips-panel .clip .title").all_inner_texts()


def settle(page, count: int) -> None:
    page.wait_for_function(f"document.querySelector('#part-clips-panel .count b').textContent === '{count:,}'")


def test_two_thousand_clips_are_scrolled_searched_filtered_and_sorted(visit, site, many) -> None:
    here = library(visit, site, many)
    page = here.page
    settle(page, MANY * 4 // 5)
    assert titles(page)[0] == "Smoky club 0"
    assert page.locator(".long .clip").count() < 60
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector(f".clip .title:has-text('{MANY - 2}')")
    assert page.locator(".long .clip").count() < 80
    page.evaluate("scrollTo(0, 0)")

    page.fill(".search input", "velvet rainy")
    page.wait_for_function("document.querySelector('#part-clips-panel .count b').textContent < '100'")
    page.wait_for_function(
        "[...document.querySelectorAll('.long .title')].every(e => e.textContent.startsWith('Velvet'))"
    )
    page.fill(".search input", "no such words")
    page.wait_for_selector("text=Nothing is like that")
    page.click("text=Clear search and filters")
    settle(page, MANY * 4 // 5)

    page.click("#part-clips-panel .bar >> text=Filter")
    page.select_option("#library-filters select >> nth=0", "jazz")
    low = page.locator("#library-filters [aria-label='Tempo, from']")
    low.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    page.wait_for_selector(".filter-chip:has-text('Tempo')")
    page.wait_for_function("[...document.querySelectorAll('.long .genre')].every(e => e.textContent === 'jazz')")
    slowest = int(low.input_value())
    assert slowest > 60
    page.select_option("#part-clips-panel .bar select", "tempo")
    page.wait_for_function(f"Math.abs(document.querySelector('.long .tempo b').textContent - {slowest}) < 8")
    assert {int(tempo) >= slowest for tempo in page.locator(".long .tempo b").all_inner_texts()} == {True}
    page.click("text=Clear all")
    settle(page, MANY * 4 // 5)
    page.click("#library-view")
    page.wait_for_selector(".long.tiles .clip")
    first, second = (page.locator(".long .clip").nth(i).bounding_box() for i in (0, 1))
    assert first["y"] == second["y"]
    assert here.errors == []


def test_keep_like_rename_tag_delete_and_have_back(visit, site, few) -> None:
    here = library(visit, site, few, shelf="history")
    page = here.page
    settle(page, 2)
    page.click(".clip:has-text('Paper club 4') .keep")
    page.wait_for_selector(".clip:has-text('Paper club 4') .keep[aria-pressed=true]")
    page.click("[data-shelf=kept]")
    settle(page, 9)
    page.click("[aria-label='Like Sunny club 1']")
    page.wait_for_selector("[aria-label='Like Sunny club 1'][aria-pressed=true]")

    page.dblclick(".title:text-is('Sunny club 1')")
    page.keyboard.type("<b>Mine</b> & yours")
    page.keyboard.press("Enter")
    page.wait_for_selector(".title:text-is('<b>Mine</b> & yours')")
    page.click("[aria-label='More for <b>Mine</b> & yours']")
    page.click("[role=menuitem] >> text=Tags")
    page.fill("dialog input", "for Anna, rainy, for Anna")
    page.click("dialog >> text=Save tags")
    page.wait_for_selector(".clip:has-text('Mine') .tag:has-text('for Anna')")

    page.click("[aria-label='More for Midnight club 2']")
    page.click("[role=menuitem] >> text=Delete")
    settle(page, 8)
    page.click(".toast >> text=Undo")
    settle(page, 9)
    page.click(".clip:has-text('Mine') .tag:has-text('rainy')")
    page.wait_for_selector(".filter-chip:has-text('rainy')")
    stored = {clip["title"]: clip for clip in ask(site[0], "studio/library/clips", few)["clips"]}
    mine = stored["<b>Mine</b> & yours"]
    assert (mine["liked"], mine["tags"]) == (1, ["for Anna", "rainy"])
    assert stored["Paper club 4"]["kept"] is True
    assert "Midnight club 2" in stored
    assert here.errors == []


def test_everything_by_keyboard(visit, site, few) -> None:
    here = library(visit, site, few)
    page = here.page
    settle(page, 8)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.locator(".long .sleeve-button").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Play Sunny club 1"
    page.keyboard.press("k")
    page.wait_for_selector(".clip:has-text('Sunny club 1') .keep[aria-pressed=false]")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Play Sunny club 1"
    page.keyboard.press("F2")
    page.keyboard.type("Another name")
    page.keyboard.press("Enter")
    page.wait_for_selector(".title:text-is('Another name')")
    page.focus("[aria-label='More for Another name']")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent") == "Delete"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "More for Another name"
    page.keyboard.press("Delete")
    settle(page, 7)
    page.focus("#part-clips")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "part-playlists"
    page.wait_for_selector("#part-playlists-panel >> text=No playlist yet")
    assert here.errors == []


def test_empty_shelves_teach_and_a_silent_server_is_told(visit, site) -> None:
    here = library(visit, site, new_token())
    page = here.page
    page.wait_for_selector("text=Nothing kept yet")
    page.click("[data-shelf=liked]")
    page.wait_for_selector("text=Nothing liked yet")
    page.click("text=Go to the radio")
    assert page.locator("#foryou-app").is_visible()
    page.click("#rooms [data-room=library]")
    page.context.set_offline(True)
    page.wait_for_selector("text=You are offline")
    page.click("[data-shelf=history]")
    page.wait_for_selector("#part-clips-panel [role=alert]")
    page.context.set_offline(False)
    page.click("#part-clips-panel [role=alert] >> text=Try again")
    page.wait_for_selector("text=Nothing made yet")


def test_taken_away_brought_in_and_forgotten(visit, site, few, tmp_path) -> None:
    here = library(visit, site, few)
    page = here.page
    settle(page, 8)
    page.click("[aria-label='Export, import and clear']")
    with page.expect_download() as caught:
        page.click("[role=menuitem] >> text=Export everything")
    caught.value.save_as(tmp_path / "library.zip")
    page.click("[aria-label='Export, import and clear']")
    page.click("[role=menuitem] >> text=Forget me")
    assert page.evaluate("document.activeElement.textContent") == "Leave it as it is"
    with page.expect_navigation():
        page.click("dialog >> text=Delete everything")
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("localStorage.getItem('musicgen-person')") != few
    assert ask(site[0], "studio/library/clips", few)["total"] == 0
    page.click("#rooms [data-room=library]")
    page.wait_for_selector("text=Nothing kept yet")
    page.click("[aria-label='Export, import and clear']")
    with page.expect_file_chooser() as chosen:
        page.click("[role=menuitem] >> text=Import a library")
    chosen.value.set_files(tmp_path / "library.zip")
    settle(page, 8)
    assert here.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_nothing_is_too_wide_or_too_small(visit, site, many, theme) -> None:
    here = library(visit, site, many, viewport=PHONE, theme=theme, has_touch=True)
    page = here.page
    page.wait_for_selector(".long .clip")
    page.click("#part-clips-panel .bar >> text=Filter")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TALL_ENOUGH, "#library-app") == []
    assert serious(page) == []
    page.click("#part-clips-panel .bar >> text=Filter")
    page.locator(".long .clip [data-does=more]").first.click()
    page.wait_for_selector("[role=menuitem] >> text=Dislike")
    assert serious(page) == []
    box = page.locator(".menu").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert here.errors == []
