"""The library for programs: what the page does with kept clips, playlists and taste, as named endpoints.

``person`` is the secret token of whoever asks, 32 hex digits of their own making; the page's own is in its About room.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from musicgen_ui.errors import RequestError
from musicgen_ui.library.listing import Query
from musicgen_ui.library.people import key_of
from musicgen_ui.server.matching import novelty_of_clip, similar_to_clip
from musicgen_ui.server.services import Services
from musicgen_ui.server.taste import explain_taste, propose_taste, reset_taste, switch_taste
from musicgen_ui.ui.api_playlists import Endpoints, playlist_endpoints

LOG = logging.getLogger(__name__)

FAILED = "Something went wrong here."


def library_endpoints(services: Services) -> dict[str, Callable[..., Any]]:
    """Name of an endpoint to its function, for ``gr.api``."""
    made = (*_clips(services), *playlist_endpoints(services), *_taste(services), *_matching(services))
    return {function.__name__: _told(function) for function in made}


def _clips(services: Services) -> Endpoints:
    clips = services.library.clips

    def library_clips(person: str, text: str = "", sort: str = "newest", page: int = 0, size: int = 24) -> dict:
        """List a person's clips.

        Args:
            person: secret token.
            text: words that title, tags, genre, key or instruments hold; empty for all.
            sort: newest, oldest, title, tempo, most played, best obeyed or liked.
            page: from 0.
            size: clips a page, 1 to 100.

        Returns:
            {"clips": [...], "total": n}; every clip has id, title, recipe, code, hash, asked, heard and more.
        """
        return clips.list(key_of(person), Query(text=text, sort=sort, page=page, size=size)).to_dict()

    def library_keep(person: str, clip: str, kept: bool = True) -> dict:
        """Keep a clip in the library, or let it go back into the history.

        Args:
            person: secret token.
            clip: id.
            kept: which of the two.

        Returns:
            The clip.
        """
        return clips.keep(key_of(person), clip, kept).to_dict()

    def library_like(person: str, clip: str, liked: int = 1) -> dict:
        """Like a clip (1), dislike it (-1), or take that back (0). An answer means that nothing loses it.

        Args:
            person: secret token.
            clip: id.
            liked: 1, 0 or -1.

        Returns:
            The clip.
        """
        return clips.like(key_of(person), clip, liked).to_dict()

    def library_rename(person: str, clip: str, title: str) -> dict:
        """Give a clip another title.

        Args:
            person: secret token.
            clip: id.
            title: 1 to 120 characters.

        Returns:
            The clip.
        """
        return clips.rename(key_of(person), clip, title).to_dict()

    def library_tag(person: str, clip: str, tags: list[str]) -> dict:
        """Give a clip these tags and no others.

        Args:
            person: secret token.
            clip: id.
            tags: at most 20.

        Returns:
            The clip.
        """
        return clips.tag(key_of(person), clip, tags).to_dict()

    def library_delete(person: str, clip: str) -> dict:
        """Delete a clip; for 30 days library_restore brings it back.

        Args:
            person: secret token.
            clip: id.

        Returns:
            {"deleted": how many}.
        """
        return {"deleted": clips.delete(key_of(person), [clip])}

    def library_restore(person: str, clip: str) -> dict:
        """Bring a deleted clip back.

        Args:
            person: secret token.
            clip: id.

        Returns:
            {"restored": how many}.
        """
        return {"restored": clips.restore(key_of(person), [clip])}

    return library_clips, library_keep, library_like, library_rename, library_tag, library_delete, library_restore


def _matching(services: Services) -> Endpoints:
    def similar(person: str, clip: str, begin: float = 0.0, end: float = 0.0) -> dict:
        """Find a person's other clips that are most like a clip or a stretch of it, in any key and tempo.

        Args:
            person: secret token.
            clip: id.
            begin: seconds at which the stretch begins.
            end: seconds at which it ends; 0 for the clip's end.

        Returns:
            {"matches": [{"clip", "begin", "end", "score", "why", ...}], "unheard": how many could not be compared}.
        """
        return similar_to_clip(services, key_of(person), clip, begin, end or None)

    def novelty(person: str, clip: str) -> dict:
        """Find the pieces that the composer learned from which come nearest to a clip.

        Args:
            person: secret token.
            clip: id.

        Returns:
            {"verdict": a sentence, "nearest": [{"name", "corpus", "licence", "score", "exact_beats", ...}]}.
        """
        return novelty_of_clip(services, key_of(person), clip)

    return similar, novelty


def _taste(services: Services) -> Endpoints:
    def taste(person: str) -> dict:
        """What the studio believes that a person likes, in words and in numbers with their uncertainty.

        Args:
            person: secret token.

        Returns:
            {"on", "counts", "text", "phrases", "weights", "proposed"}.
        """
        return explain_taste(services, key_of(person))

    def taste_switch(person: str, on: bool) -> dict:
        """Learn from a person, or do not.

        Args:
            person: secret token.
            on: which of the two.

        Returns:
            As taste.
        """
        return switch_taste(services, key_of(person), on)

    def taste_reset(person: str) -> dict:
        """Forget what was learned of a person; likes stay with their clips.

        Args:
            person: secret token.

        Returns:
            As taste.
        """
        return reset_taste(services, key_of(person))

    def taste_propose(person: str) -> dict:
        """What to make next for a person: a recipe and the reason for it.

        Args:
            person: secret token.

        Returns:
            {"recipe", "title", "reason", "chance", "spread", "why"}; /make_recipe makes its clip.
        """
        return propose_taste(services, key_of(person))

    return taste, taste_switch, taste_reset, taste_propose


def _told(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose refusals reach the caller as one sentence."""

    @functools.wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        try:
            return function(*values, **named)
        except RequestError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            LOG.exception("%s failed", function.__name__)
            raise gr.Error(FAILED, print_exception=False) from error

    return call
