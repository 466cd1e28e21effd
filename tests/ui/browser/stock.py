"""A person with a library: clips that are written down, exported, and brought in by the route that a browser uses."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.export import export_library
from musicgen_ui.library.people import key_of
from musicgen_ui.library.store import Library
from musicgen_ui.music.theory import KEYS
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, Style

WORDS = ("Smoky", "Sunny", "Midnight", "Golden", "Paper", "Velvet", "Copper", "Winter")
THINGS = ("club", "morning", "garden", "street", "train", "letters", "shore", "window")
HEARD = ("mood", "energy", "density", "syncopation", "complexity", "brightness", "space")
PHONE = {"width": 390, "height": 844}

TALL_ENOUGH = """(room) => [...document.querySelectorAll(`${room} :is(button, a, select), ${room} input:not(.sr)`)]
    .filter(e => e.checkVisibility()).map(e => [e, e.getBoundingClientRect()])
    .filter(([e, r]) => r.width && (r.height < 39.5 || r.width < 39.5))
    .map(([e, r]) => `${e.outerHTML.slice(0, 90)} ${r.width}x${r.height}`)"""
"""What a finger would miss."""


def new_token() -> str:
    """A person whom the server has never seen."""
    return hashlib.sha256(new_id().encode()).hexdigest()[:32]


def clips(count: int) -> list[Clip]:
    """Clips of all kinds; the first one is the newest, every fifth is history, every third has a tag."""
    rng = np.random.default_rng(11)
    made = []
    for i in range(count):
        tempo = 60.0 + float(rng.integers(0, 120))
        recipe = Recipe(style=Style(tempo=tempo), seed=i)
        made.append(
            Clip(
                id=new_id(), title=f"{WORDS[i % 8]} {THINGS[i // 8 % 8]} {i}", made=1_760_000_000_000 - 3_600_000 * i,
                hash=hashlib.sha256(f"{i}".encode()).hexdigest(), seconds=960.0 / tempo, tempo=tempo,
                recipe=recipe.to_dict(), code=recipe.to_code(), key=KEYS[i % 24], bars=4, genre=GENRES[i % len(GENRES)],
                heard={name: float(rng.random()) for name in HEARD}, tags=("rainy",) if i % 3 == 0 else (),
                kept=i % 5 != 4, liked=1 if i % 7 == 0 else 0, plays=i % 4,
            )
        )  # fmt: skip
    return made


def stock(address: str, folder: Path, stored: list[Clip], token: str | None = None) -> str:
    """Gives somebody these clips, without sound; answers the token."""
    token = token or new_token()
    library = Library(folder=folder)
    for clip in stored:
        library.clips.add(key_of(token), clip)
    data = b"".join(export_library(library, None, key_of(token)))
    library.close()
    ask(address, "studio/library/import", token, data)
    return token


def ask(address: str, path: str, token: str, body: Any = None) -> Any:
    """What a route answers."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    headers = {"X-Person": token, "Content-Type": kind}
    with urllib.request.urlopen(urllib.request.Request(f"{address}{path}", data, headers)) as answer:
        return json.loads(answer.read())


def remembered(address: str, token: str, **values: str) -> dict[str, Any]:
    """Options of a visit by somebody whose browser knows the token, and more."""
    kept = [{"name": f"musicgen-{name}", "value": value} for name, value in {"person": token, **values}.items()]
    return {"storage_state": {"cookies": [], "origins": [{"origin": address.rstrip("/"), "localStorage": kept}]}}


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody out."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
