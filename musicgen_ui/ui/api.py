"""The public endpoints: the engine for programs, with named arguments and the page's own checks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from musicgen_ui.engine.style_of_score import style_of_score
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.ui.clip import Maker, Order, heading_of
from musicgen_ui.ui.files import write_files
from musicgen_ui.ui.settings import to_recipe
from musicgen_ui.ui.song import Song, open_song
from musicgen_ui.ui.sources import derived, from_song, made_from
from musicgen_ui.ui.work import Work

LOG = logging.getLogger(__name__)

BROKEN = "Something went wrong while making the clip."

Files = Iterator[tuple[Any, ...]]


def api_generate(studio: Maker) -> Callable[..., Files]:
    """The public endpoint ``/generate`` over a Studio."""

    def generate(**controls: Any) -> Files:
        """Make a clip: four parts written by one model and played by another, or by sampled instruments.

        Every control of the page is an argument of the same name; what is left out keeps the page's default. The
        same arguments give the same files. ``timbre`` is an object with the fields ``a``, ``b``, ``morph`` (0 to 1)
        and ``parts``; a point is {"kind": "own"}, {"kind": "random", "seed": 7} or what /borrow_timbre returns.
        ``form`` names the sections (free, AABA, ABAB, verse-chorus, ...), ``intro`` puts an introduction in front,
        and ``ending`` is close (a cadence), open (stops after the last bar) or loop (repeats without a seam).

        Returns:
            The clip as WAV, its notes as MIDI, clip.json (recipe, asked, heard, seconds, rounds), and the dry stems
            as zip.
        """
        yield from _files(studio, lambda: Order(to_recipe(controls)))

    return generate


def api_accompany(studio: Maker) -> Callable[..., Files]:
    """The public endpoint ``/accompany`` over a Studio."""

    def accompany(file: Any, keep: Any, **controls: Any) -> Files:
        """Write an accompaniment: some parts of a MIDI file are kept note for note, the others are written to them.

        The file decides tempo, metre, key and length; every other argument is one of /generate.

        Args:
            file: a MIDI file.
            keep: list of one to three of lead, chords, bass and drums; empty keeps the melody.
            controls: as for /generate.

        Returns:
            WAV, MIDI, clip.json and stems, as /generate.
        """

        def order() -> Order:
            song = open_song(_path(file))
            return from_song(song, to_recipe(controls), "accompany", parts=keep or song.kept)

        yield from _files(studio, order)

    return accompany


def api_continue(studio: Maker) -> Callable[..., Files]:
    """The public endpoint ``/continue_clip`` over a Studio."""

    def continue_clip(recipe: Any, bars: Any, seed: Any, style: Any, file: Any) -> Files:
        """Continue a clip, or a MIDI file, for some bars: the files hold the old music and the new.

        Args:
            recipe: what clip.json calls so; empty continues ``file`` instead.
            bars: how many to add.
            seed: of the new bars.
            style: fields of the style that the new bars shall differ in, such as {"density": 0.8}.
            file: the MIDI file to continue, or the one that the clip of ``recipe`` was made from; or None.

        Returns:
            WAV, MIDI, clip.json and stems, as /generate.
        """
        yield from _files(studio, lambda: _again(studio, recipe, file, seed, style, "continue", bars=bars))

    return continue_clip


def api_regenerate(studio: Maker) -> Callable[..., Files]:
    """The public endpoint ``/regenerate`` over a Studio."""

    def regenerate(recipe: Any, parts: Any, bars: Any, seed: Any, style: Any, file: Any) -> Files:
        """Write some bars, or some parts, of a clip anew; every other note stays as it is.

        Args:
            recipe: what clip.json calls so; empty works on ``file`` instead.
            parts: list of the parts to write anew; empty for all.
            bars: first bar and the one after the last, counted from 0, such as [4, 8]; empty for all.
            seed: of what is written anew.
            style: fields of the style that it shall differ in, such as {"density": 0.8}.
            file: the MIDI file to work on, or the one that the clip of ``recipe`` was made from; or None.

        Returns:
            WAV, MIDI, clip.json and stems, as /generate.
        """
        chosen = {"parts": parts, "span": bars}
        yield from _files(studio, lambda: _again(studio, recipe, file, seed, style, "regenerate", **chosen))

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


def _files(studio: Maker, call: Callable[[], Order]) -> Files:
    """Make what ``call`` orders; the paths of its files come last."""
    try:
        order = call()
        work = Work(lambda hook: studio.generate(order.recipe, hook, order.given, order.base))
        for _ in work.follow():
            yield (gr.skip(),) * 4
    except RequestError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception as error:
        LOG.exception("generating failed")
        raise gr.Error(BROKEN, print_exception=False) from error
    files = write_files(work.result, heading_of(order))
    yield str(files.wav), str(files.midi), str(files.recipe), str(files.stems)
