"""``generate``: a clip from sliders."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

from musicgen_ui.cli.arguments import add_engine_options, assignments, load_studio, names, number, whole
from musicgen_ui.cli.report import print_result, stage_meter
from musicgen_ui.cli.timbre import add_timbre_options, recording_of, timbre_of
from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import ENDINGS, FORMS
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, Recipe
from musicgen_ui.style import EFFECTS, SLIDERS, Style


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("generate", help="write a clip from sliders", description=__doc__)
    default = Recipe()
    for name, (low, high) in LIMITS.items():
        value = getattr(default, name)
        text = {
            "seed": "the only source of randomness",
            "bars": "length in bars",
            "takes": "scores written, of which the closest is kept",
            "rounds": "corrections after listening",
        }[name]
        parser.add_argument(
            f"--{name}",
            type=whole(low, high),
            default=value,
            metavar="N",
            help=f"{text}, {low}-{high} (default: {value})",
        )
    parser.add_argument("--composer", choices=COMPOSERS, default=default.composer, help=f"default: {default.composer}")
    parser.add_argument("--synth", choices=SYNTHS, default=default.synth, help=f"default: {default.synth}")
    parser.add_argument("--key", metavar="KEY", help="such as 'A minor'; default: auto")
    parser.add_argument("--genre", metavar="NAME=W,…", help="blend of genres, such as pop=0.7,folk=0.3; default: any")
    parser.add_argument("--metre", choices=tuple(METRES), default="4/4", help="default: 4/4")
    add_form_options(parser)
    add_timbre_options(parser)
    add_mixing_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def add_form_options(parser: argparse.ArgumentParser) -> None:
    """Options of everything that is written: its form, how it begins and how it ends."""
    parser.add_argument("--form", choices=FORMS, default=FORMS[0], help=f"default: {FORMS[0]}")
    parser.add_argument("--intro", action="store_true", help="begin with an introduction, within --bars")
    parser.add_argument(
        "--ending",
        choices=ENDINGS,
        default=ENDINGS[0],
        help=f"come to an end, just stop, or lead back to the beginning without a seam (default: {ENDINGS[0]})",
    )


def add_mixing_options(parser: argparse.ArgumentParser) -> None:
    """Options that ``generate`` and ``render`` share."""
    parser.add_argument(
        "--style",
        action="append",
        default=[],
        metavar="NAME=V",
        help=f"a slider; one of {', '.join(SLIDERS | EFFECTS)}",
    )
    parser.add_argument("--parts", metavar="NAME,…", help=f"parts that play; default: {','.join(PARTS)}")
    parser.add_argument(
        "--instrument", action="append", default=[], metavar="PART=NAME", help="such as bass='finger bass'"
    )
    parser.add_argument(
        "--level", action="append", default=[], metavar="PART=DB", help="level of a part in dB, -24 to 6"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--json", action="store_true", help="print clip.json instead of a table")


def run(args: argparse.Namespace) -> None:
    """Generate, save and report."""
    recipe = recipe_of(args)
    from musicgen_ui.engine.export import check_writable, save

    check_writable(args.out)
    recording = recording_of(args)
    studio = load_studio(args)
    recipe = replace(recipe, timbre=timbre_of(args, recording, studio))
    with stage_meter() as hook:
        result = studio.generate(recipe, hook)
    save(result, args.out)
    print_result(result, args.out, as_json=args.json)


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The Recipe that the arguments describe.

    Raises:
        RequestError: names the option that is wrong.
    """
    try:
        style = style_of(args, tuple(SLIDERS | EFFECTS)).with_values(
            metre=args.metre,
            **({"key": args.key} if args.key is not None else {}),
            **({"genre": genre_of(args)} if args.genre is not None else {}),
        )
        return Recipe(
            style=style,
            composer=args.composer,
            synth=args.synth,
            form=args.form,
            intro=args.intro,
            ending=args.ending,
            **{name: getattr(args, name) for name in LIMITS},
        )
    except RequestError as error:
        raise _as_option(error) from None


def style_of(args: argparse.Namespace, sliders: tuple[str, ...]) -> Style:
    """The Style of the mixing options; only ``sliders`` may be set.

    Raises:
        RequestError: names the option that is wrong.
    """
    values = {}
    for name, text in assignments("--style", args.style).items():
        if name not in sliders:
            raise RequestError("--style", f"{name!r:.40} is not one of {', '.join(sliders)}")
        values[name] = number(f"--style {name}", text)
    active = PARTS if args.parts is None else names("--parts", args.parts, PARTS)
    instruments = _by_part("--instrument", args.instrument)
    levels = {part: number(f"--level {part}", text) for part, text in _by_part("--level", args.level).items()}
    parts = {
        part: {"on": part in active, "level": levels.get(part, 0.0), "instrument": instruments.get(part, "auto")}
        for part in PARTS
    }
    try:
        return Style().with_values(**values, parts=parts)
    except RequestError as error:
        raise _as_option(error) from None


def genre_of(args: argparse.Namespace) -> dict[str, float]:
    """``pop=0.7,folk=0.3`` as weights; a name alone weighs 1."""
    texts = [text if "=" in text else f"{text}=1" for text in args.genre.split(",")]
    return {name: number(f"--genre {name}", text) for name, text in assignments("--genre", texts).items()}


def _by_part(option: str, texts: list[str]) -> dict[str, str]:
    found = assignments(option, texts)
    for part in found:
        if part not in PARTS:
            raise RequestError(option, f"{part!r:.40} is not one of {', '.join(PARTS)}")
    return found


def _as_option(error: RequestError) -> RequestError:
    """The same complaint, about the option that the person typed."""
    name = error.argument
    if name.startswith("--"):
        return error
    if match := re.fullmatch(r"(\w+) (instrument|level)", name):
        name = f"--{match[2]} {match[1]}"
    elif name in SLIDERS or name in EFFECTS:
        name = f"--style {name}"
    elif name.startswith("genre"):
        name = f"--{name}"
    return RequestError(name, error.reason)
