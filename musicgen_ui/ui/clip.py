"""A clip from an order to what the page shows of it: made, saved and drawn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Protocol

from musicgen_ui.engine.pipeline import Result
from musicgen_ui.music.form import plan_form
from musicgen_ui.music.instruments import GM_NAMES, KITS
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.source import Source
from musicgen_ui.ui.files import ClipFiles, write_files
from musicgen_ui.ui.meter_rows import meters_html
from musicgen_ui.ui.meters import meters, pretty_key
from musicgen_ui.ui.roll import roll_html
from musicgen_ui.ui.spectrogram import spectrogram_html
from musicgen_ui.ui.tried import tried_html
from musicgen_ui.ui.waveform import waveform_html
from musicgen_ui.ui.work import Hook


class Maker(Protocol):
    """What makes clips: a Studio.

    Attributes:
        checkpoints: name to SHA-256 of its models.
    """

    checkpoints: Mapping[str, str]

    def measure(self, score: Score) -> Mapping[str, float]: ...

    def generate(
        self, recipe: Recipe, hook: Hook | None = None, given: Score | None = None, base: Score | None = None
    ) -> Result: ...


@dataclass(frozen=True)
class Order:
    """What a person asked for.

    Attributes:
        recipe: what to make.
        title: names the files; empty names them after the genre.
        given: the person's own notes, where the recipe's innermost source is a MIDI file.
        base: the notes of the clip that it is made from, where they are at hand.
    """

    recipe: Recipe
    title: str = ""
    given: Score | None = None
    base: Score | None = None


@dataclass(frozen=True)
class Made:
    """A finished clip, as far as another one can be made from it.

    Attributes:
        order: what made it.
        score: its notes.
    """

    order: Order
    score: Score


@dataclass(frozen=True)
class Shown:
    """A clip as the page shows it: files, finished HTML, and the seconds that each stage took, drawing included."""

    made: Made
    result: Result
    files: ClipFiles
    seconds: Mapping[str, float]
    heading: str
    waveform: str
    roll: str
    spectrogram: str
    meters: str
    tried: str


def make(studio: Maker, order: Order, hook: Hook) -> Shown:
    """Generate, save and draw a clip.

    Args:
        studio: the loaded models.
        order: what to make.
        hook: told of progress; ends with the stage ``draw``.

    Raises:
        RequestError: the engine refuses the recipe, or the disk is full.
        Cancelled: from the hook.
    """
    recipe = order.recipe
    result = studio.generate(recipe, hook, order.given, order.base)
    began = time.perf_counter()
    hook("draw", 0, 3)
    heading = order.title or " + ".join(list(recipe.style.genre)[:2]) or "any genre"
    files = write_files(result, heading)
    hook("draw", 1, 3)
    sound = (result.clip.samples, result.clip.sample_rate)
    wave, picture = waveform_html(*sound, looping=recipe.ending == "loop"), spectrogram_html(*sound)
    hook("draw", 2, 3)
    labels = {part: _instrument(part, program) for part, program in result.score.programs.items()}
    # What was made from other music has the form of that music, of which nothing is known here.
    planned = () if recipe.source else plan_form(recipe.form, result.score.bars, recipe.intro, recipe.ending)
    roll = roll_html(result.score, labels, planned if len(planned) > 1 else ())
    rows = meters_html(meters(result.asked, result.heard, genres=result.genres, blend=recipe.style.genre))
    hook("draw", 3, 3)
    seconds = {**result.seconds, "draw": time.perf_counter() - began}
    made = Made(replace(order, base=None), result.score)
    told = heading_html(result, heading)
    tried = tried_html(result.rounds, result.gain)
    return Shown(made, result, files, seconds, told, wave, roll, picture, rows, tried)


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
    if recipe.source is not None:
        facts.append(source_words(recipe.source))
    if result.seam:
        facts.append(seam_words(result.seam))
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return f'<div class="clip-heading"><h2>{escape(title[:1].upper() + title[1:])}</h2><ul>{items}</ul></div>'


def source_words(source: Source) -> str:
    """What became of other music, in a few words."""
    parts = " and ".join(source.parts) or "all parts"
    if source.action == "accompany":
        return f"{parts} kept, the rest written around it"
    if source.action == "continue":
        return "continued"
    if source.bars is None:
        return f"{parts} written anew"
    first, last = source.bars
    bars = f"bar {last}" if last - first == 1 else f"bars {first + 1} to {last}"
    return f"{bars} written anew" + (f" for {parts}" if source.parts else "")


def seam_words(seam: Mapping[str, Any]) -> str:
    """What a loop's measured join sounds like, beside the beats inside the clip.

    Args:
        seam: of a Result, see :class:`musicgen_ui.audio.looping.Seam`.
    """
    place = round(100 * max(seam["level_percentile"], seam["spectral_percentile"]))
    heard = "inaudible" if seam["hidden"] else "can be heard"
    step = "no click" if seam["step_db"] <= 0 else f"a step {seam['step_db']:.0f} dB above the clip's own"
    return f"seam: {heard}, {step}, change at the {_ordinal(place)} percentile of its beats"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _instrument(part: str, program: int) -> str:
    if part == "drums":
        return next((name for name, number in KITS.items() if number == program), "kit")
    return GM_NAMES[program]
