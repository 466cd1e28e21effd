"""``prepare-audio``: prepared pieces and a SoundFont, or own recordings, into what the synthesizer learns from."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from musicgen_ui.cli.arguments import number, whole
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS

_SECONDS = (2.0, 30.0)


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("prepare-audio", help="render training audio", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder that prepare wrote: render its pieces")
    parser.add_argument(
        "--audio", type=Path, metavar="DIR", help="own recordings: x.wav or x.flac beside the x.mid that is played"
    )
    parser.add_argument("--part", choices=PARTS, help="part to read where a recording's MIDI has several instruments")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the training audio")
    parser.add_argument(
        "--soundfont", type=Path, metavar="FILE", help="SoundFont to learn from (default: the installed MuseScore one)"
    )
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--variants", type=whole(0, 100), default=5, metavar="N", help="varied timbres of each preset (default: 5)"
    )
    parser.add_argument(
        "--passages", type=whole(0, 100), default=2, metavar="N", help="passages of each timbre (default: 2)"
    )
    parser.add_argument("--passage-seconds", default="8", metavar="S", help="length of a passage (default: 8)")
    parser.add_argument("--presets", type=whole(1, 200), metavar="N", help="only so many presets, for a trial")
    parser.add_argument(
        "--workers", type=whole(1, 256), default=os.cpu_count() or 1, metavar="N", help="processes (default: cores)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Render what the folder lacks and cut up the recordings, with a line for each."""
    from musicgen_ui.data.render import AudioConfig
    from musicgen_ui.data.render_folder import prepare_audio, prepare_recordings

    seconds = number("--passage-seconds", args.passage_seconds)
    if not _SECONDS[0] <= seconds <= _SECONDS[1]:
        raise RequestError("--passage-seconds", f"must be from {_SECONDS[0]:g} to {_SECONDS[1]:g}, not {seconds:g}")
    config = AudioConfig(args.seed, args.variants, args.passages, seconds, args.presets)
    if args.data is None and args.audio is None:
        raise RequestError("--data", "name a folder of prepared pieces, or your recordings with --audio")
    if args.part is not None and args.audio is None:
        raise RequestError("--part", "goes with --audio")

    def log(line: str) -> None:
        print(line, flush=True)

    if args.data is not None:
        made = prepare_audio(args.data, args.out, config, soundfont=args.soundfont, workers=args.workers, log=log)
        print(f"{len(made)} timbres in {args.out}")
    if args.audio is not None:
        for name, reason in prepare_recordings(args.audio, args.out, config, part=args.part, log=log):
            print(f"left out {name}: {reason}")
