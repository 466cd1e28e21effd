"""What the page needs of a Studio: the whole of it in one place."""

from __future__ import annotations

from typing import Protocol

from musicgen_ui.engine.response import Responses
from musicgen_ui.ui.clip import Maker
from musicgen_ui.ui.start import Matcher
from musicgen_ui.ui.timbre import Borrower


class Engine(Maker, Borrower, Matcher, Protocol):
    """A Studio.

    Attributes:
        responses: how the sliders answer with each composer and synthesizer.
    """

    responses: Responses
