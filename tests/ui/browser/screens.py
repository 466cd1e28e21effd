"""Pictures of every screen, by the shipped models: ``make screens`` writes them to assets/screens.

Each is there in English and Chinese, by day and by night, on a desk and on a phone.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from musicgen_ui.engine.pipeline import Studio
from tests.conftest import find_browser
from tests.ui.browser.conftest import ARGUMENTS, listening
from tests.ui.browser.stock import new_token, remembered

FOLDER = Path(__file__).resolve().parents[3] / "assets" / "screens"
SIZES = {"desktop": {"width": 1440, "height": 1000}, "phone": {"width": 390, "height": 844}}
MOST_BYTES, MOST_IN_ALL = 90_000, 4_000_000
QUALITIES = range(80, 20, -6)


# What the pages are asked for goes through their own modules.
WANT = """async ([name, ...rest]) => {
    const { make } = await import('./studio/static/bus.js');
    const { clips, playlists } = await import('./studio/static/routes.js');
    const does = {
        vary: async (clip, seed) => (await make({ action: 'vary', clip, amount: 0.5, seed }, { to: 'takes' })).id,
        open: (clip, to) => make({ action: 'open', clip }, { to }).then(() => null),
        radio: async () => (await make({ action: 'radio' }, { to: 'takes' })).id,
        like: (clip, liked) => clips.like(clip, liked).then(() => null),
        keep: (clip) => clips.keep(clip, true).then(() => null),
        list: (name, ids) => playlists.create(name, ids).then(() => null),
    };
    return does[name](...rest);
}"""


def stored(page: Page) -> tuple[str, list[str]]:
    """Gives a person a small library: (the clip that is shown, its variations)."""
    made = []
    for preset in ("smoky-jazz-club", "sunny-pop"):
        page.click(f"#preset-{preset}")
        page.wait_for_selector("#status .detail")
        page.locator("#bars input[type=number]").fill("8")
        before = page.evaluate("document.body.dataset.shown ?? ''")
        page.click("#generate")
        page.wait_for_function("old => (document.body.dataset.shown ?? '') !== old", arg=before, timeout=180_000)
        made.append(page.evaluate("document.body.dataset.shown"))
    shown = made[0]
    takes = [page.evaluate(WANT, ["vary", shown, seed]) for seed in (1, 2, 3, 4)]
    for clip in (*made, *takes):
        page.evaluate(WANT, ["keep", clip])
    for clip in (*takes[:3], made[1]):
        page.evaluate(WANT, ["like", clip, 1 if clip != made[1] else -1])
    page.evaluate(WANT, ["list", "Sunday", [shown, *takes[:2]]])
    return shown, takes


def screens(page: Page, shown: str, takes: list[str]) -> Iterator[str]:
    """The name of each screen, while the page shows it."""

    def room(name: str, part: str | None = None) -> None:
        page.click(f"#rooms [data-room={name}]")
        if part:
            page.click(f"#part-{part}")
        page.evaluate("scrollTo(0, 0)")

    yield "studio"
    page.evaluate(WANT, ["open", shown, "stage"])
    page.wait_for_selector(".figure-roll")
    page.wait_for_function("window.studio.player.now().at > 4")
    page.click("#player-bar .transport .press.play")
    clip = "document.querySelector('#heading').scrollIntoView({ block: 'start' }); scrollBy(0, -90)"
    page.evaluate(clip if page.viewport_size["width"] < 1000 else "scrollTo(0, 0)")
    yield "clip"
    page.click("#mixer .fold")
    page.wait_for_selector("#mixer .strip", timeout=60_000)
    page.evaluate("document.querySelector('#mixer').scrollIntoView({ block: 'center' })")
    yield "stems"
    page.click("#mixer .fold")
    page.click("#figure-tab-sheet")
    page.wait_for_selector("#figures .pages", timeout=60_000)
    page.evaluate(clip)
    yield "sheet"
    for take in takes:
        page.evaluate(WANT, ["open", take, "takes"])
    page.wait_for_function("document.querySelectorAll('.take-wave svg').length === 4")
    page.evaluate("document.querySelector('#takes-app').scrollIntoView({ block: 'start' }); scrollBy(0, -90)")
    yield "takes"
    room("library", "clips")
    page.click("[data-shelf=kept]")
    page.wait_for_selector(".long .clip:not(.waits)")
    yield "library"
    page.click("#part-playlists")
    page.click(".playlist")
    page.wait_for_selector(".ordered .clip")
    yield "playlists"
    room("studio")
    page.click("#find-similar")
    page.wait_for_selector("#similar-results .matches", timeout=120_000)
    page.evaluate("scrollTo(0, 0)")
    yield "similar"
    room("foryou")
    page.wait_for_selector("#foryou-app .counts")
    yield "foryou"
    room("about")
    yield "about"


def packed(picture: bytes) -> bytes:
    """A screenshot as WebP, small enough to be kept."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for quality in QUALITIES:
        out = io.BytesIO()
        image.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def main(folder: Path = FOLDER) -> None:
    """Takes all pictures.

    Args:
        folder: where they go; what is there is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token, total = new_token(), 0
    studio = Studio.load(device="cpu")
    with tempfile.TemporaryDirectory() as data, listening(studio, Path(data)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))

        def opened(size: dict[str, int], theme: str, locale: str) -> Page:
            context = browser.new_context(viewport=size, color_scheme=theme, locale=locale, **remembered(url, token))
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(url)
            page.wait_for_selector("body[data-ready]")
            return page

        first = opened(SIZES["desktop"], "light", "en-US")
        shown, takes = stored(first)
        first.context.close()
        for device, size in SIZES.items():
            for theme in ("light", "dark"):
                for language, locale in (("en", "en-US"), ("zh", "zh-CN")):
                    page = opened(size, theme, locale)
                    for name in screens(page, shown, takes):
                        page.mouse.move(0, 0)
                        page.wait_for_timeout(700)
                        data = packed(page.screenshot(animations="disabled"))
                        (folder / f"{name}-{device}-{theme}-{language}.webp").write_bytes(data)
                        total += len(data)
                    page.context.close()
                    sys.stdout.write(f"{device} {theme} {language}: {total / 1e6:.2f} MB in all\n")
        browser.close()
    assert total <= MOST_IN_ALL, f"{total} bytes are too many"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
