"""What happens when something on the page is pressed. No function here keeps anything between two calls."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from musicgen_ui.engine.preview import Piece
from musicgen_ui.engine.shelve import load_shelved
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.library.clip import Clip
from musicgen_ui.library.people import key_of
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.services import Services
from musicgen_ui.ui import status
from musicgen_ui.ui.clip import Order, Shown, make, shown
from musicgen_ui.ui.marks import STAGE, Mark, clip_html, downloads_html, stream_html
from musicgen_ui.ui.orders import SEEDS, differences, parse_request
from musicgen_ui.ui.presets import PRESETS
from musicgen_ui.ui.settings import PAGE_CONTROLS, from_recipe, page_recipe
from musicgen_ui.ui.sources import bars_of, from_clip, from_page_song, parts_of
from musicgen_ui.ui.work import Progress, Work

LOG = logging.getLogger(__name__)

TAKES = 4
"""How many are made to be compared."""

Updates = Iterator[dict[Any, Any]]


class Page:
    """The handlers over one Studio. The last value that each of them gets is the person's token.

    Each of them shows progress while it works, then the clip. Errors are shown in the status line and raise nothing,
    so that Gradio does not cover the last clip.

    Args:
        services: models, shelf and library.
        outputs: name to component of everything that a finished clip fills.
    """

    def __init__(self, services: Services, outputs: Mapping[str, Any]) -> None:
        self._services = services
        self._out = outputs

    def press(self, *raw: Any) -> Updates:
        """The Generate button.

        Args:
            raw: values of PAGE_CONTROLS, then the seed's lock, then the preset's slug, then the person's token.
        """
        *values, locked, slug, person = raw
        settings = _settings(values, roll=locked is not True)

        def order() -> Order:
            return Order(page_recipe(settings), PRESETS[slug].name if slug in PRESETS else "")

        yield from self._follow(order, person, show_seed=True)

    def go_on(self, *raw: Any) -> Updates:
        """Continue the clip that is shown.

        Args:
            raw: values of PAGE_CONTROLS, then the clip (Made or None), then how many bars, then the token.
        """
        *values, made, bars, person = raw
        yield from self._follow(lambda: from_clip(made, _settings(values), "continue", bars=bars), person)

    def renew(self, *raw: Any) -> Updates:
        """Write some bars, or parts, of the clip that is shown anew.

        Args:
            raw: values of PAGE_CONTROLS, then the clip (Made or None), the first and the last bar counted from 1,
                the parts, and the token.
        """
        *values, made, first, last, parts, person = raw

        def order() -> Order:
            bars = bars_of(made, first, last)
            return from_clip(made, _settings(values), "regenerate", parts=parts_of(parts), span=bars)

        yield from self._follow(order, person)

    def accompany(self, *raw: Any) -> Updates:
        """Write the other parts to some parts of a person's MIDI file.

        Args:
            raw: values of PAGE_CONTROLS, then the file (Song or None), then the parts to keep, then the token.
        """
        *values, song, parts, person = raw
        yield from self._follow(
            lambda: from_page_song(song, _settings(values), "accompany", parts=parts_of(parts)), person
        )

    def go_on_from_file(self, *raw: Any) -> Updates:
        """Continue a person's MIDI file.

        Args:
            raw: values of PAGE_CONTROLS, then the file (Song or None), then how many bars, then the token.
        """
        *values, song, bars, person = raw
        yield from self._follow(lambda: from_page_song(song, _settings(values), "continue", bars=bars), person)

    def make(self, request: Any, person: Any) -> Updates:
        """Whatever the page's modules ask for; see :mod:`musicgen_ui.ui.orders`.

        Args:
            request: JSON.
            person: the token.
        """
        try:
            wanted = parse_request(request, self._services, key_of(person))
        except RequestError as error:
            yield {self._out["status"]: status.refused(error)}
            return
        if wanted.clip is not None and (there := self._there(wanted.clip, wanted.order)) is not None:
            yield self._finished(there, Mark(wanted.to, wanted.token))
            return
        unlike = None if wanted.promised is None else differences(wanted.promised, self._services.studio.checkpoints)
        yield from self._follow(lambda: wanted.order, person, Mark(wanted.to, wanted.token, unlike))

    def four(self, *raw: Any) -> Updates:
        """Several takes of what the sliders say, one after the other, to compare them.

        Args:
            raw: values of PAGE_CONTROLS, then the preset's slug, then the person's token.
        """
        *values, slug, person = raw
        title = PRESETS[slug].name if slug in PRESETS else ""
        for number in range(TAKES):
            settings = _settings(values)
            update: dict[Any, Any] = {}
            for update in self._follow(
                lambda settings=settings: Order(page_recipe(settings), title, origin="take"),
                person,
                Mark("takes", f"take-{number}"),
                task=f"Take {number + 1} of {TAKES}",
            ):
                yield update
            if self._out["clip"] not in update:
                return

    def restore(self, code: Any) -> list[Any]:
        """The controls as a recipe sets them, then the status.

        Args:
            code: of a share link.
        """
        try:
            recipe = Recipe.from_code(code)
        except RequestError as error:
            return [*(gr.skip() for _ in PAGE_CONTROLS), gr.skip(), status.refused(error)]
        values = from_recipe(recipe)
        return [*(values[name] for name in PAGE_CONTROLS), True, status.restored()]

    def _there(self, clip: Clip, order: Order) -> Shown | None:
        """A clip whose files are on the shelf; None where they are not."""
        if not self._services.shelf.has(clip.id):
            return None
        try:
            return shown(order, load_shelved(self._services.shelf.folder(clip.id)), clip, {})
        except RequestError:
            return None

    def _follow(
        self,
        call: Callable[[], Order],
        person: Any,
        mark: Mark = STAGE,
        *,
        show_seed: bool = False,
        task: str = "",
    ) -> Updates:
        """Make what ``call`` orders, say how far it is, and let it be heard while it is made."""
        try:
            order, owner = call(), key_of(person)
        except RequestError as error:
            yield {self._out["status"]: status.refused(error)}
            return
        name, stream = self._services.streams.open()

        def hear(piece: Piece) -> None:
            stream.put(piece.begin, piece.samples)

        work = Work(lambda hook: make(self._services, order, hook, owner, hear))
        work.start()  # before anything is told: the first word takes the page a tenth of a second
        begun = {self._out["status"]: status.working(Progress(0.0), task), self._out["stream"]: stream_html(name, mark)}
        stage: str | None = None
        try:
            yield begun | ({self._out["seed"]: order.recipe.seed} if show_seed else {})
            for progress in work.follow():
                stage = progress.now
                yield {self._out["status"]: status.working(progress, task)}
        except Cancelled:
            yield {self._out["status"]: status.stopped()}
        except RequestError as error:
            yield {self._out["status"]: status.refused(error)}
        except Exception:
            LOG.exception("generating failed in stage %s", stage)
            yield {self._out["status"]: status.broken(stage)}
        else:
            yield self._finished(work.result, mark)
        finally:
            work.stop()
            stream.close()

    def _finished(self, shown: Shown, mark: Mark) -> dict[Any, Any]:
        values = {"status": status.done(shown.seconds, shown.clip.seconds), "clip": clip_html(shown.clip, mark)}
        if mark.to == "stage":
            values |= {
                "made": shown.made,
                "heading": shown.heading,
                "downloads": downloads_html(shown.clip),
                "meters": shown.meters,
                "tried": shown.tried,
            }
        return {self._out[name]: value for name, value in values.items()}


def _settings(values: list[Any], *, roll: bool = True) -> dict[str, Any]:
    """PAGE_CONTROLS by name, with a new seed or the one that is shown."""
    settings = dict(zip(PAGE_CONTROLS, values, strict=True))
    return settings | ({"seed": secrets.randbelow(SEEDS)} if roll else {})
