"""The page in a real Chromium: what a person does on a desktop and on a phone, by mouse and by keyboard."""

from __future__ import annotations

import hashlib
import io
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from musicgen_ui.music.score import PARTS
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS
from musicgen_ui.ui.presets import PRESETS

pytestmark = pytest.mark.browser

CHECKPOINT = Path(__file__).resolve().parents[2] / "checkpoints" / "composer_lstm.safetensors"
ARGUMENTS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
)
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
DRAWERS = ("genres", "band", "effects", "advanced")
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
        page.wait_for_selector("#generate")

    def generate(self) -> None:
        self.page.click("#generate")
        self.until("done")

    def until(self, state: str) -> None:
        self.page.wait_for_selector(f'#status [data-state="{state}"]', timeout=PATIENCE)

    def strangers(self) -> list[str]:
        return [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]

    def download(self, name: str) -> tuple[str, bytes]:
        with self.page.expect_download() as caught:
            self.page.click(f"#download-{name}")
        return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory, make_calls) -> Iterator[tuple[str, object]]:
    """(address, call counter) of one server over the small fake Studio, shared by all tests here."""
    from musicgen_ui.ui.layout import build
    from musicgen_ui.ui.theme import launch_options

    calls, studio = make_calls
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("clips")))
        demo = build(studio)
        _, url, _ = demo.launch(prevent_thread_lock=True, server_name="127.0.0.1", **launch_options(quiet=True))
        yield url, calls
        demo.close()


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


@pytest.fixture(scope="module")
def address(site, tmp_path_factory) -> Iterator[str]:
    """Address of a server over the shipped models where they are, else of the shared one."""
    if not CHECKPOINT.exists():
        yield site[0]
        return
    from musicgen_ui.engine.pipeline import Studio
    from musicgen_ui.ui.layout import build
    from musicgen_ui.ui.theme import launch_options

    demo = build(Studio.load(device="cpu"))
    _, url, _ = demo.launch(prevent_thread_lock=True, server_name="127.0.0.1", **launch_options(quiet=True))
    yield url
    demo.close()


def test_sliders_preset_generate_listen_and_download(browser, address: str) -> None:
    context = browser.new_context(viewport=DESKTOP)
    here = Visit(context.new_page(), address)
    page = here.page

    page.click("#preset-sunny-pop")
    page.wait_for_function("document.querySelector('#tempo input[type=number]').value === '112'")
    tempo = page.locator("#tempo input[type=range]")
    tempo.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.locator("#tempo input[type=number]").input_value() == "115"
    page.locator("#mood input[type=number]").fill("0.3")
    page.locator("#seed input").fill("7")
    page.check("#lock input")
    page.keyboard.press("Control+Enter")
    here.until("done")

    assert page.locator("#heading").inner_text().startswith("Sunny pop")
    page.wait_for_function("document.querySelector('#player audio').currentTime > 0.3")
    before = page.evaluate("document.querySelector('#player audio').currentTime")
    page.wait_for_function(f"document.querySelector('#player audio').currentTime > {before} + 0.3")
    for figure in ("#waveform svg", "#roll svg", "#spectrogram svg"):
        assert page.locator(figure).first.bounding_box()["height"] > 40

    name, sound = here.download("wav")
    assert name.startswith("sunny-pop_115bpm_")
    assert name.endswith("_seed7.wav")
    with wave.open(io.BytesIO(sound)) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (44_100, 2, 2)
        assert clip.getnframes() == round(16 * 4 * 60 / 115 * 44_100)
    source = page.evaluate("document.querySelector('#player audio').currentSrc")
    played = page.request.get(source).body()
    assert hashlib.sha256(played).hexdigest() == hashlib.sha256(sound).hexdigest(), "the file is what was heard"
    name, notes = here.download("midi")
    assert name.endswith(".mid")
    assert notes[:4] == b"MThd"
    name, recipe = here.download("recipe")
    told = json.loads(recipe)
    assert told["recipe"]["seed"] == 7
    assert told["recipe"]["style"]["tempo"] == 115
    assert told["recipe"]["style"]["mood"] == 0.3
    assert here.download("stems")[1][:2] == b"PK"
    assert here.errors == []
    assert here.strangers() == []
    context.close()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, {"width": 900, "height": 700}], ids=["desktop", "phone", "small"])
