"""``match``: a clip that is like a recording."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.report import print_result, print_table, stage_meter
from musicgen_ui.recipe import COMPOSERS, LIMITS, SYNTHS, TIMBRE_SYNTHS, Recipe

if TYPE_CHECKING:
    from musicgen_ui.engine.match import Matched

MAX_SECONDS = 600.0
MAX_BYTES = 120_000_000
MAX_PCM_BYTES = 256 * 2**20


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("match", help="make a clip that is like a recording", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="WAV, FLAC, MP3, OGG or AIFF, up to ten minutes")
    default = Recipe()
    for name, (low, high) in LIMITS.items():
        value = getattr(default, name)
        parser.add_argument(
            f"--{name}", type=whole(low, high), default=value, metavar="N", help=f"{low}-{high} (default: {value})"
        )
    parser.add_argument("--composer", choices=COMPOSERS, default=default.composer, help=f"default: {default.composer}")
    parser.add_argument("--synth", choices=SYNTHS, default=default.synth, help=f"default: {default.synth}")
    parser.add_argument(
        "--borrow", action="store_true", help=f"take the recording's timbre too ({' and '.join(TIMBRE_SYNTHS)} only)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--json", action="store_true", help="print clip.json instead of tables")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Listen, print the style, generate, save and report."""
    from musicgen_ui.audio.decode import UploadLimits, decode_upload
    from musicgen_ui.engine.ears import Ears
    from musicgen_ui.engine.export import check_writable, save
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.errors import RequestError
    from musicgen_ui.timbre import Timbre

    if args.borrow and args.synth not in TIMBRE_SYNTHS:
        raise RequestError("--borrow", f"{args.synth} plays fixed instruments")
    check_writable(args.out)
    limits = UploadLimits(
        file_bytes=MAX_BYTES, seconds=MAX_SECONDS, pcm_bytes=MAX_PCM_BYTES, wall_seconds=60.0, cpu_seconds=40
    )
    samples, sample_rate = decode_upload(args.file, limits, argument=str(args.file))
    matched = Ears.load(args.checkpoints or CHECKPOINTS).match(samples, sample_rate, str(args.file))
    if not args.json:
        print_matched(matched)
    studio = load_studio(args)
    timbre = Timbre(studio.borrow(samples, sample_rate)) if args.borrow else Timbre()
    numbers = {name: getattr(args, name) for name in LIMITS}
    recipe = Recipe(style=matched.style, composer=args.composer, synth=args.synth, timbre=timbre, **numbers)
    with stage_meter() as hook:
        result = studio.generate(recipe, hook)
    save(result, args.out)
    print_result(result, args.out, as_json=args.json)


def print_matched(matched: Matched) -> None:
    """The style as a table; what could not be heard is marked."""
    from musicgen_ui.style import SLIDERS

    style = matched.style
    values = {name: f"{getattr(style, name):.4g}" for name in SLIDERS}
    values |= {"key": style.key, "metre": style.metre, "parts": ", ".join(style.active_parts)}
    values["genre"] = ", ".join(f"{name} {share:.0%}" for name, share in style.genre.items()) or "any"
    rows = [
        (name, value, "not heard: the default" if name in matched.unheard else "") for name, value in values.items()
    ]
    print_table(("", "heard", ""), rows)
    print()
