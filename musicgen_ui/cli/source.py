"""What the commands that make clips from clips share: reading what they start from, and their options."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import add_engine_options, assignments, load_studio, whole
from musicgen_ui.cli.generate import add_mixing_options, genre_of, style_of
from musicgen_ui.cli.report import print_result, stage_meter
from musicgen_ui.cli.timbre import add_timbre_options, recording_of, timbre_of
from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import FREE
from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, Recipe
from musicgen_ui.source import Source
from musicgen_ui.style import EFFECTS, SLIDERS, Style

if TYPE_CHECKING:
    from musicgen_ui.engine.imported import Imported
    from musicgen_ui.engine.pipeline import Studio

MAX_JSON = 1_000_000
"""Bytes of a clip.json."""


@dataclass(frozen=True)
class Origin:
    """What somebody starts from: a clip, a MIDI file, or a clip that was made from a MIDI file.

    Attributes:
        recipe: of the clip; None for a file.
        file: the MIDI file; None for a clip that needs none.
    """

    recipe: Recipe | None
    file: Imported | None

    def source(self, action: str, **values: Any) -> Source:
        """A Source of this origin."""
        if self.recipe is not None:
            return Source(action, recipe=self.recipe, **values)
        return Source(action, midi_sha256=self.file.sha256, **values)


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Options of commands that write beside what is there; None stands for the clip's own value, or the default."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a MIDI file, or the clip.json of a clip")
    add_midi_option(parser)
    parser.add_argument(
        "--seed", type=whole(*LIMITS["seed"]), default=0, metavar="N", help="of what is new (default: 0)"
    )
    for name, text in (("takes", "a fourth of the takes that are written"), ("rounds", "corrections after listening")):
        low, high = LIMITS[name]
        parser.add_argument(f"--{name}", type=whole(low, high), metavar="N", help=f"{text}, {low}-{high}")
    parser.add_argument("--composer", choices=COMPOSERS, help=f"default: the clip's own, else {COMPOSERS[0]}")
    parser.add_argument("--synth", choices=SYNTHS, help=f"default: the clip's own, else {SYNTHS[0]}")
    parser.add_argument("--genre", metavar="NAME=W,…", help="blend of genres, such as pop=0.7,folk=0.3")
    add_timbre_options(parser)
    add_mixing_options(parser)
    add_engine_options(parser)


def add_midi_option(parser: argparse.ArgumentParser) -> None:
    """The file behind a clip.json."""
    parser.add_argument("--midi", type=Path, metavar="FILE", help="the MIDI file that the clip was itself made from")


def share(text: str) -> float:
    """Argument type: a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not {text!r:.40}")
    return value


def read_origin(path: Path, midi: Path | None, keep: tuple[str, ...] = ()) -> Origin:
    """Reads FILE, and the MIDI file that a clip needs.

    Args:
        path: a ``.json`` file is a clip's, anything else a MIDI file.
        midi: for a clip that was itself made from a MIDI file.
        keep: what the only line of a MIDI file is taken for.

    Raises:
        RequestError: a file is missing, damaged, or not the one that the clip was made from.
    """
    from musicgen_ui.engine.imported import read_music

    if path.suffix.lower() != ".json":
        return Origin(None, read_music(path, str(path), keep=keep))
    recipe = _recipe_in(path)
    wanted = None if recipe.source is None else recipe.source.first.midi_sha256
    if wanted is None:
        return Origin(recipe, None)
    if midi is None:
        raise RequestError("--midi", "is required: the clip was made from a MIDI file")
    first = recipe.source.first
    file = read_music(midi, str(midi), keep=first.parts if first.action == "accompany" else ())
    if file.sha256 != wanted:
        raise RequestError("--midi", f"{midi} is not the file that the clip was made from")
    return Origin(recipe, file)


def read_clip(path: Path, midi: Path | None) -> Origin:
    """Reads FILE where it must be a clip's; see :func:`read_origin`.

    Raises:
        RequestError: as there, or it is no clip.json.
    """
    if path.suffix.lower() != ".json":
        raise RequestError(str(path), "must be the clip.json of a clip")
    return read_origin(path, midi)


