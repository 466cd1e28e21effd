"""``library``: what is in it, out and in, and made again."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen_ui.cli.arguments import add_engine_options, load_studio, whole
from musicgen_ui.errors import RequestError

if TYPE_CHECKING:
    from musicgen_ui.library.clip import Clip
    from musicgen_ui.library.shelf import Shelf
    from musicgen_ui.library.store import Library

DATABASE = "MUSICGEN_DATABASE"
PERSON_FILE = "person"


def add(commands: argparse._SubParsersAction) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("library", help="list, export, import, forget, rebuild", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="clips, one a line", description="Clips, one a line.")
    listing.add_argument(
        "--text", default="", metavar="WORDS", help="only those whose title, tags, ... hold these words"
    )
    listing.add_argument("--history", action="store_true", help="those that were not kept")
    listing.add_argument("--liked", action="store_true", help="only those that are liked")
    listing.add_argument("--limit", type=whole(1, 100_000), default=100, metavar="N", help="at most; default: 100")
    out = actions.add_parser("export", help="everything into a zip", description="Everything of a person into a zip.")
    out.add_argument("file", type=Path, metavar="FILE.zip")
    out.add_argument("--no-sound", action="store_true", help="without audio, which is made again from the recipes")
    into = actions.add_parser("import", help="take an exported zip in", description="Take an exported library in.")
    into.add_argument("file", type=Path, metavar="FILE.zip")
    forget = actions.add_parser(
        "forget", help="delete everything of a person", description="Delete everything at once."
    )
    forget.add_argument("--sure", action="store_true", help="nothing of it can be had back")
    again = actions.add_parser("rebuild", help="make missing audio again", description="Make missing audio again.")
    again.add_argument("clips", nargs="*", metavar="ID", help="which; default: all kept clips")
    add_engine_options(again)
    for action, do in ((listing, _list), (out, _export), (into, _import), (forget, _forget), (again, _rebuild)):
        action.add_argument("--person", metavar="TOKEN", help="whose; default: this machine's own, made on first use")
        action.set_defaults(run=run, do=do)


def run(args: argparse.Namespace) -> None:
    """Open the library and do what was asked for."""
    from musicgen_ui.library.database import data_folder, private_folder
    from musicgen_ui.library.people import key_of
    from musicgen_ui.library.shelf import Shelf
    from musicgen_ui.library.store import Library

    folder = private_folder(data_folder())
    token = args.person or own_token(folder)
    try:
        person = key_of(token)
    except RequestError as error:
        raise RequestError("--person", error.reason) from None
    library = Library(os.environ.get(DATABASE) or None, folder)
    try:
        args.do(args, library, Shelf(folder / "clips", kept=library.clips.kept_among), person)
    finally:
        library.close()


def own_token(folder: Path) -> str:
    """The token of whoever uses this machine's command line: made once, readable for nobody else."""
    path = folder / PERSON_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        token = secrets.token_hex(16)
        file.write(f"{token}\n")
    return token


def _list(args: argparse.Namespace, library: Library, shelf: Shelf, person: str) -> None:
    for clip in _clips(library, person, args.limit, not args.history, 1 if args.liked else None, args.text):
        mark = {1: "+", 0: " ", -1: "-"}[clip.liked]
        sound = "sound" if shelf.has(clip.id) else "recipe"
        print(f"{clip.id}  {mark}  {clip.tempo:5.1f}  {clip.key or '?':8}  {sound:6}  {clip.title}")


def _export(args: argparse.Namespace, library: Library, shelf: Shelf, person: str) -> None:
    from musicgen_ui.library.export import export_library

    partial = args.file.with_name(f".{args.file.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as file:
            for piece in export_library(library, None if args.no_sound else shelf, person):
                file.write(piece)
        partial.replace(args.file)
    except OSError as error:
        raise RequestError("FILE.zip", f"{args.file} cannot be written ({error.strerror or error})") from None
    finally:
        partial.unlink(missing_ok=True)
    print(f"{args.file}: {args.file.stat().st_size} bytes")


def _import(args: argparse.Namespace, library: Library, shelf: Shelf, person: str) -> None:
    from musicgen_ui.library.intake import import_library

    taken = import_library(library, shelf, person, args.file, "FILE.zip")
    print(f"{taken.clips} clips, {taken.merged} more were there already, {taken.playlists} playlists")


def _forget(args: argparse.Namespace, library: Library, shelf: Shelf, person: str) -> None:
    if not args.sure:
        raise RequestError("--sure", "is needed: nothing of this can be had back")
    gone = library.people.forget(person)
    shelf.remove(gone)
    print(f"forgotten, with {len(gone)} clips")


def _rebuild(args: argparse.Namespace, library: Library, shelf: Shelf, person: str) -> None:
    if args.clips:
        wanted = [library.clips.get(person, clip) for clip in args.clips]
    else:
        wanted = _clips(library, person, sys.maxsize, True)
    gone = [clip for clip in wanted if not shelf.has(clip.id)]
    if not gone:
        print("nothing is missing")
        return
    from musicgen_ui.server.opening import open_services

    services = open_services(load_studio(args))
    for clip in gone:
        try:
            services.files.restore(clip)
        except RequestError as error:
            print(f"{clip.id}  {clip.title}: {error}", file=sys.stderr)
            continue
        differs = library.clips.get(person, clip.id).rebuilt_differs
        print(f"{clip.id}  {clip.title}{'  (sounds different from before)' if differs else ''}", flush=True)


def _clips(
    library: Library, person: str, most: int, kept: bool, liked: int | None = None, text: str = ""
) -> list[Clip]:
    from musicgen_ui.library.listing import MAX_PAGE, Query

    found: list[Clip] = []
    for number in range(1_000_000):
        page = library.clips.list(person, Query(text=text, kept=kept, liked=liked, page=number, size=MAX_PAGE))
        found += page.clips
        if len(page.clips) < MAX_PAGE or len(found) >= most:
            break
    return found[:most]
