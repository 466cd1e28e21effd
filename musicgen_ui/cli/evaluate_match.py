"""``evaluate match``: whether a clip made from a recording is like that recording."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.report import print_table, write_report
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, Recipe


def add(subjects: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the subject's parser."""
    parser = subjects.add_parser("match", help="clips made from recordings, told apart among all the recordings")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--recordings", type=whole(2, 512), default=20, metavar="N", help="in a set (default: 20)")
    parser.add_argument("--sets", type=whole(1, 64), default=1, metavar="N", help="of recordings (default: 1)")
    parser.add_argument("--bars", type=whole(4, 128), default=16, metavar="N", help="length of each (default: 16)")
    parser.add_argument("--composer", choices=COMPOSERS, default=COMPOSERS[0], help=f"default: {COMPOSERS[0]}")
    parser.add_argument("--synth", choices=SYNTHS, default=SYNTHS[0], help=f"default: {SYNTHS[0]}")
    for name in ("takes", "rounds"):
        value = getattr(Recipe(), name)
        parser.add_argument(
            f"--{name}", type=whole(*LIMITS[name]), default=value, metavar="N", help=f"default: {value}"
        )
    parser.add_argument("--borrow", action="store_true", help="take each recording's timbre too")
    parser.add_argument("--recorder", type=Path, metavar="FILE", help="SoundFont that plays the recordings")
    add_engine_options(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Make the recordings and a clip from each, print the places."""
    from tqdm import tqdm

    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.cli.player import soundfont_player
    from musicgen_ui.data.pieces import PieceStore
    from musicgen_ui.engine.ears import Ears
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.training.evaluate_match import evaluate_match, held_out_recordings, merged

    store = PieceStore(prepared(args.data))
    play = soundfont_player(args.recorder or args.soundfont)
    ears = Ears.load(args.checkpoints or CHECKPOINTS)
    studio = load_studio(args)
    recipe = partial(
        Recipe, bars=args.bars, composer=args.composer, synth=args.synth, takes=args.takes, rounds=args.rounds
    )
    reports = []
    with tqdm(total=args.sets * args.recordings, unit="clip", disable=None) as bar:
        for number in range(args.sets):
            recordings = held_out_recordings(store, play, count=args.recordings, bars=args.bars, seed=number)
            reports.append(
                evaluate_match(
                    studio.generate,
                    ears.match,
                    ears.fingerprint,
                    recordings,
                    lambda style, seed: recipe(style=style, seed=seed),
                    borrow=studio.borrow if args.borrow else None,
                    hook=lambda stage, done, total: bar.update(),
                )
            )
    report = merged(reports) | {"checkpoints": studio.checkpoints}
    write_report(args.report, report)
    print_match(report)


def print_match(report: dict[str, Any]) -> None:
    """A row for each space of comparison."""
    rows = [
        (name, f"{entry['top-1']:.0%}", f"{entry['top-5']:.0%}", f"{entry['place']:.1f}")
        for name, entry in report.items()
        if isinstance(entry, dict) and "top-1" in entry
    ]
    print_table((f"{report['recordings']} recordings, {report['sets']} sets", "top-1", "top-5", "mean place"), rows)