def restyled(style: Style, args: argparse.Namespace) -> Style:
    """The style with what the options say; the rest stays.

    Raises:
        RequestError: names the option that is wrong.
    """
    fresh = style_of(args, tuple(name for name in SLIDERS | EFFECTS if name != "tempo"))
    values = {name: getattr(fresh, name) for name in assignments("--style", args.style)}
    if args.genre is not None:
        values["genre"] = genre_of(args)
    levels, instruments = (
        {text.partition("=")[0].strip() for text in texts} for texts in (args.level, args.instrument)
    )
    parts = {}
    for part in PARTS:
        old, new = style.parts[part], fresh.parts[part]
        parts[part] = replace(
            old,
            on=old.on if args.parts is None else new.on,
            level=new.level if part in levels else old.level,
            instrument=new.instrument if part in instruments else old.instrument,
        )
    return style.with_values(**values, parts=parts)


def make(args: argparse.Namespace, origin: Origin, source: Source, **values: Any) -> None:
    """Write, play, save and report.

    Args:
        args: of :func:`add_source_options`.
        origin: what the source is about.
        source: what to do.
        values: further fields of the recipe.
    """
    from musicgen_ui.engine.export import check_writable
    from musicgen_ui.engine.style_of_score import style_of_score

    check_writable(args.out)
    base = origin.recipe or Recipe(ending="open")  # a person's music ends as it ends
    for name in ("composer", "synth", "takes", "rounds"):
        if getattr(args, name) is None:
            setattr(args, name, getattr(base, name))
    recording = recording_of(args)
    restyled(base.style, args)  # complains before the models are loaded
    studio = load_studio(args)
    style = base.style
    if origin.recipe is None:
        style = style_of_score(origin.file.score, studio.measure(origin.file.score), whole=source.action != "accompany")
    else:
        check_models(args.file, base, studio)
    style = restyled(style, args)
    kept = {part: replace(style.parts[part], on=True) for part in source.parts if source.action == "accompany"}
    timbre = timbre_of(args, recording, studio)
    recipe = replace(
        base,
        style=style.with_values(parts={**style.parts, **kept}),
        seed=args.seed,
        composer=args.composer,
        synth=args.synth,
        takes=args.takes,
        rounds=args.rounds,
        timbre=base.timbre if timbre.is_own else timbre,
        source=source,
        checkpoints={},
        **{"form": FREE, "intro": False, **values},
    )
    deliver(args, studio, recipe, origin)


def check_models(file: Path, recipe: Recipe, studio: Studio) -> None:
    """Refuses a clip whose notes these models would not write again.

    Raises:
        RequestError: names the clip's file.
    """
    if any(studio.checkpoints.get(name) != digest for name, digest in recipe.checkpoints.items()):
        reason = "was made by other models, so its notes cannot be found again; give its clip.mid instead"
        raise RequestError(str(file), reason)


def deliver(args: argparse.Namespace, studio: Studio, recipe: Recipe, origin: Origin) -> None:
    """Generate, save and report.

    Args:
        args: with ``file``, ``out`` and ``json``.
        studio: who does it.
        recipe: what to make.
        origin: what holds the MIDI file, if there is one.
    """
    from musicgen_ui.engine.export import save

    with stage_meter() as hook:
        result = studio.generate(recipe, hook, None if origin.file is None else origin.file.score)
    save(result, args.out)
    print_result(result, args.out, as_json=args.json)
    for remark in () if origin.file is None else origin.file.remarks:
        print(f"{args.file}: {remark}", file=sys.stderr)


def _recipe_in(path: Path) -> Recipe:
    """The recipe in a clip.json."""
    label = str(path)
    try:
        if not path.is_file():
            raise RequestError(label, "there is no such file")
        if path.stat().st_size > MAX_JSON:
            raise RequestError(label, f"is larger than {MAX_JSON // 1_000_000} MB, too large for a clip.json")
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError(label, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(label, "is no JSON file") from None
    values = values.get("recipe") if isinstance(values, dict) else None
    if not isinstance(values, dict):
        raise RequestError(label, "holds no recipe")
    if "midi_sha256" in values:
        raise RequestError(label, "is of a MIDI file that was only played; give the MIDI file itself")
    try:
        return Recipe.from_dict(values)
    except RequestError as error:
        raise RequestError(label, f"it holds a bad {error.argument}: {error.reason}") from None
