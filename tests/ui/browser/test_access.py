"""The page in a real Chromium: on every screen, by keyboard alone, and with text that can be read."""

from __future__ import annotations

import pytest

from musicgen_ui.music.score import PARTS
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS
from musicgen_ui.ui.presets import PRESETS

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
DRAWERS = ("genres", "band", "structure", "sound", "effects", "correct", "start", "advanced")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, {"width": 900, "height": 700}], ids=["desktop", "phone", "small"])
def test_nothing_is_wider_than_the_screen(visit, viewport: dict) -> None:
    here = visit(viewport)
    for drawer in DRAWERS:
        here.page.click(f"#{drawer} button.label-wrap")
    here.generate()
    here.page.wait_for_selector("#meters li")
    here.page.click("#bench button.label-wrap")
    here.page.wait_for_selector("#regenerate")
    assert here.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = here.page.evaluate(
        """() => [...document.querySelectorAll('button, label span, b, h1, h2, h3, .info-text')]
        .filter(e => e.checkVisibility() && !e.closest('.sr') && e.scrollWidth > e.clientWidth + 1)
        .filter(e => getComputedStyle(e).overflow !== 'visible')
        .map(e => e.textContent)"""
    )
    assert cut == []
    box = here.page.locator("#generate").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= viewport["height"]


def test_every_control_has_an_id_a_name_and_takes_focus(visit) -> None:
    page = visit().page
    for drawer in DRAWERS:
        page.click(f"#{drawer} button.label-wrap")
    names = [*SLIDERS, *EFFECTS, *(f"genre_{genre}" for genre in GENRES), "key", "metre", "bars", "seed", "lock"]
    names += [f"{part}_{field}" for part in PARTS for field in ("on", "instrument", "level")]
    names += ["composer", "synth", "takes", "rounds", "form", "intro", "ending", "dice", "generate", "four", "stop"]
    names += [f"preset-{slug}" for slug in PRESETS]
    for name in names:
        assert page.locator(f"#{name}").count() == 1, name
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#studio input, #studio button, #masthead button')]
        .filter(e => !(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim()))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    unreachable = page.evaluate(
        """() => [...document.querySelectorAll('#studio input, #studio button')].filter(e => e.checkVisibility())
        .filter(e => { e.focus(); return document.activeElement !== e; }).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert unreachable == []
    page.locator("#generate").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_contrast_on_the_finished_page(visit, theme: str) -> None:
    here = visit(theme=theme)
    page = here.page
    for drawer in DRAWERS:
        page.click(f"#{drawer} button.label-wrap")
    here.generate()
    page.wait_for_timeout(400)
    poor = page.evaluate(CONTRAST)
    assert poor == []
    page.click("#theme")
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "light")
    page.wait_for_timeout(400)
    assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = colour => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * linear(colour[i] / 255), 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('#room-studio *, #masthead *, #player-bar *')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
    const seen = e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (!text || !seen || e.closest('svg, .sr, .sr-only')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${text.slice(0, 40)}`);
  }
  return found;
}"""
