"""The public endpoints: the engine for programs, with named arguments and the page's own checks."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from musicgen_ui.engine.style_of_score import style_of_score
from musicgen_ui.errors import RequestError
from musicgen_ui.library.people import key_of
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.services import Services
from musicgen_ui.ui.clip import Maker, Order, generated, heading_of, put_away
from musicgen_ui.ui.files import write_files
from musicgen_ui.ui.meters import meters
from musicgen_ui.ui.settings import to_recipe
from musicgen_ui.ui.song import Song, open_song
from musicgen_ui.ui.sources import derived, from_song, made_from
from musicgen_ui.ui.work import Hook, Work

LOG = logging.getLogger(__name__)

BROKEN = "Something went wrong while making the clip."

Files = Iterator[tuple[Any, ...]]

OUTPUTS = ("clip.wav", "clip.mid", "clip.json", "stems.zip")
"""Files that an endpoint gives; what is known of the clip comes after them."""


def api_generate(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/generate``."""

    def generate(person: Any = "", **controls: Any) -> Files:
        """Make a clip: four parts written by one model and played by another, or by sampled instruments.

        Every control of the page is an argument of the same name; what is left out keeps the page's default. The
        same arguments give the same files. ``timbre`` is an object with the fields ``a``, ``b``, ``morph`` (0 to 1)
        and ``parts``; a point is {"kind": "own"}, {"kind": "random", "seed": 7} or what /borrow_timbre returns.
        ``form`` names the sections (free, AABA, ABAB, verse-chorus, ...), ``intro`` puts an introduction in front,
        and ``ending`` is close (a cadence), open (stops after the last bar) or loop (repeats without a seam).

        Args:
            person: secret token of whose library the clip goes to; empty for nobody's.
            controls: as on the page.

        Returns:
            The clip as WAV, its notes as MIDI, clip.json, the dry stems as zip, and what is known of the clip as an
            object: recipe, code (for a link), hash, seconds, asked, heard, meters, and id (where it has a person).
        """
        yield from files_of(services, lambda: Order(to_recipe(controls)), person)

    return generate


