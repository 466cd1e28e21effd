"""``render``: a clip from somebody's MIDI file."""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.cli.generate import add_mixing_options, style_of
from musicgen_ui.cli.report import print_result, stage_meter
from musicgen_ui.cli.timbre import add_timbre_options, recording_of, timbre_of
from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import program_number
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import LIMITS, SYNTHS, RenderRecipe
from musicgen_ui.style import AUTO, EFFECTS, Style

MIXER_SLIDERS = ("brightness", "space", *EFFECTS)
"""Sliders that mean something where the notes are given."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("render", help="play a MIDI file", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="MIDI file")
    parser.add_argument("--synth", choices=SYNTHS, default=SYNTHS[0], help=f"default: {SYNTHS[0]}")
    add_timbre_options(parser)
    parser.add_argument("--seed", type=whole(*LIMITS["seed"]), default=0, metavar="N", help="of all noise in the sound")
    add_mixing_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Render, save and report."""
    style = style_of(args, MIXER_SLIDERS)
    from musicgen_ui.engine.export import check_writable, save
    from musicgen_ui.music.midi import read_song

    check_writable(args.out)
    song = read_song(args.file, str(args.file))
    score = arranged(song.score, style, chosen=args.parts is not None)
    recording = recording_of(args)
    studio = load_studio(args)
    digest = hashlib.sha256(args.file.read_bytes()).hexdigest()
    recipe = RenderRecipe(digest, style, args.seed, args.synth, timbre_of(args, recording, studio))
    with stage_meter() as hook:
        result = studio.render(score, recipe, hook)
    save(result, args.out)
    print_result(result, args.out, as_json=args.json)
    if song.left_out:
        missing = f"{len(song.left_out)} of {song.tracks} tracks: {', '.join(song.left_out)}"
        print(f"no part can play {missing:.200}", file=sys.stderr)


def arranged(score: Score, style: Style, *, chosen: bool) -> Score:
    """The score with the parts and instruments that the person chose; the file's own otherwise.

    Args:
        score: the file's score.
        style: whose parts and instruments to take.
        chosen: whether the person named parts; naming one that the file lacks is then an error.

    Raises:
        RequestError: the file has no notes in the chosen parts.
    """
    if chosen:
        missing = [part for part in style.active_parts if not score.notes(part)]
        if missing:
            raise RequestError("--parts", f"the file has no notes for {', '.join(missing)}")
    programs = {
        part: program_number(part, style.parts[part].instrument)
        for part in style.active_parts
        if style.parts[part].instrument != AUTO
    }
    return replace(score.with_parts(style.active_parts), programs={**score.programs, **programs})
