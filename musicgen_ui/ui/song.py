"""A person's MIDI file: read within bounds, told in a few words, and kept for what is made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from musicgen_ui.engine.imported import Imported, read_music
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi_file import MAX_BYTES
from musicgen_ui.music.score import PARTS
from musicgen_ui.ui.meters import pretty_key

LABEL = "MIDI file"
"""What errors call the file: its own name is a stranger's text."""


@dataclass(frozen=True)
class Song:
    """A MIDI file as far as music can be made from it.

    Attributes:
        title: its name without ending, at most 40 characters.
        data: its bytes.
        music: what was read from them.
    """

    title: str
    data: bytes = field(repr=False)
    music: Imported = field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that have notes, in the order of PARTS."""
        return tuple(part for part in PARTS if self.music.score.notes(part))

    @property
    def kept(self) -> tuple[str, ...]:
        """What one would keep to have it accompanied: the melody, else the first part that there is."""
        return self.parts[:1]

    def as_kept(self, parts: Sequence[str]) -> Imported:
        """The music where ``parts`` are to be kept: a file with a single line is taken for the part that is named.

        Raises:
            RequestError: the file has no notes for one of them.
        """
        music = read_music(self.data, LABEL, keep=parts)
        missing = [part for part in parts if part in PARTS and not music.score.notes(part)]
        if missing:
            raise RequestError(LABEL, f"it has no notes for {' and '.join(missing)} that could be kept")
        return music


def open_song(path: str | Path | None) -> Song:
    """The file at ``path``.

    Raises:
        RequestError: there is no file, or it is no MIDI file that music can be made from.
    """
    if not path:
        raise RequestError(LABEL, "there is no file")
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RequestError(LABEL, f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a MIDI file")
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(LABEL, f"cannot be read ({error.strerror})") from None
    return Song(path.stem[:40], data, read_music(data, LABEL))


def song_html(song: Song) -> str:
    """What was found in the file."""
    score = song.music.score
    key = pretty_key(score.key) if score.key else "no clear key"
    notes = ", ".join(f"{part} {len(score.notes(part))} notes" for part in song.parts)
    remarks = "".join(f" {remark[:1].upper()}{remark[1:]}." for remark in song.music.remarks)[:300]
    text = f"{score.bars} bars, {score.metre}, {score.tempo:.0f} BPM, {key}: {notes}.{remarks}"
    return f'<p class="note"><b translate="no">{escape(song.title)}</b> {escape(text)}</p>'
