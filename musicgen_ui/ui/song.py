"""A person's MIDI file: read once within bounds, told in a few words, and kept for what is made from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import read_song
from musicgen_ui.music.midi_file import MAX_BYTES
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.ui.meters import pretty_key

LABEL = "MIDI file"
"""What errors call the file: its own name is a stranger's text."""


@dataclass(frozen=True)
class Song:
    """A MIDI file as far as music can be made from it.

    Attributes:
        title: its name without ending, at most 40 characters.
        sha256: of its bytes.
        score: its notes.
        left_out: names of tracks that no part can play.
    """

    title: str
    sha256: str
    score: Score
    left_out: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that have notes, in the order of PARTS."""
        return tuple(part for part in PARTS if self.score.notes(part))

    @property
    def kept(self) -> tuple[str, ...]:
        """What one would keep to have it accompanied: the melody, else the first part that there is."""
        return self.parts[:1]


def open_song(path: str | Path | None) -> Song:
    """The file at ``path``.

    Raises:
        RequestError: there is no file, or it is no MIDI file that can be used.
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
    song = read_song(data, LABEL)
    return Song(path.stem[:40], hashlib.sha256(data).hexdigest(), song.score, song.left_out)


def song_html(song: Song) -> str:
    """What was found in the file."""
    score = song.score
    key = pretty_key(score.key) if score.key else "no clear key"
    notes = ", ".join(f"{part} {len(score.notes(part))} notes" for part in song.parts)
    left = f" No part can play {', '.join(song.left_out)}."[:200] if song.left_out else ""
    text = f"{score.bars} bars, {score.metre}, {score.tempo:.0f} BPM, {key}: {notes}.{left}"
    return f'<p class="note"><b>{escape(song.title)}</b> {escape(text)}</p>'
