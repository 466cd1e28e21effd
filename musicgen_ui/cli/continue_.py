"""``continue``: more bars after the end of a MIDI file or a clip."""

from __future__ import annotations

import argparse

from musicgen_ui.cli.arguments import whole
from musicgen_ui.cli.source import add_source_options, make, read_origin
from musicgen_ui.music.form import ENDINGS
from musicgen_ui.recipe import LIMITS


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("continue", help="go on after the end", description=__doc__)
    low, high = LIMITS["bars"]
    parser.add_argument(
        "--bars", type=whole(low, high), default=8, metavar="N", help=f"bars to write, {low}-{high} (default: 8)"
    )
    endings = tuple(ending for ending in ENDINGS if ending != "loop")
    parser.add_argument(
        "--ending", choices=endings, default=endings[0], help=f"come to an end, or just stop (default: {endings[0]})"
    )
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Continue, save and report."""
    origin = read_origin(args.file, args.midi)
    make(args, origin, origin.source("continue"), bars=args.bars, ending=args.ending)
