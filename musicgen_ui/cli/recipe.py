"""``recipe FILE``: what made a file, read from the file itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "recipe",
        help="print the recipe inside a file",
        description="Print the recipe inside a file as JSON: what makes the clip again.",
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="WAV, FLAC, MP3, OGG, MIDI, MusicXML, clip.json or zip of stems"
    )
    parser.add_argument("--code", action="store_true", help="print the code of a share link instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the recipe.

    Raises:
        RequestError: the file is missing or holds no recipe that this release can follow.
    """
    from musicgen_ui.engine.recipe_file import read_recipe

    recipe = read_recipe(args.file)
    print(recipe.to_code() if args.code else json.dumps(recipe.to_dict(), indent=2, ensure_ascii=False))
