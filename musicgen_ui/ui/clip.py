"""A clip from an order to what the page shows of it: made, written down and told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Protocol

from musicgen_ui.engine.pipeline import Result
from musicgen_ui.engine.preview import Piece
from musicgen_ui.engine.shelve import shelve
from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.shelf import GIVEN
from musicgen_ui.music.instruments import GM_NAMES, KITS
from musicgen_ui.music.score import Score
from musicgen_ui.music.score_json import score_to_dict
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.matching import hearing
from musicgen_ui.server.services import Services
from musicgen_ui.source import Source
from musicgen_ui.ui.meter_rows import meters_html
from musicgen_ui.ui.meters import meters, pretty_key
from musicgen_ui.ui.tried import tried_html
from musicgen_ui.ui.work import Hook

WORDS = {"continue": "continued", "perform": "the same notes, another sound"}
"""Action of a source to what became of the music."""


class Maker(Protocol):
    """What makes clips: a Studio.

    Attributes:
        checkpoints: name to SHA-256 of its models.
    """

    checkpoints: Mapping[str, str]

    def measure(self, score: Score) -> Mapping[str, float]: ...

    def generate(
        self,
        recipe: Recipe,
        hook: Hook | None = None,
        given: Score | None = None,
        base: Score | tuple[Score, Score] | None = None,
        preview: Callable[[Piece], None] | None = None,
    ) -> Result: ...


@dataclass(frozen=True)
class Order:
    """What a person asked for.

    Attributes:
        recipe: what to make.
        title: names the files; empty names them after the genre.
        given: the person's own notes, where the recipe's innermost source is a MIDI file.
        base: the notes of the clip that it is made from, or of the two, where they are at hand.
        origin: how it came to be, one of ``library.clip.ORIGINS``.
    """

    recipe: Recipe
    title: str = ""
    given: Score | None = None
    base: Score | tuple[Score, Score] | None = None
    origin: str = "made"


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
    """A clip as the page shows it: its row in the library, finished HTML, and the seconds that each stage took."""

    made: Made
    clip: Clip
    seconds: Mapping[str, float]
    heading: str
    meters: str
    tried: str


def make(
    services: Services, order: Order, hook: Hook, person: str | None, preview: Callable[[Piece], None] | None = None
) -> Shown:
    """Generate a clip, put its files on the shelf and its row into the person's library.

    Args:
        services: models, shelf and library.
        order: what to make.
        hook: told of progress; ends with the stage ``draw``.
        person: whose library it goes to; None for nobody's.
        preview: hears the clip while it is made.

    Raises:
        RequestError: the engine refuses the recipe, or the disk is full.
        Cancelled: from the hook.
    """
    result = generated(services, order, hook, preview)
    began = time.perf_counter()
    hook("draw", 0, 1)
    clip = put_away(services, order, result, person)
    hook("draw", 1, 1)
    return shown(order, result, clip, {**result.seconds, "draw": time.perf_counter() - began})


def generated(services: Services, order: Order, hook: Hook, preview: Callable[[Piece], None] | None = None) -> Result:
    """What an order's recipe makes, as soon as nobody else makes a clip; whoever waits can still be stopped."""
    while not services.lane.acquire(timeout=0.1):
        hook("compose", 0, 1)
    try:
        return services.studio.generate(order.recipe, hook, order.given, order.base, preview)
    finally:
        services.lane.release()


def put_away(services: Services, order: Order, result: Result, person: str | None) -> Clip:
    """Put a clip's files on the shelf and its row into the person's library; None for nobody's."""
    title, name, digest = heading_of(order), new_id(), []
    services.shelf.put(name, lambda folder: digest.append(_shelve(result, folder, title, order.given)))
    clip = clip_row(result, name, title, digest[0], order.origin)
    if person is None:
        return clip
    clip = services.library.clips.add(person, clip)
    hearing(services).index_clip(person, clip.id, result.clip.samples, result.clip.sample_rate, result.score)
    return clip


def shown(order: Order, result: Result, clip: Clip, seconds: Mapping[str, float]) -> Shown:
    """A finished clip as the page shows it.

    Args:
        order: what made it.
        result: the clip and what is known of it.
        clip: its row in the library.
        seconds: what each stage took.
    """
    rows = meters_html(meters(result.asked, result.heard, genres=result.genres, blend=order.recipe.style.genre))
    made = Made(replace(order, base=None), result.score)
    return Shown(made, clip, seconds, heading_html(result, clip.title), rows, tried_html(result.rounds, result.gain))


def heading_of(order: Order) -> str:
    """What a clip is called until its owner calls it something else."""
    title = order.title or " + ".join(list(order.recipe.style.genre)[:2]) or "any genre"
    return title[:1].upper() + title[1:]


def _shelve(result: Result, folder: Path, title: str, given: Score | None) -> str:
    if given is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / GIVEN[0]).write_text(json.dumps(score_to_dict(given)), encoding="utf-8")
    return shelve(result, folder, title)


def clip_row(result: Result, name: str, title: str, digest: str, origin: str) -> Clip:
    """What the library keeps of a finished clip."""
    score, recipe = result.score, result.recipe
    return Clip(
        id=name,
        title=title,
        made=round(1000 * time.time()),
        hash=digest,
        seconds=round(result.clip.samples.shape[1] / result.clip.sample_rate, 3),
        tempo=score.tempo,
        recipe=recipe.to_dict(),
        code=recipe.to_code(),
        key=score.key,
        metre=score.metre,
        bars=score.bars,
        genre=result.asked.get("genre"),
        asked=dict(result.asked),
        heard={**result.heard, "genres": {name: round(share, 4) for name, share in result.genres.items()}},
        parts={part: instrument_name(part, program) for part, program in score.programs.items() if part in score.parts},
        loop=recipe.ending == "loop",
        origin=origin,
    )


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
    return f'<div class="clip-heading"><h2 translate="no">{escape(title)}</h2><ul>{items}</ul></div>'


def source_words(source: Source) -> str:
    """What became of other music, in a few words."""
    parts = " and ".join(source.parts) or "all parts"
    if source.action == "accompany":
        return f"{parts} kept, the rest written around it"
    if source.action == "vary":
        return f"a variation, {source.amount:.0%} away"
    if source.action == "morph":
        return f"between two clips, {source.mix:.0%} of the way"
    if source.action in WORDS:
        return WORDS[source.action]
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


def instrument_name(part: str, program: int) -> str:
    if part == "drums":
        return next((name for name, number in KITS.items() if number == program), "kit")
    return GM_NAMES[program]
