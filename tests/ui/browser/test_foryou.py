"""The room For you in a real Chromium: a radio that plays on by itself, learns, explains itself and pauses."""

from __future__ import annotations

import pytest

from tests.ui.browser.stock import PHONE, TALL_ENOUGH, ask, new_token, remembered, serious

pytestmark = pytest.mark.browser


def radio(visit, site, token: str, **options):
    here = visit(**options, **remembered(site[0], token, crossfade="0"))
    here.page.set_default_timeout(30_000)
    here.page.click("#rooms [data-room=foryou]")
    here.page.wait_for_selector(".taste h3")
    return here


def playing(page) -> str:
    """Id of the clip."""
    return page.locator("#foryou-app").get_attribute("data-sounds")


def until_another(page, clip: str) -> str:
    page.wait_for_function(
        "(old) => !['', old].includes(document.querySelector('#foryou-app').dataset.sounds)", arg=clip
    )
    return playing(page)


def test_it_plays_on_learns_and_says_what_it_believes(visit, site, calls) -> None:
    token = new_token()
    here = radio(visit, site, token)
    page = here.page
    assert page.locator("text=Nothing is known yet").is_visible()
    page.click("text=Start the radio")
    page.wait_for_selector("[data-radio=plays]")
    page.wait_for_selector(".turntable .why p")
    page.wait_for_selector(".next >> text=Next:")
    first = ask(site[0], "studio/library/clips?kept=false", token)["clips"]
    assert {clip["origin"] for clip in first} == {"radio"}
    assert len(first) == 2, "one plays, one is ready, and no more are made"

    clip = playing(page)
    page.keyboard.press("l")
    page.wait_for_selector(".verb.like[aria-pressed=true]")
    page.keyboard.press("s")
    clip = until_another(page, clip)
    assert page.locator(".played .clip .title").all_inner_texts() != []
    page.wait_for_selector(".next >> text=Next:")
    page.keyboard.press("d")
    until_another(page, clip)
    page.keyboard.press("k")
    page.wait_for_selector(".turntable .keep[aria-pressed=true]")
    page.wait_for_selector(".next >> text=Next:")
    liked = {clip["liked"] for clip in ask(site[0], "studio/library/clips", token)["clips"]}
    assert liked >= {1, -1}

    told = "[...document.querySelectorAll('.counts b')].map(e => e.textContent).join().startsWith('1,1,')"
    page.wait_for_function(told)
    assert page.locator(".bars li").count() == 8
    page.click("[role=switch]")
    page.wait_for_selector("[role=switch][aria-checked=false]")
    page.click("[role=switch]")
    page.wait_for_selector(".bars")
    page.click("text=Begin anew")
    page.click("dialog >> text=Forget what was learned")
    page.wait_for_selector("text=Nothing is known yet")
    assert serious(page) == []
    assert here.errors == []


def test_a_pause_pauses_the_making_too(visit, site, calls) -> None:
    token = new_token()
    here = radio(visit, site, token)
    page = here.page
    page.click("text=Start the radio")
    page.wait_for_selector(".next >> text=Next:")
    page.click(".verb.pause")
    page.wait_for_selector("[data-radio=held]")
    page.wait_for_selector(".verb.pause >> text=Go on")
    made = ask(site[0], "studio/library/clips", token)["total"]
    page.click("#player-bar [aria-label=Play]")
    page.wait_for_selector("[data-radio=plays]")
    page.click("#player-bar [aria-label=Pause]")
    page.wait_for_selector("[data-radio=held]")
    page.click("text=Switch the radio off")
    page.wait_for_selector("text=Start the radio")
    page.wait_for_timeout(600)
    assert ask(site[0], "studio/library/clips", token)["total"] == made
    assert here.errors == []


def test_on_a_phone(visit, site, calls) -> None:
    here = radio(visit, site, new_token(), viewport=PHONE, theme="dark", has_touch=True)
    page = here.page
    assert serious(page) == []
    page.click("text=Start the radio")
    page.wait_for_selector("[data-radio=plays]")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TALL_ENOUGH, "#foryou-app") == []
    assert serious(page) == []
    box = page.locator(".verbs").bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"] - page.locator("#player-bar").bounding_box()["height"]
    assert here.errors == []
