"""``evaluate accompaniment``: how well what the composers write fits melodies of held-out songs."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import DEVICES, names, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.recipe import COMPOSERS, LIMITS, Recipe
from musicgen_ui.source import Source

if TYPE_CHECKING:
    from musicgen_ui.music.score import Score

_COUNT = 4096
_NO_FILE = "0" * 64


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("accompaniment", help="how accompaniments fit melodies of held-out songs")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--composer", default=",".join(COMPOSERS), metavar="NAME,…", help="default: all")
    for name, default in (("songs", 24), ("sheets", 12)):
        parser.add_argument(
            f"--{name}", type=whole(0, _COUNT), default=default, metavar="N", help=f"at most (default: {default})"
        )
    parser.add_argument("--bars", type=whole(4, 64), default=16, metavar="N", help="of each (default: 16)")
    parser.add_argument("--takes", type=whole(*LIMITS["takes"]), default=4, metavar="N", help="as in a recipe (4)")
    parser.add_argument("--seed", type=whole(0, 10_000), default=0, metavar="N", help="of songs and notes")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the models run (default: auto)")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of the models; default: the shipped one"
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Write, measure, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.engine.device import resolve_device, set_threads, thread_count
    from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
    from musicgen_ui.engine.rewrite import rewrite
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.scale import load_scales
    from musicgen_ui.training.evaluate_accompaniment import AccompanimentSettings, evaluate_accompaniment

    composers = names("--composer", args.composer, COMPOSERS)
    folder = args.checkpoints or CHECKPOINTS
    device = resolve_device(args.device)
    set_threads(thread_count())
    scales = load_scales(folder / "measures.json")["score"]

    def accompany(model: Any, score: Score, seed: int) -> Score:
        recipe = Recipe(source=Source("accompany", midi_sha256=_NO_FILE, parts=("lead",)), seed=seed, takes=args.takes)
        return rewrite(model, recipe, score, scales=scales)

    accompanists = {
        name: partial(accompany, load_composer(folder / COMPOSER.format(name), device)) for name in composers
    }
    settings = AccompanimentSettings(songs=args.songs, sheets=args.sheets, bars=args.bars, seed=args.seed)
    with tqdm(unit="song", disable=None) as bar:
        report = evaluate_accompaniment(args.data, accompanists, settings, bar.update)
    write_report(args.report, report)
    print_accompaniment(report)


def print_accompaniment(report: dict[str, Any]) -> None:
    """A table for each group of songs, and how far every composer is behind the songs' own."""
    for group in ("songs", "lead sheets"):
        if group not in report:
            continue
        table = report[group]
        measures = list(next(iter(table["rows"].values())))
        rows = [(name, *(_shown(row[measure]) for measure in measures)) for name, row in table["rows"].items()]
        print_table((f"{table['count']} {group}", *measures), rows)
        for name, behind in table["behind"].items():
            if behind is not None:
                print(
                    f"{name}: {behind['mean']:+.3f} [{behind['low']:+.3f}, {behind['high']:+.3f}] {table['measure']} "
                    f"against the song's own; melody kept in {table['kept'][name]:.0%}"
                )
        print()


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
