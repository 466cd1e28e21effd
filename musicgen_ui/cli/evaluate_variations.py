"""``evaluate variations``: how likeness falls with the amount of a variation, and along a morph."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import DEVICES, names, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.recipe import COMPOSERS, LIMITS, Recipe

if TYPE_CHECKING:
    from musicgen_ui.music.score import Score

_COUNT = 4096


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("variations", help="how alike variations and morphs are to their clips")
    parser.add_argument("--clips", type=whole(2, _COUNT), default=12, metavar="N", help="and pairs (default: 12)")
    parser.add_argument("--bars", type=whole(*LIMITS["bars"]), default=16, metavar="N", help="of each (default: 16)")
    parser.add_argument("--takes", type=whole(*LIMITS["takes"]), default=4, metavar="N", help="as in a recipe (4)")
    parser.add_argument("--composer", default=",".join(COMPOSERS), metavar="NAME,…", help="default: all")
    parser.add_argument("--seed", type=whole(0, 10_000), default=0, metavar="N", help="of styles and notes")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the models run (default: auto)")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of the models; default: the shipped one"
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Write, measure, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.engine.compose import compose
    from musicgen_ui.engine.derive import morphed, varied
    from musicgen_ui.engine.device import resolve_device, set_threads, thread_count
    from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
    from musicgen_ui.engine.rewrite import rewrite
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.scale import load_scales
    from musicgen_ui.training.evaluate_variations import AMOUNTS, MIXES, drawn_recipes, evaluate_variations

    composers = names("--composer", args.composer, COMPOSERS)
    folder = args.checkpoints or CHECKPOINTS
    device = resolve_device(args.device)
    set_threads(thread_count())
    scales = load_scales(folder / "measures.json")["score"]

    def write(model: Any, recipe: Recipe) -> Score:
        shape = {"shape": recipe.shape, "takes": recipe.takes, "bars": recipe.bars, "seed": recipe.seed}
        return compose(model, recipe.style, scales=scales, **shape)

    def vary(model: Any, recipe: Recipe, score: Score, amount: float) -> Score:
        return rewrite(model, varied(recipe, amount, seed=1000 + recipe.seed), score, scales=scales)

    def morph(model: Any, ends: tuple[Recipe, Recipe], scores: tuple[Score, Score], mix: float) -> Score:
        return rewrite(model, morphed(*ends, mix), scores, scales=scales)

    report: dict[str, Any] = {"bars": args.bars, "takes": args.takes, "seed": args.seed}
    with tqdm(total=len(composers) * args.clips * (1 + len(AMOUNTS) + len(MIXES)), unit="score", disable=None) as bar:
        for name in composers:
            model = load_composer(folder / COMPOSER.format(name), device)
            recipes = drawn_recipes(name, args.clips, bars=args.bars, takes=args.takes, seed=args.seed)
            how = (partial(function, model) for function in (write, vary, morph))
            report[name] = evaluate_variations(recipes, *how, bar.update)
    write_report(args.report, report)
    print_variations({name: report[name] for name in composers})


def print_variations(found: dict[str, Any]) -> None:
    """A table of variations and one of morphs, by composer."""
    first = next(iter(found.values()))
    columns = ("Spearman", "weakest", "monotone")
    rows = []
    for name, report in found.items():
        vary = report["vary"]
        rows.append((f"{name}: notes", *_numbers(vary["notes"]), *_course(vary)))
        rows.append((f"{name}: similar bars", *_numbers(vary["bars"]), "", "", ""))
    print_table(
        (f"varied, {first['vary']['clips']} clips", *(f"{amount:g}" for amount in first["vary"]["amounts"]), *columns),
        rows,
    )
    for name, report in found.items():
        vary = report["vary"]
        print(
            f"{name}: the very notes at 0 in {vary['exact']:.0%}; tempo, metre, key and length kept in "
            f"{vary['frame']:.0%}; different clips are {vary['strangers']:.2f} alike"
        )
    print()
    rows = [
        (f"{name}: to {end.upper()}", *_numbers(report["morph"][end]["notes"]), *_course(report["morph"][end]))
        for name, report in found.items()
        for end in ("a", "b")
    ]
    print_table(
        (f"morphed, {first['morph']['pairs']} pairs", *(f"{mix:g}" for mix in first["morph"]["mixes"]), *columns), rows
    )
    for name, report in found.items():
        morph = report["morph"]
        print(f"{name}: the ends are the clips in {morph['exact']:.0%}; the clips are {morph['strangers']:.2f} alike")


def _numbers(values: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]


def _course(report: dict[str, Any]) -> tuple[str, str, str]:
    spearman = report["spearman"]
    return f"{spearman['mean']:+.3f}", f"{spearman['weakest']:+.3f}", f"{report['monotone']:.0%}"
