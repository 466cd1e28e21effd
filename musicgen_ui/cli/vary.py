"""``vary``: something like a clip or a MIDI file, of the same tempo, metre, key, length and form."""

from __future__ import annotations

import argparse

from musicgen_ui.cli.source import add_source_options, make, read_origin, share

AMOUNT = 0.3


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("vary", help="something like a clip", description=__doc__)
    parser.add_argument(
        "--amount",
        type=share,
        default=AMOUNT,
        metavar="V",
        help=f"0 for the same notes to 1 for a new clip (default: {AMOUNT})",
    )
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Vary, save and report."""
    origin = read_origin(args.file, args.midi)
    form = {} if origin.recipe is None else {"form": origin.recipe.form, "intro": origin.recipe.intro}
    make(args, origin, origin.source("vary", amount=args.amount), **form)
