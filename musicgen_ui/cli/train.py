"""``train``: one model on prepared data. With several GPUs: ``torchrun --nproc-per-node N -m musicgen_ui train …``."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from musicgen_ui.cli import train_genre, train_listener
from musicgen_ui.cli.arguments import assignments
from musicgen_ui.errors import RequestError


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser and those of its models."""
    parser = commands.add_parser("train", help="train a model", description=__doc__)
    models = parser.add_subparsers(dest="model", metavar="MODEL", required=True)
    for name, network in (("lstm", "an LSTM"), ("wavenet", "a WaveNet")):
        composer = models.add_parser(
            f"composer-{name}", help=f"a composer: a conditional VAE with {network} as decoder"
        )
        _add_paths(composer, "checkpoint; an unfinished run resumes")
        _add_settings(composer, "batch=64 or loop.steps=8000")
        composer.set_defaults(run=run_composer, composer=name)
    vaegan = models.add_parser("vaegan", help="the synthesizer: notes, then stems against discriminators")
    vaegan.add_argument("--audio", type=Path, required=True, metavar="DIR", help="what prepare-audio wrote")
    vaegan.add_argument("--out", type=Path, required=True, metavar="FILE", help="checkpoint; an unfinished run resumes")
    _add_settings(vaegan, "notes.loop.minutes=20 or stems.loop.device=cuda")
    vaegan.set_defaults(run=run_vaegan)
    raw = models.add_parser("raw-wavenet", help="the WaveNet that writes the waveform, on lines")
    raw.add_argument("--audio", type=Path, required=True, metavar="DIR", help="what prepare-lines wrote")
    raw.add_argument("--out", type=Path, required=True, metavar="FILE", help="checkpoint; an unfinished run resumes")
    _add_settings(raw, "loop.minutes=60 or loop.device=cuda")
    raw.set_defaults(run=run_raw_wavenet)
    train_genre.add(models)
    train_listener.add(models)


def _add_paths(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="what prepare wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=what)


def _add_settings(parser: argparse.ArgumentParser, examples: str) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=V",
        help=f"a field of the configuration, such as {examples}; --set help lists them",
    )


def run_composer(args: argparse.Namespace) -> None:
    """Train, or list the configuration."""
    from musicgen_ui.models.composers import COMPOSERS
    from musicgen_ui.training.composer import ComposerTraining, train

    model = dataclasses.replace(COMPOSERS[args.composer][1](), pointer=True, last_notes=True)
    config = _configured(ComposerTraining(model=model), args)
    if config is not None:
        numbers = train(args.data, args.out, config, _say)
        print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


def run_vaegan(args: argparse.Namespace) -> None:
    """Train both stages, or list the configuration."""
    from musicgen_ui.training.fit_vae_gan import VAEGANTraining, train

    config = _configured(VAEGANTraining(), args)
    if config is not None:
        numbers = train(args.audio, args.out, config, _say)
        print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


def run_raw_wavenet(args: argparse.Namespace) -> None:
    """Train, or list the configuration."""
    from musicgen_ui.training.raw_wavenet import RawTraining, train

    config = _configured(RawTraining(), args)
    if config is not None:
        numbers = train(args.audio, args.out, config, _say)
        print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


def _configured(config: Any, args: argparse.Namespace) -> Any:
    """The configuration with what ``--set`` changes; None when it was only listed."""
    if args.set == ["help"]:
        for name, value in settings(config).items():
            print(f"{name}={value}")
        return None
    for name, text in assignments("--set", args.set).items():
        config = changed(config, name, text)
    return config


def _say(line: str) -> None:
    print(line, flush=True)


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
