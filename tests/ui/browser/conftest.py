"""A real Chromium, a server over the small fake Studio, and visits to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "composer_lstm.safetensors"
ARGUMENTS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
DESKTOP = {"width": 1440, "height": 900}
PATIENCE = 60_000


class Visit:
    """A page that remembers what went wrong and whom it talked to."""

    def __init__(self, page, url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.url = url
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url)
        page.wait_for_selector("body[data-ready]")

    def generate(self) -> None:
        """Press Generate and wait until the clip is on the stage."""
        before = self.page.evaluate("document.body.dataset.shown ?? ''")
        self.page.click("#generate")
        self.page.wait_for_function("before => (document.body.dataset.shown ?? '') !== before", arg=before)
        self.until("done")

    def playing(self, after: float = 0.0) -> None:
        """Wait until the clip sounds, and has sounded for so many seconds."""
        self.page.wait_for_function(f"window.studio.player.now().playing && window.studio.player.now().at > {after}")

    def until(self, state: str) -> None:
        self.page.wait_for_selector(f'#status [data-state="{state}"]', timeout=PATIENCE)

    def strangers(self) -> list[str]:
        return [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]

    def download(self, name: str) -> tuple[str, bytes]:
        with self.page.expect_download() as caught:
            self.page.click(f"#download-{name}")
        return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory, make_calls) -> Iterator[tuple[str, object]]:
    """(address, call counter) of one server over the small fake Studio, shared by all tests here."""
    calls, studio = make_calls
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("clips")))
        with listening(studio, tmp_path_factory.mktemp("data")) as url:
            yield url, calls


@contextmanager
def listening(studio, folder: Path) -> Iterator[str]:
    """Address of a server over a Studio and a library of its own."""
    from musicgen_ui.server.listen import Listening
    from musicgen_ui.server.opening import open_services
    from musicgen_ui.ui.site import site

    services = open_services(studio, folder)
    server = Listening(site(services).app)
    yield server.url
    server.close()
    services.library.close()


@pytest.fixture
def calls(site):
    """The shared server's counter, set back."""
    site[1].reset()
    return site[1]


@pytest.fixture
def visit(browser, site, calls) -> Iterator[Callable[..., Visit]]:
    """``visit(viewport)`` opens the page in a fresh browser profile."""
    contexts = []

    def open_page(viewport: dict = DESKTOP, theme: str = "light", **options) -> Visit:
        context = browser.new_context(viewport=viewport, color_scheme=theme, **options)
        contexts.append(context)
        return Visit(context.new_page(), site[0])

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def address(site, tmp_path_factory) -> Iterator[str]:
    """Address of a server over the shipped models where they are, else of the shared one."""
    if not CHECKPOINT.exists():
        yield site[0]
        return
    from musicgen_ui.engine.pipeline import Studio

    with listening(Studio.load(device="cpu"), tmp_path_factory.mktemp("shipped")) as url:
        yield url


@pytest.fixture
def studio_visit(browser, address: str) -> Iterator[Visit]:
    """A visit to the shipped models where they are."""
    context = browser.new_context(viewport=DESKTOP)
    yield Visit(context.new_page(), address)
    context.close()


@pytest.fixture(scope="session")
def bench_site(tmp_path_factory, make_calls) -> Iterator[tuple[str, object]]:
    """(address, services) of our own routes and modules alone, without Gradio: see bench.js."""
    from fastapi import FastAPI
    from fastapi.responses import FileResponse
    from fastapi.staticfiles import StaticFiles

    from musicgen_ui.server.listen import Listening
    from musicgen_ui.server.opening import open_services
    from musicgen_ui.server.routes import router
    from musicgen_ui.ui.figures import draw
    from musicgen_ui.ui.theme import STATIC

    services = open_services(make_calls[1], tmp_path_factory.mktemp("bench"))
    services.figures = draw
    app, here = FastAPI(), Path(__file__).parent
    app.include_router(router(services))
    app.mount("/studio/static", StaticFiles(directory=STATIC))
    for path, name in (("/", "bench.html"), ("/bench.js", "bench.js")):
        app.add_api_route(path, lambda name=name: FileResponse(here / name))
    server = Listening(app)
    yield server.url, services
    server.close()
    services.library.close()


@pytest.fixture
def bench(browser, bench_site) -> Iterator[Callable[..., object]]:
    """``bench(viewport)`` opens the player without the rest of the page; errors on its console fail the test."""
    contexts, errors = [], []

    def open_page(viewport: dict = DESKTOP, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(bench_site[0])
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def bench_clip(bench_site) -> dict:
    """ClipInfo of a clip of four bars that the small fake Studio has made for the bench."""
    from musicgen_ui.library.people import key_of
    from musicgen_ui.recipe import Recipe
    from musicgen_ui.ui.clip import Order, make

    order = Order(Recipe(bars=4, seed=3), "Four bars")
    return make(bench_site[1], order, lambda *_: None, key_of("0" * 32)).clip.to_dict()
