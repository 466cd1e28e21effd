"""``regenerate``: some bars, or some parts, of a clip or a MIDI file written anew; the rest stays as it is."""

from __future__ import annotations

import argparse
import re

from musicgen_ui.cli.arguments import names
from musicgen_ui.cli.source import add_source_options, make, read_origin
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.source import MAX_BARS


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("regenerate", help="write some bars or parts anew", description=__doc__)
    parser.add_argument("--bars", metavar="N-M", help="bars to write anew, counted from 1, such as 5-8; default: all")
    parser.add_argument("--part", action="append", default=[], metavar="NAME", help="part to write anew; default: all")
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Regenerate, save and report."""
    parts = names("--part", ",".join(args.part), PARTS) if args.part else ()
    bars = None if args.bars is None else _bars(args.bars)
    origin = read_origin(args.file, args.midi)
    make(args, origin, origin.source("regenerate", parts=parts, bars=bars))


def _bars(text: str) -> tuple[int, int]:
    """``5-8`` or ``5``, counted from 1 and both ends included, as [first, last) counted from 0."""
    match = re.fullmatch(r"\s*([0-9]{1,4})\s*(?:[-–]\s*([0-9]{1,4})\s*)?", text, re.ASCII)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= MAX_BARS:
        raise RequestError("--bars", f"write it as first-last, such as 5-8, not {text!r:.40}")
    return first - 1, last
