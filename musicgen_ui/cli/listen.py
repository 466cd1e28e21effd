"""``listen``: the heard values of an audio file, as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

MAX_SECONDS = 600.0
MAX_BYTES = 120_000_000
MAX_PCM_BYTES = 256 * 2**20


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("listen", help="measure an audio file", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="WAV, FLAC, MP3, OGG or AIFF, up to ten minutes")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="folder of measures.json (default: the shipped one)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print the values; null where they cannot be told."""
    from musicgen_ui.audio.decode import UploadLimits, decode_upload

    limits = UploadLimits(
        file_bytes=MAX_BYTES,
        seconds=MAX_SECONDS,
        pcm_bytes=MAX_PCM_BYTES,
        # What is short or silent has values too: null.
        min_seconds=0.0,
        min_peak=0.0,
        wall_seconds=60.0,
        cpu_seconds=40,
    )
    samples, sample_rate = decode_upload(args.file, limits, argument=str(args.file))
    from musicgen_ui.engine.listen import listen
    from musicgen_ui.engine.loading import CHECKPOINTS
    from musicgen_ui.scale import load_scales

    scales = load_scales((args.checkpoints or CHECKPOINTS) / "measures.json")
    heard = listen(samples, sample_rate, scales)
    print(json.dumps(dict(heard.values), indent=2, ensure_ascii=False))
