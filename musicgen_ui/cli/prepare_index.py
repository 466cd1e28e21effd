"""``prepare-index``: the training pieces' tunes and chords, for asking which of them a clip is nearest to."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "prepare-index", help="sketch the training pieces, to tell novelty", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="index to write, an .npz file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the index, print its size."""
    from musicgen_ui.cli.evaluate import prepared
    from musicgen_ui.data.sketches import write_index

    pieces = write_index(prepared(args.data), args.out)
    print(f"{pieces} pieces in {args.out}, {args.out.stat().st_size / 1e6:.2f} MB")
