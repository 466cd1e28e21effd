"""``--timbre`` and ``--timbre-seed``: another timbre than the instruments' own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen_ui.cli.arguments import whole
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import TIMBRE_SYNTHS
from musicgen_ui.timbre import MAX_SEED, Timbre, TimbrePoint

if TYPE_CHECKING:
    import numpy as np

    from musicgen_ui.engine.pipeline import Studio

Recording = tuple["np.ndarray", int]
"""Samples (channels, n) and their rate in Hz."""


def add_timbre_options(parser: argparse.ArgumentParser) -> None:
    """Options that ``generate`` and ``render`` share; they exclude each other."""
    only = f"({' and '.join(TIMBRE_SYNTHS)} only)"
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--timbre", type=Path, metavar="FILE", help=f"recording whose timbre to take {only}")
    group.add_argument("--timbre-seed", type=whole(0, MAX_SEED), metavar="N", help=f"a timbre at random {only}")


def recording_of(args: argparse.Namespace) -> Recording | None:
    """The decoded recording of ``--timbre``, None where there is none; checked before any model is loaded.

    Raises:
        RequestError: the synthesizer has fixed instruments, or the file is refused.
    """
    option = "--timbre" if args.timbre is not None else "--timbre-seed" if args.timbre_seed is not None else None
    if option is not None and args.synth not in TIMBRE_SYNTHS:
        raise RequestError(
            option, f"{args.synth} plays fixed instruments; only {' and '.join(TIMBRE_SYNTHS)} can change them"
        )
    if args.timbre is None:
        return None
    from musicgen_ui.audio.decode import decode_upload

    return decode_upload(args.timbre, argument="--timbre", cut=True)


def timbre_of(args: argparse.Namespace, recording: Recording | None, studio: Studio) -> Timbre:
    """The Timbre that the options describe; the default without them.

    Raises:
        RequestError: the recording holds no timbre.
    """
    if recording is not None:
        return Timbre(studio.borrow(*recording))
    return Timbre() if args.timbre_seed is None else Timbre(TimbrePoint("random", args.timbre_seed))