def api_accompany(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/accompany``."""

    def accompany(file: Any, keep: Any, person: Any = "", **controls: Any) -> Files:
        """Write an accompaniment: some parts of a MIDI file are kept note for note, the others are written to them.

        The file decides tempo, metre, key and length; every other argument is one of /generate.

        Args:
            file: a MIDI file.
            keep: list of one to three of lead, chords, bass and drums; empty keeps the melody.
            person: as for /generate.
            controls: as for /generate.

        Returns:
            As /generate.
        """

        def order() -> Order:
            song = open_song(_path(file))
            return from_song(song, to_recipe(controls), "accompany", parts=keep or song.kept)

        yield from files_of(services, order, person)

    return accompany


def api_continue(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/continue_clip``."""

    def continue_clip(recipe: Any, bars: Any, seed: Any, style: Any, file: Any, person: Any = "") -> Files:
        """Continue a clip, or a MIDI file, for some bars: the files hold the old music and the new.

        Args:
            recipe: what clip.json calls so; empty continues ``file`` instead.
            bars: how many to add.
            seed: of the new bars.
            style: fields of the style that the new bars shall differ in, such as {"density": 0.8}.
            file: the MIDI file to continue, or the one that the clip of ``recipe`` was made from; or None.
            person: as for /generate.

        Returns:
            As /generate.
        """
        studio = services.studio
        yield from files_of(services, lambda: _again(studio, recipe, file, seed, style, "continue", bars=bars), person)

    return continue_clip


def api_regenerate(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/regenerate``."""

    def regenerate(recipe: Any, parts: Any, bars: Any, seed: Any, style: Any, file: Any, person: Any = "") -> Files:
        """Write some bars, or some parts, of a clip anew; every other note stays as it is.

        Args:
            recipe: what clip.json calls so; empty works on ``file`` instead.
            parts: list of the parts to write anew; empty for all.
            bars: first bar and the one after the last, counted from 0, such as [4, 8]; empty for all.
            seed: of what is written anew.
            style: fields of the style that it shall differ in, such as {"density": 0.8}.
            file: the MIDI file to work on, or the one that the clip of ``recipe`` was made from; or None.
            person: as for /generate.

        Returns:
            As /generate.
        """
        chosen = {"parts": parts, "span": bars}
        studio = services.studio
        yield from files_of(services, lambda: _again(studio, recipe, file, seed, style, "regenerate", **chosen), person)

    return regenerate


def _again(studio: Maker, recipe: Any, file: Any, seed: Any, style: Any, action: str, **how: Any) -> Order:
    """The order for what is made from a clip's recipe or from a file; ``how`` is what :func:`from_song` takes."""
    song = open_song(_path(file)) if file else None
    if recipe:
        before = Recipe.from_dict(recipe)
        if any(studio.checkpoints.get(name) != digest for name, digest in before.checkpoints.items()):
            raise RequestError("recipe", "is of a clip by other models, whose notes cannot be found again")
        base = replace(before, source=None, checkpoints={})
    elif song is not None:
        score = song.music.score
        base = Recipe(style=style_of_score(score, studio.measure(score)))
    else:
        raise RequestError("recipe", "give the recipe of a clip, or a MIDI file")
    if style:
        if not isinstance(style, dict):
            raise RequestError("style", "must be an object of slider values")
        base = replace(base, style=base.style.with_values(**style))
    base = replace(base, seed=seed)
    if not recipe:
        return from_song(song, base, action, **how)
    given = _given(before, song)
    source = made_from(action, before, parts=how.get("parts"), span=how.get("span"))
    return Order(derived(base, source, how.get("bars")), song.title if song else "", given)


def _given(before: Recipe, song: Song | None) -> Score | None:
    """The music of the MIDI file that a clip was made from, if it was made from one.

    Raises:
        RequestError: the file is missing, needless, or another one.
    """
    first = before.source.first if before.source else None
    wanted = first.midi_sha256 if first else None
    if (song is None) != (wanted is None):
        reason = "is needed: the clip was made from one" if song is None else "is given, but the clip was made without"
        raise RequestError("file", reason)
    if song is None:
        return None
    if song.music.sha256 != wanted:
        raise RequestError("file", "is another one than the clip was made from")
    return song.as_kept(first.parts).score if first.action == "accompany" else song.music.score


def _path(file: Any) -> str | None:
    """Where Gradio put an uploaded file; events without preprocessing get an object."""
    return file.get("path") if isinstance(file, dict) else file


def files_of(services: Services, call: Callable[[], Order], person: Any) -> Files:
    """Make what ``call`` orders; the paths of its files and what is known of the clip come last."""
    try:
        order = call()
        owner = key_of(person) if person else None
        work = Work(lambda hook: _made(services, order, owner, hook))
        for _ in work.follow():
            yield (gr.skip(),) * (len(OUTPUTS) + 1)
    except RequestError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception as error:
        LOG.exception("generating failed")
        raise gr.Error(BROKEN, print_exception=False) from error
    yield work.result


def _made(services: Services, order: Order, owner: str | None, hook: Hook) -> tuple[Any, ...]:
    result = generated(services, order, hook)
    title = heading_of(order)
    files = write_files(result, title)
    digest = hashlib.sha256(files.wav.read_bytes()).hexdigest()
    told = {
        "recipe": result.recipe.to_dict(),
        "code": result.recipe.to_code(),
        "hash": digest,
        "seconds": dict(result.seconds),
        "asked": dict(result.asked),
        "heard": dict(result.heard),
        "genres": dict(result.genres),
        "meters": [asdict(meter) for meter in meters(result.asked, result.heard, genres=result.genres)],
    }
    if owner is not None:
        told["id"] = put_away(services, order, result, owner).id
    return str(files.wav), str(files.midi), str(files.recipe), str(files.stems), told
