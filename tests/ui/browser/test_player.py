"""The player in a real Chromium, sample by sample: streams, handovers, queue, crossfade, loops, keys."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

NOW = "window.studio.player.now()"
SILENT, SMOOTH_STEP = 0.02, 0.02
"""A sine of 220 Hz at level 0.5 steps by at most 0.0157 from sample to sample."""


@pytest.fixture
def page(bench):
    """The bench's page, recording."""
    return bench()


def run(page, script: str):
    return page.evaluate(f"async () => {{ {script} }}")


def wait(page, condition: str) -> None:
    page.wait_for_function(condition, polling=20)


def title(page) -> str:
    return page.evaluate(f"{NOW}.clip?.title ?? ''")


def test_sound_begins_before_its_clip_is_made_and_goes_on_with_the_file(page) -> None:
    run(page, "bench.stream('a'); await bench.record(); await 0; bench.piece('a', 0, 0.6, {level: 0.25});")
    wait(page, f"{NOW}.at > 0.1 && window.studio.player.level() > 0.1")
    assert page.evaluate(f"{NOW}.live")
    assert page.locator("#player-bar .note").inner_text() == "Still being made"
    # What is not yet heard is replaced by a better version, then the finished file takes over.
    run(page, "bench.piece('a', 0.5, 1.2); bench.piece('a', 0.9, 2.5);")
    wait(page, f"{NOW}.at > 1")
    run(page, "bench.clip(bench.tone('done', {seconds: 2.5})); bench.end('a');")
    wait(page, f"{NOW}.clip?.title === 'done' && !{NOW}.live")
    assert page.evaluate(f"{NOW}.at") < 2.5
    wait(page, f"!{NOW}.playing")
    heard = page.evaluate("bench.heard()")
    assert heard["least"] > 0.24, "no hole"
    assert heard["most"] < 0.51, "nothing sounds twice"
    assert heard["step"] < SMOOTH_STEP, "no click"
    assert heard["slip"] < 1.5, "no sample lost or said twice"
    assert heard["seconds"] == pytest.approx(2.44, abs=0.02)
    assert page.evaluate("bench.events") == ["player-ended done"]


def test_a_stream_that_runs_dry_waits_and_loses_nothing(page) -> None:
    run(page, "bench.stream('a'); await bench.record(); await 0; bench.piece('a', 0, 0.4);")
    wait(page, f"{NOW}.waiting")
    assert page.evaluate(f"{NOW}.at") == pytest.approx(0.4, abs=0.15)
    run(page, "bench.piece('a', 0.4, 1.2);")
    wait(page, f"!{NOW}.waiting")
    assert page.evaluate(f"{NOW}.at") < 0.9
    # The stream ends with the rest of the clip unsaid: that is in the file.
    run(page, "bench.end('a');")
    wait(page, f"{NOW}.at >= 1.15")
    run(page, "bench.clip(bench.tone('done', {seconds: 1.8}));")
    wait(page, f"!{NOW}.playing")
    heard = page.evaluate("bench.heard()")
    assert heard["least"] < SILENT
    assert heard["step"] < SMOOTH_STEP
    assert page.evaluate("bench.events") == ["player-ended done"]


def test_a_new_clip_waits_for_the_one_that_plays(page) -> None:
    run(page, "bench.player.play(bench.tone('first', {seconds: 1.6})); await bench.record();")
    wait(page, f"{NOW}.playing")
    run(page, "bench.stream('b'); await 0; bench.piece('b', 0, 0.5); bench.clip(bench.tone('second', {seconds: 0.8}));")
    wait(page, "!document.querySelector('#player-bar .upcoming').hidden")
    assert "second" in page.locator("#player-bar .upcoming").inner_text()
    assert title(page) == "first"
    wait(page, f"{NOW}.clip.title === 'second'")
    assert page.evaluate("bench.events") == ["player-ended first"]
    wait(page, f"!{NOW}.playing")
    heard = page.evaluate("bench.heard()")
    assert heard["least"] > 0.45, "one follows the other without a gap"
    assert heard["seconds"] == pytest.approx(2.34, abs=0.02), "neither is cut"


def test_play_now_and_the_two_other_policies(page) -> None:
    run(page, "bench.player.play(bench.tone('first', {seconds: 9}));")
    wait(page, f"{NOW}.playing")
    run(page, "bench.clip(bench.tone('second', {seconds: 9}));")
    page.click("#player-bar .upcoming .now")
    wait(page, f"{NOW}.clip.title === 'second'")
    assert page.evaluate("bench.events") == ["player-skipped first"]

    page.click("#player-bar .press.adjust")
    page.check("input[name=when-ready][value=once]")
    page.keyboard.press("Escape")
    run(page, "bench.clip(bench.tone('third', {seconds: 9}));")
    wait(page, f"{NOW}.clip.title === 'third'")

    run(page, "bench.player.settings.policy = 'press'; bench.player.toggle(); bench.clip(bench.tone('fourth'));")
    wait(page, "document.querySelector('#player-bar .upcoming').innerText.includes('Ready')")
    assert title(page) == "third"
    assert not page.evaluate(f"{NOW}.playing")
    page.click("#player-bar .upcoming .now")
    wait(page, f"{NOW}.clip.title === 'fourth'")


