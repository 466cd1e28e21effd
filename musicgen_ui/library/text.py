"""Words that people typed, and JSON: in the one form in which they are kept."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from musicgen_ui.errors import RequestError

MAX_TITLE = 120
MAX_TAG = 40
MAX_TAGS = 20


def canonical(value: Any) -> str:
    """JSON whose text is equal where the value is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def clean_text(argument: str, value: Any, longest: int = MAX_TITLE) -> str:
    """A line that a person typed, without what cannot be seen.

    Raises:
        RequestError: no text, an empty one, or one that is too long.
    """
    if not isinstance(value, str) or len(value) > 4 * longest:
        raise RequestError(argument, f"must be a text of 1 to {longest} characters")
    # Line breaks are spaces; halves of characters and what no font knows are nothing.
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in value)
    shown = "".join(c for c in shown if unicodedata.category(c) not in ("Cs", "Co", "Cn"))
    text = " ".join(unicodedata.normalize("NFC", shown).split())
    if not 1 <= len(text) <= longest:
        raise RequestError(argument, f"must be a text of 1 to {longest} characters")
    return text


def clean_tags(value: Any) -> tuple[str, ...]:
    """Tags, each once, in order of the alphabet.

    Raises:
        RequestError: no list of tags, or too many.
    """
    if not isinstance(value, (list, tuple)) or len(value) > MAX_TAGS:
        raise RequestError("tags", f"must be a list of at most {MAX_TAGS} words")
    return tuple(sorted({clean_text("tags", tag, MAX_TAG) for tag in value}))


def fold(text: str) -> str:
    """The form in which words are compared: no case, no accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"\s+", " ", "".join(c for c in plain if not unicodedata.combining(c)))
