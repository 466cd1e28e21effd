"""``evaluate form``: sections that come back, endings that end, loops whose join does not show."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import add_engine_options, load_studio, names, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.music.form import FORMS, Shape
from musicgen_ui.recipe import COMPOSERS, SYNTHS, Recipe
from musicgen_ui.style import Style

if TYPE_CHECKING:
    from musicgen_ui.music.score import Score

_COUNT = 4096
_LOOP_BARS = (2, 4, 8)


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("form", help="how alike sections are, and how clips end and loop")
    parser.add_argument("--clips", type=whole(1, _COUNT), default=6, metavar="N", help="of each form (default: 6)")
    parser.add_argument("--bars", type=whole(1, 128), default=16, metavar="N", help="length of each clip (default: 16)")
    parser.add_argument(
        "--sounds", type=whole(0, _COUNT), default=3, metavar="N", help="clips to play of each ending (default: 3)"
    )
    parser.add_argument("--forms", default=",".join(FORMS[1:]), metavar="NAME,…", help="default: all")
    parser.add_argument("--composer", default=",".join(COMPOSERS), metavar="NAME,…", help="default: all")
    parser.add_argument("--synth", choices=SYNTHS, default=SYNTHS[0], help=f"for sounds (default: {SYNTHS[0]})")
    add_engine_options(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Write, play, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.engine.compose import compose_many
    from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.scale import load_scales
    from musicgen_ui.training.evaluate_form import evaluate_form

    forms = names("--forms", args.forms, FORMS[1:])
    composers = names("--composer", args.composer, COMPOSERS)
    folder = args.checkpoints or CHECKPOINTS
    studio = load_studio(args)
    models = {name: load_composer(folder / COMPOSER.format(name), studio.device) for name in composers}
    scales = load_scales(folder / "measures.json")["score"]

    def write(composer: str, styles: Sequence[Style], bars: int, shape: Shape) -> list[Score]:
        return compose_many(
            models[composer], styles, list(range(len(styles))), bars=bars, takes=1, scales=scales, shape=shape
        )

    recipes = sound_recipes(args.sounds, composers, args.synth)
    total = len(composers) * len(forms) + sum(len(group) for group in recipes.values())
    with tqdm(total=total, disable=None) as bar:
        report = evaluate_form(
            write,
            studio.generate,
            recipes,
            composers=composers,
            forms=forms,
            clips=args.clips,
            bars=args.bars,
            hook=bar.update,
        )
    report["checkpoints"] = studio.checkpoints
    write_report(args.report, report)
    print_form(report)


def sound_recipes(count: int, composers: Sequence[str], synth: str) -> dict[str, list[Recipe]]:
    """Clips to be played: short ones, of every composer in turn, in drawn styles and rooms."""
    from musicgen_ui.training.evaluate_form import drawn_styles

    recipes: dict[str, list[Recipe]] = {"close": [], "loop": []}
    for number, style in enumerate(drawn_styles(count, seed=1)):
        style = style.with_values(space=(number * 0.37) % 1.0)
        for ending, group in recipes.items():
            bars = _LOOP_BARS[number % len(_LOOP_BARS)]
            composer = composers[number % len(composers)]
            group.append(
                Recipe(style=style, seed=number, bars=bars, composer=composer, synth=synth, takes=1, ending=ending)
            )
    return recipes


def print_form(report: dict[str, Any]) -> None:
    """The report as tables."""
    header = (
        f"likeness of sections, {report['clips']} clips of {report['bars']} bars",
        "same label",
        "different",
        "separated",
        "free: same",
        "different",
    )
    rows = [
        (
            f"{composer}: {form}",
            *(_share(numbers["form"][kind]) for kind in ("within", "between")),
            _share(numbers.get("separated")),
            *(_share(numbers["free"][kind]) for kind in ("within", "between")),
        )
        for composer, found in report["forms"].items()
        for form, numbers in found.items()
    ]
    print_table(header, rows)
    print()
    endings = report["endings"]
    facts = list(dict.fromkeys(fact for row in endings.values() for fact in row))
    rows = [(composer, *(_share(row.get(fact)) for fact in facts)) for composer, row in endings.items()]
    print_table(("endings", *facts), rows)
    if "close" in report:
        print()
        print_table(("sound of the end", ""), [(name, _number(value)) for name, value in report["close"].items()])
    if "loop" in report:
        loop = report["loop"]
        print()
        rows = [(name, _number(loop[name]), "") for name in ("worst step (dB)", "no click", "hidden")]
        rows += [
            (name, _number(value), _number(loop["bar lines inside"].get(name))) for name, value in loop["joins"].items()
        ]
        title = f"{loop['clips']} loops, {loop['exact length']:.0%} of exact length"
        print_table((title, "joins", "bar lines inside"), rows)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
