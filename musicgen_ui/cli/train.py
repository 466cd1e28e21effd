"""``train``: one model on prepared data. With several GPUs: ``torchrun --nproc-per-node N -m musicgen_ui train …``."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from musicgen_ui.cli.arguments import assignments
from musicgen_ui.errors import RequestError

MODELS = ("composer-lstm",)


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("train", help="train a model", description=__doc__)
    parser.add_argument("model", choices=MODELS, metavar="MODEL", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="checkpoint; an unfinished run resumes")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=V",
        help="a field of the configuration, such as batch=64 or loop.steps=8000; --set help lists them",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Train, or list the configuration."""
    from musicgen_ui.training.composer_lstm import ComposerTraining, train

    config = ComposerTraining()
    if args.set == ["help"]:
        for name, value in settings(config).items():
            print(f"{name}={value}")
        return
    for name, text in assignments("--set", args.set).items():
        config = changed(config, name, text)
    numbers = train(args.data, args.out, config, lambda line: print(line, flush=True))
    print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


def settings(config: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted name to value of every plain field of a configuration."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= settings(value, f"{prefix}{field.name}.")
        elif isinstance(value, (bool, int, float, str)):
            found[prefix + field.name] = value
    return found


def changed(config: Any, name: str, text: str) -> Any:
    """The configuration with one field replaced, in the type that it has.

    Raises:
        RequestError: an unknown field or a value of another type.
    """
    known = settings(config)
    if name not in known:
        raise RequestError("--set", f"{name!r:.40} is not one of {', '.join(known)}")
    kind = type(known[name])
    try:
        value = {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise RequestError("--set", f"{name} must be {kind.__name__}, not {text!r:.40}") from None
    return _with_field(config, name.split("."), value)


def _with_field(config: Any, path: list[str], value: Any) -> Any:
    head, *rest = path
    inner = _with_field(getattr(config, head), rest, value) if rest else value
    return dataclasses.replace(config, **{head: inner})
