"""``morph``: something between two clips."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.source import add_midi_option, check_models, deliver, read_clip, share
from musicgen_ui.recipe import LIMITS


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("morph", help="something between two clips", description=__doc__)
    parser.add_argument("file", type=Path, metavar="A", help="the clip.json of one clip")
    parser.add_argument("other", type=Path, metavar="B", help="the clip.json of another one")
    parser.add_argument(
        "--mix", type=share, default=0.5, metavar="V", help="0 for the notes of A to 1 for those of B (default: 0.5)"
    )
    parser.add_argument("--bars", type=whole(*LIMITS["bars"]), metavar="N", help="at most; default: the nearer clip's")
    add_midi_option(parser)
    low, high = LIMITS["takes"]
    parser.add_argument("--takes", type=whole(low, high), metavar="N", help=f"takes that are written, {low}-{high}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--json", action="store_true", help="print clip.json instead of a table")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Morph, save and report."""
    from musicgen_ui.engine.derive import morphed
    from musicgen_ui.engine.export import check_writable

    ends = [read_clip(path, args.midi) for path in (args.file, args.other)]
    recipe = morphed(*(end.recipe for end in ends), args.mix, args.bars)
    recipe = recipe if args.takes is None else replace(recipe, takes=args.takes)
    check_writable(args.out)
    studio = load_studio(args)
    for path, end in zip((args.file, args.other), ends, strict=True):
        check_models(path, end.recipe, studio)
    deliver(args, studio, recipe, next((end for end in ends if end.file is not None), ends[0]))
