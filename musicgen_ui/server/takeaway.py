"""What a person takes away of a clip: sound in any format, notes, stems, facts."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from musicgen_ui import __version__
from musicgen_ui.audio.encode import SOUND_FORMATS, encode
from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.engine.names import clip_name
from musicgen_ui.engine.shelve import load_shelved
from musicgen_ui.engine.stems_zip import write_stems_zip
from musicgen_ui.library.clip import Clip, Missing, iso
from musicgen_ui.library.text import canonical
from musicgen_ui.music.musicxml import to_musicxml
from musicgen_ui.music.score_json import score_from_dict
from musicgen_ui.server.gate import Gate

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

KINDS = (*SOUND_FORMATS, "midi", "musicxml", "stems", "json")

MIXED = "mixed"
"""Folder of the stems as they are in the mix."""

MUSICXML_TYPE = "application/vnd.recordare.musicxml+xml"

_STEM_BITS = 24  # four of them add up to a clip of 16 bits
_BLOCK = 1 << 18


@dataclass(frozen=True)
class TakenAway:
    """A file.

    Attributes:
        name: what says what is in it, with its ending.
        media_type: for HTTP.
        content: its bytes, in pieces where they are many, or where they are.
    """

    name: str
    media_type: str
    content: bytes | Path | Iterator[bytes]


class Takeaway:
    """Prepares files. What takes the processor is done one at a time.

    Args:
        services: shelf, library and models.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._gate = Gate()

    def file(self, clip: str, kind: str) -> TakenAway:
        """A clip in one of KINDS.

        Raises:
            Missing: there is no such clip.
            Busy: too much is being prepared.
            RequestError: it cannot be made again.
        """
        files = self._services.files
        facts = json.loads(files.file(clip, "clip.json").read_text("utf-8"))
        row = self._row(clip)
        title = row.title if row else str(facts.get("title") or "")
        name = _name(title, facts)
        if kind == "json":
            return TakenAway(f"{name}.json", "application/json", files.file(clip, "clip.json"))
        if kind == "midi":
            return TakenAway(f"{name}.mid", "audio/midi", files.file(clip, "clip.mid"))
        if kind == "wav16":
            return TakenAway(f"{name}.wav", "audio/wav", files.file(clip, "clip.wav"))
        if kind == "musicxml":
            return TakenAway(f"{name}.musicxml", MUSICXML_TYPE, self._sheet(clip, title, facts))
        files.file(clip, "master.wav")
        with self._gate.through():
            if kind == "stems":
                return TakenAway(f"{name}_stems.zip", "application/zip", self._stems(clip))
            sound = SOUND_FORMATS[kind]
            result = load_shelved(self._services.shelf.folder(clip))
            data = encode(result.clip.samples, result.clip.sample_rate, kind, _tags(title, facts, row))
            return TakenAway(f"{name}{sound.ending}", sound.media_type, data)

    def mixed(self, clip: str, part: str) -> Path:
        """The stem of a part as it is in the mix.

        Raises:
            Missing: there is no such clip, or the part is silent in it.
            Busy, RequestError: as :meth:`file`.
        """
        shelf, files = self._services.shelf, self._services.files
        name = f"{MIXED}/{part}.wav"
        if found := shelf.file(clip, name):
            return found
        files.file(clip, "master.wav")
        with self._gate.through():
            if not (shelf.folder(clip) / MIXED).is_dir():
                self._mix(clip)
        if (found := shelf.file(clip, name)) is None:
            raise Missing("part", "does not play in this clip")
        return found

    def _row(self, clip: str) -> Clip | None:
        try:
            return self._services.library.clips.find(clip)
        except Missing:
            return None

    def _sheet(self, clip: str, title: str, facts: Mapping[str, Any]) -> bytes:
        score = score_from_dict(json.loads(self._services.files.file(clip, "score.json").read_text("utf-8")))
        try:
            return to_musicxml(score, title, recipe=canonical(facts["recipe"])).encode()
        except ValueError as error:
            raise Missing("musicxml", f"cannot be written ({error})") from None

    def _stems(self, clip: str) -> Iterator[bytes]:
        """The zip in pieces: dry stems, and those of the mix."""
        folder = self._services.shelf.folder(clip)
        if not (folder / MIXED).is_dir():
            self._mix(clip)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when the last piece is sent
        try:
            write_stems_zip(folder, file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return _pieces(file)

    def _mix(self, clip: str) -> None:
        folder = self._services.shelf.folder(clip)
        result = load_shelved(folder)
        mixed = self._services.studio.mixed_stems(result.stems, result.told, result.score, result.recipe)
        fresh = folder / f".{MIXED}-{secrets.token_hex(8)}"
        fresh.mkdir()
        try:
            for part, samples in mixed.items():
                write_wav(fresh / f"{part}.wav", samples, result.clip.sample_rate, _STEM_BITS)
            fresh.rename(folder / MIXED)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block


def _name(title: str, facts: Mapping[str, Any]) -> str:
    score = facts["score"]
    return clip_name(title, score["tempo"], score["key"], facts["recipe"]["seed"])


def _tags(title: str, facts: Mapping[str, Any], row: Clip | None) -> dict[str, str]:
    score = facts["score"]
    tags = {
        "title": title,
        "recipe": canonical(facts["recipe"]),
        "date": iso(row.made) if row else "",
        "software": f"MusicGen UI {__version__}",
        "tempo": f"{score['tempo']:.0f}",
        "key": _key(score["key"]),
    }
    return {name: text for name, text in tags.items() if text}


def _key(key: str | None) -> str:
    """``F# minor`` as ``F#m``."""
    tonic, _, mode = (key or "").partition(" ")
    return f"{tonic}m" if mode == "minor" else tonic
