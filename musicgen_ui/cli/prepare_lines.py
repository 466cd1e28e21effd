"""``prepare-lines``: prepared pieces and a SoundFont into what the raw-audio WaveNet learns from."""

from __future__ import annotations

import argparse
from pathlib import Path

from musicgen_ui.cli.arguments import whole


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("prepare-lines", help="render melodies for the raw-audio WaveNet", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the training audio")
    parser.add_argument(
        "--soundfont", type=Path, metavar="FILE", help="SoundFont to learn from (default: the installed MuseScore one)"
    )
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--lines",
        type=whole(1, 10_000),
        default=44,
        metavar="N",
        help="training lines of each instrument (default: 44)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Render what the folder lacks, with a line for each instrument."""
    from musicgen_ui.data.render_lines import LineConfig, prepare_lines

    config = LineConfig(seed=args.seed, lines=args.lines)
    made = prepare_lines(
        args.data, args.out, config, soundfont=args.soundfont, log=lambda line: print(line, flush=True)
    )
    print(f"{len(made)} instruments in {args.out}")