def test_a_playlist_crossfades_with_equal_power_and_counts(page) -> None:
    run(
        page,
        "bench.player.settings.crossfade = 0.5; window.list = [bench.tone('a', {seconds: 1.8}),"
        " bench.tone('b', {seconds: 1.8, hertz: 3000})];"
        "await bench.player.play(list[0], {list, index: 0}); await bench.record();",
    )
    wait(page, f"{NOW}.clip.title === 'b'")
    wait(page, f"!{NOW}.playing")
    heard = page.evaluate("bench.heard()")
    assert heard["seconds"] == pytest.approx(3.04, abs=0.03), "half a second of the two is one"
    # Two tones that beat have peaks of both; the quietest moment of a beat is the difference of the two.
    assert 0.55 < heard["most"] < 0.75
    assert page.evaluate("bench.events") == ["player-ended a", "player-ended b"]
    counted = [line for line in page.evaluate("bench.asked") if "POST" in line]
    assert [line.rsplit("/", 1)[1] for line in counted] == ["played", "played"]


def test_what_is_left_in_its_first_third_counts_as_skipped(page) -> None:
    run(page, "window.list = ['a', 'b'].map((t) => bench.tone(t, {seconds: 9})); bench.player.play(list[0], {list});")
    wait(page, f"{NOW}.playing")
    page.keyboard.press("n")
    wait(page, f"{NOW}.clip.title === 'b'")
    assert page.evaluate("bench.events") == ["player-skipped a"]
    assert any(line.endswith("/skipped") for line in page.evaluate("bench.asked"))
    page.click("#player-bar .press.previous")
    wait(page, f"{NOW}.clip.title === 'a'")


def test_a_loop_turns_without_a_gap_and_gives_way_to_what_comes_next(page) -> None:
    run(page, "bench.player.play(bench.tone('round', {seconds: 0.6, hertz: 250, loop: true})); await bench.record();")
    wait(page, "bench.heard(250).seconds > 1.5")
    heard = page.evaluate("bench.heard(250)")
    assert heard["least"] > 0.49
    assert heard["slip"] < 1.5
    assert page.locator("#player-bar .press.loop").get_attribute("aria-pressed") == "true"
    run(page, "bench.clip(bench.tone('next', {seconds: 0.6, hertz: 250}));")
    wait(page, f"{NOW}.clip.title === 'next'")
    wait(page, f"!{NOW}.playing")
    heard = page.evaluate("bench.heard(250)")
    assert heard["least"] > 0.49
    assert heard["slip"] < 1.5, "it goes at the end of a round"


def test_keys_seek_mute_and_space_but_not_where_one_types(page) -> None:
    run(page, "bench.player.play(bench.tone('a', {seconds: 30}));")
    wait(page, f"{NOW}.playing")
    seek = page.locator("#player-bar .seek")
    seek.focus()
    page.keyboard.press("ArrowRight")
    wait(page, f"{NOW}.at > 2")
    page.keyboard.press("PageUp")
    wait(page, f"{NOW}.at > 15")
    page.keyboard.press("Home")
    wait(page, f"{NOW}.at < 2")
    page.keyboard.press(" ")
    wait(page, f"!{NOW}.playing")
    page.keyboard.press("m")
    assert page.locator("#player-bar .press.loud").get_attribute("aria-label") == "Sound on"
    page.keyboard.press("m")
    page.focus("#typed")
    page.keyboard.type("n m")
    assert page.locator("#typed").input_value() == "n m"
    assert not page.evaluate(f"{NOW}.playing")
    page.locator("#typed").blur()
    page.keyboard.press("?")
    assert "Play or pause" in page.locator("dialog").inner_text()


def test_few_clips_stay_in_memory(page) -> None:
    run(page, "for (const t of 'abcdef') { await bench.player.play(bench.tone(t)); }")
    assert page.evaluate("import('./studio/static/sound.js').then((sound) => sound.loaded())") <= 3


def test_the_bar_fits_a_phone(bench) -> None:
    page = bench({"width": 360, "height": 740}, has_touch=True)
    run(page, "bench.player.play(bench.tone('a title that is much too long for a phone', {seconds: 30}));")
    wait(page, f"{NOW}.playing")
    bar = page.locator("#player-bar").bounding_box()
    assert bar["x"] >= 0
    assert bar["width"] <= 360
    assert bar["y"] + bar["height"] == pytest.approx(740, abs=1)
    for name in ("play", "next", "like", "heart", "adjust"):
        box = page.locator(f"#player-bar .press.{name}").bounding_box()
        assert box["width"] >= 34, name
        assert 0 <= box["x"] <= 360 - box["width"], name
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
