"""Argument parsing whose every complaint is one line that names the argument."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from musicgen_ui.errors import RequestError

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Studio

DEVICES = ("auto", "cpu", "cuda")


class OneLineParser(argparse.ArgumentParser):
    """Raises RequestError where argparse prints its usage and exits."""

    def __init__(self, **options: Any) -> None:
        # An abbreviation that works today could mean another option tomorrow.
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Turn argparse's sentences into ``argument: reason``."""
        if match := re.fullmatch(r"argument (?:\S+/)?(\S+): (.*)", message, re.DOTALL):
            raise RequestError(match[1], match[2])
        if match := re.fullmatch(r"the following arguments are required: (.*)", message, re.DOTALL):
            raise RequestError(match[1], "is required")
        if match := re.fullmatch(r"unrecognized arguments: (.*)", message, re.DOTALL):
            raise RequestError(match[1].split()[0], "is not an argument of this command; see --help")
        raise RequestError("arguments", message)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Argument type: a whole number in [low, high]."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text.strip(), re.ASCII):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, not {text!r:.40}")
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be from {low} to {high}, not {value}")
        return value

    return parse


def number(option: str, text: str) -> float:
    """A finite number.

    Raises:
        RequestError: names the option.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RequestError(option, f"{text!r:.40} is not a finite number")
    return value


def assignments(option: str, texts: Iterable[str]) -> dict[str, str]:
    """``name=value`` texts as a dict.

    Raises:
        RequestError: not of that form, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise RequestError(option, f"write it as name=value, not {text!r:.60}")
        if name in found:
            raise RequestError(option, f"{name} is given twice")
        found[name] = value
    return found


def names(option: str, text: str, known: Iterable[str]) -> tuple[str, ...]:
    """A comma-separated list of different known names.

    Raises:
        RequestError: an empty, unknown or repeated name.
    """
    known = tuple(known)
    found = tuple(part.strip() for part in text.split(","))
    for position, name in enumerate(found):
        if name not in known:
            raise RequestError(option, f"{name!r:.40} is not one of {', '.join(known)}")
        if name in found[:position]:
            raise RequestError(option, f"{name} is given twice")
    return found


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that loads the models."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the models run (default: auto)")
    parser.add_argument("--threads", type=whole(1, 256), metavar="N", help="processor threads (default: up to 4)")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of the models; default: the shipped one"
    )
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="SoundFont to play (default: the embedded one)")
    parser.add_argument(
        "--bf16", action="store_true", help="faster stems in bfloat16; a clip is then not the same bytes everywhere"
    )


def load_studio(args: argparse.Namespace, log: Callable[[str], None] | None = None) -> Studio:
    """The Studio that the engine options ask for."""
    from musicgen_ui.engine.loading import load_studio as load

    return load(
        device=args.device,
        checkpoints=args.checkpoints,
        soundfont=args.soundfont,
        log=log,
        threads=args.threads,
        bf16=args.bf16,
    )
