"""The stems in a real Chromium: what is muted is not heard, what is not touched sounds as the clip."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

NOW = "window.studio.player.now()"
LEVEL = "window.studio.player.level()"
QUIET = 0.003


@pytest.fixture
def page(bench, bench_clip):
    """The bench with a clip that plays, and its stems open."""
    page = bench()
    page.evaluate("clip => bench.clip(clip)", bench_clip)
    page.wait_for_function(f"{NOW}.playing")
    page.click("#mixer .fold")
    page.wait_for_selector("#mixer .strip.drums")
    page.wait_for_function("window.studio.player.deck().voices.length === 4")
    return page


def loudest(page, milliseconds: int = 700) -> float:
    """The greatest level within some time."""
    return page.evaluate(
        "new Promise((done) => { let most = 0;"
        f" const look = setInterval(() => {{ most = Math.max(most, {LEVEL}); }}, 15);"
        f" setTimeout(() => {{ clearInterval(look); done(most); }}, {milliseconds}); }})"
    )


def test_stems_add_up_to_the_clip_and_go_on_where_it_was(page) -> None:
    same = page.evaluate(
        """async () => {
          const { load, clipUrl } = await import("./studio/static/sound.js");
          const deck = window.studio.player.deck();
          const clip = (await load(clipUrl(deck.clip))).getChannelData(0);
          const stems = deck.voices.map(({ buffer }) => buffer.getChannelData(0));
          let most = 0;
          for (let i = 0; i < clip.length; i += 7) {
            most = Math.max(most, Math.abs(clip[i] - stems.reduce((sum, stem) => sum + stem[i], 0)));
          }
          return [most, stems.map((stem) => stem.length === clip.length)];
        }"""
    )
    assert same[0] < 2 / 32768
    assert all(same[1])
    assert page.evaluate(f"{NOW}.playing")


def test_mute_solo_and_level_are_heard_at_once(page) -> None:
    whole = loudest(page)
    assert whole > 0.02
    for part in ("lead", "chords", "bass", "drums"):
        page.click(f"#mixer .strip.{part} .mute")
    page.wait_for_function(f"{LEVEL} < {QUIET}")
    assert loudest(page, 300) < QUIET
    page.click("#mixer .strip.bass .mute")
    page.wait_for_function(f"{LEVEL} > 0.01")
    page.click("#mixer .strip.drums .solo")
    page.click("#mixer .strip.drums .mute")
    page.click("#mixer .foot .quiet")
    assert page.locator("#mixer button[aria-pressed=true]").count() == 0
    page.click("#mixer .strip.bass .solo")
    page.wait_for_timeout(150)
    alone = loudest(page)
    slider = page.locator("#mixer .strip.bass .level")
    slider.fill("-12")
    assert page.locator("#mixer .strip.bass .told").inner_text() == "−12.0 dB"
    page.wait_for_timeout(150)
    assert loudest(page) == pytest.approx(alone * 10 ** (-12 / 20), rel=0.25)
    slider.fill("-24")
    page.wait_for_function(f"{LEVEL} < {QUIET}")


def test_seeking_keeps_the_stems_together_and_closing_gives_the_mix_back(page) -> None:
    page.evaluate("bench.player.seek(3)")
    page.wait_for_function(f"{NOW}.at > 3.2")
    assert page.evaluate("window.studio.player.deck().voices.length") == 4
    page.click("#mixer .fold")
    page.wait_for_function("window.studio.player.deck().voices.length === 1")
    assert page.evaluate(f"{NOW}.playing")
    assert loudest(page) > 0.02


def test_levels_and_instruments_become_a_request(page, bench_clip) -> None:
    assert page.locator("#mixer .foot .strong").is_disabled()
    page.evaluate(
        "window.studio.order = null; document.body.insertAdjacentHTML('beforeend', '<button id=do-make></button>')"
    )
    page.locator("#mixer .strip.chords .level").fill("-6")
    page.click("#mixer .strip.drums .mute")
    page.select_option("#mixer .strip.lead select", "violin")
    page.click("#mixer .foot .strong")
    page.wait_for_function("window.studio.outbox")
    asked = page.evaluate("JSON.parse(window.studio.outbox)")
    parts = asked["style"]["parts"]
    assert (asked["action"], asked["clip"], asked["to"]) == ("perform", bench_clip["id"], "stage")
    assert parts["lead"]["instrument"] == "violin"
    assert parts["chords"]["level"] == bench_clip["recipe"]["style"]["parts"]["chords"]["level"] - 6
    assert [parts[part]["on"] for part in ("lead", "chords", "bass", "drums")] == [True, True, True, False]
