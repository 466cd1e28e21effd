"""A walk through the whole page: every room, drawer, dialog and menu, one after the other, by what never changes its
name; whoever walks along looks at each stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DRAWERS = ("genres", "band", "structure", "sound", "effects", "correct", "start", "advanced")
FIGURES = ("mel", "chroma", "mfcc", "sheet", "roll")
SLOW = 60_000


def tour(page: Any) -> Iterator[str]:
    """The name of each stop, in order, while the page stands there."""
    for part in (studio, clip, work, windows, wrong, library, playlists, similar, radio, about):
        yield from part(page)


def studio(page: Any) -> Iterator[str]:
    """The desk with everything open."""
    yield "empty"
    for drawer in DRAWERS:
        page.click(f"#{drawer} button.label-wrap")
    page.wait_for_selector("#composer")
    yield "drawers"
    for number in range(3):
        page.locator("#synth label").nth(number).click()
    page.locator("#synth label").first.click()
    page.locator("#timbre_a_kind label").nth(1).click()
    page.locator("#timbre_b_kind label").nth(2).click()
    page.locator("#genre_jazz input[type=number]").fill("60")
    page.locator("#genre_pop input[type=number]").fill("30")
    page.click("#form input")
    page.locator("#form [role=option]").nth(3).click()
    page.locator("#key input").click()
    page.wait_for_selector("#key [role=option]")
    yield "lists"
    page.keyboard.press("Escape")
    page.click("#preset-sunny-pop")
    page.wait_for_selector("#status b")
    yield "preset"


def clip(page: Any) -> Iterator[str]:
    """A clip with each of its figures and its stems."""
    before = page.evaluate("document.body.dataset.shown ?? ''")
    page.click("#generate")
    page.wait_for_function("before => (document.body.dataset.shown ?? '') !== before", arg=before)
    page.wait_for_selector('#status [data-state="done"]', timeout=SLOW)
    page.wait_for_selector("#meters li")
    page.click("#bench button.label-wrap")
    yield "clip"
    for kind in FIGURES:
        page.click(f"#figure-tab-{kind}")
        page.wait_for_selector(f"#figures .figure-{kind}, #figures .pages" if kind == "sheet" else f".figure-{kind}")
        page.wait_for_timeout(300)
        yield kind
    page.click("#mixer .fold")
    page.wait_for_selector("#mixer .strip", timeout=SLOW)
    yield "stems"


def work(page: Any) -> Iterator[str]:
    """Variations beside each other."""
    page.click("#vary")
    page.wait_for_selector(".empty-take")
    yield "takes in the making"
    page.wait_for_function("document.querySelectorAll('.take').length === 4 && !document.querySelector('.empty-take')")
    yield "takes"
    page.click("#put-away")


def windows(page: Any) -> Iterator[str]:
    """What the player opens."""
    for name in ("adjust", "help"):
        if not page.is_visible(f"#player-bar .press.{name}"):
            continue  # a phone has no keys
        page.click(f"#player-bar .press.{name}")
        page.wait_for_selector("dialog[open]")
        yield name
        page.keyboard.press("Escape")


def wrong(page: Any) -> Iterator[str]:
    """A request that is refused."""
    page.locator("#first-bar input").fill("90")
    page.locator("#last-bar input").fill("99")
    page.click("#regenerate")
    page.wait_for_selector('#status [data-state="error"]')
    yield "error"


def library(page: Any) -> Iterator[str]:
    """The list of clips, and what can be done with one."""
    page.click("#rooms [data-room=library]")
    page.click("[data-shelf=liked]")
    page.click("[data-shelf=history]")
    page.wait_for_selector(".long .clip:not(.waits)")
    yield "history"
    page.locator("#part-clips-panel .bar [aria-controls=library-filters]").click()
    page.locator("#library-filters select").first.select_option(index=0)
    yield "filters"
    page.locator("#part-clips-panel .bar [aria-controls=library-filters]").click()
    card = page.locator(".long .clip").first
    card.locator("[data-does=more]").click()
    page.wait_for_selector(".menu")
    yield "clip's menu"
    page.locator(".menu [role=menuitem]").nth(5).click()
    page.wait_for_selector("dialog[open]")
    page.locator("dialog[open] input").fill("Rainy, for Anna")
    yield "tags"
    page.locator("dialog[open] button[type=submit]").click()
    page.wait_for_selector(".clip .tag", state="attached")  # a phone has no room for it
    page.locator(".long .clip").first.locator("[data-does=more]").click()
    page.locator(".menu [role=menuitem]").nth(-2).click()
    yield "downloads"
    page.keyboard.press("Escape")
    page.click("#library-view")
    yield "sleeves"
    page.click("#library-view")
    page.locator(".long .clip").first.locator("[data-does=more]").click()
    page.locator(".menu .grave").click()
    page.wait_for_selector(".toast")
    yield "deleted"
    page.locator("#library-app .room-head .more").first.locator("xpath=ancestor-or-self::button").click()
    page.wait_for_selector(".menu")
    yield "library's menu"
    page.locator(".menu .grave").last.click()
    page.wait_for_selector("dialog[open]")
    yield "forget me"
    page.keyboard.press("Escape")
    page.locator("#library-app input[type=search]").fill("nothing is called so")
    page.wait_for_selector(".message .nothing")
    yield "nothing found"
    page.locator(".message .quiet").click()


def playlists(page: Any) -> Iterator[str]:
    """No playlist, and one."""
    page.click("#part-playlists")
    page.wait_for_selector("#part-playlists-panel .nothing")
    yield "no playlist"
    page.click("#part-playlists-panel .list-head button")
    page.wait_for_selector("dialog[open]")
    page.locator("dialog[open] input").fill("Sunday")
    yield "new playlist"
    page.locator("dialog[open] button[type=submit]").click()
    page.wait_for_selector("#playlist-name")
    yield "empty playlist"
    page.click("#part-clips")
    page.locator(".long .clip [data-does=more]").first.click()
    page.locator(".menu [role=menuitem]").nth(3).click()
    page.wait_for_selector("dialog[open] .choice")
    yield "add to"
    page.locator("dialog[open] .choice").click()
    page.wait_for_selector(".toast")
    page.click("#part-playlists")
    page.wait_for_selector("#part-playlists-panel .ordered .clip")
    page.locator("#part-playlists-panel .playlist-head .knob").last.click()
    page.wait_for_selector(".menu")
    yield "playlist"
    page.keyboard.press("Escape")


def similar(page: Any) -> Iterator[str]:
    """What is like a clip, and whether it is new."""
    page.click("#part-similar")
    page.wait_for_selector(".sources")
    yield "sources"
    page.click("#rooms [data-room=studio]")
    page.click("#find-similar")
    page.wait_for_selector("#similar-results:not([aria-busy]) :is(.matches, .nothing)", timeout=SLOW)
    yield "similar"
    page.locator("#similar-what .buttons button").last.click()
    page.wait_for_selector(".novelty:not([aria-busy])", timeout=SLOW)
    yield "is it new"
    page.keyboard.press("Escape")


def radio(page: Any) -> Iterator[str]:
    """The radio, and what it has learned."""
    page.click("#rooms [data-room=foryou]")
    page.wait_for_selector("#foryou-app .taste h3")
    yield "radio"
    page.click("#foryou-app button.start")
    for _ in range(4):
        page.wait_for_selector("#foryou-app[data-radio=plays] .verbs .like:enabled", timeout=SLOW)
        title = page.locator(".turntable h3").inner_text()
        page.click("#foryou-app .verbs .like")
        page.wait_for_timeout(300)
        page.click("#foryou-app .verbs .skip")
        page.wait_for_function(
            "title => document.querySelector('.turntable h3').innerText !== title", arg=title, timeout=SLOW
        )
    page.wait_for_selector(".counts", timeout=SLOW)
    page.wait_for_timeout(600)
    yield "taste"
    page.locator("#foryou-app .below .plain").click()


def about(page: Any) -> Iterator[str]:
    """The last room."""
    page.click("#rooms [data-room=about]")
    page.click("#show-token")
    yield "about"