def test_nothing_is_wider_than_the_screen(visit, viewport: dict) -> None:
    here = visit(viewport)
    for drawer in DRAWERS:
        here.page.click(f"#{drawer} button.label-wrap")
    here.generate()
    here.page.wait_for_selector("#meters li")
    assert here.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = here.page.evaluate(
        """() => [...document.querySelectorAll('button, label span, b, h1, h2, h3, .info-text')]
        .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
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
    names += ["composer", "synth", "takes", "rounds", "dice", "generate", "stop"]
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


def test_reset_brings_a_slider_back_and_the_dice_rolls(visit) -> None:
    page = visit().page
    number = page.locator("#energy input[type=number]")
    number.fill("0.9")
    page.click("#energy .reset-button")
    assert number.input_value() == "0.5"
    seeds = set()
    for _ in range(3):
        page.click("#dice")
        page.wait_for_timeout(150)
        seeds.add(page.locator("#seed input").input_value())
    assert len(seeds) >= 2


def test_a_preset_moves_controls_in_closed_drawers_too_and_the_blend_shows_it(visit) -> None:
    here = visit()
    page = here.page
    page.click("#preset-midnight-bossa")
    page.wait_for_function("document.querySelector('#blend').innerText.includes('latin 75%')")
    assert "jazz 25%" in page.locator("#blend").inner_text()
    assert page.locator("#preset-midnight-bossa").get_attribute("aria-pressed") == "true"
    here.generate()
    style = json.loads(here.download("recipe")[1])["recipe"]["style"]
    assert style["genre"] == {"jazz": 0.25, "latin": 0.75}
    assert style["parts"]["lead"]["instrument"] == "flute"
    page.click("#band button.label-wrap")
    page.wait_for_selector("#lead_instrument input")
    assert page.locator("#lead_instrument input").input_value() == "Flute"


def test_stop_stops_and_keeps_the_last_clip(visit, calls) -> None:
    here = visit()
    page = here.page
    here.generate()
    heading = page.locator("#heading").inner_text()
    calls.pause = 0.08
    page.click("#generate")
    page.wait_for_function("document.querySelector('#status small')?.textContent.match(/^[2-9]/)")
    page.click("#stop")
    here.until("stopped")
    page.wait_for_timeout(700)
    ticks = calls.ticks
    page.wait_for_timeout(500)
    assert calls.ticks == ticks, "the engine went on after Stop"
    assert calls.running == 0
    assert page.locator("#heading").inner_text() == heading
    assert page.locator('#status [data-state="stopped"]').count() == 1
    calls.pause = 0.0
    here.generate()
    assert here.errors == []


def test_closing_the_tab_frees_the_engine(visit, calls) -> None:
    here, other = visit(), visit()
    calls.pause = 0.1
    other.page.click("#generate")
    other.until("working")
    other.page.wait_for_timeout(300)
    other.page.close()
    calls.pause = 0.0
    here.generate()
    here.page.wait_for_timeout(300)
    assert calls.running == 0


def test_two_visitors_see_only_their_own_clip(visit, calls) -> None:
    calls.pause = 0.02
    one, other = visit(), visit()
    for here, seed in ((one, "111"), (other, "222")):
        here.page.locator("#seed input").fill(seed)
        here.page.check("#lock input")
    one.page.click("#generate")
    other.page.click("#generate")
    for here, seed in ((one, 111), (other, 222)):
        here.until("done")
        assert f"seed {seed}" in here.page.locator("#heading").inner_text()
        assert json.loads(here.download("recipe")[1])["recipe"]["seed"] == seed
    assert calls.most == 1
    assert one.errors == other.errors == []


def test_bad_input_is_one_sentence_and_the_clip_stays(visit) -> None:
    here = visit()
    here.generate()
    page = here.page
    page.locator("#seed input").fill("-5")
    page.check("#lock input")
    page.click("#generate")
    here.until("error")
    assert "seed" in page.locator("#status [role=alert]").inner_text()
    assert page.locator("#announcer").inner_text() == page.locator("#status [role=alert]").inner_text()
    assert page.locator("#heading h2").is_visible()
    page.locator("#seed input").fill("5")
    here.generate()


def test_the_player_by_keyboard_and_by_a_press_on_the_score(visit) -> None:
    here = visit()
    page = here.page
    here.generate()
    page.wait_for_function("document.querySelector('#player audio').currentTime > 0.1")
    page.locator("#waveform .play").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#player audio').paused")
    seek = page.locator("#waveform .seek")
    seek.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('#player audio').currentTime") == pytest.approx(2.0, abs=0.05)
    box = page.locator("#roll svg").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    middle = page.evaluate("(audio => audio.currentTime / audio.duration)(document.querySelector('#player audio'))")
    assert middle == pytest.approx(0.5, abs=0.01)
    page.click("#waveform .loop")
    page.wait_for_function("document.querySelector('#player audio').loop")


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
  for (const e of document.querySelectorAll('.gradio-container *')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
    const seen = e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (!text || !seen || e.closest('svg, .sr, .sr-only')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${text.slice(0, 40)}`);
  }
  return found;
}"""
