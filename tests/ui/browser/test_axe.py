"""Nothing that axe calls serious or critical anywhere on the page, in both themes and languages, large and small."""

from __future__ import annotations

import pytest

from tests.ui.browser.stock import PHONE, serious
from tests.ui.browser.tour import tour

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1440, "height": 1000}
ROOMS = ("studio", "library", "foryou", "about")


@pytest.mark.parametrize(
    ("viewport", "theme", "locale"),
    [(DESKTOP, "light", "en-US"), (PHONE, "dark", "zh-CN")],
    ids=["desktop-light", "phone-dark-chinese"],
)
def test_nobody_is_kept_out(visit, viewport: dict, theme: str, locale: str) -> None:
    page = visit(viewport, theme, locale=locale).page
    found: dict[str, str] = {}
    for stop in tour(page):
        page.wait_for_timeout(250)  # colours fade
        for fault in serious(page):
            found.setdefault(fault, stop)
    assert found == {}


@pytest.mark.parametrize(
    ("viewport", "theme", "locale"),
    [(DESKTOP, "dark", "zh-CN"), (PHONE, "light", "en-US")],
    ids=["desktop-dark-chinese", "phone-light"],
)
def test_every_room_is_open_to_all(visit, viewport: dict, theme: str, locale: str) -> None:
    here = visit(viewport, theme, locale=locale)
    here.generate()
    here.page.wait_for_selector("#meters li")
    found: dict[str, str] = {}
    for room in ROOMS:
        here.page.click(f"#rooms [data-room={room}]")
        here.page.wait_for_timeout(500)
        for fault in serious(here.page):
            found.setdefault(fault, room)
    assert found == {}
