"""``evaluate genre``: whether genres and their blends can be heard."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import add_engine_options, load_studio, names, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.recipe import COMPOSERS, SYNTHS
from musicgen_ui.style import GENRES

_COUNT = 4096


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("genre", help="genres heard: held-out sections, clips of one genre, and blends")
    parser.add_argument("--data", type=Path, metavar="DIR", help="what prepare wrote; without it, no held-out sections")
    parser.add_argument(
        "--sections", type=whole(1, _COUNT), default=220, metavar="N", help="held-out sections (default: 220)"
    )
    parser.add_argument(
        "--seeds", type=whole(1, _COUNT), default=10, metavar="N", help="clips of each genre (default: 10)"
    )
    parser.add_argument(
        "--blends", type=whole(0, _COUNT), default=6, metavar="N", help="seeds of each blend; 0: none (default: 6)"
    )
    parser.add_argument("--bars", type=whole(4, 128), default=8, metavar="N", help="length of each clip (default: 8)")
    parser.add_argument(
        "--composer", default=",".join(COMPOSERS), metavar="NAME,…", help=f"default: {','.join(COMPOSERS)}"
    )
    parser.add_argument("--synth", choices=SYNTHS, default=SYNTHS[0], help=f"default: {SYNTHS[0]}")
    parser.add_argument("--classifier", type=Path, metavar="FILE", help="what to judge (default: the shipped one)")
    parser.add_argument("--fixed-band", action="store_true", help="play the sections with one band")
    add_engine_options(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make the clips, judge them, print the tables."""
    from tqdm import tqdm

    from musicgen_ui.engine.ears import Ears
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.training import evaluate_genre

    composers = names("--composer", args.composer, COMPOSERS)
    ears = Ears.load(args.checkpoints or CHECKPOINTS, args.classifier)
    report: dict[str, Any] = {"bars": args.bars, "synth": args.synth}
    with tqdm(unit="clip", disable=None) as bar:

        def hear(samples, sample_rate: int) -> dict[str, float]:
            bar.update()
            return dict(ears.genres(samples, sample_rate))

        if args.data is not None:
            report["held-out sections"] = evaluate_genre.confusion(_held_out(args, hear))
        studio = load_studio(args)
        for composer in composers:
            recipes = evaluate_genre.pure_recipes(composer, args.synth, seeds=args.seeds, bars=args.bars)
            report[f"clips, {composer}"] = evaluate_genre.evaluate_pure(studio.generate, hear, recipes)
            if args.blends:
                report[f"blends, {composer}"] = evaluate_genre.evaluate_blends(
                    studio.generate,
                    hear,
                    evaluate_genre.PAIRS,
                    lambda pair, composer=composer: evaluate_genre.blend_recipes(
                        pair, composer, args.synth, seeds=args.blends, bars=args.bars
                    ),
                )
    report["checkpoints"] = studio.checkpoints
    write_report(args.report, report)
    print_genre(report)


def _held_out(args: argparse.Namespace, hear: Callable) -> list:
    """Guesses of sections of the test split."""
    import numpy as np

    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.cli.player import soundfont_player
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.training.evaluate_genre import Guess
    from musicgen_ui.training.genre_data import GenreSections

    play = soundfont_player(args.soundfont)
    sections = GenreSections(PieceStore(prepared(args.data)), "test", bars=args.bars, fixed_band=args.fixed_band)
    drawn = islice(sections.draw(np.random.default_rng(13)), args.sections)
    return [Guess(s.genre, hear(*play(s.score, s.style, number))) for number, s in enumerate(drawn)]


def print_genre(report: dict[str, Any]) -> None:
    """A line of rates and a confusion matrix for each kind of clip, and a row for each blend."""
    rates = ("clips", "top-1", "top-3", "named", "right when named", "confidence")
    kinds = [name for name, entry in report.items() if isinstance(entry, dict) and "matrix" in entry]
    rows = [(kind, *(_shown(report[kind][rate]) for rate in rates)) for kind in kinds]
    print_table(("", *rates), rows)
    for kind in kinds:
        matrix = report[kind]["matrix"]
        columns = [g for g in (*GENRES, "-") if any(g in row for row in matrix.values())]
        print()
        print_table(
            (f"{kind}: true | heard", *columns),
            [(genre, *(str(row.get(g, "")) for g in columns)) for genre, row in matrix.items()],
        )
    for kind, pairs in report.items():
        if not kind.startswith("blends"):
            continue
        print()
        rows = [
            (pair, *(f"{share:.2f}" for share in entry["share heard"].values()), _shown(entry["spearman"]))
            for pair, entry in pairs.items()
        ]
        shares = next(iter(pairs.values()))["share heard"]
        print_table((f"{kind}: share heard at", *shares, "spearman"), rows)


def _shown(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.2f}"
