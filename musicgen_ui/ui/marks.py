"""Marks in the page that its modules read: a clip that was made, a sound in the making, and where files are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from musicgen_ui.library.clip import Clip

DOWNLOADS = {
    "wav16": "WAV", "wav24": "WAV 24 bit", "flac": "FLAC", "mp3": "MP3", "ogg": "OGG", "midi": "MIDI",
    "musicxml": "MusicXML", "stems": "Stems", "json": "Recipe",
}  # fmt: skip
"""Name of a download's route to what a person reads."""


@dataclass(frozen=True)
class Mark:
    """What the page knows a clip by.

    Attributes:
        to: where it goes: stage, takes, morph or radio.
        token: of the request that it answers.
        unlike: for what a link promised: what is not the same here as where it was made; None where nothing was.
    """

    to: str = "stage"
    token: str = ""
    unlike: list[str] | None = None


STAGE = Mark()


def clip_html(clip: Clip, mark: Mark) -> str:
    """A finished clip; ``bus.js`` reads it."""
    told = json.dumps(clip.to_dict(), allow_nan=False)
    unlike = "" if mark.unlike is None else f' data-unlike="{escape(", ".join(mark.unlike))}"'
    return f'<i data-clip="{escape(told)}" data-to="{escape(mark.to)}" data-token="{escape(mark.token)}"{unlike}></i>'


def stream_html(name: str, mark: Mark) -> str:
    """A sound in the making; ``bus.js`` reads it."""
    return f'<i data-stream="{escape(name)}" data-to="{escape(mark.to)}"></i>'


def downloads_html(clip: Clip) -> str:
    """A link for each kind of file."""
    links = "".join(
        f'<a id="download-{kind}" href="studio/clips/{clip.id}/download/{kind}" download>{label}</a>'
        for kind, label in DOWNLOADS.items()
    )
    return f'<nav class="downloads" aria-label="Download">{links}</nav>'
