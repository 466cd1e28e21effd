"""``prepare``: corpora of scores into training data."""

from __future__ import annotations

import argparse
from pathlib import Path

from musicgen_ui.cli.arguments import whole


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("prepare", help="read corpora into training data", description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True, metavar="DIR", help="archives and MIDI files to read")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the prepared pieces")
    parser.add_argument(
        "--fetch", action="append", default=[], metavar="NAME", help="first download this public corpus into --corpora"
    )
    parser.add_argument("--registry", type=Path, metavar="FILE", help="where --fetch looks names up; default: built in")
    parser.add_argument("--workers", type=whole(1, 256), default=2, metavar="N", help="processes (default: 2)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Fetch what was asked for, read everything, and print the table of what was kept and skipped."""
    from musicgen_ui.data.prepare import prepare

    if args.fetch:
        from musicgen_ui.data.fetch import fetch

        for name in args.fetch:
            fetch(name, args.corpora, registry=args.registry)
    print(prepare(args.corpora, args.out, workers=args.workers))
