"""Marks in the page that its modules read: a clip that was made, a sound in the making, and where files are."""

from __future__ import annotations

import json
from html import escape

from musicgen_ui.library.clip import Clip

DOWNLOADS = {
    "wav16": "WAV", "wav24": "WAV 24 bit", "flac": "FLAC", "mp3": "MP3", "ogg": "OGG", "midi": "MIDI",
    "musicxml": "MusicXML", "stems": "Stems", "json": "Recipe",
}  # fmt: skip
"""Name of a download's route to what a person reads."""


def clip_html(clip: Clip, to: str, token: str) -> str:
    """A finished clip; ``bus.js`` reads it."""
    told = json.dumps(clip.to_dict(), allow_nan=False)
    return f'<i data-clip="{escape(told)}" data-to="{escape(to)}" data-token="{escape(token)}"></i>'


def stream_html(name: str, to: str) -> str:
    """A sound in the making; ``bus.js`` reads it."""
    return f'<i data-stream="{escape(name)}" data-to="{escape(to)}"></i>'


def downloads_html(clip: Clip) -> str:
    """A link for each kind of file."""
    links = "".join(
        f'<a id="download-{kind}" href="studio/clips/{clip.id}/download/{kind}" download>{label}</a>'
        for kind, label in DOWNLOADS.items()
    )
    return f'<nav class="downloads" aria-label="Download">{links}</nav>'
