"""Who asks: the browser's secret token, of which only a hash is ever kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from musicgen_ui.errors import RequestError
from musicgen_ui.library.people import key_of
from musicgen_ui.server.answers import Unknown


def asking(
    x_person: Annotated[str | None, Header(description="secret token of the person, 32 hex digits")] = None,
) -> str:
    """The key of the person who asks.

    Raises:
        Unknown: the header is missing or no token.
    """
    try:
        return key_of(x_person)
    except RequestError as error:
        raise Unknown("X-Person", error.reason) from None


Person = Annotated[str, Depends(asking)]
"""Type of a route's argument that is the key of the person who asks."""
