"""Routes of taste: what is known of a person's, whether they want it, and what to make next."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from musicgen_ui.errors import RequestError
from musicgen_ui.library.store import Library
from musicgen_ui.library.taste import Taste
from musicgen_ui.library.taste_sound import ClipSounds
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.answers import StudioRoute
from musicgen_ui.server.person import Person
from musicgen_ui.server.services import Services

Values = Annotated[dict[str, Any], Body()]

BASE = ("bars", "composer", "synth", "takes", "rounds", "form", "intro", "ending")
"""What a person may set of a proposal; the rest is what taste decides."""


def taste_router(services: Services) -> APIRouter:
    """``/taste``: every route wants the header ``X-Person``."""
    router = APIRouter(prefix="/taste", route_class=StudioRoute, tags=["taste"])

    @router.get("")
    def get_taste(person: Person) -> dict[str, Any]:
        """What is known of the person's taste; see :func:`explain_taste`."""
        return explain_taste(services, person)

    @router.put("")
    def put_taste(person: Person, values: Values) -> dict[str, Any]:
        """Switch it on or off: ``{"on": true}``. Off, nothing is learned and the radio only shows what there is."""
        return switch_taste(services, person, values.get("on"))

    @router.post("/reset")
    def post_reset(person: Person) -> dict[str, Any]:
        """Forget what was learned; likes stay with their clips."""
        return reset_taste(services, person)

    @router.post("/propose")
    def post_propose(person: Person, values: Annotated[dict[str, Any] | None, Body()] = None) -> dict[str, Any]:
        """What to make next: ``{"recipe": {...}}`` of which only length and engines count; may be left out."""
        return propose_taste(services, person, (values or {}).get("recipe"))

    return router


def library_taste(library: Library, shelf: Any) -> Taste:
    """Everybody's taste over a library and the shelf with its clips' files."""
    sounds = ClipSounds(library.fingerprints, shelf)
    return Taste(library.events, library.people, library.database.now, sounds)


def taste_of(services: Services) -> Taste:
    """The services' taste; those without one get it over their library."""
    if services.taste is None:
        services.taste = library_taste(services.library, services.shelf)
    return services.taste


def explain_taste(services: Services, person: str) -> dict[str, Any]:
    """What is known of a person's taste.

    Returns:
        ``{"on", "counts": {"liked", "disliked", "played"}, "text", "phrases": [{"lead", "words", "clips", "terms"}],
        "weights": [{"name", "weight", "deviation", "sure"}], "proposed": [{"seed", "title", "reason", "chance",
        "why": {"lead", "words", "clips"}}]}``; the clips are ids of those that speak for a phrase.
    """
    return taste_of(services).explain(person)


def switch_taste(services: Services, person: str, on: Any) -> dict[str, Any]:
    """Learn from a person or do not; answers with :func:`explain_taste`.

    Raises:
        RequestError: ``on`` is not true or false.
    """
    if not isinstance(on, bool):
        raise RequestError("on", "must be true or false")
    taste_of(services).switch(person, on)
    return explain_taste(services, person)


def reset_taste(services: Services, person: str) -> dict[str, Any]:
    """Forget what was learned of a person; answers with :func:`explain_taste`."""
    taste_of(services).reset(person)
    return explain_taste(services, person)


def propose_taste(services: Services, person: str, base: Any = None) -> dict[str, Any]:
    """What to make next for a person.

    Args:
        services: with the library.
        person: whose radio plays.
        base: recipe as JSON value, of which the fields BASE count; None for the defaults.

    Returns:
        ``{"recipe", "title", "reason": "tour"|"taste"|"new", "chance", "spread", "why": {"lead", "words", "clips"}}``.

    Raises:
        RequestError: the base is no recipe.
    """
    if base is not None and not isinstance(base, dict):
        raise RequestError("recipe", "must be an object")
    kept = {name: base[name] for name in BASE if name in base} if base else {}
    proposal = taste_of(services).propose(person, base=Recipe.from_dict(kept))
    return {
        "recipe": proposal.recipe.to_dict(),
        "title": proposal.title,
        "reason": proposal.reason,
        "chance": round(proposal.chance, 3),
        "spread": round(proposal.spread, 3),
        "why": proposal.why.to_dict(),
    }
