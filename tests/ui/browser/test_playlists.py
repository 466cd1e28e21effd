"""Playlists in a real Chromium: made, filled, put in order by hand and by keyboard, played, taken away and given on."""

from __future__ import annotations

import pytest

from tests.ui.browser.stock import PHONE, TALL_ENOUGH, ask, clips, new_token, remembered, serious, stock

pytestmark = pytest.mark.browser


@pytest.fixture
def few(site, tmp_path) -> str:
    """Somebody with five kept clips."""
    return stock(site[0], tmp_path, clips(6))


def playlists(visit, site, token: str, **options):
    here = visit(**options, **remembered(site[0], token, **{"library-part": "playlists"}))
    here.page.set_default_timeout(20_000)
    here.page.click("#rooms [data-room=library]")
    return here


def filled(address: str, token: str, name: str) -> str:
    """Id of a playlist with all kept clips."""
    kept = [clip["id"] for clip in ask(address, "studio/library/clips?kept=true", token)["clips"]]
    return ask(address, "studio/playlists", token, {"name": name, "clips": kept})["id"]


def order(page) -> list[str]:
    """Numbers at the ends of the titles."""
    return [title.split()[-1] for title in page.locator(".ordered .title").all_inner_texts()]


def test_made_filled_ordered_emptied_and_deleted_with_undo(visit, site, few) -> None:
    here = playlists(visit, site, few)
    page = here.page
    page.wait_for_selector("text=No playlist yet")
    page.click("#part-playlists-panel .list-head >> text=New playlist")
    page.keyboard.type("Rainy <Sunday>")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Empty so far")
    page.click("text=Go to the clips")
    for number in range(3):
        page.locator(".long .clip [data-does=more]").nth(number).click()
        page.click("[role=menuitem] >> text=Add to a playlist")
        page.click("button.choice >> text=Rainy <Sunday>")
        page.wait_for_selector("dialog", state="detached")
    page.locator(".toast >> text=Show it").last.click()
    page.wait_for_function("document.querySelectorAll('.ordered .clip').length === 3")
    assert order(page) == ["0", "1", "2"]

    page.click("[aria-label='Move Smoky club 0 down']")
    assert order(page) == ["1", "0", "2"]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move Smoky club 0 down"
    page.keyboard.press("Enter")
    assert order(page) == ["1", "2", "0"]
    page.keyboard.press("Alt+ArrowUp")
    assert order(page) == ["1", "0", "2"]
    assert page.locator("#announcer").inner_text() == "Place 2 of 3"
    page.wait_for_timeout(300)
    grip, last = (page.locator(".ordered span.grip").nth(i).bounding_box() for i in (0, 2))
    page.mouse.move(grip["x"] + 20, grip["y"] + 20)
    page.mouse.down()
    page.mouse.move(grip["x"] + 20, last["y"] + 24, steps=5)
    page.mouse.up()
    assert order(page) == ["0", "2", "1"]

    page.click(".ordered [aria-label='More for Midnight club 2']")
    page.click("[role=menuitem] >> text=Take out of this playlist")
    page.wait_for_function("document.querySelectorAll('.ordered .clip').length === 2")
    page.locator(".toast:has-text('Taken out') >> text=Undo").click()
    page.wait_for_function("document.querySelectorAll('.ordered .clip').length === 3")
    assert order(page) == ["0", "2", "1"]
    page.click("[aria-label='More for Rainy <Sunday>']")
    page.click("[role=menuitem] >> text=Delete")
    page.wait_for_selector("text=No playlist yet")
    page.locator(".toast:has-text('Playlist deleted') >> text=Undo").click()
    page.wait_for_function("document.querySelectorAll('.ordered .clip').length === 3")
    assert order(page) == ["0", "2", "1"]
    assert here.errors == []


def test_plays_through_is_taken_away_and_given_on(visit, site, few) -> None:
    filled(site[0], few, "Train <home>")
    here = playlists(visit, site, few)
    page = here.page
    page.click(".playlist")
    page.wait_for_selector(".ordered .clip")
    page.click(".playlist-head >> text=Play")
    page.wait_for_selector("#player-bar .title >> text=Smoky club 0")
    page.wait_for_selector(".ordered .clip.sounds:has-text('Smoky club 0')")
    page.click("#player-bar [aria-label=Next]")
    page.wait_for_selector("#player-bar .title >> text=Sunny club 1")
    page.click("[aria-label='More for Train <home>']")
    with page.expect_download() as caught:
        page.click("[role=menuitem] >> text=Download a list (M3U)")
    assert caught.value.suggested_filename == "train-home.m3u8"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[aria-label='More for Train <home>']")
    page.click("[role=menuitem] >> text=Copy a link to it")
    page.wait_for_selector(".toast >> text=Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert here.errors == []

    other = visit(**remembered(site[0], new_token()))
    other.page.goto(link)
    other.page.wait_for_selector(".playlist-head >> text=Train <home>")
    assert order(other.page) == order(page)
    assert "p=" not in other.page.url
    other.page.click(".ordered .sleeve-button >> nth=1")
    other.page.wait_for_selector("#player-bar .title >> text=Sunny club 1")
    assert other.errors == []


def test_on_a_phone(visit, site, few) -> None:
    filled(site[0], few, "A playlist with quite a long name for a telephone")
    here = playlists(visit, site, few, viewport=PHONE, theme="dark", has_touch=True)
    page = here.page
    page.wait_for_selector(".playlist .sleeve")
    assert serious(page) == []
    page.click(".playlist")
    page.wait_for_selector(".ordered .clip")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TALL_ENOUGH, "#library-app") == []
    assert serious(page) == []
    page.click(".ordered [aria-label='More for Smoky club 0']")
    page.click("[role=menuitem] >> text=Move down")
    assert order(page)[:2] == ["1", "0"]
    assert here.errors == []
