"""What happens when something on the page is pressed. No function here keeps anything between two calls."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import gradio as gr

from musicgen_ui.engine.pipeline import Result
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.music.instruments import GM_NAMES, KITS
from musicgen_ui.recipe import Recipe
from musicgen_ui.ui import status
from musicgen_ui.ui.files import ClipFiles, write_files
from musicgen_ui.ui.meter_rows import meters_html
from musicgen_ui.ui.meters import meters, pretty_key
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.roll import roll_html
from musicgen_ui.ui.settings import PAGE_CONTROLS, page_recipe, to_recipe
from musicgen_ui.ui.spectrogram import spectrogram_html
from musicgen_ui.ui.timbre import Borrower
from musicgen_ui.ui.waveform import waveform_html
from musicgen_ui.ui.work import Hook, Progress, Work

LOG = logging.getLogger(__name__)

SEEDS = 1_000_000
"""Rolled seeds are below this: short enough to read to a friend. Typed ones may be larger."""


class Engine(Borrower, Protocol):
    """What the page needs of a Studio."""

    def generate(self, recipe: Recipe, hook: Hook | None = None) -> Result: ...


@dataclass(frozen=True)
class Shown:
    """A clip as the page shows it: files, finished HTML, and the seconds that each stage took, drawing included."""

    result: Result
    files: ClipFiles
    seconds: Mapping[str, float]
    heading: str
    waveform: str
    roll: str
    spectrogram: str
    meters: str


def make(studio: Engine, recipe: Recipe, title: str, hook: Hook) -> Shown:
    """Generate, save and draw a clip.

    Args:
        studio: the loaded models.
        recipe: what to make.
        title: names the files; empty names them after the genre.
        hook: told of progress; ends with the stage ``draw``.

    Raises:
        RequestError: the engine refuses the recipe, or the disk is full.
        Cancelled: from the hook.
    """
    result = studio.generate(recipe, hook)
    began = time.perf_counter()
    hook("draw", 0, 3)
    heading = title or " + ".join(list(recipe.style.genre)[:2]) or "any genre"
    files = write_files(result, heading)
    hook("draw", 1, 3)
    sound = (result.clip.samples, result.clip.sample_rate)
    wave, picture = waveform_html(*sound), spectrogram_html(*sound)
    hook("draw", 2, 3)
    labels = {part: _instrument(part, program) for part, program in result.score.programs.items()}
    roll = roll_html(result.score, labels)
    rows = meters_html(meters(result.asked, result.heard))
    hook("draw", 3, 3)
    seconds = {**result.seconds, "draw": time.perf_counter() - began}
    return Shown(result, files, seconds, heading_html(result, heading), wave, roll, picture, rows)


class Page:
    """The handlers over one Studio.

    Args:
        studio: the loaded models.
        outputs: name to component of everything that a finished clip fills.
    """

    def __init__(self, studio: Engine, outputs: Mapping[str, Any]) -> None:
        self._studio = studio
        self._out = outputs

    def press(self, *raw: Any) -> Iterator[dict[Any, Any]]:
        """The Generate button: progress while it works, then the clip.

        Errors are shown in the status line and raise nothing, so that Gradio does not cover the last clip.

        Args:
            raw: values of PAGE_CONTROLS, then the seed's lock, then the preset's slug.
        """
        *values, locked, slug = raw
        settings = dict(zip(PAGE_CONTROLS, values, strict=True))
        if locked is not True:
            settings["seed"] = secrets.randbelow(SEEDS)
        try:
            recipe = page_recipe(settings)
        except RequestError as error:
            yield {self._out["status"]: status.refused(error)}
            return
        yield {self._out["status"]: status.working(Progress(0.0)), self._out["seed"]: recipe.seed}
        title = PRESETS[slug].name if slug in PRESETS else ""
        work = Work(lambda hook: make(self._studio, recipe, title, hook))
        stage: str | None = None
        try:
            for progress in work.follow():
                stage = progress.now
                yield {self._out["status"]: status.working(progress)}
        except Cancelled:
            yield {self._out["status"]: status.stopped()}
        except RequestError as error:
            yield {self._out["status"]: status.refused(error)}
        except Exception:
            LOG.exception("generating failed in stage %s", stage)
            yield {self._out["status"]: status.broken(stage)}
        else:
            yield self._finished(work.result)

    def _finished(self, shown: Shown) -> dict[Any, Any]:
        length = shown.result.clip.samples.shape[1] / shown.result.clip.sample_rate
        values = {
            "status": status.done(shown.seconds, length),
            "empty": gr.update(visible=False),
            "result": gr.update(visible=True),
            "heading": shown.heading,
            "player": str(shown.files.wav),
            "waveform": shown.waveform,
            "roll": shown.roll,
            "spectrogram": shown.spectrogram,
            "meters": shown.meters,
            "wav": str(shown.files.wav),
            "midi": str(shown.files.midi),
            "recipe": str(shown.files.recipe),
            "stems": str(shown.files.stems),
        }
        return {self._out[name]: value for name, value in values.items()}


def api_generate(studio: Engine) -> Callable[..., Iterator[Any]]:
    """The public endpoint ``/generate`` over a Studio."""

    def generate(**controls: Any) -> Iterator[tuple[Any, ...]]:
        """Make a clip: four parts written by one model and played by another, or by sampled instruments.

        Every control of the page is an argument of the same name; what is left out keeps the page's default. The
        same arguments give the same files. ``timbre`` is an object with the fields ``a``, ``b``, ``morph`` (0 to 1)
        and ``parts``; a point is {"kind": "own"}, {"kind": "random", "seed": 7} or what /borrow_timbre returns.

        Returns:
            The clip as WAV, its notes as MIDI, clip.json (recipe, asked, heard, seconds), and the dry stems as zip.
        """
        try:
            recipe = to_recipe(controls)
            work = Work(lambda hook: make(studio, recipe, "", hook))
            for _ in work.follow():
                yield (gr.skip(),) * 4
        except RequestError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            LOG.exception("generating failed")
            raise gr.Error("Something went wrong while making the clip.", print_exception=False) from error
        files = work.result.files
        yield str(files.wav), str(files.midi), str(files.recipe), str(files.stems)

    return generate


def heading_html(result: Result, title: str) -> str:
    """Name and facts of a clip."""
    score, recipe = result.score, result.recipe
    seconds = result.clip.samples.shape[1] / result.clip.sample_rate
    facts = [
        f"{score.tempo:.0f} BPM", pretty_key(score.key) if score.key else "no key", score.metre,
        f"{score.bars} bars", f"{seconds:.1f} s", f"seed {recipe.seed}",
    ]  # fmt: skip
    if not recipe.timbre.is_own:
        facts.append(recipe.timbre.name)
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return f'<div class="clip-heading"><h2>{escape(title[:1].upper() + title[1:])}</h2><ul>{items}</ul></div>'


def _instrument(part: str, program: int) -> str:
    if part == "drums":
        return next((name for name, number in KITS.items() if number == program), "kit")
    return GM_NAMES[program]
