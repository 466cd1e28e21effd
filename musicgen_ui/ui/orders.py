"""What the page asks for beside Generate: a request in JSON becomes an Order, and says where its clip is to go."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from musicgen_ui import __version__
from musicgen_ui.engine.derive import morphed, performed, varied
from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Clip
from musicgen_ui.library.shelf import GIVEN
from musicgen_ui.music.score import Score
from musicgen_ui.music.score_json import score_from_dict
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.services import Services
from musicgen_ui.server.taste import propose_taste
from musicgen_ui.source import Source
from musicgen_ui.timbre import Timbre
from musicgen_ui.ui.clip import Order

TARGETS = ("stage", "takes", "morph", "radio")
"""Where a clip may go: it is shown, or put beside others, or only heard."""

SEEDS = 1_000_000
"""Rolled seeds are below this: short enough to read to a friend. Typed ones may be larger."""

MAX_REQUEST = 200_000


@dataclass(frozen=True)
class Request:
    """What the page asks for.

    Attributes:
        order: what to make.
        to: one of TARGETS.
        token: what the page knows its request by.
        clip: the row of a clip that need only be shown; None for one that is to be made.
        promised: the recipe of a link, with the models that made its clip; None where nothing was promised.
    """

    order: Order
    to: str
    token: str
    clip: Clip | None = None
    promised: Recipe | None = None


def differences(promised: Recipe, checkpoints: Mapping[str, str]) -> list[str]:
    """What is not the same here as where a link was made: the release, and models by name."""
    names = sorted(name for name, digest in promised.checkpoints.items() if checkpoints.get(name) != digest)
    release = [] if promised.version == __version__ else [f"release {promised.version}"]
    return release + names


def parse_request(text: Any, services: Services, person: str) -> Request:
    """A request of the page.

    Args:
        text: JSON, as any client sent it.
        services: where clips are found.
        person: who asks.

    Raises:
        RequestError: it is none, or asks for something that is not there.
    """
    try:
        values = json.loads(text) if isinstance(text, str) and len(text) <= MAX_REQUEST else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RequestError("request", "must be an object in JSON")
    to, token = values.get("to", "stage"), str(values.get("token", ""))[:40]
    if to not in TARGETS:
        raise RequestError("to", f"must be one of {', '.join(TARGETS)}")
    action = ACTIONS.get(values.get("action"))
    if action is None:
        raise RequestError("action", f"must be one of {', '.join(ACTIONS)}")
    order = action(values, services, person)
    if action is not _open:
        return Request(order, to, token)
    if values.get("clip") is not None:
        return Request(order, to, token, clip=services.library.clips.get(person, values["clip"]))
    return Request(order, to, token, promised=Recipe.from_code(values["code"]))


def _vary(values: Mapping[str, Any], services: Services, person: str) -> Order:
    known = _known(values.get("clip"), services, person)
    recipe = varied(known.recipe, values.get("amount", 0.25), _seed(values))
    return Order(recipe, known.clip.title, known.given, known.score, "vary")


def _morph(values: Mapping[str, Any], services: Services, person: str) -> Order:
    one, other = (_known(values.get(name), services, person) for name in ("a", "b"))
    if one.given is not None or other.given is not None:
        raise RequestError("morph", "a clip made from a MIDI file cannot be one of the two")
    recipe = morphed(one.recipe, other.recipe, values.get("mix", 0.5), values.get("bars"))
    title = one.clip.title if one.clip.title == other.clip.title else f"{one.clip.title} + {other.clip.title}"
    known = (one.score, other.score)
    return Order(recipe, title[:80], None, None if None in known else known, "morph")


def _perform(values: Mapping[str, Any], services: Services, person: str) -> Order:
    known = _known(values.get("clip"), services, person)
    changes = values.get("style", {})
    if not isinstance(changes, dict):
        raise RequestError("style", "must be an object of slider values")
    changes = {str(name): value for name, value in changes.items() if name not in ("synth", "timbre")}
    timbre = None if values.get("timbre") is None else Timbre.from_dict(values["timbre"])
    recipe = performed(known.recipe, synth=values.get("synth"), timbre=timbre, **changes)
    return Order(recipe, known.clip.title, known.given, known.score, "vary")


def _regenerate(values: Mapping[str, Any], services: Services, person: str) -> Order:
    known = _known(values.get("clip"), services, person)
    source = Source("regenerate", known.recipe, None, tuple(values.get("parts") or ()), values.get("bars"))
    recipe = replace(known.recipe, source=source, seed=_seed(values), form="free", intro=False, checkpoints={})
    return Order(recipe, known.clip.title, known.given, known.score, "vary")


def _again(values: Mapping[str, Any], services: Services, person: str) -> Order:
    recipe = replace(Recipe.from_dict(values.get("recipe")), checkpoints={})
    _needs_no_file(recipe)
    return Order(recipe, _title(values), origin="take" if values.get("to") == "takes" else "made")


def _radio(values: Mapping[str, Any], services: Services, person: str) -> Order:
    proposal = propose_taste(services, person, values.get("recipe"))
    return Order(Recipe.from_dict(proposal["recipe"]), proposal["title"], origin="radio")


def _open(values: Mapping[str, Any], services: Services, person: str) -> Order:
    if values.get("clip") is not None:
        known = _known(values["clip"], services, person)
        return Order(known.recipe, known.clip.title, known.given, None, "opened")
    recipe = replace(Recipe.from_code(values.get("code")), checkpoints={})
    _needs_no_file(recipe)
    return Order(recipe, _title(values), origin="opened")


ACTIONS: Mapping[Any, Callable[[Mapping[str, Any], Services, str], Order]] = {
    "vary": _vary,
    "morph": _morph,
    "perform": _perform,
    "regenerate": _regenerate,
    "again": _again,
    "radio": _radio,
    "open": _open,
}


@dataclass(frozen=True)
class _Known:
    """A clip of the person's library, as far as another one can be made from it."""

    clip: Clip
    recipe: Recipe
    score: Score | None
    given: Score | None


def _known(name: Any, services: Services, person: str) -> _Known:
    clip = services.library.clips.get(person, name)
    recipe = replace(Recipe.from_dict(clip.recipe), checkpoints={})
    given = _score(services, clip.id, GIVEN[0])
    if given is None:
        _needs_no_file(recipe)
    return _Known(clip, recipe, _score(services, clip.id, "score.json"), given)


def _score(services: Services, name: str, file: str) -> Score | None:
    path = services.shelf.folder(name) / file
    return score_from_dict(json.loads(path.read_text("utf-8"))) if path.exists() else None


def _needs_no_file(recipe: Recipe) -> None:
    if recipe.source is not None and recipe.source.first.midi_sha256 is not None:
        raise RequestError("clip", "was made from a MIDI file; open that file again to make it")


def _seed(values: Mapping[str, Any]) -> Any:
    return secrets.randbelow(SEEDS) if values.get("seed") is None else values["seed"]


def _title(values: Mapping[str, Any]) -> str:
    title = values.get("title", "")
    return title[:80] if isinstance(title, str) else ""
