"""The command line: ``python -m musicgen_ui COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from musicgen_ui import __version__
from musicgen_ui.cli import (
    accompany,
    bench,
    continue_,
    evaluate,
    generate,
    library,
    listen,
    match,
    morph,
    perform,
    prepare,
    prepare_audio,
    prepare_index,
    prepare_lines,
    recipe,
    regenerate,
    render,
    serve,
    train,
    vary,
)
from musicgen_ui.cli.arguments import OneLineParser
from musicgen_ui.errors import RequestError

COMMANDS = (
    serve,
    generate,
    accompany,
    continue_,
    regenerate,
    vary,
    morph,
    perform,
    render,
    recipe,
    library,
    listen,
    match,
    prepare,
    prepare_audio,
    prepare_index,
    prepare_lines,
    train,
    evaluate,
    bench,
)

BAD_INPUT = 2
INTERRUPTED = 130


def build_parser() -> OneLineParser:
    """The parser of every command."""
    parser = OneLineParser(prog="musicgen_ui", description="Music from style sliders.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: arguments after the program's name; ``sys.argv`` when None.

    Returns:
        exit status: 0, 2 after bad input (told in one line on stderr), 130 after Ctrl-C.
    """
    args = argparse.Namespace()
    try:
        build_parser().parse_args(argv, args)
        args.run(args)
    except RequestError as error:
        # The rooms below know fields, a person at a terminal typed options.
        option = f"--{error.argument}" if error.argument in vars(args) else error.argument
        # A name or a value that a person typed may hold line breaks.
        print("error:", " ".join(f"{option}: {error.reason}".split()), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
