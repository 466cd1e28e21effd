"""``perform``: the same notes with other instruments, levels, timbre, room and effects."""

from __future__ import annotations

import argparse
from pathlib import Path

from musicgen_ui.cli.arguments import add_engine_options, load_studio
from musicgen_ui.cli.generate import add_mixing_options
from musicgen_ui.cli.source import add_midi_option, check_models, deliver, read_clip, restyled
from musicgen_ui.cli.timbre import add_timbre_options, recording_of, timbre_of
from musicgen_ui.recipe import SYNTHS
from musicgen_ui.style import Style


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("perform", help="the same notes with another sound", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the clip.json of a clip")
    add_midi_option(parser)
    parser.add_argument("--synth", choices=SYNTHS, help="default: the clip's own")
    parser.add_argument("--genre", metavar="NAME=W,…", help="whose band plays; default: the clip's own")
    add_timbre_options(parser)
    add_mixing_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Perform, save and report."""
    from musicgen_ui.engine.derive import performed
    from musicgen_ui.engine.export import check_writable

    origin = read_clip(args.file, args.midi)
    base = origin.recipe
    style = restyled(base.style, args)
    changes = {
        name: getattr(style, name)
        for name in Style.__dataclass_fields__
        if getattr(style, name) != getattr(base.style, name)
    }
    args.synth = args.synth or base.synth
    performed(base, synth=args.synth, **changes)  # complains before the models are loaded
    check_writable(args.out)
    recording = recording_of(args)
    studio = load_studio(args)
    check_models(args.file, base, studio)
    timbre = timbre_of(args, recording, studio)
    recipe = performed(base, synth=args.synth, timbre=None if timbre.is_own else timbre, **changes)
    deliver(args, studio, recipe, origin)
