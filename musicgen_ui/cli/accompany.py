"""``accompany``: other parts to a melody, or to any parts of a MIDI file or a clip."""

from __future__ import annotations

import argparse

from musicgen_ui.cli.arguments import names
from musicgen_ui.cli.source import add_source_options, make, read_origin
from musicgen_ui.music.score import PARTS


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("accompany", help="write the other parts to a melody", description=__doc__)
    parser.add_argument("--keep", default="lead", metavar="NAME,…", help="parts that stay as they are (default: lead)")
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Accompany, save and report."""
    keep = names("--keep", args.keep, PARTS)
    origin = read_origin(args.file, args.midi, keep)
    make(args, origin, origin.source("accompany", parts=keep))
