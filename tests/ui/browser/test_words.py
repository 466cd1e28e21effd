"""The page in Chinese, in a real Chromium: nothing English is left anywhere, and going back leaves no trace."""

from __future__ import annotations

import pytest

from tests.ui.browser.latin import english
from tests.ui.browser.tour import tour

pytestmark = pytest.mark.browser

TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (!node.parentElement.closest('script, style, #language, #announcer, .clock, output') && node.data.trim())
            found.push(node.data);
    for (const element of document.body.querySelectorAll('[aria-label], [title], [placeholder]'))
        if (!element.closest('#player-bar, #figures'))
            found.push(['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name)).join());
    return found.join(String.fromCharCode(10));
}"""
MUTATIONS = """() => new Promise((told) => {
    let count = 0;
    const observer = new MutationObserver((changes) => { count += changes.length; });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
    setTimeout(() => { observer.disconnect(); told(count); }, 1000);
})"""


def test_nothing_english_is_left_in_chinese(visit) -> None:
    here = visit(locale="en-US")
    page = here.page
    page.click("#language")
    page.wait_for_function("document.documentElement.lang === 'zh-Hans'")
    left: dict[str, str] = {}
    for stop in tour(page):
        for text in english(page):
            left.setdefault(text, stop)
    assert left == {}


def test_a_chinese_browser_gets_chinese_and_remembers_a_choice(visit) -> None:
    page = visit(locale="zh-CN").page
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.locator("#generate").inner_text() == "生成"
    page.click("#language")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.locator("#generate").inner_text() == "Generate"


def test_going_to_chinese_and_back_leaves_every_text_as_it_was(visit) -> None:
    here = visit(locale="en-US")
    page = here.page
    here.generate()
    page.wait_for_selector("#meters li")
    if page.evaluate("window.studio.player.now().playing"):
        page.keyboard.press("Space")
    page.wait_for_timeout(300)
    for room in ("studio", "library", "foryou", "about"):
        page.click(f"#rooms [data-room={room}]")
        page.wait_for_timeout(700)
        before = page.evaluate(TEXTS)
        page.click("#language")
        page.wait_for_function("document.documentElement.lang === 'zh-Hans'")
        assert page.evaluate(TEXTS) != before
        page.click("#language")
        page.wait_for_function("document.documentElement.lang === 'en'")
        assert page.evaluate(TEXTS) == before, room
    assert here.errors == []


def test_the_names_of_a_person_stay(visit) -> None:
    """A clip called as a button is called, in Chinese."""
    page = visit(locale="zh-CN").page
    asked = "{ action: 'again', recipe: { seed: 3, bars: 4 }, title: 'Generate' }"
    page.evaluate(f"() => import('./studio/static/bus.js').then(({{ make }}) => make({asked}, {{ to: 'stage' }}))")
    page.wait_for_selector("#heading h2")
    assert page.locator("#heading h2").inner_text() == "Generate"
    page.wait_for_selector("#player-bar .title b:has-text('Generate')")
    page.click("#rooms [data-room=library]")
    page.click("[data-shelf=history]")
    card = page.locator(".long .clip", has_text="Generate").first
    assert card.locator("[data-does=like]").get_attribute("aria-label") == "喜欢《Generate》"


def test_lists_show_chinese_and_say_what_they_said(visit) -> None:
    here = visit(locale="zh-CN")
    page = here.page
    page.click("#key input")
    page.locator("#key [role=option]", has_text="A 小调").first.click()
    shown = (
        "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').get.call(document.querySelector('{}'))"
    )
    assert page.evaluate(shown.format("#key input")) == "A 小调"
    assert page.evaluate("document.querySelector('#key input').value") == "A minor"
    here.generate()
    assert "A 小调" in page.locator("#heading li").nth(1).inner_text()


def test_a_page_at_rest_stays_at_rest(visit) -> None:
    """What is translated does not start the next translation."""
    page = visit(locale="zh-CN").page
    page.wait_for_timeout(1000)
    assert page.evaluate(MUTATIONS) < 50
