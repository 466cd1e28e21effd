"""Playlists for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from musicgen_ui.library.people import key_of
from musicgen_ui.server.services import Services

Endpoints = tuple[Callable[..., Any], ...]


def playlist_endpoints(services: Services) -> Endpoints:
    """The functions behind the endpoints."""
    playlists = services.library.playlists

    def playlist_list(person: str) -> dict:
        """A person's playlists.

        Args:
            person: secret token.

        Returns:
            {"playlists": [...]}.
        """
        return {"playlists": [playlist.to_dict() for playlist in playlists.list(key_of(person))]}

    def playlist_create(person: str, name: str, clips: list[str]) -> dict:
        """Make a playlist.

        Args:
            person: secret token.
            name: what it is called.
            clips: ids, in order.

        Returns:
            The playlist.
        """
        return playlists.create(key_of(person), name, clips).to_dict()

    def playlist_reorder(person: str, playlist: str, clips: list[str]) -> dict:
        """Put the clips of a playlist into another order.

        Args:
            person: secret token.
            playlist: id.
            clips: the ids of all its clips, in their new order.

        Returns:
            The playlist.
        """
        return playlists.reorder(key_of(person), playlist, clips).to_dict()

    def playlist_add(person: str, playlist: str, clips: list[str]) -> dict:
        """Add clips at the end of a playlist.

        Args:
            person: secret token.
            playlist: id.
            clips: ids.

        Returns:
            The playlist.
        """
        return playlists.add(key_of(person), playlist, clips).to_dict()

    def playlist_remove(person: str, playlist: str, position: int, clip: str) -> dict:
        """Take a clip out of a playlist.

        Args:
            person: secret token.
            playlist: id.
            position: where it stands, from 0.
            clip: its id, so that the wrong one is never taken.

        Returns:
            The playlist.
        """
        return playlists.remove(key_of(person), playlist, position, clip).to_dict()

    def playlist_rename(person: str, playlist: str, name: str) -> dict:
        """Give a playlist another name.

        Args:
            person: secret token.
            playlist: id.
            name: the new one.

        Returns:
            The playlist.
        """
        return playlists.rename(key_of(person), playlist, name).to_dict()

    def playlist_delete(person: str, playlist: str) -> dict:
        """Delete a playlist, but none of its clips; playlist_restore brings it back.

        Args:
            person: secret token.
            playlist: id.

        Returns:
            {"deleted": its id}.
        """
        playlists.delete(key_of(person), playlist)
        return {"deleted": playlist}

    def playlist_restore(person: str, playlist: str) -> dict:
        """Bring a deleted playlist back.

        Args:
            person: secret token.
            playlist: id.

        Returns:
            The playlist.
        """
        return playlists.restore(key_of(person), playlist).to_dict()

    return (
        *(playlist_list, playlist_create, playlist_add, playlist_remove, playlist_reorder),
        *(playlist_rename, playlist_delete, playlist_restore),
    )
